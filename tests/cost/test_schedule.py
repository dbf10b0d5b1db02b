"""How often a timer ticks in a month."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.cost.cron import times_a_year
from cli.cost.schedule import MONTH, ticks_a_month
from cli.errors import WrongCall
from cli.template.model import Event


def timer(kind: str, schedule: str, status: str = "ACTIVE") -> Event:
    """A timer with a schedule."""
    return Event("Timer", "TIMER", status, {"schedule_type": kind, "schedule": schedule})


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("0 0 2 * * ?", 365),
        ("0 0 2 * *", 365),
        ("CRON_TZ=Europe/Berlin 0 0 12 * * *", 365),
        ("0 */5 * * * ?", 365 * 288),
        ("0 0/5 * * * ?", 365 * 288),
        ("0 10-20/5 0,12 * * ?", 365 * 6),
        ("0 0 0 31 * ?", 7),
        ("0 0 0 29 feb ?", 0),
        ("0 0 0 1 JAN,Apr,7,10 ?", 4),
        ("0 0 0 ? * Mon-Fri", 365 * 5 / 7),
        ("0 0 0 * * 6,0", 365 * 2 / 7),
    ],
)
def test_cron_expressions(expression: str, times: float) -> None:
    """As FunctionGraph's user guide describes them."""
    assert times_a_year(expression) == pytest.approx(times)


VALUES = st.sets(st.integers(1, 28), min_size=1, max_size=5)


@given(
    days=VALUES,
    months=st.sets(st.integers(1, 12), min_size=1, max_size=4),
    hours=st.sets(st.integers(0, 23), min_size=1),
)
def test_an_expression_counts_what_a_calendar_counts(days: set[int], months: set[int], hours: set[int]) -> None:
    """Every moment of a common year, one by one."""

    def listed(values: set[int]) -> str:
        return ",".join(map(str, values))

    year = [datetime(2026, 1, 1) + timedelta(hours=hour) for hour in range(365 * 24)]  # noqa: DTZ001 a calendar's

    due = sum(moment.day in days and moment.month in months and moment.hour in hours for moment in year)

    assert times_a_year(f"0 30 {listed(hours)} {listed(days)} {listed(months)} ?") == due


@pytest.mark.parametrize(
    ("kind", "schedule", "minutes"),
    [
        ("Rate", "1m", 1),
        ("Rate", "60m", 60),
        ("Rate", "24h", 1440),
        ("Rate", "30d", 43_200),
        ("Cron", "@every 1h30m", 90),
        ("Cron", "@every 1.5h", 90),
        ("Cron", "@every 90s", 1.5),
    ],
)
def test_rates(kind: str, schedule: str, minutes: float) -> None:
    """A month has 365/12 days."""
    assert ticks_a_month("f", timer(kind, schedule)) == pytest.approx(MONTH / timedelta(minutes=minutes))


def test_a_timer_that_is_disabled_does_not_tick() -> None:
    """Whatever its schedule."""
    assert ticks_a_month("f", timer("Rate", "5m", status="DISABLED")) == 0


@pytest.mark.parametrize(
    ("kind", "schedule", "message"),
    [
        ("Rate", "61m", "expected 1m to 60m"),
        ("Rate", "0m", "expected 1m to 60m"),
        ("Rate", "5 minutes", "expected 1m to 60m"),
        ("Cron", "0 2 * *", "found 4 fields, expected 5 or 6"),
        ("Cron", "0 60 2 * * ?", "minutes: found '60', expected 0 to 59"),
        ("Cron", "0 0 2 * * 7", "day of the week: found '7', expected 0 to 6"),
        ("Cron", "0 0 2 1 * Mon", "day of the month and day of the week are both given"),
        ("Cron", "0 0/0 2 * * ?", "minutes: the step '0' is no positive number"),
        ("Cron", "0 0 9-5 * * ?", "hours: the range '9-5' goes backwards"),
        ("Cron", "0 0 2 L * ?", "day of the month: found 'L'"),
        ("Cron", "@every day", "expected a duration such as 1h30m"),
        ("Cron", "@every 5ms", "expected at least a second"),
    ],
)
def test_schedules_that_cannot_be_read(kind: str, schedule: str, message: str) -> None:
    """Which timer, what was found and what was expected."""
    with pytest.raises(WrongCall, match=r"of prune_backups\.Timer cannot be read") as caught:
        ticks_a_month("prune_backups", timer(kind, schedule))

    assert message in caught.value.message
