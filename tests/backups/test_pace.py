"""The pace of all workers together under throttling, and the waits between attempts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backups.backoff import backoff
from shared.backups.pace import Pace
from tests.fakes import FakeClock, Steady


def test_calls_are_free_until_one_is_throttled() -> None:
    """No delay, however many."""
    pace = Pace(FakeClock(), Steady())

    assert {pace.delay() for _ in range(100)} == {0.0}


def test_throttled_calls_are_spaced_for_all() -> None:
    """After a 429 the next may go after a pause, those after it at four a second, one at a time."""
    clock = FakeClock()
    pace = Pace(clock, Steady())

    pace.throttled(None)

    for _ in range(3):
        assert pace.delay() == 0.25
        clock.sleep(0.25)
        assert pace.delay() == 0.0


def test_a_pause_holds_for_those_who_wait_already() -> None:
    """Whoever asks again after waiting is told of the new pause."""
    clock = FakeClock()
    pace = Pace(clock, Steady())
    pace.throttled(None)
    clock.sleep(pace.delay())

    pace.throttled(10.0)

    assert pace.delay() == 10.0


def test_a_burst_of_throttled_calls_counts_once() -> None:
    """Eight workers refused in the same moment halve the rate once, not eight times."""
    pace = Pace(FakeClock(), Steady())

    for _ in range(8):
        pace.throttled(None)

    assert pace.delay() == 0.25


def test_the_rate_is_halved_with_each_throttled_call_down_to_a_floor() -> None:
    """Never slower than one call in eight seconds."""
    clock = FakeClock()
    pace = Pace(clock, Steady())
    delays = []
    for _ in range(8):
        pace.throttled(None)
        delays.append(pace.delay())
        clock.sleep(delays[-1])

    assert delays[:4] == [0.25, 0.5, 1.0, 2.0]
    assert delays[-1] == 8.0


def test_retry_after_outranks_the_own_pause() -> None:
    """The service knows best."""
    pace = Pace(FakeClock(), Steady())

    pace.throttled(30.0)

    assert pace.delay() == 30.0


def test_accepted_calls_bring_the_rate_back() -> None:
    """A tenth of a call a second with each, until calls are free again."""
    clock = FakeClock()
    pace = Pace(clock, Steady())
    pace.throttled(None)
    clock.sleep(pace.delay())
    for _ in range(200):
        pace.accepted()
    clock.sleep(1)

    assert [pace.delay() for _ in range(3)] == [0.0, 0.0, 0.0]


@given(st.integers(min_value=1, max_value=60), st.randoms(use_true_random=False))
def test_waits_grow_to_a_limit_with_up_to_half_taken_off_by_chance(attempt: int, rng: random.Random) -> None:
    """Doubling from the first, never over the most."""
    wait = backoff(attempt, rng, first=1, most=30)

    full = min(2 ** (attempt - 1), 30)
    assert full / 2 <= wait <= full


@pytest.mark.parametrize(("attempt", "expected"), [(1, 0.5), (2, 1), (3, 2), (9, 8)])
def test_waits_without_chance(attempt: int, expected: float) -> None:
    """The plain series."""
    assert backoff(attempt, Steady(), first=0.5, most=8) == expected
