"""Calls that are repeated: while it can help and there is time."""

import pytest

from shared.backups.errors import CloudError, DeniedError, ThrottledError, TransientError
from shared.backups.pace import Pace
from shared.backups.retrying import Retrying
from shared.backups.waiting import Waiting
from tests.fakes import FakeClock, Steady


class Calls:
    """A call that fails as told, then returns how often it was made."""

    def __init__(self, *errors: CloudError, left: float = 60.0) -> None:
        self.clock = FakeClock()
        self.errors = list(errors)
        self.made = 0
        waiting = Waiting(self.clock, lambda: left - self.clock.seconds)
        self.retrying = Retrying(waiting, Pace(self.clock, Steady()), Steady())

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
