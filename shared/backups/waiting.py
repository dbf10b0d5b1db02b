"""Waiting that never outlasts the invocation."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.backups.pace import Pace
from shared.backups.ports import Clock


@dataclass(frozen=True, slots=True)
class Waiting:
    """Waits while there is time.

    Attributes:
        left: the seconds that are left for the purpose; negative when they are over.
    """

    clock: Clock
    left: Callable[[], float]

    def wait(self, seconds: float) -> bool:
        """Wait if that much time is left; False, at once, if it is not."""
        if seconds > self.left():
            return False
        if seconds:
            self.clock.sleep(seconds)
        return True

    def turn(self, pace: Pace) -> bool:
        """Wait for one's turn to call; False if there is no time for it."""
        while delay := pace.delay():
            if not self.wait(delay):
                return False
        return self.left() > 0
