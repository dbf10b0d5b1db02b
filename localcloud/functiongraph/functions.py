"""Creating, changing and deleting functions (FunctionGraph API, Function Lifecycle Management)."""

import json
import re
import uuid
from dataclasses import replace
from typing import Any

from localcloud.functiongraph import schemas
from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.instances import Instances
from localcloud.functiongraph.packages import read_package, sha512
from localcloud.functiongraph.state import Function, FunctionGraphState, Package, split_urn
from localcloud.functiongraph.triggers import Triggers


# FunctionGraph, Notes and Constraints: the quota of an account.
MAX_FUNCTIONS = 400
# FunctionGraph API, Creating a Function, user_data.
MAX_VARIABLES = 20
MAX_VARIABLE_CHARACTERS = 4096
_VARIABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Functions:
    """The life of functions. A change or a deletion retires their instances."""

    def __init__(self, state: FunctionGraphState, triggers: Triggers, instances: Instances) -> None:
        self._state = state
        self._triggers = triggers
        self._instances = instances

    def create(self, new: schemas.NewFunction) -> Function:
        """Create a function. Code is optional, as in the real API.

        Raises FSS.1061 for a name that is taken, FSS.1041 beyond 400 functions, and the errors of `read_package` and
        `read_variables`.
        """
        region = self._state.region
        urn = f"urn:fss:{region.id}:{region.project_id}:function:{new.package}:{new.func_name}"
        if self._state.functions.get(urn) is not None:
            raise functiongraph_error("FSS.1061")
        if len(self._state.functions) >= MAX_FUNCTIONS:
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
            modified=region.clock.now(),
            user_data=read_variables(new.user_data),
            encrypted_user_data=read_variables(new.encrypted_user_data),
            code_type=new.code_type,
            code_filename=new.code_filename,
            code_size=len(content),
            digest=sha512(content),
            depend_version_list=new.depend_version_list or [],
        )
        function = _configured(function, new)
        self._state.functions.put(function)
        if file:
            self._state.packages.put(Package(urn, file))
        return function

    def configure(self, urn: str, new: schemas.NewConfiguration) -> Function:
        """Change the configuration. Omitted fields stay, except for the VPC.

        Raises FSS.1002 or FSS.1005 if the name or the runtime differs.
        """
        function = self._state.function(urn)
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
        return self._change(_configured(replace(function, **changes), new))

    def replace_code(self, urn: str, new: schemas.NewCode) -> Function:
        """Replace the package. Raises FSS.1012 if there is none, and the errors of `read_package`."""
        function = self._state.function(urn)
        if not new.func_code.file:
            raise functiongraph_error("FSS.1012")
        content = read_package(new.func_code.file)
        self._state.packages.put(Package(function.id, new.func_code.file))
        dependencies = function.depend_version_list if new.depend_version_list is None else new.depend_version_list
        return self._change(
            replace(
                function,
                code_type=new.code_type,
                code_filename=new.code_filename,
                code_size=len(content),
                digest=sha512(content),
                depend_version_list=dependencies,
            )
        )

    def delete(self, urn: str) -> None:
        """Delete a function with its triggers, package, and asynchronous configuration.

        Raises FSS.0403 for a URN with a version: the latest version cannot be deleted.
        """
        function = self._state.function(urn)
        if split_urn(urn)[1] is not None:
            raise functiongraph_error("FSS.0403", "The latest version cannot be deleted: give the URN without it.")
        for trigger in self._state.triggers_of(function):
            self._triggers.delete(trigger)
        for table in (self._state.functions, self._state.packages, self._state.async_configs):
            table.remove(function.id)
        self._instances.retire(function.id)

    def _change(self, function: Function) -> Function:
        function = replace(function, modified=self._state.region.clock.now())
        self._state.functions.put(function)
        self._instances.retire(function.id)
        return function


def _configured(function: Function, given: schemas.Configuration) -> Function:
    """Apply a configuration. Without func_vpc the function is in no VPC, which Terraform's provider relies on."""
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


def read_variables(text: str | None) -> dict[str, str]:
    """Read environment variables from a JSON object; empty if there is none.

    Raises FSS.1009 if it is not an object of strings or has an invalid name, FSS.1017 for more than 20 variables,
    FSS.1018 for more than 4096 characters of names and values.
    """
    if not text:
        return {}
    try:
        variables = json.loads(text)
    except ValueError as error:
        raise functiongraph_error("FSS.1009", f"it is not JSON: {error}") from error
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        raise functiongraph_error("FSS.1009", "expected an object of strings.")
    wrong = [name for name in variables if not _VARIABLE_NAME.fullmatch(name)]
    if wrong:
        raise functiongraph_error(
            "FSS.1009", f"{wrong[0]!r} is not a valid name: a letter, then letters, digits and underscores."
        )
    if len(variables) > MAX_VARIABLES:
        raise functiongraph_error("FSS.1017")
    if sum(len(name) + len(value) for name, value in variables.items()) > MAX_VARIABLE_CHARACTERS:
        raise functiongraph_error("FSS.1018")
    return variables
