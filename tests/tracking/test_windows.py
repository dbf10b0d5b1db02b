"""Windows of ticks: together they are all of time."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.backups.tracking.windows import Ticks
from tests.fakes import START


SECONDS = st.integers(min_value=1, max_value=86_400).map(lambda seconds: timedelta(seconds=seconds))
TICKS = st.builds(Ticks, SECONDS, SECONDS, st.integers(min_value=0, max_value=5))


@given(TICKS, st.integers(min_value=-100_000, max_value=100_000))
def test_each_moment_is_fresh_in_exactly_one_tick(ticks: Ticks, second: int) -> None:
    """No end falls into a gap, and none into two windows."""
    moment = START + timedelta(seconds=second)
    nearest = round((moment + ticks.delay - START) / ticks.period)

    windows = [ticks.window(START + ticks.period * number) for number in range(nearest - 3, nearest + 4)]

    assert sum(window.fresh_since < moment <= window.until for window in windows) == 1


@given(TICKS, st.integers(min_value=-100_000, max_value=100_000))
def test_each_moment_is_in_as_many_windows_as_ticks_may_be_missed_and_one(ticks: Ticks, second: int) -> None:
    """So one of them is left if any `lookback` ticks in a row are missed."""
    moment = START + timedelta(seconds=second)
    nearest = round((moment + ticks.delay - START) / ticks.period)

    holding = [
        number
        for number in range(nearest - 10, nearest + 10)
        if ticks.window(START + ticks.period * number).holds(moment)
    ]

    assert len(holding) == ticks.lookback + 1
    assert holding == list(range(holding[0], holding[0] + len(holding)))


def test_a_window_is_over_before_its_tick() -> None:
    """Every five minutes, a minute of delay, one period once more."""
    window = Ticks(timedelta(minutes=5), timedelta(minutes=1), 1).window(START)

    assert (START - window.since, START - window.fresh_since, START - window.until) == (
        timedelta(minutes=11),
        timedelta(minutes=6),
        timedelta(minutes=1),
    )
