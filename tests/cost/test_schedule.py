"""How often a timer fires in a month."""

from datetime import timedelta

import pytest

from cli.cost.inputs import MONTH, timer_events
from cli.errors import WrongCall
from cli.template.model import Event


DAYS = MONTH / timedelta(days=1)


def timer(kind: str, schedule: str, status: str = "ACTIVE") -> Event:
    """A timer with this schedule."""
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
    """The result is an average over 28 years, leap years included."""
    assert timer_events("f", timer("Cron", expression)) == pytest.approx(times_a_day * DAYS)


@pytest.mark.parametrize(
    ("kind", "schedule", "minutes"),
    [("Rate", "1m", 1), ("Rate", "24h", 1440), ("Rate", "30d", 43_200), ("Cron", "@every 1.5h", 90)],
)
def test_rates(kind: str, schedule: str, minutes: float) -> None:
    """A month has 365/12 days."""
    assert timer_events("f", timer(kind, schedule)) == pytest.approx(MONTH / timedelta(minutes=minutes))


def test_a_disabled_timer_does_not_fire() -> None:
    """A disabled timer has no events."""
    assert timer_events("f", timer("Rate", "5m", status="DISABLED")) == 0


@pytest.mark.parametrize(("kind", "schedule"), [("Rate", "61m"), ("Cron", "0 60 2 * * ?"), ("Cron", "@every day")])
def test_invalid_schedules(kind: str, schedule: str) -> None:
    """The error names the function and the trigger, and says what is wrong."""
    with pytest.raises(WrongCall, match=r"the schedule of prune_backups\.Timer is not valid: .+"):
        timer_events("prune_backups", timer(kind, schedule))
