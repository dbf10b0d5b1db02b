"""A jump of the clock: what becomes due in the skipped time runs in order, each at its own time."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from localcloud.clock import MAX_JUMP_TIME, Clock, text
from localcloud.functiongraph.async_invocations import AsyncInvocations
from localcloud.functiongraph.timers import Due, Timers


# A jump that fires so often, or takes MAX_JUMP_TIME, skips the timers that are left.
MAX_TICKS = 10_000


@dataclass(slots=True)
class TimerRuns:
    """How often a timer fired in a jump, and the first due time that it skipped (UTC), null if none."""

    function: str
    timer: str
    fired: int = 0
    skipped_from: str | None = None


class Jump:
    """Moves the clock forward by `seconds`, from one moment at which something is due to the next.

    The clock runs on from each of these moments. The next one comes when all due events have been delivered, and with
    them those that they caused. `moved` is called after each step.
    """

    def __init__(
        self,
        clock: Clock,
        timers: Timers,
        async_invocations: AsyncInvocations,
        seconds: float,
        moved: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._timers = timers
        self._async_invocations = async_invocations
        self._moved = moved
        self._end = clock.offset + seconds
        self._until = clock.now() + seconds
        self._deadline = time.monotonic() + MAX_JUMP_TIME
        self._is_cancelled = False
        self._runs: dict[str, TimerRuns] = {}

    def cancel(self) -> None:
        """Leave the clock alone from now on, since the cloud is reset."""
        self._is_cancelled = True

    async def run(self) -> list[TimerRuns]:
        """Jump. Returns what fired and what was skipped, one entry for each timer."""
        await self._settle()
        for number, due in enumerate(self._timers.upcoming(self._until)):
            await self._retry_until(due.moment)
            if self._is_over() or number >= MAX_TICKS:
                break
            self._move_to(due.moment)
            if self._timers.fire(due):
                self._run_of(due).fired += 1
                await self._settle()
        await self._retry_until(self._until)
        if not self._is_cancelled:
            for skipped in self._timers.next_of_each(self._until):
                self._run_of(skipped).skipped_from = text(skipped.moment)
            self._timers.skip(self._until)
            self._clock.offset = self._end
            self._moved()
        return list(self._runs.values())

    async def _retry_until(self, moment: float) -> None:
        """Deliver the events that are due later, such as retries, at their times."""
        while (due := self._async_invocations.next_due()) is not None and due <= moment and not self._is_over():
            self._move_to(due)
            await self._settle()

    async def _settle(self) -> None:
        if not self._is_cancelled:
            await self._async_invocations.settle(self._deadline - time.monotonic())

    def _move_to(self, moment: float) -> None:
        """Move the clock to a moment, never back, and never further than to the end of the jump."""
        self._clock.offset = max(self._clock.offset, min(self._end, moment - self._clock.wall()))
        self._moved()

    def _is_over(self) -> bool:
        return self._is_cancelled or time.monotonic() >= self._deadline

    def _run_of(self, due: Due) -> TimerRuns:
        function = due.trigger.function_urn.rpartition(":")[2]
        return self._runs.setdefault(due.trigger.id, TimerRuns(function, due.trigger.event_data["name"]))
