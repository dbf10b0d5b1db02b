"""The windows of timer events cover all of time, and each occurrence belongs to one moment."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.model import Backup
from shared.notify import COMPLETED, FAILED, STUCK
from shared.track.window import Occurrence, OccurrenceRules, Schedule, Window
from tests.fakes import START, A


SECONDS = st.integers(min_value=1, max_value=86_400).map(lambda seconds: timedelta(seconds=seconds))
SCHEDULES = st.builds(Schedule, SECONDS, SECONDS, st.integers(min_value=0, max_value=5))


@given(SCHEDULES, st.integers(min_value=-100_000, max_value=100_000))
def test_each_moment_is_fresh_in_exactly_one_window(schedule: Schedule, second: int) -> None:
    """No end falls between two windows or into both."""
    moment = START + timedelta(seconds=second)
    nearest = round((moment + schedule.delay - START) / schedule.period)

    windows = [schedule.window(START + schedule.period * number) for number in range(nearest - 3, nearest + 4)]

    assert sum(window.fresh_since < moment <= window.until for window in windows) == 1


@given(SCHEDULES, st.integers(min_value=-100_000, max_value=100_000))
def test_each_moment_is_in_lookback_plus_one_windows_in_a_row(schedule: Schedule, second: int) -> None:
    """One of them is left if `lookback` timer events in a row are missed."""
    moment = START + timedelta(seconds=second)
    nearest = round((moment + schedule.delay - START) / schedule.period)

    holding = [
        number
        for number in range(nearest - 10, nearest + 10)
        if schedule.window(START + schedule.period * number).contains(moment)
    ]

    assert len(holding) == schedule.lookback + 1
    assert holding == list(range(holding[0], holding[0] + len(holding)))


def test_a_window_ends_before_its_timer_event() -> None:
    """The period is five minutes, the delay one minute, the lookback one period."""
    window = Schedule(timedelta(minutes=5), timedelta(minutes=1), 1).window(START)

    assert (START - window.since, START - window.fresh_since, START - window.until) == (
        timedelta(minutes=11),
        timedelta(minutes=6),
        timedelta(minutes=1),
    )


# Occurrences.

MINUTE = timedelta(minutes=1)
RULES = OccurrenceRules(stuck_after=60 * MINUTE, period=5 * MINUTE)
BUILDING = Backup("b-1", "name", A, "BUILDING", START)


def window(since: float, until: float) -> Window:
    return Window(START + since * MINUTE, START + until * MINUTE, START + since * MINUTE)


def ended(status: str, after: float) -> Backup:
    return replace(BUILDING, status=status, end_time=START + after * MINUTE)


@pytest.mark.parametrize(("status", "kind"), [("COMPLETED", COMPLETED), ("FAILED", FAILED)])
def test_an_end_belongs_to_the_window_of_its_end_time(status: str, kind: str) -> None:
    """The windows before and after it do not contain it."""
    found = RULES.occurrence(ended(status, 12), window(10, 15))

    assert found
    assert found == Occurrence(kind, ended(status, 12), START + 12 * MINUTE)
    assert RULES.occurrence(ended(status, 12), window(5, 10)) is None
    assert RULES.occurrence(ended(status, 12), window(15, 20)) is None


def test_a_window_excludes_its_first_moment_and_includes_its_last() -> None:
    """The first moment belongs to the window before it."""
    assert RULES.occurrence(ended("COMPLETED", 10), window(10, 15)) is None
    assert RULES.occurrence(ended("COMPLETED", 15), window(10, 15))


def test_a_backup_that_takes_too_long_is_stuck_in_one_window() -> None:
    """This is the window in which the time is over."""
    found = [RULES.occurrence(BUILDING, window(start, start + 5)) for start in range(0, 120, 5)]

    (only,) = filter(None, found)
    assert only == Occurrence(STUCK, BUILDING, START + 60 * MINUTE)


def test_a_window_keeps_its_stuck_backup_after_the_end() -> None:
    """A redelivery after the backup has ended publishes the same event."""
    in_time = RULES.occurrence(BUILDING, window(55, 60))
    late = RULES.occurrence(ended("COMPLETED", 70), window(55, 60))

    assert in_time
    assert late
    assert (in_time.kind, in_time.moment) == (late.kind, late.moment)


def test_a_backup_that_ends_in_the_window_in_which_it_would_be_stuck_is_not_stuck() -> None:
    """It took longer than an hour, and its end is in the same window."""
    found = RULES.occurrence(ended("COMPLETED", 61), window(55, 65))

    assert found
    assert found.kind == COMPLETED


@pytest.mark.parametrize(
    "backup",
    [
        replace(BUILDING, begin_time=None),
        replace(BUILDING, begin_time=None, status="FAILED"),
        replace(BUILDING, status="DISABLED"),
        replace(BUILDING, status="DISABLED", end_time=START + 58 * MINUTE),
        replace(BUILDING, status="FAILED", begin_time=START + 57 * MINUTE),
    ],
    ids=["building without a begin", "failed without times", "being deleted", "deleted", "younger than a period"],
)
def test_a_backup_in_another_state_is_no_occurrence(backup: Backup) -> None:
    """Nothing that DDS lists of it belongs to the window."""
    assert RULES.occurrence(backup, window(55, 60)) is None


@pytest.mark.parametrize(("age", "periods"), [(5, 1), (9, 1), (10, 2), (19, 2), (20, 4)])
def test_an_end_without_an_end_time_happens_at_an_age_that_is_a_power_of_two(age: int, periods: int) -> None:
    """The age counts in periods of five minutes. The end has the moment at which the backup had that age."""
    failed = replace(BUILDING, status="FAILED")

    found = RULES.occurrence(failed, window(0, age))

    assert found == Occurrence(FAILED, failed, START + periods * 5 * MINUTE)


@given(
    failed_after=st.integers(min_value=0, max_value=5000),
    period=st.integers(min_value=1, max_value=60),
    delay=st.integers(min_value=0, max_value=10),
    lookback=st.integers(min_value=0, max_value=3),
    offset=st.integers(min_value=0, max_value=59),
)
def test_an_end_without_an_end_time_is_found_before_the_age_doubles(
    failed_after: int, period: int, delay: int, lookback: int, offset: int
) -> None:
    """Only a few of the windows find it, whenever the backup fails and whenever the timer events are due."""
    assume(offset < period)
    rules = OccurrenceRules(stuck_after=10_000 * MINUTE, period=period * MINUTE)
    schedule = Schedule(period * MINUTE, delay * MINUTE, lookback)
    failed = replace(BUILDING, status="FAILED")
    latest = 2 * max(failed_after, period) + 2 * period + delay
    found = [
        number
        for number in range(latest // period + 1)
        if (time := offset + number * period) >= failed_after
        if rules.occurrence(failed, schedule.window(START + time * MINUTE))
    ]

    assert found
    assert len(found) <= (lookback + 1) * (latest // period).bit_length()
