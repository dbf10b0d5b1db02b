"""When a timer is due: at a rate or by a cron expression."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timezone
from itertools import islice
from math import floor

from localcloud.functiongraph.cron import Cron, read_cron


# FunctionGraph API, TriggerEventDataRequestBody, schedule_type.
_LARGEST = {"m": 60, "h": 24, "d": 30}
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


@dataclass(frozen=True, slots=True)
class Every:
    """Due every so many seconds from when it was turned on."""

    seconds: float
    since: float

    def backwards(self, until: float, after: float) -> Iterator[float]:
        """The moments at which it is due, from `until` (inclusive) back to `after` (exclusive)."""
        number = floor((until - self.since) / self.seconds)
        while number > 0 and (moment := self.since + number * self.seconds) > after:
            if moment <= until:
                yield moment
            number -= 1


def read_schedule(kind: str, text: str, since: float) -> Every | Cron:
    """Read the schedule of a timer, `Rate` or `Cron`, turned on at `since`. Raises ValueError for a wrong one.

    Without CRON_TZ a cron expression is in UTC.
    """
    if kind == "Rate":
        return Every(_rate(text), since)
    if text.startswith("@every "):
        return Every(_duration(text.removeprefix("@every ").strip()), since)
    return read_cron(text, timezone.utc)


def ticks(schedule: Every | Cron, after: float, until: float, at_most: int) -> list[float]:
    """When it was due after `after` and not after `until`, the earliest first; of very many the last `at_most`."""
    return list(islice(schedule.backwards(until, after), at_most))[::-1]


def _rate(text: str) -> float:
    found = re.fullmatch(r"(\d{1,9})([mhd])", text)
    if found is None or not 1 <= int(found[1]) <= _LARGEST[found[2]]:
        raise ValueError(f"a rate is 1m to 60m, 1h to 24h or 1d to 30d, not {text!r}")
    return int(found[1]) * _SECONDS[found[2]]


def _duration(text: str) -> float:
    if not text or _DURATION.sub("", text):
        raise ValueError(f"a duration is like 30m, 1.5h or 2h30m, not {text!r}")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))
    if seconds < 1:
        raise ValueError(f"expected at least a second, not {text!r}")
    return seconds
