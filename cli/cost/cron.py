"""How often a cron expression of FunctionGraph is due.

Source: FunctionGraph User Guide, Cron Expressions for a Function Timer Trigger: seconds, minutes, hours, day of the
month, month, and optionally day of the week, 0 being Sunday; before them optionally ``CRON_TZ=ZONE``.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    lowest: int
    highest: int
    words: Sequence[str] = ()

    def values(self, text: str) -> set[int]:
        """What the field matches. Raises ValueError for what the documents do not have."""
        return {value for item in text.split(",") for value in self._item(item)}

    def _item(self, item: str) -> range:
        span, has_step, step = item.partition("/")
        first, is_range, last = span.partition("-")
        if span in ("*", "?"):
            low, high = self.lowest, self.highest
        else:
            low = self._number(first)
            high = self._number(last) if is_range else self.highest if has_step else low
        if has_step and not (step.isdecimal() and int(step)):
            raise ValueError(f"{self.name}: the step {step!r} is no positive number")
        if low > high:
            raise ValueError(f"{self.name}: the range {span!r} goes backwards")
        return range(low, high + 1, int(step) if has_step else 1)

    def _number(self, text: str) -> int:
        if text.lower() in self.words:
            return self.words.index(text.lower()) + self.lowest
        if not (text.isdecimal() and self.lowest <= int(text) <= self.highest):
            raise ValueError(f"{self.name}: found {text!r}, expected {self.lowest} to {self.highest}")
        return int(text)


_COMMON_YEAR = 2026  # any that is no leap year
_TIMES = (_Field("seconds", 0, 59), _Field("minutes", 0, 59), _Field("hours", 0, 23))
_DAY = _Field("day of the month", 1, 31)
_MONTH = _Field("month", 1, 12, MONTHS)
_WEEKDAY = _Field("day of the week", 0, 6, WEEKDAYS)


def times_a_year(expression: str) -> float:
    """Return how often the expression is due in 365 days; a day of the week comes 365/7 times.

    Raises:
        ValueError: it is no expression of this kind. Which days are meant when day of the month and day of the week are
            both given is not documented, so that is refused as well.
    """
    fields = [field for field in expression.split() if not field.startswith("CRON_TZ=")]
    if len(fields) not in (5, 6):
        raise ValueError(f"found {len(fields)} fields, expected 5 or 6, seconds first")
    *times, day, month, weekday = [*fields, "*"][:6]
    times_a_day = 1
    for field, text in zip(_TIMES, times, strict=True):
        times_a_day *= len(field.values(text))
    days, months, weekdays = _DAY.values(day), _MONTH.values(month), _WEEKDAY.values(weekday)
    if len(days) < 31 and len(weekdays) < 7:
        raise ValueError("day of the month and day of the week are both given, expected one of them to be ?")
    dates = sum(day <= monthrange(_COMMON_YEAR, month)[1] for month in months for day in days)
    return times_a_day * dates * len(weekdays) / 7
