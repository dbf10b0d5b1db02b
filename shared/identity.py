"""Event keys and backup names: the memory that FunctionGraph does not have.

A name is computed from the event and never from the clock, so a redelivery computes the same names and finds the
backups of an earlier delivery. The event key in the description tells a backup of this event from one that only has
the same name.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from shared.errors import InvalidRequestError
from shared.model import MAX_DESCRIPTION, MAX_NAME


_TIME = "%Y%m%dT%H%M%SZ"
_EVENT_DIGITS = 12
_INSTANCE_DIGITS = 8
_KEY_DIGITS = 32
MAX_STACK = 64
"""Characters of a stack's name. It is that of resources whose names IAM limits to 64 characters (agencies)."""

_KEY = re.compile(
    rf"(?:^|;)(?:stack:(?P<stack>[A-Za-z0-9_-]{{1,{MAX_STACK}}});)?key:(?P<key>[0-9a-f]{{{_KEY_DIGITS}}})\Z"
)

MAX_PREFIX = MAX_NAME - len(f"-20000101T000000Z-{'0' * _EVENT_DIGITS}-{'0' * _INSTANCE_DIGITS}")
"""Longest prefix that leaves room for the time and both digests: 25 characters."""


def digest(*parts: str) -> str:
    """Return the SHA-256 of the parts in hexadecimal; ("ab", "c") and ("a", "bc") differ."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def event_key(identity: Sequence[str]) -> str:
    """Return the 32 hexadecimal digits that identify an event in the descriptions of its backups."""
    return digest(*identity)[:_KEY_DIGITS]


def key_of(description: str | None) -> str | None:
    """Return the event key in a backup's description; None if this application did not make the backup."""
    if description and (match := _KEY.search(description)):
        return match["key"]
    return None


def stack_of(description: str | None) -> str | None:
    """Return the stack in a backup's description; None if it has none."""
    if description and (match := _KEY.search(description)):
        return match["stack"]
    return None


def stable_fraction(instance_id: str) -> float:
    """Map an instance to a number in [0, 1) that never changes, to spread a fleet over time."""
    return int(digest("share", instance_id)[:8], 16) / 2**32


@dataclass(frozen=True, slots=True)
class EventNames:
    """The names of the backups of one event.

    Attributes:
        stem: the common beginning of all names; the whole name if `exact`.
        key: 32 hexadecimal digits that identify the event.
        exact: whether the event's only backup is named exactly `stem`.
        stack: the deployment that makes the backups, if it has a name.
    """

    stem: str
    key: str
    exact: bool
    stack: str | None

    def name(self, instance_id: str) -> str:
        """Return the name of the event's backup of `instance_id`."""
        return self.stem if self.exact else f"{self.stem}-{digest(instance_id)[:_INSTANCE_DIGITS]}"

    def description(self, text: str) -> str:
        """Return `text` followed by the stack and the event key. A text that leaves no room for them is cut."""
        return f"{text[: self._room]};{self._mark}" if text else self._mark

    def cuts(self, text: str) -> bool:
        """Whether `description` has to cut `text`."""
        return len(text) > self._room

    @property
    def _mark(self) -> str:
        return f"stack:{self.stack};key:{self.key}" if self.stack else f"key:{self.key}"

    @property
    def _room(self) -> int:
        return MAX_DESCRIPTION - len(f";{self._mark}")


def name_event(
    identity: Sequence[str],
    time: datetime | None,
    *,
    prefix: str,
    wanted: str | None,
    single: bool,
    recurring: bool,
    stack: str | None,
) -> EventNames:
    """Name the backups of one event.

    The default is ``{prefix}-{time}-{event digest}-{instance digest}``, without the time if the event has none. The
    `wanted` name of a request is used as it is if the event has a `single` instance; with several instances each name
    gets the instance digest. For a `recurring` event, such as a timer's, whose payload never changes, the wanted name
    replaces the prefix.

    Raises:
        InvalidRequestError: the wanted name leaves no room for what has to follow it.
    """
    key = event_key(identity)
    if wanted and not recurring:
        if single:
            return EventNames(wanted, key, exact=True, stack=stack)
        _check_room(wanted, MAX_NAME - 1 - _INSTANCE_DIGITS, "with several instances each name gets a digest")
        return EventNames(wanted, key, exact=False, stack=stack)
    if wanted:
        _check_room(wanted, MAX_PREFIX, "on a timer each name gets the time and two digests")
    parts = [
        wanted or prefix,
        time.astimezone(timezone.utc).strftime(_TIME) if time else "",
        key[:_EVENT_DIGITS],
    ]
    return EventNames("-".join(part for part in parts if part), key, exact=False, stack=stack)


def _check_room(name: str, room: int, why: str) -> None:
    if len(name) > room:
        raise InvalidRequestError([f"name: must be at most {room} characters here, since {why}; found {len(name)}"])
