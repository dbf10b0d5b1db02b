"""Recognizes which trigger an event comes from: by its marks, never by trying."""

from collections.abc import Callable

from pydantic import BaseModel

from shared.errors import UnknownEventError
from shared.format import excerpt, kind_of
from shared.triggers.apig import ApigEnvelope
from shared.triggers.direct import DirectEnvelope
from shared.triggers.envelope import Envelope
from shared.triggers.eventgrid import EventGridEnvelope
from shared.triggers.queues import KafkaEnvelope, RabbitMqEnvelope, RocketMqEnvelope
from shared.triggers.smn import SmnEnvelope
from shared.triggers.timer import TimerEnvelope


ENVELOPES: tuple[type[Envelope], ...] = (
    TimerEnvelope,
    SmnEnvelope,
    KafkaEnvelope,
    RabbitMqEnvelope,
    RocketMqEnvelope,
    EventGridEnvelope,
    ApigEnvelope,
)

_KNOWN = (
    "timer, kafka, rabbitmq and rocketmq (trigger_type), smn (record[].event_source), eventgrid (specversion), "
    "apig (httpMethod and requestContext)"
)


def recognize(event: object, model: type[BaseModel]) -> type[Envelope]:
    """Return the envelope of the one trigger whose marks the event has.

    An object without marks is a direct call if it has a field of `model`.

    Raises:
        UnknownEventError: the event has the marks of no trigger, or of several.
    """
    found = [envelope for envelope in ENVELOPES if envelope.recognizes(event)]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(envelope.trigger for envelope in found)
        raise UnknownEventError([f"an event of {names} at once; expected the marks of one trigger"])
    if isinstance(event, dict) and event.keys() & model.model_fields.keys():
        return DirectEnvelope
    fields = ", ".join(sorted(model.model_fields))
    raise UnknownEventError(
        [f"unknown kind of event: found {_describe(event)}; known: {_KNOWN}, or a direct call with one of {fields}"]
    )


def _describe(event: object) -> str:
    if not isinstance(event, dict):
        return kind_of(event)
    foreign = next((name for name, is_one in _FOREIGN.items() if is_one(event)), None)
    if foreign:
        return f"an event of {foreign}, a trigger that this function does not take"
    if "trigger_type" in event:
        return f"trigger_type {excerpt(event['trigger_type'])}"
    return f"an object with the keys {', '.join(map(str, event))[:200]}" if event else "an empty object"


def _first(event: dict[str, object], key: str) -> dict[str, object]:
    items = event.get(key)
    first = items[0] if isinstance(items, list) and items else None
    return first if isinstance(first, dict) else {}


# FunctionGraph's triggers that carry no request (FunctionGraph, Supported Event Sources).
_FOREIGN: dict[str, Callable[[dict[str, object]], bool]] = {
    "CTS": lambda event: "cts" in event,
    "LTS": lambda event: "lts" in event,
    "OBS": lambda event: "s3" in _first(event, "Records"),
    "DIS": lambda event: "StreamName" in event and "ShardID" in event,
    "DDS": lambda event: _first(event, "records").get("event_source") == "dds",
    "GaussDB(for Mongo)": lambda event: _first(event, "records").get("event_source") == "gauss_mongo",
    "IoT": lambda event: "device_id" in event and "services" in event,
    "an asynchronous invocation's destination": lambda event: (
        "request_context" in event and "response_context" in event
    ),
}
