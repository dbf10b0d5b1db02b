"""Retries, the rate limiter, backoff and the pool."""

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import CloudError, DeniedError, ThrottledError, TransientError
from shared.retry import AdaptiveRateLimiter, Deadline, backoff, executor_for, split_time
from tests.fakes import FakeClock, Steady, make_retrying


def test_a_deadline_does_not_begin_a_sleep_that_does_not_fit() -> None:
    """Exactly the time that is left fits."""
    clock = FakeClock()
    deadline = Deadline.after(10, clock)

    assert not deadline.sleep(10.5)
    assert deadline.left() == 10
    assert deadline.sleep(10)
    assert deadline.left() == 0
    assert deadline.sleep(-1)
    assert clock.slept == [10]


def test_a_deadline_within_some_seconds_is_never_later() -> None:
    """The sooner of the two counts."""
    deadline = Deadline.after(10, FakeClock())

    assert deadline.within(5).left() == 5
    assert deadline.within(20).left() == 10


@pytest.mark.parametrize(("remaining", "work", "notify"), [(300, 295, 298.75), (20, 15, 18.75), (4, 3, 3.75)])
def test_time_is_reserved_for_publishing_and_for_the_answer(remaining: float, work: float, notify: float) -> None:
    """A quarter of the time, at most 5 seconds, is reserved for publishing, and a quarter of that for the answer."""
    deadlines = split_time(remaining, FakeClock())

    assert [deadline.left() for deadline in deadlines] == [work, notify]


def test_polling_ends_with_the_deadline() -> None:
    """Until then it looks every two seconds, and returns what it finds."""
    clock = FakeClock()
    retrying = make_retrying(clock, remaining=5)

    assert retrying.poll(lambda: clock.seconds >= 4 or None, every=2)
    assert retrying.poll(lambda: None, every=2) is None
    assert clock.seconds == 4


class Calls:
    """A call that raises some errors, and then returns how often it was made."""

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


def test_a_call_that_succeeds_is_made_once() -> None:
    """It takes no time."""
    calls = Calls()

    assert calls.retrying.call(calls) == 1
    assert calls.clock.seconds == 0


def test_transient_errors_are_retried() -> None:
    """Four errors are followed by growing pauses."""
    calls = Calls(*[TransientError("503")] * 4)

    assert calls.retrying.call(calls) == 5
    assert calls.clock.slept == [0.5, 1, 2, 4]


def test_the_fifth_transient_error_is_raised() -> None:
    """There is no sixth try."""
    calls = Calls(*[TransientError("503")] * 9)

    with pytest.raises(TransientError):
        calls.retrying.call(calls)
    assert calls.made == 5


def test_a_final_error_is_not_retried() -> None:
    """A retry cannot help."""
    calls = Calls(DeniedError("no"))

    with pytest.raises(DeniedError):
        calls.retrying.call(calls)
    assert calls.made == 1


def test_throttled_calls_are_repeated_until_the_deadline() -> None:
    """They do not count as tries."""
    calls = Calls(*[ThrottledError("429")] * 10, left=600)

    assert calls.retrying.call(calls) == 11


@pytest.mark.parametrize("error", [TransientError("503"), ThrottledError("429", retry_after=5)], ids=["503", "429"])
def test_a_pause_that_does_not_fit_is_not_begun(error: CloudError) -> None:
    """With two seconds left, the error is raised instead."""
    calls = Calls(*[error] * 99, left=2)

    with pytest.raises(type(error)):
        calls.retrying.call(calls)
    assert calls.clock.seconds <= 2


def test_the_pause_that_a_service_asks_for_holds_for_all_calls() -> None:
    """The next call is not made either, since the pause outlasts the deadline."""
    calls = Calls(ThrottledError("429", retry_after=100), left=10)
    with pytest.raises(ThrottledError):
        calls.retrying.call(calls)

    with pytest.raises(ThrottledError):
        calls.retrying.call(calls)

    assert calls.made == 1


def test_calls_are_not_limited_until_one_is_throttled() -> None:
    """The limiter delays none."""
    limiter = AdaptiveRateLimiter(FakeClock(), Steady())

    assert {limiter.delay() for _ in range(100)} == {0.0}


def test_calls_are_spaced_after_one_was_throttled() -> None:
    """After a pause they are made at four a second."""
    clock = FakeClock()
    limiter = AdaptiveRateLimiter(clock, Steady())

    limiter.throttled(None)

    for _ in range(3):
        assert limiter.delay() == 0.25
        clock.sleep(0.25)
        assert limiter.delay() == 0.0


def test_a_new_pause_holds_for_a_worker_that_waits() -> None:
    """After its wait the worker asks again."""
    clock = FakeClock()
    limiter = AdaptiveRateLimiter(clock, Steady())
    limiter.throttled(None)
    clock.sleep(limiter.delay())

    limiter.throttled(10.0)

    assert limiter.delay() == 10.0


def test_a_burst_of_throttled_calls_counts_once() -> None:
    """Eight workers that are throttled at the same time halve the rate once."""
    limiter = AdaptiveRateLimiter(FakeClock(), Steady())

    for _ in range(8):
        limiter.throttled(None)

    assert limiter.delay() == 0.25


def test_the_rate_is_halved_with_each_throttled_call_down_to_a_floor() -> None:
    """The floor is one call in eight seconds."""
    clock = FakeClock()
    limiter = AdaptiveRateLimiter(clock, Steady())
    delays = []
    for _ in range(8):
        limiter.throttled(None)
        delays.append(limiter.delay())
        clock.sleep(delays[-1])

    assert delays[:4] == [0.25, 0.5, 1.0, 2.0]
    assert delays[-1] == 8.0


def test_retry_after_replaces_the_pause_of_the_limiter() -> None:
    """The service asks for 30 seconds."""
    limiter = AdaptiveRateLimiter(FakeClock(), Steady())

    limiter.throttled(30.0)

    assert limiter.delay() == 30.0


def test_accepted_calls_raise_the_rate() -> None:
    """Each adds a tenth of a call a second, until calls are not limited."""
    clock = FakeClock()
    limiter = AdaptiveRateLimiter(clock, Steady())
    limiter.throttled(None)
    clock.sleep(limiter.delay())
    for _ in range(200):
        limiter.accepted()
    clock.sleep(1)

    assert [limiter.delay() for _ in range(3)] == [0.0, 0.0, 0.0]


@given(st.integers(min_value=1, max_value=60), st.randoms(use_true_random=False))
def test_backoff_is_exponential_with_jitter(attempt: int, rng: random.Random) -> None:
    """It doubles from `first` up to `most`, less up to half of it at random."""
    wait = backoff(attempt, rng, first=1, most=30)

    full = min(2 ** (attempt - 1), 30)
    assert full / 2 <= wait <= full


@pytest.mark.parametrize(("attempt", "expected"), [(1, 0.5), (2, 1), (3, 2), (9, 8)])
def test_backoff_without_jitter_doubles(attempt: int, expected: float) -> None:
    """It never exceeds `most`."""
    assert backoff(attempt, Steady(), first=0.5, most=8) == expected


@pytest.mark.parametrize(("tasks", "elsewhere"), [(0, False), (1, False), (2, True)])
def test_only_several_tasks_run_in_threads(tasks: int, elsewhere: bool) -> None:
    """A single task runs in the thread that submits it."""
    with executor_for(tasks, 4) as pool:
        thread = pool.submit(threading.get_ident).result()

    assert (thread != threading.get_ident()) is elsewhere


@pytest.mark.parametrize("tasks", [1, 2])
def test_the_result_raises_what_the_task_raised(tasks: int) -> None:
    """Submitting the task raises nothing."""
    with executor_for(tasks, 4) as pool:
        future = pool.submit(int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        future.result()
