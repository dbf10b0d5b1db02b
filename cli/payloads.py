"""Where the events of each trigger carry requests for backups, and how they are encoded."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cli.errors import WrongCall
from cli.json_value import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Carrier:
    """The path to a trigger's requests (``*`` is every item of a list; empty: the event itself), their encoding."""

    path: str
    encoding: Literal["object", "text", "base64"]


CARRIERS = {
    "timer": Carrier("user_event", "text"),
    "smn": Carrier("record.*.smn.message", "text"),
    "kafka": Carrier("records.*.messages.*", "text"),
    "opensource-kafka": Carrier("records.*.messages.*", "text"),
    "rabbitmq": Carrier("records.*.messages.*", "text"),
    "rocketmq": Carrier("records.*.messages.*", "text"),
    "eventgrid": Carrier("data", "object"),
    "apig": Carrier("body", "base64"),
    "direct": Carrier("", "object"),
    "api-page": Carrier("", "object"),
}
"""Every trigger that there is a sample event of. A direct call is its own request."""


def requests_of(trigger: str, event: JsonObject) -> list[JsonObject]:
    """Return the requests that *event*, one of *trigger*, carries. Raises WrongCall for one that is no request."""
    found: list[JsonObject] = []
    change_requests(trigger, event, found.append)
    return found


def change_requests(trigger: str, event: JsonObject, change: Callable[[JsonObject], None]) -> None:
    """Hand every request that *event* carries to *change*, which changes it in place."""
    carrier = CARRIERS[trigger]
    if not carrier.path:
        change(event)
        return
    for container, key in list(_places(event, carrier.path.split("."))):
        request = _decode(container[key], carrier)
        change(request)
        container[key] = _encode(request, carrier)


def _places(node: Any, path: list[str]) -> Iterator[tuple[Any, str | int]]:
    first, *rest = path
    keys: list[str | int] = list(range(len(node))) if first == "*" else [first]
    for key in keys:
        if rest:
            yield from _places(node[key], rest)
        else:
            yield node, key


def _decode(carried: Any, carrier: Carrier) -> JsonObject:
    try:
        if carrier.encoding == "base64":
            carried = base64.b64decode(carried, validate=True)
        request = carried if carrier.encoding == "object" else json.loads(carried)
    except (ValueError, TypeError) as error:
        raise WrongCall(f"cannot set a field of the request: {carrier.path} holds no JSON ({error})") from error
    if not isinstance(request, dict):
        raise WrongCall(f"cannot set a field of the request: {carrier.path} holds no JSON object")
    return request


def _encode(request: JsonObject, carrier: Carrier) -> Json:
    if carrier.encoding == "object":
        return request
    if carrier.encoding == "base64":
        return base64.b64encode(json.dumps(request).encode()).decode()
    return json.dumps(request, ensure_ascii=False)
