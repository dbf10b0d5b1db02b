"""A sample event that takes place at another time: a new event, and the same one again for the same time.

Each trigger identifies its events in its own way, by a time, by an id or by a key in the message. All of them change
with the time, and nothing else determines them.
"""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from cli.json_value import JsonObject


_IDS = uuid.UUID("6f6f0c1e-7a0b-5c1c-9b52-3b9ad3f0a1c4")
"""The namespace of the ids."""

_CHINA = timezone(timedelta(hours=8))
_HEX = re.compile(r"[0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def take_place_at(
    moment: datetime, event: JsonObject, requests_changed: Callable[[Callable[[JsonObject], None]], None]
) -> None:
    """Set the times, the ids and the keys of an event. *requests_changed* applies a change to each of its requests."""
    _change_envelope(event, moment)
    requests_changed(partial(_renew, names=("idempotency_key",), moment=moment))


def renamed(request: JsonObject, moment: datetime) -> None:
    """Give a backup that is named exactly another name: that of its key, or else of *moment*. Two cannot share one."""
    named = request.get("backup", request)
    if isinstance(named, dict) and "name" in named:
        given = str(request.get("idempotency_key") or moment.isoformat())
        named["name"] = f"{named['name']}-{_id_for(given).hex[:8]}"


def _change_envelope(event: Any, moment: datetime) -> None:
    text = moment.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    renew = partial(_renew, moment=moment)
    if event.get("trigger_type") == "TIMER" or "specversion" in event:
        event["time"] = text
    if "specversion" in event:
        renew(event, names=("id",))
    if "event_time" in event:  # of a queue
        event["event_time"] = int(moment.timestamp())
    if "requestContext" in event:  # of the API gateway
        renew(event["requestContext"], names=("requestId",))
        renew(event["headers"], names=("x-request-id", "idempotency-key"))
    if "record" in event:  # of SMN
        for record in event["record"]:
            record["smn"]["timestamp"] = text
            renew(record["smn"], names=("message_id",))
        renew(event, names=("requestId",))
        event["timestamp"] = f"{moment.astimezone(_CHINA):%a %b %d %Y %H:%M:%S GMT%z} (CST)"


def _renew(fields: Any, names: tuple[str, ...], moment: datetime) -> None:
    """Replace ids by those for *moment*, in the form of the old ones."""
    for name in names:
        if name in fields:
            old = str(fields[name])
            new = _id_for(f"{old} {moment.isoformat()}")
            if _HEX.fullmatch(old):
                fields[name] = new.hex
            else:
                fields[name] = str(new) if _UUID.fullmatch(old) else f"{old}-{new.hex[:8]}"


def _id_for(text: str) -> uuid.UUID:
    return uuid.uuid5(_IDS, text)
