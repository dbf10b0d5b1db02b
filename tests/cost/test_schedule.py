"""How often a timer ticks in a month."""

from datetime import timedelta

import pytest

from cli.cost.schedule import MONTH, ticks_a_month
from cli.errors import WrongCall
from cli.template.model import Event


DAYS = MONTH / timedelta(days=1)


def timer(kind: str, schedule: str, status: str = "ACTIVE") -> Event:
    """A timer with a schedule."""
    return Event("Timer", "TIMER", status, {"schedule_type": kind, "schedule": schedule})


@pytest.mark.parametrize(
    ("expression", "times_a_day"),
    [
        ("0 0 2 * * ?", 1),
        ("0 0 2 * *", 1),
        ("CRON_TZ=Europe/Berlin 0 0 12 * * *", 1),
        ("0 */5 * * * ?", 288),
        ("0,30 10-20/5 0,12 * * ?", 12),
        ("0 0 0 ? * Mon-Fri", 5 / 7),
        ("0 0 0 ? * 0,6", 2 / 7),
        ("0 0 0 1 * ?", 12 / 365.25),
        ("0 0 0 31 * ?", 7 / 365.25),
        ("0 0 0 29 feb ?", 1 / 4 / 365.25),
        ("0 0 0 30 feb ?", 0),
    ],
)
def test_cron_expressions(expression: str, times_a_day: float) -> None:
    """On an average day, leap years included."""
    assert ticks_a_month("f", timer("Cron", expression)) == pytest.approx(times_a_day * DAYS)


@pytest.mark.parametrize(
    ("kind", "schedule", "minutes"),
    [("Rate", "1m", 1), ("Rate", "24h", 1440), ("Rate", "30d", 43_200), ("Cron", "@every 1.5h", 90)],
)
def test_rates(kind: str, schedule: str, minutes: float) -> None:
    """A month has 365/12 days."""
    assert ticks_a_month("f", timer(kind, schedule)) == pytest.approx(MONTH / timedelta(minutes=minutes))


def test_a_timer_that_is_disabled_does_not_tick() -> None:
    """Whatever its schedule."""
    assert ticks_a_month("f", timer("Rate", "5m", status="DISABLED")) == 0


@pytest.mark.parametrize(("kind", "schedule"), [("Rate", "61m"), ("Cron", "0 60 2 * * ?"), ("Cron", "@every day")])
def test_schedules_that_cannot_be_read(kind: str, schedule: str) -> None:
    """Say whose they are, and what is wrong."""
    with pytest.raises(WrongCall, match=r"the schedule of prune_backups\.Timer cannot be read: .+"):
        ticks_a_month("prune_backups", timer(kind, schedule))
