"""Simulated time: a clock that moves only when something waits, and workers that take turns on it.

Workers are threads of which one runs at a time. One that sleeps lets those go first that wake up earlier, so the same
run always has the same order, and twelve instances that wait at once wait no longer than one.
"""

import heapq
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import datetime, timezone
from itertools import count
from typing import Any, TypeVar

from localcloud.clock import Clock as CloudClock
from shared.retry import InThisThread, Reports, Workers


ResultT = TypeVar("ResultT")

_PATIENCE = 60.0
"""Real seconds that a worker waits for its turn. More means that the one whose turn it is hangs."""


class SimulatedClock(CloudClock):
    """The clock of the local cloud and of the functions; implements `shared.model.Clock`, too, by `for_functions`."""

    def __init__(self, start: float) -> None:
        super().__init__(wall=lambda: start)
        self.turns = _Turns(self)

    def advance_to(self, moment: float) -> None:
        """Move forward to a moment, in seconds since the epoch. The clock never goes back."""
        self.offset = max(self.offset, moment - self.wall())

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self.offset += seconds


class FunctionClock:
    """The same clock as the functions see it; implements `shared.model.Clock`."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """The simulated time in UTC."""
        return datetime.fromtimestamp(self._clock.now(), timezone.utc)

    def monotonic(self) -> float:
        """Seconds since the begin of the simulation."""
        return self._clock.offset

    def sleep(self, seconds: float) -> None:
        """Let others go first that wake up earlier, and move the clock forward."""
        self._clock.turns.sleep(seconds)


class _Turns:
    """Lets one thread run at a time: of those that are ready, the one whose moment comes first."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._waiting: list[tuple[float, int, threading.Semaphore]] = []
        self._numbers = count()

    def sleep(self, seconds: float) -> None:
        """Come back in so many seconds of simulated time."""
        moment = self._clock.now() + max(0.0, seconds)
        if not self._waiting or moment < self._waiting[0][0]:
            self._clock.advance_to(moment)
            return
        gate = threading.Semaphore(0)
        self.ready(gate, moment)
        self.leave()
        self.enter(gate)

    def ready(self, gate: threading.Semaphore, moment: float | None = None) -> None:
        """Let the thread that waits at a gate run at a moment, by default now."""
        at = self._clock.now() if moment is None else moment
        heapq.heappush(self._waiting, (at, next(self._numbers), gate))

    def leave(self) -> None:
        """Let the next thread run instead of this one."""
        if not self._waiting:
            raise RuntimeError("every thread of the simulation waits for another one")
        moment, _, gate = heapq.heappop(self._waiting)
        self._clock.advance_to(moment)
        gate.release()

    def enter(self, gate: threading.Semaphore) -> None:
        """Wait for this thread's turn."""
        if not gate.acquire(timeout=_PATIENCE):
            raise RuntimeError(f"a thread of the simulation has had its turn for {_PATIENCE:.0f} s")


class SimulatedWorkers(Workers):
    """Workers in simulated time."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._turns = clock.turns

    def executor(self, tasks: int, concurrency: int) -> Executor:
        """An executor whose threads take turns; for a single task, one that runs it in this thread."""
        return _TakingTurns(self._turns, concurrency) if tasks > 1 else InThisThread()

    def queue(self) -> Reports:
        """A queue for them."""
        return _Queue(self._turns)


class _Queue:
    """A queue of which one thread takes. While it waits for an item, others have their turns."""

    def __init__(self, turns: _Turns) -> None:
        self._turns = turns
        self._items: deque[Any] = deque()
        self._taker: threading.Semaphore | None = None

    def put(self, item: Any, /) -> None:
        self._items.append(item)
        if self._taker:
            self._turns.ready(self._taker)
            self._taker = None

    def get(self) -> Any:
        while not self._items:
            self._taker = threading.Semaphore(0)
            gate = self._taker
            self._turns.leave()
            self._turns.enter(gate)
        return self._items.popleft()


class _TakingTurns(Executor):
    """At most `concurrency` threads, of which one runs at a time."""

    def __init__(self, turns: _Turns, concurrency: int) -> None:
        self._turns = turns
        self._concurrency = concurrency
        self._tasks: deque[Callable[[], None]] = deque()
        self._alive = 0
        self._closing: threading.Semaphore | None = None

    def submit(self, work: Callable[..., ResultT], /, *args: Any, **kwargs: Any) -> "Future[ResultT]":
        """Begin the work as soon as a worker is free and this thread waits."""
        future: Future[ResultT] = Future()

        def task() -> None:
            try:
                future.set_result(work(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 raised again where the result is asked for
                future.set_exception(error)

        self._tasks.append(task)
        if self._alive < self._concurrency:
            self._alive += 1
            gate = threading.Semaphore(0)
            self._turns.ready(gate)
            threading.Thread(target=self._work, args=(gate,), daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Wait until everything is done."""
        if self._alive:
            self._closing = threading.Semaphore(0)
            gate = self._closing
            self._turns.leave()
            self._turns.enter(gate)

    def _work(self, gate: threading.Semaphore) -> None:
        self._turns.enter(gate)
        while self._tasks:
            self._tasks.popleft()()
        self._alive -= 1
        if not self._alive and self._closing:
            self._turns.ready(self._closing)
        self._turns.leave()
