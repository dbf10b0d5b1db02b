"""Calling a service that fails, throttles and takes time, within the deadline of the invocation.

One `AdaptiveRateLimiter` a service spaces the calls of all workers, and one `Retrying` a service repeats calls.
"""

import random
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from shared.errors import CloudError, ThrottledError
from shared.model import Clock


ResultT = TypeVar("ResultT")

_RESERVE_SHARE = 0.25
_LONGEST_RESERVE = 5.0
_ANSWER_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock by which something has to end.

    Attributes:
        at: the moment, in seconds.
    """

    clock: Clock
    at: float

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(clock, clock.monotonic() + seconds)

    def left(self) -> float:
        """Seconds left; negative after the deadline."""
        return self.at - self.clock.monotonic()

    def within(self, seconds: float) -> "Deadline":
        """This deadline, or one that many seconds from now if that is sooner."""
        return replace(self, at=min(self.at, self.clock.monotonic() + seconds))

    def earlier(self, seconds: float) -> "Deadline":
        """A deadline that many seconds before this one."""
        return replace(self, at=self.at - seconds)

    def sleep(self, seconds: float) -> bool:
        """Sleep if that much time is left; otherwise return False at once."""
        if seconds > self.left():
            return False
        if seconds > 0:
            self.clock.sleep(seconds)
        return True


def split_time(remaining: float, clock: Clock) -> tuple[Deadline, Deadline]:
    """Divide the `remaining` seconds of an invocation, after which FunctionGraph kills it.

    Returns the deadline for work and the later one for publishing. A quarter of the time, at most 5 seconds, is
    reserved for publishing after the work; a quarter of that reserve is left to return the answer.
    """
    reserve = min(_LONGEST_RESERVE, remaining * _RESERVE_SHARE)
    return Deadline.after(remaining - reserve, clock), Deadline.after(remaining - reserve * _ANSWER_SHARE, clock)


_FIRST_RATE = 8.0
_LOWEST_RATE = 0.125
_FREE_RATE = 20.0
_STEP = 0.1


class AdaptiveRateLimiter:
    """Spaces the calls of all workers to one service after the service throttled one of them.

    Calls are free until the first is throttled. Then a rate in calls a second holds for all workers together. It is
    halved whenever a call is throttled and raised by a tenth with each call that is not, until calls are free again.
    """

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._lock = threading.Lock()
        self._rate: float | None = None
        self._next = self._paused_until = clock.monotonic()

    def delay(self) -> float:
        """Take a turn and return 0 if the caller may call now; otherwise return the seconds after which to ask again.

        Turns are not handed out in advance, so a pause that begins while a worker waits holds for that worker too.
        """
        with self._lock:
            now = self._clock.monotonic()
            if now >= self._next:
                self._next = now + (1 / self._rate if self._rate else 0)
                return 0.0
            return self._next - now

    def throttled(self, retry_after: float | None) -> None:
        """Report that a call was throttled; `retry_after` is the pause in seconds that the service asked for."""
        with self._lock:
            now = self._clock.monotonic()
            if now >= self._paused_until:  # a call sent before the pause began does not halve the rate again
                self._rate = max((self._rate or _FIRST_RATE) / 2, _LOWEST_RATE)
            pause = (1 + self._rng.random()) / (self._rate or _FIRST_RATE) if retry_after is None else retry_after
            self._paused_until = max(self._paused_until, now + pause)
            self._next = max(self._next, self._paused_until)

    def accepted(self) -> None:
        """Report that a call was not throttled."""
        with self._lock:
            if self._rate is not None:
                self._rate = self._rate + _STEP if self._rate + _STEP < _FREE_RATE else None


def backoff(attempt: int, rng: random.Random, *, first: float, most: float) -> float:
    """Return the seconds to wait after attempt number `attempt`: exponential with jitter.

    The delay doubles from `first` up to `most`, less up to half of it at random, so that workers that failed together
    do not come back together.
    """
    return float(min(first * 2 ** (attempt - 1), most)) * (1 - rng.random() / 2)


_MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Retrying:
    """Calls one service: at the rate that it allows, again after errors that a retry can help, until the deadline.

    Use `call` for calls that only read, or that are harmless when repeated.
    """

    deadline: Deadline
    limiter: AdaptiveRateLimiter
    rng: random.Random

    def within(self, seconds: float) -> "Retrying":
        """The same with a deadline at most that many seconds from now."""
        return replace(self, deadline=self.deadline.within(seconds))

    def turn(self) -> bool:
        """Wait for a turn of the rate limiter; False if no time is left for the call."""
        return self._take_turn() and self.deadline.left() > 0

    def call(self, function: Callable[[], ResultT], *, tries: int = _MOST_TRIES) -> ResultT:
        """Return what `function` returns, after at most `tries` tries. Throttled calls do not count as tries.

        After the deadline `function` is still called once.

        Raises:
            CloudError: the error of the last try.
        """
        failures = 0
        while True:
            if not self._take_turn():
                raise ThrottledError("the pause that the API asked for outlasts the invocation")
            try:
                result = function()
            except ThrottledError as error:
                self.limiter.throttled(error.retry_after)
                if self.deadline.left() <= 0:
                    raise
            except CloudError as error:
                failures += 1
                delay = backoff(failures, self.rng, first=0.5, most=8)
                if not error.retryable or failures >= tries or not self.deadline.sleep(delay):
                    raise
            else:
                self.limiter.accepted()
                return result

    def _take_turn(self) -> bool:
        while delay := self.limiter.delay():
            if not self.deadline.sleep(delay):
                return False
        return True

    def poll(self, look: Callable[[], ResultT | None], *, every: float) -> ResultT | None:
        """Call `look` every `every` seconds until it finds something; None if the deadline comes first.

        Raises:
            CloudError: `look` failed, and a retry did not help.
        """
        while (found := self.call(look)) is None:
            if not self.deadline.sleep(every):
                return None
        return found


class CircuitBreaker:
    """Stops the calls to a service after one of them failed for good. It never closes again: an invocation is short."""

    def __init__(self) -> None:
        self._open = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether the service must not be called any more."""
        return self._open.is_set()

    def trip(self) -> None:
        """Stop further calls."""
        self._open.set()


def executor_for(tasks: int, concurrency: int) -> Executor:
    """Return a pool of at most `concurrency` threads; for a single task, an executor that runs it in this thread."""
    return ThreadPoolExecutor(concurrency, thread_name_prefix="backup") if tasks > 1 else InThisThread()


class Reports(Protocol):
    """A queue between threads."""

    def put(self, item: Any, /) -> None:
        """Add an item."""

    def get(self) -> Any:
        """Wait for an item, and take it."""


class Workers:
    """Threads that work side by side, and a queue between them. A simulation of time replaces both."""

    def executor(self, tasks: int, concurrency: int) -> Executor:
        """As `executor_for`."""
        return executor_for(tasks, concurrency)

    def queue(self) -> Reports:
        """A queue in which threads report."""
        return SimpleQueue()


class InThisThread(Executor):
    """Runs each task at once, in the thread that submits it."""

    def submit(self, work: Callable[..., ResultT], /, *args: Any, **kwargs: Any) -> Future[ResultT]:
        """Return a completed future, which raises what the work raised."""
        future: Future[ResultT] = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 raised again where the result is asked for
            future.set_exception(error)
        return future
