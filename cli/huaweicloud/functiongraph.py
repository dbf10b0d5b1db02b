"""FunctionGraph: functions, their settings for asynchronous invocation, and their triggers."""

import base64
import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import requests
from huaweicloudsdkfunctiongraph.v2 import (
    CreateFunctionRequest,
    CreateFunctionRequestBody,
    CreateFunctionTriggerRequest,
    DeleteFunctionAsyncInvokeConfigRequest,
    DeleteFunctionRequest,
    DeleteFunctionTriggerRequest,
    ListFunctionsRequest,
    ListFunctionTriggersRequest,
    ListQuotasRequest,
    ShowFunctionAsyncInvokeConfigRequest,
    ShowFunctionCodeRequest,
    ShowFunctionConfigRequest,
    UpdateFunctionAsyncInvokeConfigRequest,
    UpdateFunctionCodeRequest,
    UpdateFunctionConfigRequest,
    UpdateTriggerRequest,
)

from cli.huaweicloud.access import APPLICATION, Access
from cli.huaweicloud.client import ServiceError
from cli.huaweicloud.resources import Found, Kind, Resource, marked, read_mark, trigger_name
from cli.json_value import Json
from cli.template.model import PASSWORDS


FUNCTIONS_PAGE = 400

KEPT = ("func_vpc", "app_xrole", "mount_config", "network_controller", "enterprise_project_id")
"""Settings that an update sends back unchanged: the template does not have them, or leaves them out."""

KEPT_BODY = "body"
"""What `Functions.keep` puts into the secrets of a resource: the body that creates the function again."""
LINK_TIMEOUT = 60

DESTINATIONS = ("on_success", "on_failure")


class Functions:
    """The functions of the application "default" (FunctionGraph API, Function Lifecycle Management)."""

    def __init__(self, access: Access, stack: str) -> None:
        self._access = access
        self._client = access.functiongraph
        self._stack = stack

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 a function has no parent
        """Return the functions with one of *names* or with the mark of *stack*."""
        chosen = [
            function["func_name"]
            for function in self.all()
            if function["package"] == APPLICATION
            if function["func_name"] in names
            or read_mark(function.get("description"), self._access.project_id)[1] == stack
        ]
        return [self._found(name, self._config(name)) for name in chosen]

    def create(self, wanted: Resource) -> None:
        """POST the function with its code, or as it was kept."""
        if KEPT_BODY in wanted.sent_only:
            body = json.loads(wanted.sent_only[KEPT_BODY])
            self._client.call("create_function", CreateFunctionRequest(body=body), "func_urn")
            return
        body = self._body(wanted) | {"package": APPLICATION, "type": "v2"} | _code(wanted)
        answer = self._client.call("create_function", CreateFunctionRequest(body=body), "digest")
        _verify_upload(wanted, answer, "CreateFunction")

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:  # noqa: ARG002 the name identifies it
        """PUT the code if *fields* has it, and the configuration for any other field."""
        urn = self._access.function_urn(wanted.name)
        if "code" in fields:
            request = UpdateFunctionCodeRequest(function_urn=urn, body=_code(wanted))
            _verify_upload(wanted, self._client.call("update_function_code", request, "digest"), "UpdateFunctionCode")
        if set(fields) - {"code"}:
            now = self._config(wanted.name)
            kept = {name: now[name] for name in KEPT if now.get(name)}
            if "vpc" in fields:  # other settings of the old VPC, such as its security groups, do not fit the new one
                kept.pop("func_vpc", None)
            body = self._body(wanted) | kept
            self._client.call("update_function_config", UpdateFunctionConfigRequest(function_urn=urn, body=body))

    def delete(self, found: Found) -> None:
        """DELETE all versions: the URN names none (FunctionGraph API, Deleting a Function)."""
        urn = self._access.function_urn(found.resource.name)
        self._client.delete("delete_function", DeleteFunctionRequest(function_urn=urn))

    def keep(self, found: Found) -> Resource:
        """GET the configuration and the code, for *create* to bring the function back.

        Raises ServiceError if the code cannot be read (FunctionGraph API, Querying the Code of a Function).
        """
        urn, name = self._access.function_urn(found.resource.name), found.resource.name
        config = self._config(name)
        code = self._client.call("show_function_code", ShowFunctionCodeRequest(function_urn=urn), "func_code")
        file = read_code(code["func_code"] or {}, str(found.resource.fields["code"]))
        if file is None:
            raise ServiceError(
                "FunctionGraph.ShowFunctionCode",
                None,
                None,
                f"the code of {name} cannot be read, so that the function could not be put back if its replacement "
                "failed. It is left as it is",
                advice="give it another FunctionName in the template, deploy, and when the new function works deploy "
                "with --prune, which deletes the old one",
            )
        known = CreateFunctionRequestBody.attribute_map
        body = {key: value for key, value in config.items() if key in known and value is not None}
        body |= {"code_type": "zip", "code_filename": f"{name}.zip", "func_code": {"file": file}}
        return Resource(Kind.FUNCTION, name, found.resource.fields, sent_only={KEPT_BODY: json.dumps(body)})

    def stacks(self) -> set[str]:
        """Return the names of the stacks that have a function in the project."""
        marks = (read_mark(item.get("description"), self._access.project_id)[1] for item in self.all())
        return {stack for stack in marks if stack and " " not in stack}

    def all(self) -> Iterator[dict[str, Any]]:
        """Yield all functions of the project (FunctionGraph API, Querying Functions)."""
        marker = 0
        while True:
            request = ListFunctionsRequest(marker=str(marker), maxitems=str(FUNCTIONS_PAGE))
            answer = self._client.call("list_functions", request, "functions")
            yield from answer["functions"]
            if len(answer["functions"]) < FUNCTIONS_PAGE:
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


def read_code(given: dict[str, Any], digest: str) -> str | None:
    """Return the zip with the SHA-512 *digest*, base64, from the response or from its link. None if neither has it."""
    if _has_digest(file := str(given.get("file") or ""), digest):
        return file
    link = str(given.get("link") or "")
    if not link.startswith("https://"):
        return None
    try:
        content = requests.get(link, timeout=LINK_TIMEOUT).content
    except requests.RequestException:
        return None
    file = base64.b64encode(content).decode("ascii")
    return file if _has_digest(file, digest) else None


def _has_digest(file: str, digest: str) -> bool:
    try:
        return hashlib.sha512(base64.b64decode(file)).hexdigest() == digest
    except ValueError:
        return False


def _code(wanted: Resource) -> dict[str, Any]:
    assert isinstance(wanted.code, Path)  # noqa: S101 a wanted function has code
    file = base64.b64encode(wanted.code.read_bytes()).decode("ascii")
    return {"code_type": "zip", "code_filename": f"{wanted.name}.zip", "func_code": {"file": file}}


def _verify_upload(wanted: Resource, answer: dict[str, Any], operation: str) -> None:
    """Raise ServiceError unless the digest is right: FunctionGraph may create a function without its code."""
    digest, size = str(answer.get("digest") or "").lower(), answer.get("code_size")
    if digest != wanted.fields["code"]:
        raise ServiceError(
            f"FunctionGraph.{operation}",
            None,
            None,
            f"the function now has code of {size} bytes with the SHA-512 {digest[:16] or 'none'}..., expected "
            f"{str(wanted.fields['code'])[:16]}...: the upload did not arrive as it was sent",
        )


class AsyncInvocations:
    """The settings for asynchronous invocation, by function (FunctionGraph API, Asynchronous Invocation Settings)."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 they are part of a function
        """Return the settings of those functions in *found* that have any."""
        settings = []
        for function in found:
            name = function.resource.name
            if function.resource.kind is Kind.FUNCTION and (config := self._config(name)):
                resource = Resource(Kind.ASYNC_INVOCATION, name, _async_fields(config), ((Kind.FUNCTION, name),))
                settings.append(Found(resource, function.id, function.stack))
        return settings

    def create(self, wanted: Resource) -> None:
        """PUT all settings."""
        fields = wanted.fields
        destinations = {
            name: {"destination": chosen["destination"], "param": json.dumps(chosen["param"])}
            for name in DESTINATIONS
            if isinstance(chosen := fields[name], dict)
        }
        body = {
            "max_async_retry_attempts": fields["max_retry_attempts"],
            "max_async_event_age_in_seconds": fields["max_event_age"],
            "destination_config": destinations,
        }
        request = UpdateFunctionAsyncInvokeConfigRequest(function_urn=self._access.function_urn(wanted.name), body=body)
        self._access.functiongraph.call("update_function_async_invoke_config", request)

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:  # noqa: ARG002 all are sent
        """PUT all settings."""
        self.create(wanted)

    def delete(self, found: Found) -> None:
        """DELETE the settings, which restores the platform's defaults."""
        urn = self._access.function_urn(found.resource.name)
        request = DeleteFunctionAsyncInvokeConfigRequest(function_urn=urn)
        self._access.functiongraph.delete("delete_function_async_invoke_config", request)

    def _config(self, name: str) -> dict[str, Any] | None:
        request = ShowFunctionAsyncInvokeConfigRequest(function_urn=self._access.function_urn(name))
        try:
            config = self._access.functiongraph.call("show_function_async_invoke_config", request)
        except ServiceError as error:
            if error.status == 404:
                return None
            raise
        return config if isinstance(config, dict) else None


def _async_fields(config: dict[str, Any]) -> dict[str, Json]:
    destinations = config.get("destination_config") or {}
    return {
        "max_retry_attempts": config.get("max_async_retry_attempts"),
        "max_event_age": config.get("max_async_event_age_in_seconds"),
        **{name: _destination(destinations.get(name)) for name in DESTINATIONS},
    }


def _destination(given: dict[str, Any] | None) -> Json:
    if not given or not given.get("destination"):
        return None
    return {"destination": given["destination"], "param": json.loads(given.get("param") or "{}")}


class Triggers:
    """The triggers of functions (FunctionGraph API, Function Trigger Management), by `trigger_name`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client = access.functiongraph

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 a trigger is part of a function
        """Return the triggers of the functions in *found*."""
        triggers = []
        for function in found:
            if function.resource.kind is not Kind.FUNCTION:
                continue
            urn = self._access.function_urn(function.resource.name)
            request = ListFunctionTriggersRequest(function_urn=urn)
            items = self._client.call("list_function_triggers", request, list)
            triggers += [self._found(function, item) for item in items]
        return triggers

    def create(self, wanted: Resource) -> None:
        """POST the trigger, then PUT its status if that is not the wanted one: a new Kafka trigger is disabled."""
        fields = wanted.fields
        data = fields["event_data"]
        assert isinstance(data, dict)  # noqa: S101 the template has a mapping
        urn = self._access.function_urn(str(fields["function"]))
        body = {
            "trigger_type_code": fields["type"],
            "trigger_status": fields["status"],
            "event_data": {**data, **wanted.sent_only},
        }
        request = CreateFunctionTriggerRequest(function_urn=urn, body=body)
        answer = self._client.call("create_function_trigger", request, "trigger_id")
        if answer.get("trigger_status") not in (None, fields["status"]):
            self._set_status(urn, str(fields["type"]), answer["trigger_id"], fields["status"])

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:  # noqa: ARG002 only the status can change
        """PUT the status, the only field that the API can change."""
        urn = self._access.function_urn(str(wanted.fields["function"]))
        self._set_status(urn, str(wanted.fields["type"]), found.id, wanted.fields["status"])

    def delete(self, found: Found) -> None:
        """DELETE the trigger."""
        fields = found.resource.fields
        request = DeleteFunctionTriggerRequest(
            function_urn=self._access.function_urn(str(fields["function"])),
            trigger_type_code=fields["type"],
            trigger_id=found.id,
        )
        self._client.delete("delete_function_trigger", request)

    def _set_status(self, urn: str, kind: str, trigger_id: str, status: object) -> None:
        request = UpdateTriggerRequest(
            function_urn=urn, trigger_type_code=kind, trigger_id=trigger_id, body={"trigger_status": status}
        )
        self._client.call("update_trigger", request)

    def _found(self, function: Found, item: dict[str, Any]) -> Found:
        name, kind = function.resource.name, item["trigger_type_code"]
        data = {key: value for key, value in (item.get("event_data") or {}).items() if key not in PASSWORDS}
        resource = Resource(
            Kind.TRIGGER,
            trigger_name(name, kind, data, item["trigger_id"]),
            {"function": name, "type": kind, "status": item.get("trigger_status"), "event_data": data},
            parents=(function.resource.key,),
        )
        note = "its API stays in the gateway: delete it there" if kind in ("DEDICATEDGATEWAY", "APIG") else ""
        return Found(resource, item["trigger_id"], function.stack, note)


def list_quotas(access: Access) -> list[dict[str, Any]]:
    """Return the quotas, each with type, quota and used (FunctionGraph API, Querying Tenant Quotas)."""
    answer = access.functiongraph.call("list_quotas", ListQuotasRequest(), "quotas")
    quotas: list[dict[str, Any]] = answer["quotas"]["resources"]
    return quotas
