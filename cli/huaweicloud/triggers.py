"""Triggers of functions (FunctionGraph API, Function Trigger Management)."""

from collections.abc import Collection, Sequence
from typing import Any

from huaweicloudsdkfunctiongraph.v2 import (
    CreateFunctionTriggerRequest,
    DeleteFunctionTriggerRequest,
    ListFunctionTriggersRequest,
    UpdateTriggerRequest,
)

from cli.huaweicloud.access import Access
from cli.huaweicloud.resources import Found, Kind, Resource
from cli.huaweicloud.trigger_names import trigger_name
from cli.template.model import PASSWORDS


class Triggers:
    """The triggers of the functions that were found. A trigger has no name: see `cli.huaweicloud.trigger_names`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client = access.functiongraph

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 those of the functions
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
        """POST it, and see to it that it has the status that is wanted."""
        fields = wanted.fields
        data = fields["event_data"]
        assert isinstance(data, dict)  # noqa: S101 it is made from a mapping
        urn = self._access.function_urn(str(fields["function"]))
        body = {
            "trigger_type_code": fields["type"],
            "trigger_status": fields["status"],
            "event_data": {**data, **wanted.sent_only},
        }
        request = CreateFunctionTriggerRequest(function_urn=urn, body=body)
        answer = self._client.call("create_function_trigger", request, "trigger_id")
        if answer.get("trigger_status") not in (None, fields["status"]):  # a new Kafka trigger is disabled
            self._switch(urn, str(fields["type"]), answer["trigger_id"], fields["status"])

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:  # noqa: ARG002 it can only be the status
        """PUT the status, all that the API can change."""
        urn = self._access.function_urn(str(wanted.fields["function"]))
        self._switch(urn, str(wanted.fields["type"]), found.id, wanted.fields["status"])

    def delete(self, found: Found) -> None:
        """DELETE it."""
        fields = found.resource.fields
        request = DeleteFunctionTriggerRequest(
            function_urn=self._access.function_urn(str(fields["function"])),
            trigger_type_code=fields["type"],
            trigger_id=found.id,
        )
        self._client.delete("delete_function_trigger", request)

    def _switch(self, urn: str, kind: str, trigger_id: str, status: object) -> None:
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
