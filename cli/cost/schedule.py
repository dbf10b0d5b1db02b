"""How often a timer ticks in a month."""

import re
from datetime import timedelta

from cli.cost.cron import times_a_year
from cli.errors import WrongCall
from cli.template.model import Event


YEAR = timedelta(days=365)
MONTH = YEAR / 12
"""Some 730 hours, as price calculators have it."""

_RATE = re.compile(r"([1-9][0-9]*)([mhd])")
_MOST = {"m": 60, "h": 24, "d": 30}
_EVERY = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))+")
_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
}


def ticks_a_month(function: str, timer: Event) -> float:
    """Return how often the timer of a function is due in a month of 365/12 days; 0 for one that is disabled.

    Raises WrongCall for a schedule that FunctionGraph's documents do not have.
    """
    if timer.status == "DISABLED":
        return 0.0
    kind, schedule = str(timer.properties.get("schedule_type")), str(timer.properties.get("schedule", ""))
    try:
        return _rate(schedule) if kind == "Rate" else _cron(schedule)
    except ValueError as error:
        raise WrongCall(f"the schedule {schedule!r} of {function}.{timer.name} cannot be read: {error}") from error


def _rate(schedule: str) -> float:
    """Source: FunctionGraph API, CreateFunctionTrigger, schedule: up to 60 minutes, 24 hours, 30 days."""
    match = _RATE.fullmatch(schedule)
    if not match or int(match[1]) > _MOST[match[2]]:
        raise ValueError("expected 1m to 60m, 1h to 24h or 1d to 30d")
    return MONTH.total_seconds() / (int(match[1]) * _UNITS[match[2]])


def _cron(schedule: str) -> float:
    if not schedule.startswith("@every "):
        return times_a_year(schedule) / 12
    text = schedule.removeprefix("@every ").strip()
    if not _EVERY.fullmatch(text):
        raise ValueError("expected a duration such as 1h30m after @every")
    seconds = sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", text))
    if seconds < 1:
        raise ValueError("expected at least a second")
    return MONTH.total_seconds() / seconds
