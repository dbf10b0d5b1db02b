"""One instance of a deployed function, from its package to its end."""

from collections.abc import Mapping
from dataclasses import dataclass

from localcloud.functiongraph.facts import Function, Package
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.functiongraph.runtime.interpreters import interpreter_for
from localcloud.functiongraph.runtime.invocation import Credentials, FunctionError, Invocation, Report
from localcloud.functiongraph.runtime.log_tail import LogTail
from localcloud.functiongraph.runtime.spec import FunctionSpec
from localcloud.functiongraph.unpacking import BrokenPackage, UnpackedPackages


@dataclass(frozen=True, slots=True)
class Ran:
    """An invocation that came to an end, with its log."""

    invocation: Invocation
    log: tuple[str, ...]


class Warm:
    """Runs a function of the local cloud, one event at a time, in a process that stays between them."""

    def __init__(
        self, function: Function, package: Package | None, project_id: str, platform: Mapping[str, str]
    ) -> None:
        self.function = function
        self.is_retired = False
        """Whether it is not to be used again."""
        self.idle_since = 0.0
        self._package = package
        self._project_id = project_id
        self._platform = platform
        self._instance: Instance | None = None
        self._log = LogTail()

    def invoke(self, packages: UnpackedPackages, event: str, credentials: Credentials, request_id: str) -> Ran:
        """Run the function on an event. Takes as long as that does; everything that fails is in the result."""
        self._log.clear()
        if self._package is None:
            error = FunctionError("FunctionCodeError", "the function was created without code")
            return Ran(_failed(self.function, request_id, error), ())
        try:
            if self._instance is None:
                self._instance = self._start(packages, self._package)
            invocation = self._instance.invoke(event, credentials, request_id)
        except BrokenPackage as broken:
            invocation = _failed(
                self.function, request_id, FunctionError("FunctionCodeError", f"the package: {broken}")
            )
        except OSError as failure:
            # Neither room on the disk nor for a process is the function's fault, but it has not run.
            error = FunctionError("SystemError", f"no instance could be started: {failure}")
            invocation = _failed(self.function, request_id, error)
        return Ran(invocation, self._log.lines())

    def kill(self) -> None:
        """End the process, from any thread. What it is at work on fails."""
        if self._instance is not None:
            self._instance.kill()

    def end(self) -> None:
        """End the process when it is idle."""
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


def _failed(function: Function, request_id: str, error: FunctionError) -> Invocation:
    return Invocation(None, error, Report(request_id, 0.0, None, function.memory_size, 0, cold_start=False))
