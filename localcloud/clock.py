"""The clock of the local cloud: the wall clock, which can be moved forward."""

import time
from collections.abc import Callable
from datetime import datetime, timezone
from functools import lru_cache


MAX_JUMP_TIME = 300.0
"""Real seconds that a move of the clock takes at most, with everything that becomes due."""


class Clock:
    """Seconds since the epoch (UTC), `offset` seconds ahead of the wall clock."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self.wall = wall
        self.offset = 0.0

    def now(self) -> float:
        """The present, in seconds since the epoch."""
        return self.wall() + self.offset


def utc(seconds: float) -> datetime:
    """Epoch seconds as an aware datetime."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc)


@lru_cache(maxsize=20_000)  # lists show the same times again and again
def text(seconds: float, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """Epoch seconds as UTC text in a strftime format."""
    return utc(seconds).strftime(form)


def parse(value: str, form: str) -> float:
    """Read UTC text in a strptime format as epoch seconds. Raises ValueError if it has another form."""
    return datetime.strptime(value, form).replace(tzinfo=timezone.utc).timestamp()
