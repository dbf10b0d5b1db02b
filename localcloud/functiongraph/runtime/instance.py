"""An instance of a function: one process that starts cold and then serves one invocation after the other."""

import json
import os
import secrets as random_secrets
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType

from typing_extensions import Self

from localcloud.functiongraph.runtime.inside.child import InvokeRequest, Reply, StartRequest
from localcloud.functiongraph.runtime.inside.context import VERSION, ContextData, millicores
from localcloud.functiongraph.runtime.inside.handler import MAX_BODY_BYTES, ErrorData, entry_file
from localcloud.functiongraph.runtime.inside.inspection import frames_from
from localcloud.functiongraph.runtime.model import Credentials, FunctionError, FunctionSpec, Invocation, Json, Report
from localcloud.functiongraph.runtime.process import ChildProcess, Exited, OutOfMemory, TimedOut


INHERITED_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""The only variables that a function inherits from this process: no proxy and no credential of the machine."""


class Instance:
    """Runs *function* as FunctionGraph does. A context manager, which ends the process.

    ``settings`` are the user's variables, ``secrets`` the encrypted ones, which are in the context only, ``platform``
    the variables that the platform sets unless the user does. ``log`` receives every line that the function prints.
    After a failed start, an exit or a timeout the next invocation starts a new process.
    """

    def __init__(
        self,
        function: FunctionSpec,
        settings: Mapping[str, str],
        project_id: str,
        *,
        secrets: Mapping[str, str] = MappingProxyType({}),
        platform: Mapping[str, str] = MappingProxyType({}),
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._function = function
        self._environment = _environment(function, settings, project_id, platform)
        self._user_data = {**settings, **secrets}
        self._project_id = project_id
        self._log = log
        self._id = str(uuid.uuid4())
        self._clock_offset = 0.0
        self._process: ChildProcess | None = None
        self._is_killed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(grace=0.0 if error else 1.0)

    def invoke(
        self, event: str, credentials: Credentials, request_id: str | None = None, *, clock_offset: float = 0.0
    ) -> Invocation:
        """Call the handler with *event*, a JSON text, and wait for the outcome.

        *clock_offset* is by how many seconds the cloud's clock, which the context hands in, is ahead of the machine's.
        A failure of the function, a timeout included, is the invocation's ``error`` and is not raised.
        """
        request_id = request_id or str(uuid.uuid4())
        self._clock_offset = clock_offset
        cold = self._process is None
        began = time.perf_counter()
        reply = self._start(request_id, credentials) if cold else Reply()
        init_ms = _elapsed_ms(began) if cold else None
        duration_ms = 0.0
        if "error" not in reply:
            began = time.perf_counter()
            reply = self._handle(event, request_id, credentials)
            duration_ms = reply["duration_ms"]
        self._is_killed = False
        report = Report(
            request_id=request_id,
            duration_ms=round(duration_ms, 3),
            init_duration_ms=None if init_ms is None else round(init_ms, 3),
            memory_size_mb=self._function.memory_size,
            max_memory_used_mb=reply.get("max_memory_used_mb", 0),
            cold_start=cold,
        )
        return _invocation(reply, report)

    def _start(self, request_id: str, credentials: Credentials) -> Reply:
        function = self._function
        python = [function.interpreter, "-I", *(["-S", "-B"] if function.is_packaged else [])]
        self._process = ChildProcess(python, self._environment, function.code_root.parent, self._log)
        if self._is_killed:  # meanwhile, by another thread
            self._process.kill()
        seconds = function.initializer_timeout if function.initializer else function.timeout
        request = StartRequest(
            secret=random_secrets.token_hex(16),
            code_root=str(function.code_root),
            code_uri=str(function.code_uri),
            handler=function.handler,
            initializer=function.initializer,
            context=self._context(request_id, credentials, seconds),
        )
        reply = self._ask(request, seconds, "FunctionInitTimeout", "the function was not ready")
        if "error" in reply:
            self.end(grace=0.0)
        return reply

    def _handle(self, event: str, request_id: str, credentials: Credentials) -> Reply:
        request = InvokeRequest(
            secret=random_secrets.token_hex(16),
            event=event,
            context=self._context(request_id, credentials, self._function.timeout),
        )
        return self._ask(request, self._function.timeout, "FunctionTimeout", "the function did not return")

    def _ask(self, request: StartRequest | InvokeRequest, seconds: float, kind: str, what: str) -> Reply:
        """Return the reply. A missing reply becomes an error reply and ends the process."""
        assert self._process is not None  # noqa: S101 - invoke starts it
        stack_trace: list[str] = []
        began = time.perf_counter()
        memory_size = self._function.memory_size
        try:
            return self._process.ask(request, seconds, memory_size)
        except TimedOut:
            duration_ms = _elapsed_ms(began)
            message = f"{what} within its {seconds:g} s and was ended"
            entry = entry_file(self._function.code_uri, self._function.handler)
            stack_trace = frames_from(self._process.dump_stack(), entry)
        except Exited as exited:
            duration_ms = _elapsed_ms(began)
            kind, message = "FunctionExited", f"the function's process {exited}"
        except OutOfMemory:  # message: FAQ, How Do I Check the Memory Usage When Seeing ...
            duration_ms = _elapsed_ms(began)
            kind, message = "FunctionOutOfMemory", f"runtime memory limit exceeded: it has {memory_size} MB"
        memory = self._process.peak_memory_mb()
        self.end(grace=0.0)
        error = ErrorData(type=kind, message=message, stack_trace=stack_trace)
        return Reply(error=error, duration_ms=duration_ms, max_memory_used_mb=memory)

    def _context(self, request_id: str, credentials: Credentials, remaining: float) -> ContextData:
        function = self._function
        return ContextData(
            request_id=request_id,
            instance_id=self._id,
            function_name=function.name,
            package=function.package,
            project_id=self._project_id,
            timeout=function.timeout,
            remaining=remaining,
            clock_offset=self._clock_offset,
            memory_size=function.memory_size,
            user_data=self._user_data,
            access_key=credentials.access_key,
            secret_key=credentials.secret_key,
            security_token=credentials.security_token,
            token=credentials.token,
        )

    def kill(self) -> None:
        """Kill the process from any thread, also one that is about to start. The invocation fails."""
        self._is_killed = True
        process = self._process
        if process is not None:
            process.kill()

    def end(self, grace: float = 0.0) -> None:
        """Give the process *grace* seconds to exit, then kill it."""
        if self._process is not None:
            self._process.close(grace)
            self._process = None


def _environment(
    function: FunctionSpec, settings: Mapping[str, str], project_id: str, platform: Mapping[str, str]
) -> dict[str, str]:
    """Return the process's variables. The user's settings override *platform*; ``RUNTIME_*`` presets override both."""
    machine = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    presets = {
        "RUNTIME_PROJECT_ID": project_id,
        "RUNTIME_FUNC_NAME": function.name,
        "RUNTIME_FUNC_VERSION": VERSION,
        "RUNTIME_PACKAGE": function.package,
        "RUNTIME_HANDLER": function.handler,
        "RUNTIME_TIMEOUT": f"{function.timeout:g}",
        "RUNTIME_USERDATA": json.dumps(dict(settings)),
        "RUNTIME_CPU": str(millicores(function.memory_size)),
        "RUNTIME_MEMORY": str(function.memory_size),
        "RUNTIME_MAX_RESP_BODY_SIZE": str(MAX_BODY_BYTES),
        "RUNTIME_ROOT": sys.prefix,
        "RUNTIME_CODE_ROOT": str(function.code_root),
        "RUNTIME_LOG_DIR": tempfile.gettempdir(),
    }
    if function.initializer:
        presets["RUNTIME_INITIALIZER_HANDLER"] = function.initializer
        presets["RUNTIME_INITIALIZER_TIMEOUT"] = f"{function.initializer_timeout:g}"
    return {**machine, **platform, **settings, **presets}


def _invocation(reply: Reply, report: Report) -> Invocation:
    if "error" in reply:
        error = reply["error"]
        failure = FunctionError(error["type"], error["message"], tuple(error["stack_trace"]))
        return Invocation(result=None, error=failure, report=report)
    body = reply["body"]
    result: Json = body
    if reply["kind"] != "text":
        result = json.loads(body) if body else None
    return Invocation(result=result, error=None, report=report)


def _elapsed_ms(began: float) -> float:
    return (time.perf_counter() - began) * 1000
