"""Cron expressions of timers.

FunctionGraph User Guide, Cron Expressions for a Function Timer Trigger: seconds, minutes, hours, day of the month,
month and optionally day of the week, 0 to 6 from Sunday on; names, `,` `-` `/` `*` and, for days, `?`; before all of it
`CRON_TZ=` at will.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Field:
    values: frozenset[int]
    is_any: bool

    @property
    def downwards(self) -> list[int]:
        return sorted(self.values, reverse=True)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression in a time zone."""

    zone: tzinfo
    second: _Field
    minute: _Field
    hour: _Field
    day: _Field
    month: _Field
    weekday: _Field

    def backwards(self, until: float, after: float) -> Iterator[float]:
        """The moments at which it is due, from `until` (inclusive) back to `after` (exclusive), in epoch seconds.

        A local time that the clocks skip is never due; one that they show twice is due the first time.
        """
        local = datetime.fromtimestamp(until, self.zone)
        bound = local.replace(tzinfo=None) + (HOUR if local.fold else timedelta())
        first = datetime.fromtimestamp(after, self.zone).date()
        day = bound.date()
        while day >= first:
            if self.is_due_on(day):
                for naive in self._times(day, bound):
                    moment = naive.replace(tzinfo=self.zone).timestamp()
                    is_skipped = datetime.fromtimestamp(moment, self.zone).replace(tzinfo=None) != naive
                    if moment <= after and not is_skipped:
                        return
                    if moment <= until and not is_skipped:
                        yield moment
            day -= DAY

    def is_due_on(self, day: date) -> bool:
        """Whether it is due on this day of its time zone."""
        of_month, of_week = day.day in self.day.values, day.isoweekday() % 7 in self.weekday.values
        if day.month not in self.month.values:
            return False
        # Of two days that are given, either will do.
        return of_month and of_week if self.day.is_any or self.weekday.is_any else of_month or of_week

    def _times(self, day: date, bound: datetime) -> Iterator[datetime]:
        for hour in self.hour.downwards:
            if datetime.combine(day, time(hour)) > bound:
                continue
            for minute in self.minute.downwards:
                if datetime.combine(day, time(hour, minute)) > bound:
                    continue
                for second in self.second.downwards:
                    yield datetime.combine(day, time(hour, minute, second))


def read_cron(text: str, default_zone: tzinfo) -> Cron:
    """Read a cron expression. Raises ValueError saying what is wrong with it."""
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
        _field(day, 1, 31, may_be_open=True),
        _field(month, 1, 12, MONTHS),
        _field(weekday, 0, 6, WEEKDAYS, may_be_open=True),
    )


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of the database is an OSError
        raise ValueError(f"there is no time zone {name!r}") from error


def _field(text: str, low: int, high: int, names: tuple[str, ...] = (), *, may_be_open: bool = False) -> _Field:
    values: set[int] = set()
    is_any = False
    for item in text.split(","):
        span, slash, step = item.partition("/")
        if span == "*" or (span == "?" and may_be_open):
            begin, end = low, high
            is_any = is_any or not slash
        else:
            first, dash, last = span.partition("-")
            begin = _number(first, low, names)
            end = _number(last, low, names) if dash else high if slash else begin
        if not low <= begin <= end <= high or (slash and (not step.isdecimal() or int(step) == 0)):
            raise ValueError(f"{item!r} is not within {low} to {high}")
        values.update(range(begin, end + 1, int(step) if slash else 1))
    return _Field(frozenset(values), is_any)


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + low
    if not text.isdecimal():
        raise ValueError(f"{text!r} is no number{' or name' if names else ''}")
    return int(text)
