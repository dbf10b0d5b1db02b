"""``ddsbackup event``: the sample events in ``events/``, one for each trigger, and changes to them."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import click

from cli.errors import WrongCall, did_you_mean
from cli.json_value import Json, JsonObject
from cli.paths import APPLICATION


@dataclass(frozen=True, slots=True)
class Carrier:
    """Where the events of a trigger carry requests for backups.

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

REQUEST_FIELDS = (
    "instance_ids",
    "instance_id",
    "select",
    "name",
    "description",
    "idempotency_key",
    "min_interval",
    "backup",
    "handed_on",
)
"""The fields of a backup request. Any other key belongs to the trigger's envelope."""

NAMING_FIELDS = ("instance_ids", "instance_id", "select")
"""The fields that name the instances. A request has exactly one of them."""

API_PAGE_FIELDS = ("instance_id", "name", "description")
"""The fields of ``backup`` in the request body (DDS API, Creating a Manual Backup, table 2)."""


MAX_DEPTH = 100
"""How deep a value of ``--set`` may be nested."""
_SHOWN = 40


class UnusableJsonError(ValueError):
    """JSON text that this command cannot use, although it follows the grammar."""


@click.command(short_help="Print a sample event.")
@click.argument("trigger", metavar="TRIGGER", type=click.Choice(list(CARRIERS), case_sensitive=False))
@click.option("changes", "--set", metavar="KEY=VALUE", multiple=True, help="Change the event. Repeatable.")
def event(trigger: str, changes: tuple[str, ...]) -> None:
    """Print the sample event of TRIGGER as JSON.

    \b
    TRIGGER is one of timer, smn, kafka, opensource-kafka, rabbitmq, rocketmq,
    eventgrid, apig, direct and api-page.

    A KEY that is a field of the request (instance_ids, instance_id, select, name, description, idempotency_key,
    min_interval, backup) is set in the request, wherever the trigger carries it: in every record and message,
    inside JSON text or base64. Any other KEY is a dotted path to an existing value of the event, such as
    record.0.smn.message_id. A VALUE that is valid JSON is read as JSON, anything else as text: 5 is a number,
    '"5"' is text.

    Sending the same sample again redelivers the same event, which makes no second backup. To get a new event, change
    what identifies it. If the request has a name, change that too, because two backups cannot share a name:

    \b
      timer                  --set time=2026-06-02T02:00:00+08:00
      smn                    --set record.0.smn.message_id=$(uuidgen), and record.1 likewise
      kafka and other queues --set idempotency_key=$(uuidgen)
      eventgrid              --set id=$(uuidgen)
      apig                   --set headers.idempotency-key=$(uuidgen)
      direct                 --set idempotency_key=$(uuidgen) --set name=by-hand-2
      api-page               --set name=mybackup2
    """
    click.echo(json.dumps(sample_event(trigger, changes), indent=2, ensure_ascii=False))


def sample_event(trigger: str, changes: Iterable[str] = ()) -> JsonObject:
    """Return the sample event of *trigger*, a key of CARRIERS, with *changes* applied in order.

    A change has the form ``name=nightly``. Raises WrongCall for a change that cannot be made.
    """
    sample: JsonObject = json.loads((APPLICATION / "events" / f"{trigger}.json").read_text(encoding="utf-8"))
    for change in changes:
        try:
            change.encode()
        except UnicodeEncodeError as error:
            raise WrongCall(f"found --set {change!a}, which is not UTF-8 text") from error
        key, equals, text = change.partition("=")
        if not equals or not key:
            raise WrongCall(f"found --set {change}, expected KEY=VALUE, such as name=nightly")
        path, value = key.split("."), _value(text)
        if path[0] in REQUEST_FIELDS:
            _change_requests(trigger, sample, partial(_set_field, path=path, value=value))
        else:
            _put(sample, path, value)
    return sample


def requests_of(trigger: str, carrying: JsonObject) -> list[JsonObject]:
    """Return the requests that an event of *trigger* carries. Raises WrongCall if one is not a JSON object."""
    found: list[JsonObject] = []
    _change_requests(trigger, carrying, found.append)
    return found


def _change_requests(trigger: str, carrying: JsonObject, change: Callable[[JsonObject], None]) -> None:
    """Call *change* with every request of the event. It changes the request in place."""
    carrier = CARRIERS[trigger]
    if not carrier.path:
        change(carrying)
        return
    for container, key in list(_places(carrying, carrier.path.split("."))):
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


def decode_json(text: str | bytes) -> Json:
    """Decode *text*. Raises ValueError if it is not JSON, is nested too deeply, or has a number that is too long."""
    try:
        value: Json = json.loads(text)
    except RecursionError as error:
        raise UnusableJsonError("it is nested too deeply") from error
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError as error:
        # Python's limit, sys.get_int_max_str_digits(), is the only other cause.
        raise UnusableJsonError("it has a number of too many digits") from error
    return value


def _decode(carried: Any, carrier: Carrier) -> JsonObject:
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


def _value(text: str) -> Json:
    """Decode the value of ``--set``: as JSON if it is JSON, otherwise as text. Raises WrongCall for unusable JSON."""
    try:
        value = decode_json(text)
    except UnusableJsonError as error:
        raise WrongCall(f"found --set ...={text[:_SHOWN]}..., which is not usable: {error}") from error
    except ValueError:
        return text
    if _is_deeper(value, MAX_DEPTH):
        raise WrongCall(f"found --set ...={text[:_SHOWN]}..., which is nested more than {MAX_DEPTH} deep")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise WrongCall(f"found --set ...={text[:_SHOWN]}, which has half a surrogate pair") from error
    return value


def _is_deeper(value: Json, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return any(isinstance(node, (dict, list)) for node in level)


def _set_field(request: JsonObject, path: list[str], value: Json) -> None:
    """Set a field of *request*. A field that names instances replaces the other ones, and so does ``backup``."""
    field = path[0]
    if field == "backup" and "backup" not in request:
        request.clear()
        request["backup"] = {}
    elif "backup" in request:
        if path == ["instance_ids"] and isinstance(value, list) and len(value) == 1:
            path, value = ["instance_id"], value[0]
        if path[0] in API_PAGE_FIELDS:
            path = ["backup", *path]
    elif field in NAMING_FIELDS:
        for other in set(NAMING_FIELDS) - {field}:
            request.pop(other, None)
    _put(request, path, value, new=len(path) == 1 or path[0] == "backup")


def _put(tree: Any, path: list[str], value: Json, *, new: bool = False) -> None:
    """Set *value* at *path* of *tree*. The path has to exist, except that *new* allows a new last key."""
    node = tree
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        key: str | int = part
        if isinstance(node, list):
            known = [str(position) for position in range(len(node))]
            key = int(part) if part in known else part
        else:
            known = list(node) if isinstance(node, dict) else []
        if part not in known and not (new and last and isinstance(node, dict)):
            where = ".".join(path[:depth]) or "the event"
            has = f"has {', '.join(known)}" if known else "has no keys"
            raise WrongCall(f"cannot set {'.'.join(path)}: {where} {has}{did_you_mean(part, known)}")
        if last:
            node[key] = value
        else:
            node = node[key]
