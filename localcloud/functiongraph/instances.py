"""The instances of all functions: made when they are needed, kept warm, ended in time."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor, wait

from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.facts import Function
from localcloud.functiongraph.functions import Functions
from localcloud.functiongraph.runtime.invocation import Credentials
from localcloud.functiongraph.unpacking import UnpackedPackages
from localcloud.functiongraph.warm import Ran, Warm


# FunctionGraph, Notes and Constraints: how many instances of an account are at work at a time.
MAX_CONCURRENCY = 100
# FunctionGraph FAQ: an instance without requests is released after about a minute.
IDLE = 60.0


class Instances:
    """Used by the thread that serves; the functions themselves are waited for in other threads."""

    def __init__(self, functions: Functions) -> None:
        self.endpoint: str | None = None
        """Where this cloud is. A function in it gets there, unless its own variables say otherwise."""
        self._functions = functions
        self._idle: list[Warm] = []
        self._busy: dict[Future[Ran], Warm] = {}
        self._threads = ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="functiongraph")
        self._packages = UnpackedPackages()

    def has_room(self, function: Function) -> bool:
        """Whether one more event of a function can be worked on now."""
        at_work = sum(warm.function.id == function.id for warm in self._busy.values())
        most = MAX_CONCURRENCY if function.concurrency < 0 else function.concurrency
        return at_work < most and len(self._busy) < MAX_CONCURRENCY

    async def run(self, function: Function, event: str, credentials: Credentials, request_id: str) -> Ran:
        """Run a function on an event. Raises FSS.0429 when it has as many instances at work as it may."""
        if not self.has_room(function):
            raise functiongraph_error("FSS.0429")
        warm = self._take(function)
        future = self._threads.submit(warm.invoke, self._packages, event, credentials, request_id)
        self._busy[future] = warm
        try:
            return await asyncio.wrap_future(future)
        finally:
            if future.done():
                self._give_back(future)

    def retire(self, function_urn: str) -> None:
        """Let no instance of a function take another event; one that is at work ends with its work."""
        for warm in self._busy.values():
            warm.is_retired = warm.is_retired or warm.function.id == function_urn
        self._end([warm for warm in self._idle if warm.function.id == function_urn])

    def end_idle(self) -> None:
        """End the instances that have been idle for a minute."""
        now = self._functions.region.clock.now()
        self._end([warm for warm in self._idle if now - warm.idle_since >= IDLE])

    def count(self, function_urn: str) -> int:
        """How many instances a function has."""
        return sum(warm.function.id == function_urn for warm in [*self._idle, *self._busy.values()])

    def clear(self) -> None:
        """End every instance at once; what they are at work on fails."""
        for warm in self._busy.values():
            warm.is_retired = True
            warm.kill()
        self._end(list(self._idle))

    def close(self) -> None:
        """End every instance, leave no process, thread or folder behind, and run nothing again."""
        self.clear()
        pending = set(self._busy)
        while pending:  # one that was just about to start a process when it was to be killed has it now
            pending = wait(pending, timeout=0.05).not_done
            for future in pending:
                self._busy[future].kill()
        for warm in self._busy.values():
            warm.end()
        self._busy.clear()
        self._threads.shutdown()
        self._packages.close()

    def _take(self, function: Function) -> Warm:
        for warm in reversed(self._idle):
            if warm.function.id == function.id:
                self._idle.remove(warm)
                return warm
        endpoint = {} if self.endpoint is None else dict.fromkeys(("DDS_ENDPOINT", "SMN_ENDPOINT"), self.endpoint)
        package = self._functions.packages.get(function.id)
        return Warm(function, package, self._functions.region.project_id, endpoint)

    def _give_back(self, future: Future[Ran]) -> None:
        warm = self._busy.pop(future, None)
        if warm is None:
            return
        warm.idle_since = self._functions.region.clock.now()
        self._idle.append(warm)
        if warm.is_retired:
            self._end([warm])

    def _end(self, warm: list[Warm]) -> None:
        for one in warm:
            self._idle.remove(one)
            one.end()
