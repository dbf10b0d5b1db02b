"""Calls that are repeated: while it can help and there is time."""

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import CloudError, DeniedError, ThrottledError, TransientError
from shared.retry import AdaptiveRateLimiter, backoff, executor_for
from tests.fakes import FakeClock, Steady, make_retrying


class Calls:
    """A call that fails as told, then returns how often it was made."""

    def __init__(self, *errors: CloudError, left: float = 60.0) -> None:
        self.clock = FakeClock()
        self.errors = list(errors)
        self.made = 0
        self.retrying = make_retrying(self.clock, left)

    def __call__(self) -> int:
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.made


def test_a_call_that_works_is_made_once() -> None:
    """And costs no time."""
    calls = Calls()

    assert calls.retrying.call(calls) == 1
    assert calls.clock.seconds == 0


def test_hiccups_are_survived() -> None:
    """Four transient errors, with growing pauses."""
    calls = Calls(*[TransientError("503")] * 4)

    assert calls.retrying.call(calls) == 5
    assert calls.clock.slept == [0.5, 1, 2, 4]


def test_the_fifth_error_is_raised() -> None:
    """Enough is enough."""
    calls = Calls(*[TransientError("503")] * 9)

    with pytest.raises(TransientError):
        calls.retrying.call(calls)
    assert calls.made == 5


def test_what_cannot_be_helped_is_raised_at_once() -> None:
    """Denied stays denied."""
    calls = Calls(DeniedError("no"))

    with pytest.raises(DeniedError):
        calls.retrying.call(calls)
    assert calls.made == 1


def test_throttling_is_waited_out_however_often() -> None:
    """Ten times too fast is slow enough at last."""
    calls = Calls(*[ThrottledError("429")] * 10, left=600)

    assert calls.retrying.call(calls) == 11


@pytest.mark.parametrize("error", [TransientError("503"), ThrottledError("429", retry_after=5)], ids=["503", "429"])
def test_there_is_always_an_answer_in_time(error: CloudError) -> None:
    """With two seconds left a pause of five is not begun; the error is the answer."""
    calls = Calls(*[error] * 99, left=2)

    with pytest.raises(type(error)):
        calls.retrying.call(calls)
    assert calls.clock.seconds <= 2


def test_a_pause_that_outlasts_the_time_is_kept_by_everybody() -> None:
    """What the service asked for holds for the next call too: none is sent into the pause."""
    calls = Calls(ThrottledError("429", retry_after=100), left=10)
    with pytest.raises(ThrottledError):
        calls.retrying.call(calls)

    with pytest.raises(ThrottledError):
        calls.retrying.call(calls)

    assert calls.made == 1


def test_calls_are_free_until_one_is_throttled() -> None:
    """No delay, however many."""
    pace = AdaptiveRateLimiter(FakeClock(), Steady())

    assert {pace.delay() for _ in range(100)} == {0.0}


def test_throttled_calls_are_spaced_for_all() -> None:
    """After a 429 the next may go after a pause, those after it at four a second, one at a time."""
    clock = FakeClock()
    pace = AdaptiveRateLimiter(clock, Steady())

    pace.throttled(None)

    for _ in range(3):
        assert pace.delay() == 0.25
        clock.sleep(0.25)
        assert pace.delay() == 0.0


def test_a_pause_holds_for_those_who_wait_already() -> None:
    """Whoever asks again after waiting is told of the new pause."""
    clock = FakeClock()
    pace = AdaptiveRateLimiter(clock, Steady())
    pace.throttled(None)
    clock.sleep(pace.delay())

    pace.throttled(10.0)

    assert pace.delay() == 10.0


def test_a_burst_of_throttled_calls_counts_once() -> None:
    """Eight workers refused in the same moment halve the rate once, not eight times."""
    pace = AdaptiveRateLimiter(FakeClock(), Steady())

    for _ in range(8):
        pace.throttled(None)

    assert pace.delay() == 0.25


def test_the_rate_is_halved_with_each_throttled_call_down_to_a_floor() -> None:
    """Never slower than one call in eight seconds."""
    clock = FakeClock()
    pace = AdaptiveRateLimiter(clock, Steady())
    delays = []
    for _ in range(8):
        pace.throttled(None)
        delays.append(pace.delay())
        clock.sleep(delays[-1])

    assert delays[:4] == [0.25, 0.5, 1.0, 2.0]
    assert delays[-1] == 8.0


def test_retry_after_outranks_the_own_pause() -> None:
    """The service knows best."""
    pace = AdaptiveRateLimiter(FakeClock(), Steady())

    pace.throttled(30.0)

    assert pace.delay() == 30.0


def test_accepted_calls_bring_the_rate_back() -> None:
    """A tenth of a call a second with each, until calls are free again."""
    clock = FakeClock()
    pace = AdaptiveRateLimiter(clock, Steady())
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


@pytest.mark.parametrize(("pieces", "elsewhere"), [(0, False), (1, False), (2, True)])
def test_threads_are_for_several_pieces(pieces: int, elsewhere: bool) -> None:
    """One alone would only wait for its thread."""
    with executor_for(pieces, 4) as pool:
        thread = pool.submit(threading.get_ident).result()

    assert (thread != threading.get_ident()) is elsewhere


@pytest.mark.parametrize("pieces", [1, 2])
def test_what_is_raised_is_raised_with_the_result(pieces: int) -> None:
    """Not where the work is submitted."""
    with executor_for(pieces, 4) as pool:
        future = pool.submit(int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        future.result()
