"""Asking DDS again and again until a backup is over or the time is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shared.errors import CloudError
from shared.model import Clock
from shared.track.report import Answer, State


GRACE = 120.0
"""Seconds within which DDS shows a job or a backup that it has made; the documents say several."""


class Display(Protocol):
    """Who watches; *seconds* are those since the start."""

    def answered(self, answer: Answer, seconds: float) -> None: ...
    def failed(self, error: CloudError, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Waited:
    """How the waiting ended: the last answer, None if there never was one, and the last error after it."""

    answer: Answer | None
    error: CloudError | None
    seconds: float
    is_timed_out: bool


@dataclass(frozen=True, slots=True)
class Poll:
    """How one waits.

    Attributes:
        timeout, interval: seconds.
        expect: how many backups there have to be; fewer that are done are not enough.
        may_come_late: whether what is asked for may be made at any time, so that not to find it means nothing.
    """

    ask: Callable[[], Answer]
    clock: Clock
    timeout: float
    interval: float
    expect: int = 1
    may_come_late: bool = False

    def until_over(self, display: Display) -> Waited:
        """Ask at once, then at every interval and at the end of the time.

        Errors that a retry can help are survived, and a pause that the service asks for is kept. Raises CloudError for
        any other.
        """
        began = self.clock.monotonic()
        answer: Answer | None = None
        while True:
            error, pause = None, self.interval
            try:
                answer = self.ask()
            except CloudError as caught:
                if not caught.retryable:
                    raise
                error, pause = caught, max(self.interval, caught.retry_after or 0)
            seconds = self.clock.monotonic() - began
            if error:
                display.failed(error, seconds)
            elif answer:
                display.answered(answer, seconds)
                if self._is_over(answer, seconds):
                    return Waited(answer, None, seconds, is_timed_out=False)
            if seconds >= self.timeout:
                return Waited(answer, error, seconds, is_timed_out=True)
            self.clock.sleep(min(pause, self.timeout - seconds))

    def _is_over(self, answer: Answer, seconds: float) -> bool:
        if answer.state is State.UNKNOWN:
            return not self.may_come_late and seconds >= GRACE
        return answer.state is State.FAILED or (answer.state is State.COMPLETED and len(answer.backups) >= self.expect)
