"""Functions (FunctionGraph API, Function Lifecycle Management)."""

import base64
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from huaweicloudsdkfunctiongraph.v2 import (
    CreateFunctionRequest,
    DeleteFunctionRequest,
    ListFunctionsRequest,
    ShowFunctionConfigRequest,
    UpdateFunctionCodeRequest,
    UpdateFunctionConfigRequest,
)

from cli.huaweicloud.access import APPLICATION, Access
from cli.huaweicloud.errors import ServiceError
from cli.huaweicloud.mark import marked, read_mark
from cli.huaweicloud.resources import Found, Kind, Resource


PAGE = 400
KEPT = ("func_vpc", "app_xrole", "mount_config", "network_controller", "enterprise_project_id")
"""What the template does not say, or need not, and an update sends back as it was, so that it outlasts the update."""


class Functions:
    """The functions of the project's application "default"."""

    def __init__(self, access: Access, stack: str) -> None:
        self._access = access
        self._client = access.functiongraph
        self._stack = stack

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 a function is part of nothing
        """Return the functions with one of *names* or with the mark of *stack*."""
        chosen = [
            function["func_name"]
            for function in self._all()
            if function["package"] == APPLICATION
            if function["func_name"] in names
            or read_mark(function.get("description"), self._access.project_id)[1] == stack
        ]
        return [self._found(name, self._config(name)) for name in chosen]

    def create(self, wanted: Resource) -> None:
        """POST it with its code."""
        body = self._body(wanted) | {"package": APPLICATION, "type": "v2"} | _code(wanted)
        _check(
            wanted, self._client.call("create_function", CreateFunctionRequest(body=body), "digest"), "CreateFunction"
        )

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:  # noqa: ARG002 it is known by its name
        """PUT the code if that differs, and the configuration if anything else does."""
        urn = self._access.function_urn(wanted.name)
        if "code" in fields:
            request = UpdateFunctionCodeRequest(function_urn=urn, body=_code(wanted))
            _check(wanted, self._client.call("update_function_code", request, "digest"), "UpdateFunctionCode")
        if set(fields) - {"code"}:
            now = self._config(wanted.name)
            kept = {name: now[name] for name in KEPT if now.get(name)}
            if "vpc" in fields:  # what is known of the old one, such as its security groups, is not the new one's
                kept.pop("func_vpc", None)
            body = self._body(wanted) | kept
            self._client.call("update_function_config", UpdateFunctionConfigRequest(function_urn=urn, body=body))

    def delete(self, found: Found) -> None:
        """DELETE all its versions: the URN has none (FunctionGraph API, Deleting a Function)."""
        urn = self._access.function_urn(found.resource.name)
        self._client.delete("delete_function", DeleteFunctionRequest(function_urn=urn))

    def _all(self) -> Iterator[dict[str, Any]]:
        marker = 0
        while True:
            request = ListFunctionsRequest(marker=str(marker), maxitems=str(PAGE))
            answer = self._client.call("list_functions", request, "functions")
            yield from answer["functions"]
            if len(answer["functions"]) < PAGE:
                return
            marker = int(answer["next_marker"])

    def _config(self, name: str) -> dict[str, Any]:
        request = ShowFunctionConfigRequest(function_urn=self._access.function_urn(name))
        config: dict[str, Any] = self._client.call("show_function_config", request, "runtime")
        return config

    def _body(self, wanted: Resource) -> dict[str, Any]:
        fields = wanted.fields
        body = {
            "func_name": wanted.name,
            "runtime": fields["runtime"],
            "handler": fields["handler"],
            "memory_size": fields["memory_size"],
            "timeout": fields["timeout"],
            "xrole": fields["agency"] or "",
            "description": marked(str(fields["description"]), self._stack, self._access.project_id),
            "user_data": json.dumps(fields["variables"]),
            "enable_lts_log": fields["log"],
        }
        initializer = {
            "initializer_handler": fields["initializer"],
            "initializer_timeout": fields["initializer_timeout"],
        }
        network = {"func_vpc": fields["vpc"]} if "vpc" in fields else {}
        return body | network | (initializer if fields["initializer"] else {})

    def _found(self, name: str, config: dict[str, Any]) -> Found:
        description, stack = read_mark(config.get("description"), self._access.project_id)
        has_initializer = bool(config.get("initializer_handler"))
        vpc = config.get("func_vpc") or {}
        fields = {
            "runtime": config["runtime"],
            "handler": config["handler"],
            "memory_size": config["memory_size"],
            "timeout": config["timeout"],
            "agency": config.get("xrole") or None,
            "description": description,
            "variables": json.loads(config.get("user_data") or "{}"),
            "initializer": config.get("initializer_handler") or None,
            "initializer_timeout": config.get("initializer_timeout") if has_initializer else None,
            "log": bool(config.get("enable_lts_log")),
            "vpc": {"vpc_id": vpc["vpc_id"], "subnet_id": vpc.get("subnet_id")} if vpc.get("vpc_id") else None,
            "code": (config.get("digest") or "").lower(),
            "concurrency": (config.get("strategy_config") or {}).get("concurrency"),
            "execution_agency": config.get("app_xrole") or None,
        }
        return Found(Resource(Kind.FUNCTION, name, fields), config["func_urn"], stack)


def _code(wanted: Resource) -> dict[str, Any]:
    assert isinstance(wanted.code, Path)  # noqa: S101 a function that is wanted has code
    file = base64.b64encode(wanted.code.read_bytes()).decode("ascii")
    return {"code_type": "zip", "code_filename": f"{wanted.name}.zip", "func_code": {"file": file}}


def _check(wanted: Resource, answer: dict[str, Any], operation: str) -> None:
    """FunctionGraph may make an empty function of code that it did not get."""
    digest, size = str(answer.get("digest") or "").lower(), answer.get("code_size")
    if digest != wanted.fields["code"]:
        raise ServiceError(
            f"FunctionGraph.{operation}",
            None,
            None,
            f"it now has code of {size} bytes with the SHA-512 {digest[:16] or 'none'}..., expected "
            f"{str(wanted.fields['code'])[:16]}...: the upload did not arrive as it was sent",
        )
