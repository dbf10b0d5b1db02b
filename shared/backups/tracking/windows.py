"""Which span of time a tick of the timer answers for."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time without its first moment and with its last, so that one ends where the next begins.

    Attributes:
        fresh_since: what happened after this moment belongs to no earlier tick.
    """

    since: datetime
    until: datetime
    fresh_since: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether a moment is in the span."""
        return self.since < moment <= self.until


@dataclass(frozen=True, slots=True)
class Ticks:
    """How a timer's ticks divide time among them.

    Attributes:
        period: from one tick to the next.
        delay: how long before the tick its window ends: DDS must have written by then what happened in it.
        lookback: how many earlier periods each window covers once more, so that as many ticks in a row may be missed.
    """

    period: timedelta
    delay: timedelta
    lookback: int

    def window(self, time: datetime) -> Window:
        """The window of the tick that was due at `time`; nothing else decides it."""
        until = time - self.delay
        fresh_since = until - self.period
        return Window(fresh_since - self.period * self.lookback, until, fresh_since)
