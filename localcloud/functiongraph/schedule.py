"""When a timer is due: at a rate or by a cron expression.

FunctionGraph User Guide, Cron Expressions for a Function Timer Trigger: an optional `CRON_TZ=`, then seconds, minutes,
hours, day of the month, month and, optionally, day of the week (0 to 6, Sunday first). Fields take names, `,` `-` `/`
`*` and, for days, `?`. FunctionGraph API, TriggerEventDataRequestBody: the rates.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from math import floor
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
DAY = timedelta(days=1)
_MAX_RATE = {"m": 60, "h": 24, "d": 30}
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


@dataclass(frozen=True, slots=True)
class Every:
    """Due at a fixed interval, counted from `since`."""

    seconds: float
    since: float

    def due_times(self, after: float, until: float) -> Iterator[float]:
        """The due times in (after, until], earliest first, in epoch seconds."""
        number = max(1, floor((after - self.since) / self.seconds))
        while (moment := self.since + number * self.seconds) <= until:
            if moment > after:
                yield moment
            number += 1


@dataclass(frozen=True, slots=True)
class CronField:
    """The values of one field. `is_any` is set for `*` and `?` without a step."""

    values: frozenset[int]
    is_any: bool

    @property
    def upwards(self) -> list[int]:
        """The values, smallest first."""
        return sorted(self.values)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression in a time zone."""

    zone: tzinfo
    second: CronField
    minute: CronField
    hour: CronField
    day: CronField
    month: CronField
    weekday: CronField

    def due_times(self, after: float, until: float) -> Iterator[float]:
        """The due times in (after, until], earliest first, in epoch seconds.

        A local time that a clock change skips is never due. One that occurs twice is due the first time.
        """
        bound = datetime.fromtimestamp(after, self.zone).replace(tzinfo=None)
        last = datetime.fromtimestamp(until, self.zone).date()
        day = bound.date()
        while day <= last:
            if self.is_due_on(day):
                for naive in self._times(day, bound):
                    moment = naive.replace(tzinfo=self.zone).timestamp()
                    is_skipped = datetime.fromtimestamp(moment, self.zone).replace(tzinfo=None) != naive
                    if moment > until and not is_skipped:
                        return
                    if moment > after and not is_skipped:
                        yield moment
            day += DAY

    def is_due_on(self, day: date) -> bool:
        """Whether it is due on this day of its time zone."""
        of_month, of_week = day.day in self.day.values, day.isoweekday() % 7 in self.weekday.values
        if day.month not in self.month.values:
            return False
        # If both day fields are restricted, a match of either is enough.
        return of_month and of_week if self.day.is_any or self.weekday.is_any else of_month or of_week

    def _times(self, day: date, bound: datetime) -> Iterator[datetime]:
        """The times of a day in order, without whole minutes before `bound`."""
        for hour in self.hour.upwards:
            if datetime.combine(day, time(hour, 59, 59)) < bound:
                continue
            for minute in self.minute.upwards:
                if datetime.combine(day, time(hour, minute, 59)) < bound:
                    continue
                for second in self.second.upwards:
                    yield datetime.combine(day, time(hour, minute, second))


def read_schedule(kind: str, text: str, since: float) -> Every | Cron:
    """Read a timer's schedule of type `Rate` or `Cron`. `since` is when the timer was enabled, in epoch seconds.

    A cron expression without CRON_TZ is in UTC. Raises ValueError saying what is wrong.
    """
    if kind == "Rate":
        return Every(_rate(text), since)
    if text.startswith("@every "):
        return Every(_duration(text.removeprefix("@every ").strip()), since)
    return _cron(text, timezone.utc)


def _rate(text: str) -> float:
    found = re.fullmatch(r"(\d{1,9})([mhd])", text)
    if found is None or not 1 <= int(found[1]) <= _MAX_RATE[found[2]]:
        raise ValueError(f"a rate is 1m to 60m, 1h to 24h or 1d to 30d, not {text!r}")
    return int(found[1]) * _SECONDS[found[2]]


def _duration(text: str) -> float:
    if not text or _DURATION.sub("", text):
        raise ValueError(f"a duration is like 30m, 1.5h or 2h30m, not {text!r}")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))
    if seconds < 1:
        raise ValueError(f"a duration is at least one second, not {text!r}")
    return seconds


def _cron(text: str, default_zone: tzinfo) -> Cron:
    zone = default_zone
    if text.startswith("CRON_TZ="):
        name, _, text = text.removeprefix("CRON_TZ=").partition(" ")
        zone = _zone(name)
    fields = text.split()
    if len(fields) == 5:
        fields.append("*")
    if len(fields) != 6:
        raise ValueError(f"a cron expression has 6 fields, seconds first, not {len(fields)}: {text!r}")
    second, minute, hour, day, month, weekday = fields
    return Cron(
        zone,
        _field(second, 0, 59),
        _field(minute, 0, 59),
        _field(hour, 0, 23),
        _field(day, 1, 31, allows_question_mark=True),
        _field(month, 1, 12, MONTHS),
        _field(weekday, 0, 6, WEEKDAYS, allows_question_mark=True),
    )


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of the database is an OSError
        raise ValueError(f"there is no time zone {name!r}") from error


def _field(
    text: str, low: int, high: int, names: tuple[str, ...] = (), *, allows_question_mark: bool = False
) -> CronField:
    values: set[int] = set()
    is_any = False
    for item in text.split(","):
        span, slash, step = item.partition("/")
        if span == "*" or (span == "?" and allows_question_mark):
            begin, end = low, high
            is_any = is_any or not slash
        else:
            first, dash, last = span.partition("-")
            begin = _number(first, low, names)
            end = _number(last, low, names) if dash else high if slash else begin
        if not low <= begin <= end <= high or (slash and (not step.isdecimal() or int(step) == 0)):
            raise ValueError(f"{item!r} is not within {low} to {high}")
        values.update(range(begin, end + 1, int(step) if slash else 1))
    return CronField(frozenset(values), is_any)


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + low
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a number{' or a name' if names else ''}")
    return int(text)
