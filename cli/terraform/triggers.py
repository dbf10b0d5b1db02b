"""Triggers. Their configuration is a JSON text (``event_data``), kept as ``local.event_data.<trigger>`` beside them."""

from cli.json_value import Json, JsonObject
from cli.template.model import Event, Function, Template
from cli.terraform.expressions import Scope, call, snake_case
from cli.terraform.functions import ASYNC, FUNCTION
from cli.terraform.model import Part, Resource


TRIGGER = "huaweicloud_fgs_function_trigger"
STATUS = "huaweicloud_fgs_function_trigger_status_action"

ALWAYS_ON = frozenset({"SMN", "EVENTGRID", "DEDICATEDGATEWAY", "APIG"})
"""Triggers that cannot be disabled (FunctionGraph API, Creating a Trigger)."""


def triggers(template: Template, scope: Scope) -> Part:
    """Return the triggers of all functions of *template*."""
    resources = []
    event_data: dict[str, Json] = {}
    for function in template.functions:
        for event in function.events:
            name = snake_case(f"{function.resource} {event.name}")
            event_data[name] = scope.value(_properties(event))
            resources.append(Resource(TRIGGER, name, _trigger(function, event, name)))
            if event.type not in ALWAYS_ON and event.status != _status_when_made(event):
                resources.append(Resource(STATUS, name, _status(function, event, name)))
    return Part(tuple(resources), {"event_data": event_data} if event_data else {})


def _properties(event: Event) -> JsonObject:
    return {"name": event.name, **event.properties} if event.type == "TIMER" else dict(event.properties)


def _trigger(function: Function, event: Event, name: str) -> JsonObject:
    urn = _urn(function)
    body: JsonObject = {"function_urn": urn, "type": event.type, "event_data": _event_data(name)}
    if event.type not in ALWAYS_ON:
        body["status"] = event.status
    if event.type == "EVENTGRID":
        # FunctionGraph does not answer all of it, which would look like a change (the provider's documentation of it).
        body |= {"cascade_delete_eg_subscription": True, "lifecycle": {"ignore_changes": ["event_data"]}}
    if function.async_invoke:
        # The first event must not come before it is settled what becomes of a failed one.
        body["depends_on"] = [f"{ASYNC}.{snake_case(function.resource)}"]
    return body


def _status_when_made(event: Event) -> str:
    return "DISABLED" if "KAFKA" in event.type else "ACTIVE"


def _status(function: Function, event: Event, name: str) -> JsonObject:
    """Switch a new trigger: the provider sends no status when it makes one, only when it changes one."""
    return {
        "function_urn": _urn(function),
        "trigger_type_code": event.type,
        "trigger_id": f"${{{TRIGGER}.{name}.id}}",
        "trigger_status": event.status,
        "event_data": _event_data(name),
    }


def _event_data(name: str) -> str:
    return call("jsonencode", f"local.event_data.{name}")


def _urn(function: Function) -> str:
    return f"${{{FUNCTION}.{snake_case(function.resource)}.urn}}"
