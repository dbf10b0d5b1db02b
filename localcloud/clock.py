"""The time of the local cloud: the wall clock, which can be moved forward."""

import time
from collections.abc import Callable
from datetime import datetime, timezone


class Clock:
    """Seconds since the epoch (UTC), moved forward by `offset` seconds from the wall clock."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self.wall = wall
        self.offset = 0.0

    def now(self) -> float:
        """The local cloud's present, in seconds since the epoch."""
        return self.wall() + self.offset


def utc(seconds: float) -> datetime:
    """The moment `seconds` after the epoch as an aware datetime."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc)


def text(seconds: float, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """The moment `seconds` after the epoch, written in UTC as `form` says (strftime)."""
    return utc(seconds).strftime(form)


def parse(value: str, form: str) -> float:
    """Seconds since the epoch of a UTC time written as `form` says (strptime).

    Raises ValueError when `value` has another form or is no time.
    """
    return datetime.strptime(value, form).replace(tzinfo=timezone.utc).timestamp()
