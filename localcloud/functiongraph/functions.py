"""Creating, changing and deleting functions (FunctionGraph API, Function Lifecycle Management)."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from localcloud.functiongraph import schemas
from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.facts import AsyncConfig, Function, Package, Trigger
from localcloud.functiongraph.packages import digest_of, read_package
from localcloud.functiongraph.urns import check_version, function_urn, split
from localcloud.functiongraph.variables import read_variables
from localcloud.region import Region
from localcloud.store import Store


# FunctionGraph, Notes and Constraints: what an account has.
MAX_FUNCTIONS = 400


class Functions:
    """The functions of the project with their packages, triggers and asynchronous configurations.

    `on_change` is told the URN of a function whose instances are out of date.
    """

    def __init__(self, region: Region, store: Store) -> None:
        self.region = region
        self.functions = store.table("function", Function)
        self.packages = store.table("function_package", Package)
        self.triggers = store.table("trigger", Trigger)
        self.async_configs = store.table("async_config", AsyncConfig)
        self.on_change: Callable[[str], None] = lambda _: None

    def find(self, urn: str) -> Function:
        """The function of a URN with or without a version.

        Raises FSS.1309 for what is no URN, FSS.1051 for an unknown function, FSS.1052 or 1053 for another version.
        """
        name, version = split(urn)
        function = self.functions.get(name)
        if function is None:
            raise functiongraph_error("FSS.1051")
        check_version(version)
        return function

    def create(self, new: schemas.NewFunction) -> Function:
        """Create a function. Without code it is an empty one, as with the real API.

        Raises FSS.1061 for a name that is taken, FSS.1041 beyond 400 functions, and what is wrong with code or
        variables.
        """
        urn = function_urn(self.region, new.package, new.func_name)
        if self.functions.get(urn) is not None:
            raise functiongraph_error("FSS.1061")
        if len(self.functions) >= MAX_FUNCTIONS:
            raise functiongraph_error("FSS.1041")
        file = new.func_code.file if new.func_code else None
        content = read_package(file) if file else b""
        function = Function(
            id=urn,
            name=new.func_name,
            package=new.package,
            func_id=str(uuid.uuid4()),
            runtime=new.runtime,
            handler=new.handler,
            timeout=new.timeout,
            memory_size=new.memory_size,
            modified=self.region.clock.now(),
            user_data=read_variables(new.user_data),
            encrypted_user_data=read_variables(new.encrypted_user_data),
            code_type=new.code_type,
            code_filename=new.code_filename,
            code_size=len(content),
            digest=digest_of(content),
            depend_version_list=new.depend_version_list or [],
        )
        self.functions.put(_with(function, new))
        if file:
            self.packages.put(Package(urn, file))
        return self.find(urn)

    def configure(self, urn: str, new: schemas.NewConfiguration) -> Function:
        """Change the configuration; what is left out stays, but for the VPC.

        Raises FSS.1002 or 1005 for another name or runtime.
        """
        function = self.find(urn)
        if new.func_name != function.name:
            raise functiongraph_error("FSS.1002", f"It is {function.name!r} and cannot be changed.")
        if new.runtime != function.runtime:
            raise functiongraph_error("FSS.1005", f"It is {function.runtime} and cannot be changed.")
        changes: dict[str, Any] = {}
        if new.user_data is not None:
            changes["user_data"] = read_variables(new.user_data)
        if new.encrypted_user_data is not None:
            changes["encrypted_user_data"] = read_variables(new.encrypted_user_data)
        if new.strategy_config is not None:
            changes["concurrency"] = new.strategy_config.concurrency
        return self._change(_with(replace(function, **changes), new))

    def recode(self, urn: str, new: schemas.NewCode) -> Function:
        """Put another package in place. Raises FSS.1012 for none, FSS.1011 or 1071 for a wrong one."""
        function = self.find(urn)
        if not new.func_code.file:
            raise functiongraph_error("FSS.1012")
        content = read_package(new.func_code.file)
        self.packages.put(Package(function.id, new.func_code.file))
        dependencies = function.depend_version_list if new.depend_version_list is None else new.depend_version_list
        return self._change(
            replace(
                function,
                code_type=new.code_type,
                code_filename=new.code_filename,
                code_size=len(content),
                digest=digest_of(content),
                depend_version_list=dependencies,
            )
        )

    def delete(self, urn: str) -> list[Trigger]:
        """Delete a function with all that belongs to it; returns the triggers that it had.

        Raises FSS.0403 for a URN with a version: the latest one cannot be deleted.
        """
        function = self.find(urn)
        if split(urn)[1] is not None:
            raise functiongraph_error("FSS.0403", "The latest version cannot be deleted: give the URN without it.")
        triggers = self.triggers_of(function)
        for trigger in triggers:
            self.triggers.remove(trigger.id)
        for table in (self.functions, self.packages, self.async_configs):
            table.remove(function.id)
        self.on_change(function.id)
        return triggers

    def triggers_of(self, function: Function) -> list[Trigger]:
        """The triggers of a function, the oldest first."""
        return [trigger for trigger in self.triggers if trigger.function_urn == function.id]

    def _change(self, function: Function) -> Function:
        function = replace(function, modified=self.region.clock.now())
        self.functions.put(function)
        self.on_change(function.id)
        return function


def _with(function: Function, given: schemas.Configuration) -> Function:
    """The function with what is given of it; without a VPC it is in none, as Terraform's provider takes for granted."""
    changes = given.model_dump(
        include={
            "handler",
            "timeout",
            "memory_size",
            "xrole",
            "app_xrole",
            "description",
            "initializer_handler",
            "initializer_timeout",
            "enterprise_project_id",
            "enable_lts_log",
            "lts_custom_tag",
        },
        exclude_none=True,
    )
    if given.log_config is not None:
        changes |= {"log_group_id": given.log_config.group_id, "log_stream_id": given.log_config.stream_id}
    vpc = given.func_vpc.model_dump(exclude_none=True) if given.func_vpc else None
    function = replace(function, **changes, func_vpc=vpc)
    if function.initializer_handler and function.initializer_timeout is None:
        raise functiongraph_error("FSS.1405", "initializer_timeout is missing.")
    return function
