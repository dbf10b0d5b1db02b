"""The instances of functions: started on demand, kept warm, ended when idle or out of date."""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.packages import BrokenPackage, UnpackedPackages
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.functiongraph.runtime.interpreters import interpreter_for
from localcloud.functiongraph.runtime.log import LogTail
from localcloud.functiongraph.runtime.model import Credentials, FunctionError, FunctionSpec, Invocation, Report
from localcloud.functiongraph.state import Function, FunctionGraphState, Package


# FunctionGraph, Notes and Constraints: the number of concurrently running instances of an account.
MAX_CONCURRENCY = 100
# FunctionGraph FAQ: an instance without requests is released after about a minute. In seconds.
IDLE_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class FinishedInvocation:
    """A finished invocation with its log."""

    invocation: Invocation
    log: tuple[str, ...]


class Instances:
    """The instances of all functions. Used by the server's thread; other threads wait for the functions themselves."""

    def __init__(self, state: FunctionGraphState) -> None:
        self.endpoint: str | None = None
        """The URL of this cloud. Functions get it as DDS_ENDPOINT and SMN_ENDPOINT unless their variables differ."""
        self._state = state
        self._idle: list[WarmInstance] = []
        self._busy: dict[Future[FinishedInvocation], WarmInstance] = {}
        self._threads = ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="functiongraph")
        self._packages = UnpackedPackages()

    def has_room(self, function: Function) -> bool:
        """Whether the concurrency limits allow one more invocation of a function."""
        running = sum(instance.function.id == function.id for instance in self._busy.values())
        limit = MAX_CONCURRENCY if function.concurrency < 0 else function.concurrency
        return running < limit and len(self._busy) < MAX_CONCURRENCY

    async def run(
        self, function: Function, event: str, credentials: Credentials, request_id: str
    ) -> FinishedInvocation:
        """Run a function on an event. Raises FSS.0429 if its concurrency limit is reached."""
        if not self.has_room(function):
            raise functiongraph_error("FSS.0429")
        instance = self._take(function)
        offset = self._state.region.clock.offset
        future = self._threads.submit(instance.invoke, self._packages, event, credentials, request_id, offset)
        self._busy[future] = instance
        try:
            return await asyncio.wrap_future(future)
        finally:
            if future.done():
                self._give_back(future)

    def retire(self, function_urn: str) -> None:
        """End the idle instances of a function, and let its busy ones finish their work."""
        for instance in self._busy.values():
            instance.is_retired = instance.is_retired or instance.function.id == function_urn
        self._end([instance for instance in self._idle if instance.function.id == function_urn])

    def end_idle(self) -> None:
        """End the instances that have been idle for a minute."""
        now = self._state.region.clock.now()
        self._end([instance for instance in self._idle if now - instance.idle_since >= IDLE_TIMEOUT])

    def count(self, function_urn: str) -> int:
        """The number of instances of a function."""
        return sum(instance.function.id == function_urn for instance in [*self._idle, *self._busy.values()])

    def clear(self) -> None:
        """End every instance at once. Running invocations fail."""
        for instance in self._busy.values():
            instance.is_retired = True
            instance.kill()
        self._end(list(self._idle))

    def close(self) -> None:
        """End every instance and every thread, and remove the unpacked packages. Nothing can run afterwards."""
        self.clear()
        wait(self._busy)
        for instance in self._busy.values():
            instance.end()
        self._busy.clear()
        self._threads.shutdown()
        self._packages.close()

    def _take(self, function: Function) -> "WarmInstance":
        for instance in reversed(self._idle):
            if instance.function.id == function.id:
                self._idle.remove(instance)
                return instance
        endpoint = {} if self.endpoint is None else dict.fromkeys(("DDS_ENDPOINT", "SMN_ENDPOINT"), self.endpoint)
        package = self._state.packages.get(function.id)
        return WarmInstance(function, package, self._state.region.project_id, endpoint)

    def _give_back(self, future: Future[FinishedInvocation]) -> None:
        instance = self._busy.pop(future, None)
        if instance is None:
            return
        instance.idle_since = self._state.region.clock.now()
        self._idle.append(instance)
        if instance.is_retired:
            self._end([instance])

    def _end(self, instances: Iterable["WarmInstance"]) -> None:
        for instance in instances:
            self._idle.remove(instance)
            instance.end()


class WarmInstance:
    """Runs a deployed function, one event at a time, in a process that stays between events."""

    def __init__(
        self, function: Function, package: Package | None, project_id: str, platform: Mapping[str, str]
    ) -> None:
        self.function = function
        self.is_retired = False
        """Whether it must not take another event."""
        self.idle_since = 0.0
        self._package = package
        self._project_id = project_id
        self._platform = platform
        self._instance: Instance | None = None
        self._is_killed = False
        self._log = LogTail()

    def invoke(
        self, packages: UnpackedPackages, event: str, credentials: Credentials, request_id: str, clock_offset: float
    ) -> FinishedInvocation:
        """Run the function on an event. Blocks; every failure is in the result."""
        self._log.clear()
        if self._package is None:
            error = FunctionError("FunctionCodeError", "the function was created without code")
            return FinishedInvocation(self._failed(request_id, error), ())
        try:
            if self._instance is None:
                self._instance = self._start(packages, self._package)
            if self._is_killed:  # meanwhile, by another thread
                self._instance.kill()
            invocation = self._instance.invoke(event, credentials, request_id, clock_offset=clock_offset)
        except BrokenPackage as broken:
            invocation = self._failed(request_id, FunctionError("FunctionCodeError", f"the package: {broken}"))
        except OSError as failure:  # a full disk or process table: not the function's fault, but it has not run
            error = FunctionError("SystemError", f"no instance could be started: {failure}")
            invocation = self._failed(request_id, error)
        return FinishedInvocation(invocation, self._log.lines())

    def kill(self) -> None:
        """Kill the process from any thread, also one that is about to start. A running invocation fails."""
        self._is_killed = True
        if self._instance is not None:
            self._instance.kill()

    def end(self) -> None:
        """End the idle process."""
        if self._instance is not None:
            self._instance.end()

    def _start(self, packages: UnpackedPackages, package: Package) -> Instance:
        function = self.function
        interpreter = interpreter_for(function.runtime)
        if interpreter.note:
            self._log.add(interpreter.note)
        code_root = packages.code_root(package, function.digest)
        spec = FunctionSpec(
            name=function.name,
            handler=function.handler,
            initializer=function.initializer_handler,
            initializer_timeout=function.initializer_timeout or 0,
            timeout=function.timeout,
            memory_size=function.memory_size,
            code_root=code_root,
            code_uri=code_root,
            package=function.package,
            interpreter=interpreter.executable,
            is_packaged=True,
        )
        return Instance(
            spec,
            function.user_data,
            self._project_id,
            secrets=function.encrypted_user_data,
            platform=self._platform,
            log=self._log.add,
        )

    def _failed(self, request_id: str, error: FunctionError) -> Invocation:
        report = Report(request_id, 0.0, None, self.function.memory_size, 0, cold_start=False)
        return Invocation(None, error, report)
