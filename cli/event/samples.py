"""The sample events in ``events/``: where each trigger carries requests, for which function, and at which time."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from cli.errors import WrongCall
from cli.event.changes import decode_json, put, read_change
from cli.event.moment import renamed, take_place_at
from cli.json_value import Json, JsonObject
from cli.paths import APPLICATION


@dataclass(frozen=True, slots=True)
class Carrier:
    """Where the events of a trigger carry requests.

    Attributes:
        path: keys joined by dots; ``*`` stands for every item of a list. Empty if the event itself is the request.
        encoding: how the request is encoded there.
    """

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
"""The triggers that have a sample event."""

CREATE = "create_backup"
API_PAGE = "api-page"
"""The body of the DDS API, which only create_backup takes."""

EXCLUSIVE = {
    CREATE: ("instance_ids", "instance_id", "select"),
    "track_backups": ("job_id", "backup_id", "idempotency_key", "since"),
}
"""The fields of which a request has exactly one, by function."""

API_PAGE_FIELDS = ("instance_id", "name", "description")
"""The fields of ``backup`` in the request body (DDS API, Creating a Manual Backup, table 2)."""


def request_fields(function: str) -> list[str]:
    """Return the fields of a request to *function*. Any other key belongs to the trigger's envelope."""
    from cli.preflight.functions import FUNCTIONS

    return list(FUNCTIONS[function].request.model_fields)


def sample_event(
    trigger: str, changes: Iterable[str] = (), *, function: str = CREATE, moment: datetime | None = None
) -> JsonObject:
    """Return the sample event of *trigger*, a key of CARRIERS, for *function*, with *changes* applied in order.

    A change has the form ``name=nightly``. With a *moment*, an aware time, it is a new event that takes place then: see
    `cli.event.moment`. Raises WrongCall for a change that cannot be made, and for API_PAGE with another function.
    """
    if trigger == API_PAGE and function != CREATE:
        raise WrongCall(f"{API_PAGE} is the body of the DDS API, which only {CREATE} takes: choose another trigger")
    sample = _load(trigger, function)
    if moment:
        take_place_at(moment, sample, requests_changed=partial(_change_requests, trigger, sample))
    read = [read_change(change) for change in changes]
    fields = request_fields(function) if read else []
    for path, value in read:
        if path[0] in fields:
            change = partial(_set_field, function=function, path=path, value=value)
            _change_requests(trigger, sample, change)
        else:
            put(sample, path, value, others=fields)
    if moment and not CARRIERS[trigger].path and ["name"] not in [path[-1:] for path, _ in read]:
        _change_requests(trigger, sample, partial(renamed, moment=moment))
    return sample


def requests_of(trigger: str, carrying: JsonObject) -> list[JsonObject]:
    """Return the requests that an event of *trigger* carries. Raises WrongCall if one is not a JSON object."""
    found: list[JsonObject] = []
    _change_requests(trigger, carrying, found.append)
    return found


def _load(trigger: str, function: str) -> JsonObject:
    """Return the event as it is, or the envelope of create_backup's around the request of another *function*."""
    if function == CREATE:
        return _read(trigger)
    if trigger in {"timer", "direct"}:
        return _read(f"{function}-{trigger}")
    sample: JsonObject = json.loads(json.dumps(_read(trigger)).replace(CREATE, function))
    carrier = CARRIERS[trigger]
    _keep_first(sample, carrier.path.split("."))
    for container, key in list(_places(sample, carrier.path.split("."))):
        container[key] = _encode(_read(f"{function}-direct"), carrier)
    return sample


def _read(name: str) -> JsonObject:
    event: JsonObject = json.loads((APPLICATION / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return event


def _keep_first(node: Any, path: list[str]) -> None:
    """Leave one message: create_backup's samples have several instances, which another request does not need."""
    for key in path:
        if key == "*":
            del node[1:]
        node = node[0 if key == "*" else key]


def _change_requests(trigger: str, carrying: JsonObject, change: Callable[[JsonObject], None]) -> None:
    """Call *change* with every request of the event. It changes the request in place."""
    carrier = CARRIERS[trigger]
    if not carrier.path:
        change(carrying)
        return
    for container, key in list(_places(carrying, carrier.path.split("."))):
        before = _decode(container[key], carrier)
        request = json.loads(json.dumps(before))
        change(request)
        if request != before:
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
    if carrier.path == "user_event" and carried == "":
        return {}  # of a timer without additional information
    try:
        if carrier.encoding == "base64":
            carried = base64.b64decode(carried, validate=True)
        request = carried if carrier.encoding == "object" else decode_json(carried)
    except (ValueError, TypeError) as error:
        raise WrongCall(f"cannot set a field of the request: {carrier.path} is not JSON ({error})") from error
    if not isinstance(request, dict):
        raise WrongCall(f"cannot set a field of the request: {carrier.path} is not a JSON object")
    return request


def _encode(request: JsonObject, carrier: Carrier) -> Json:
    if carrier.encoding == "object":
        return request
    if carrier.encoding == "base64":
        return base64.b64encode(json.dumps(request).encode()).decode()
    return json.dumps(request, ensure_ascii=False)


def _set_field(request: JsonObject, function: str, path: list[str], value: Json) -> None:
    """Set a field of *request*. It replaces the fields that exclude it; ``backup`` replaces the whole request."""
    field, exclusive = path[0], EXCLUSIVE.get(function, ())
    if field == "backup" and "backup" not in request:
        request.clear()
        request["backup"] = {}
    elif "backup" in request:
        if path == ["instance_ids"] and isinstance(value, list) and len(value) == 1:
            path, value = ["instance_id"], value[0]
        if path[0] in API_PAGE_FIELDS:
            path = ["backup", *path]
    elif field in exclusive:
        for other in set(exclusive) - {field}:
            request.pop(other, None)
    put(request, path, value, new=len(path) == 1 or path[0] == "backup")
