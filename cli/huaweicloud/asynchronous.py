"""What becomes of events whose invocation fails (FunctionGraph API, Asynchronous Invocation Settings)."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from huaweicloudsdkfunctiongraph.v2 import (
    DeleteFunctionAsyncInvokeConfigRequest,
    ShowFunctionAsyncInvokeConfigRequest,
    UpdateFunctionAsyncInvokeConfigRequest,
)

from cli.huaweicloud.access import Access
from cli.huaweicloud.errors import ServiceError
from cli.huaweicloud.resources import Found, Kind, Resource
from cli.json_value import Json


DESTINATIONS = ("on_success", "on_failure")


class AsynchronousInvocations:
    """The settings of the functions that were found, under the functions' names."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 those of the functions
        """Return the settings of the functions in *found* that have any."""
        settings = []
        for function in found:
            name = function.resource.name
            if function.resource.kind is Kind.FUNCTION and (config := self._config(name)):
                resource = Resource(Kind.ASYNC_INVOCATION, name, _fields(config), parents=((Kind.FUNCTION, name),))
                settings.append(Found(resource, function.id, function.stack))
        return settings

    def create(self, wanted: Resource) -> None:
        """PUT them all."""
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
        """PUT them all."""
        self.create(wanted)

    def delete(self, found: Found) -> None:
        """DELETE them: the platform's defaults are in force again."""
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


def _fields(config: dict[str, Any]) -> dict[str, Json]:
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
