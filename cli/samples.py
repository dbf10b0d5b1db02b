"""The sample events in ``events/``, one a trigger, and changes to them in the form ``key=value``."""

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from cli.errors import WrongCall, did_you_mean
from cli.json_value import Json, JsonObject
from cli.paths import CHECKOUT
from cli.payloads import change_requests


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
"""The fields of a request for backups; every other key belongs to what the trigger wraps around it."""

NAMING_FIELDS = ("instance_ids", "instance_id", "select")
"""The fields that say which instances are meant; a request has one of them."""

API_PAGE_FIELDS = ("instance_id", "name", "description")
"""The fields of ``backup`` in the body of the API "Creating a Manual Backup" (table 2)."""


def sample_event(trigger: str, changes: Iterable[str] = ()) -> JsonObject:
    """Return the sample event of *trigger* with *changes*, such as ``name=nightly``, made one after the other.

    *trigger* is a key of ``payloads.CARRIERS``. Raises WrongCall for a change that cannot be made.
    """
    event: JsonObject = json.loads((CHECKOUT / "events" / f"{trigger}.json").read_text(encoding="utf-8"))
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
            change_requests(trigger, event, partial(_set_field, path=path, value=value))
        else:
            _put(event, path, value)
    return event


def _value(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value


def _set_field(request: JsonObject, path: list[str], value: Json) -> None:
    """Set a field of *request*; ``instance_id`` and ``instance_ids`` replace one another, and so does ``backup``."""
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
    """Put *value* at *path* of *tree*, where a value has to be already unless it may be a *new* key."""
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
            has = f"has {', '.join(known)}" if known else "holds no keys"
            raise WrongCall(f"cannot set {'.'.join(path)}: {where} {has}{did_you_mean(part, known)}")
        if last:
            node[key] = value
        else:
            node = node[key]
