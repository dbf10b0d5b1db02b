"""The deadline of an invocation: FunctionGraph kills what runs past it."""

from dataclasses import dataclass

from shared.backups.ports import Clock


_RESERVE_SHARE = 0.25
_RESERVE_MOST = 5.0
_ANSWER_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Deadline:
    """Two moments on the monotonic clock, in seconds.

    Attributes:
        work: until when backups may be started and waited for; what is left after it is for notifying and answering.
        notify: until when notifications may be sent; what is left after it is for answering.
    """

    clock: Clock
    work: float
    notify: float

    @classmethod
    def after(cls, remaining: float, clock: Clock) -> "Deadline":
        """The deadline of an invocation that has `remaining` seconds left.

        A quarter of it, five seconds at most, is kept for notifying and answering.
        """
        now = clock.monotonic()
        reserve = min(_RESERVE_MOST, remaining * _RESERVE_SHARE)
        return cls(clock, work=now + remaining - reserve, notify=now + remaining - reserve * _ANSWER_SHARE)

    def left_to_work(self) -> float:
        """Seconds left for starting backups and waiting for them; negative when it is over."""
        return self.work - self.clock.monotonic()

    def left_to_notify(self) -> float:
        """Seconds left for sending notifications; negative when it is over."""
        return self.notify - self.clock.monotonic()
