"""Windows of ticks: together they are all of time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.model import Backup
from shared.notify import COMPLETED, FAILED, STUCK
from shared.track.window import OccurrenceRules, Schedule, Window
from tests.fakes import START, A


SECONDS = st.integers(min_value=1, max_value=86_400).map(lambda seconds: timedelta(seconds=seconds))
TICKS = st.builds(Schedule, SECONDS, SECONDS, st.integers(min_value=0, max_value=5))


@given(TICKS, st.integers(min_value=-100_000, max_value=100_000))
def test_each_moment_is_fresh_in_exactly_one_tick(ticks: Schedule, second: int) -> None:
    """No end falls into a gap, and none into two windows."""
    moment = START + timedelta(seconds=second)
    nearest = round((moment + ticks.delay - START) / ticks.period)

    windows = [ticks.window(START + ticks.period * number) for number in range(nearest - 3, nearest + 4)]

    assert sum(window.fresh_since < moment <= window.until for window in windows) == 1


@given(TICKS, st.integers(min_value=-100_000, max_value=100_000))
def test_each_moment_is_in_as_many_windows_as_ticks_may_be_missed_and_one(ticks: Schedule, second: int) -> None:
    """So one of them is left if any `lookback` ticks in a row are missed."""
    moment = START + timedelta(seconds=second)
    nearest = round((moment + ticks.delay - START) / ticks.period)

    holding = [
        number
        for number in range(nearest - 10, nearest + 10)
        if ticks.window(START + ticks.period * number).contains(moment)
    ]

    assert len(holding) == ticks.lookback + 1
    assert holding == list(range(holding[0], holding[0] + len(holding)))


def test_a_window_is_over_before_its_tick() -> None:
    """Every five minutes, a minute of delay, one period once more."""
    window = Schedule(timedelta(minutes=5), timedelta(minutes=1), 1).window(START)

    assert (START - window.since, START - window.fresh_since, START - window.until) == (
        timedelta(minutes=11),
        timedelta(minutes=6),
        timedelta(minutes=1),
    )


MINUTE = timedelta(minutes=1)
RULES = OccurrenceRules(stuck_after=60 * MINUTE, period=5 * MINUTE)
BUILDING = Backup("b-1", "name", A, "BUILDING", START)


def window(since: float, until: float) -> Window:
    return Window(START + since * MINUTE, START + until * MINUTE, START + since * MINUTE)


def ended(status: str, after: float) -> Backup:
    return replace(BUILDING, status=status, end_time=START + after * MINUTE)


@pytest.mark.parametrize(("status", "kind"), [("COMPLETED", COMPLETED), ("FAILED", FAILED)])
def test_an_end_belongs_to_the_window_of_its_end_time(status: str, kind: str) -> None:
    """By DDS's own time."""
    found = RULES.occurrence(ended(status, 12), window(10, 15))

    assert found
    assert (found.kind, found.moment) == (kind, START + 12 * MINUTE)
    assert RULES.occurrence(ended(status, 12), window(5, 10)) is None
    assert RULES.occurrence(ended(status, 12), window(15, 20)) is None


def test_the_edges_of_a_window() -> None:
    """Its first moment belongs to the one before."""
    assert RULES.occurrence(ended("COMPLETED", 10), window(10, 15)) is None
    assert RULES.occurrence(ended("COMPLETED", 15), window(10, 15))


def test_a_backup_that_takes_too_long_is_stuck_once() -> None:
    """In the window in which it has been building for that long, not before and not again."""
    found = [RULES.occurrence(BUILDING, window(start, start + 5)) for start in range(0, 120, 5)]

    (only,) = filter(None, found)
    assert (only.kind, only.moment) == (STUCK, START + 60 * MINUTE)


def test_a_late_look_at_a_window_finds_what_a_look_in_time_found() -> None:
    """A tick delivered again after the stuck backup has ended still says that it was stuck."""
    in_time = RULES.occurrence(BUILDING, window(55, 60))
    late = RULES.occurrence(ended("COMPLETED", 70), window(55, 60))

    assert in_time
    assert late
    assert (in_time.kind, in_time.moment) == (late.kind, late.moment)


def test_a_backup_that_ended_before_anybody_could_be_told_was_not_stuck() -> None:
    """It took longer than an hour, but its end is the news."""
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
        replace(BUILDING, status="FAILED", begin_time=START + 59 * MINUTE),
    ],
    ids=["building without a begin", "failed without times", "being deleted", "deleted", "too young to be found"],
)
def test_nothing_happened(backup: Backup) -> None:
    """Nothing that belongs to this window, as far as DDS tells."""
    assert RULES.occurrence(backup, window(55, 60)) is None


@given(
    failed_after=st.integers(min_value=0, max_value=5000),
    period=st.integers(min_value=1, max_value=60),
    delay=st.integers(min_value=0, max_value=10),
    lookback=st.integers(min_value=0, max_value=3),
    offset=st.integers(min_value=0, max_value=59),
)
def test_an_end_without_a_time_is_found_by_twice_its_age(
    failed_after: int, period: int, delay: int, lookback: int, offset: int
) -> None:
    """Whenever it fails and however the ticks fall, and not by all of them: by a few."""
    assume(offset < period)
    rules = OccurrenceRules(stuck_after=10_000 * MINUTE, period=period * MINUTE)
    ticks = Schedule(period * MINUTE, delay * MINUTE, lookback)
    failed = replace(BUILDING, status="FAILED")
    latest = 2 * max(failed_after, period) + 2 * period + delay
    found = [
        number
        for number in range(latest // period + 1)
        if (time := offset + number * period) >= failed_after
        if rules.occurrence(failed, ticks.window(START + time * MINUTE))
    ]

    assert found
    assert len(found) <= (lookback + 1) * (latest // period).bit_length()
