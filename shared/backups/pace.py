"""How fast the workers may call one API: as fast as they can, until it says that this is too fast."""

import random
import threading

from shared.backups.ports import Clock


_FIRST_RATE = 8.0
_LOWEST_RATE = 0.125
_FREE_RATE = 20.0
_STEP = 0.1


class Pace:
    """Spaces the calls of all workers to one API after it throttled one of them.

    Calls are free until the first is throttled. Then a rate holds for all workers together, in calls a second: halved
    whenever a call is throttled, raised by a tenth with each that is not, until calls are free again.
    """

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._lock = threading.Lock()
        self._rate: float | None = None
        self._next = self._paused_until = clock.monotonic()

    def delay(self) -> float:
        """0 if the caller may call now, which takes its turn; else the seconds after which to ask again.

        Turns are not handed out in advance: a pause that begins while somebody waits holds for them too.
        """
        with self._lock:
            now = self._clock.monotonic()
            if now >= self._next:
                self._next = now + (1 / self._rate if self._rate else 0)
                return 0.0
            return self._next - now

    def throttled(self, retry_after: float | None) -> None:
        """A call was refused for being one too many; `retry_after` is what the service asked to wait, in seconds."""
        with self._lock:
            now = self._clock.monotonic()
            if now >= self._paused_until:  # else it was sent before the others had heard of the pause
                self._rate = max((self._rate or _FIRST_RATE) / 2, _LOWEST_RATE)
            pause = (1 + self._rng.random()) / (self._rate or _FIRST_RATE) if retry_after is None else retry_after
            self._paused_until = max(self._paused_until, now + pause)
            self._next = max(self._next, self._paused_until)

    def accepted(self) -> None:
        """A call was not throttled."""
        with self._lock:
            if self._rate is not None:
                self._rate = self._rate + _STEP if self._rate + _STEP < _FREE_RATE else None
