"""The names of an event's backups: the memory that FunctionGraph does not have.

All of a name comes from the event and never from the clock, so a redelivery computes the same names and finds what an
earlier delivery made. The key in the description tells a backup of this event from one that merely has its name.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone

from shared.backups.errors import InvalidRequestError
from shared.backups.requests import MAX_DESCRIPTION, MAX_NAME, BackupRequest


_TIME = "%Y%m%dT%H%M%SZ"
_EVENT_DIGITS = 12
_INSTANCE_DIGITS = 8
_KEY_DIGITS = 32
_KEY = re.compile(rf"(?:^|;)key:([0-9a-f]{{{_KEY_DIGITS}}})\Z")
_KEY_LENGTH = len(";key:") + _KEY_DIGITS

MAX_PREFIX = MAX_NAME - len(f"-20000101T000000Z-{'0' * _EVENT_DIGITS}-{'0' * _INSTANCE_DIGITS}")
"""Longest prefix that leaves room for the time and both digests: 25 characters."""


def digest(*parts: str) -> str:
    """SHA-256 of the parts in hexadecimal; ("ab", "c") and ("a", "bc") differ."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def share(instance_id: str) -> float:
    """The instance's own place between 0 and 1, always the same: what spreads a fleet out."""
    return int(digest("share", instance_id)[:8], 16) / 2**32


def key_of(description: str | None) -> str | None:
    """The event key in a backup's description, or None if this application did not make the backup."""
    match = _KEY.search(description or "")
    return match[1] if match else None


@dataclass(frozen=True, slots=True)
class EventNames:
    """How the backups of one event are called.

    Attributes:
        stem: what all names of the event begin with; the whole name if it is `exact`.
        key: 32 hexadecimal digits that identify the event.
        exact: whether the one backup of the event is named `stem` as it is.
    """

    stem: str
    key: str
    exact: bool = False

    def name(self, instance_id: str) -> str:
        """The name of the event's backup of `instance_id`."""
        return self.stem if self.exact else f"{self.stem}-{digest(instance_id)[:_INSTANCE_DIGITS]}"

    def description(self, text: str) -> str:
        """`text` and the event's key, within the 256 characters that DDS allows; a longer text is cut."""
        return f"{text[: MAX_DESCRIPTION - _KEY_LENGTH]};key:{self.key}" if text else f"key:{self.key}"

    @staticmethod
    def cuts(text: str) -> bool:
        """Whether `description` has to cut `text`."""
        return len(text) > MAX_DESCRIPTION - _KEY_LENGTH


def name_event(
    request: BackupRequest, identity: tuple[str, ...], time: datetime | None, *, prefix: str, recurring: bool
) -> EventNames:
    """Name the backups of one event.

    Without a wanted name: ``{prefix}-{time}-{event digest}-{instance digest}``, the time left out if the event has
    none. A wanted name is taken as it is for one instance and gets the instance digest for several. An event that is
    `recurring` (a timer's, whose payload never changes) takes it in place of the prefix instead. Instances that were
    handed on bring their names with them.

    Raises:
        InvalidRequestError: the wanted name leaves no room for what must follow it.
    """
    if request.handed_on:
        return EventNames(request.handed_on.stem, request.handed_on.key, request.handed_on.exact)
    key = digest(*identity)
    wanted = request.wanted_name
    if wanted and not recurring:
        if len(request.instances) == 1:
            return EventNames(wanted, key[:_KEY_DIGITS], exact=True)
        _check_room(wanted, MAX_NAME - 1 - _INSTANCE_DIGITS, "with several instances each name gets a digest")
        return EventNames(wanted, key[:_KEY_DIGITS])
    if wanted:
        _check_room(wanted, MAX_PREFIX, "on a timer each name gets the time and two digests")
    parts = [
        wanted or prefix,
        time.astimezone(timezone.utc).strftime(_TIME) if time else "",
        key[:_EVENT_DIGITS],
    ]
    return EventNames("-".join(part for part in parts if part), key[:_KEY_DIGITS])


def _check_room(name: str, room: int, why: str) -> None:
    if len(name) > room:
        raise InvalidRequestError([f"name: must be at most {room} characters here, since {why}; found {len(name)}"])
