"""When each instance is drilled: decided by its id, the interval and the hours alone, without any memory."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from shared.identity import stable_fraction


_DAY = timedelta(days=1)
_SHORTEST = timedelta(hours=2)
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LONGEST_WAIT = 7  # days; DDS lists a drill's restore for 30 days, and the slot has to be over before
_LATEST_BEGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the day in UTC that may cross midnight.

    Attributes:
        opens: from midnight.
        length: at least two hours, at most a day.
    """

    opens: timedelta
    length: timedelta

    def contains(self, moment: datetime) -> bool:
        """Whether a moment is in the hours."""
        return (moment - _EPOCH - self.opens) % _DAY < self.length

    def __str__(self) -> str:
        closes = self.opens + self.length
        return "-".join(map(_clock, (self.opens, closes if closes <= _DAY else closes - _DAY)))


def _clock(time: timedelta) -> str:
    hours, rest = divmod(time, timedelta(hours=1))
    return f"{hours:02}:{rest // timedelta(minutes=1):02}"


def read_hours(value: object) -> Hours:
    """Read "HH:MM-HH:MM"; "00:00-24:00" is the whole day.

    Raises:
        ValueError: it is no such text, or less than two hours.
    """
    if isinstance(value, Hours):
        return value
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f'must be HH:MM-HH:MM in UTC, such as "10:00-22:00"; found {value!r:.40}')
    opens, closes = (timedelta(hours=int(match[i]), minutes=int(match[i + 1])) for i in (1, 3))
    if closes > _DAY:
        raise ValueError(f"must end at 24:00 at the latest; found {value!r:.40}")
    length = (closes - opens) % _DAY or (_DAY if closes != opens else timedelta(0))
    if length < _SHORTEST:
        raise ValueError(f"must be at least two hours; found {value!r:.40}")
    return Hours(opens, length)


@dataclass(frozen=True, slots=True)
class Slot:
    """The time in which one drill of an instance may begin.

    Attributes:
        begin: in UTC and whole seconds; the name of the drill's instance has it.
        end: at this moment the drill has begun, or it is said that it has not.
    """

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """The slots of every instance.

    An instance has one slot in each interval, always the interval apart. It begins in the hours, at least an hour
    before they close, and ends when they close: on the same day, or up to six days later if the interval has so many.

    Attributes:
        interval: whole days.
    """

    interval: timedelta
    hours: Hours

    def slot(self, instance_id: str, now: datetime) -> Slot:
        """Return the last slot of an instance that has begun at `now`."""
        days = self.interval // _DAY
        day, rest = divmod(stable_fraction(instance_id) * days, 1)
        offset = timedelta(days=day) + self.hours.opens + (self.hours.length - _LATEST_BEGIN) * rest
        first = _EPOCH + timedelta(seconds=offset // timedelta(seconds=1))
        begin = first + self.interval * ((now - first) // self.interval)
        closes = _EPOCH + self.hours.opens + _DAY * ((begin - _EPOCH - self.hours.opens) // _DAY) + self.hours.length
        return Slot(begin, closes + _DAY * (min(days, _LONGEST_WAIT) - 1))


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open interval (since, until] that a run of the timer covers: what falls into it is published by that run.

    Attributes:
        fresh_since: what falls before this moment belongs to the run before, and is published again in case that run
            was missed.
    """

    since: datetime
    until: datetime
    fresh_since: datetime

    @classmethod
    def of(cls, time: datetime, period: timedelta) -> "Window":
        """Return the window of the run that was due at `time`: its own period and the one before."""
        return cls(time - 2 * period, time, time - period)

    def contains(self, moment: datetime) -> bool:
        """Whether a moment is in the window."""
        return self.since < moment <= self.until
