"""A function's process as its parent sees it: requests in, replies and log out, deadlines, and a certain end."""

import contextlib
import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from localcloud.functiongraph.runtime.inside.child import InvokeRequest, Reply, StartRequest
from localcloud.functiongraph.runtime.inside.inspection import DUMP_SIGNAL, peak_memory_mb
from localcloud.functiongraph.runtime.log import LineSplitter


START = Path(__file__).with_name("start.py")

PR_SET_DUMPABLE = 4
"""prctl(2)"""

PIPE_CAPACITY = 1 << 20
"""More bytes than a pipe holds. No more is read after a reply, since a function may print forever."""

MAX_REPLY_BYTES = 64 << 20
"""More than the longest reply: 6 MB, of which each byte may become six in JSON, and the error of an exception."""

MEMORY_CHECK_INTERVAL = 0.1
"""Seconds between two looks at the memory of a busy process."""

SPOILT = "spoilt its reply"
KINDS = {"empty", "text", "json"}

DUMP_TIMEOUT = 0.1
"""Seconds of silence after which a stack dump is taken to be complete."""


class TimedOut(Exception):  # noqa: N818 - an event, not a fault of this program
    """The reply did not come in time."""


class Exited(Exception):  # noqa: N818 - see above
    """The process ended without a reply."""


class OutOfMemory(Exception):  # noqa: N818 - see above
    """The process used more memory than its function has."""


class ChildProcess:
    """Runs the modules `inside` in a session of its own, so that everything the function started ends with it."""

    def __init__(
        self, python: Sequence[str], environment: Mapping[str, str], directory: Path, log: Callable[[str], None]
    ) -> None:
        _hide_environment()
        self._replies, reply_end = os.pipe()
        lifeline_end, self._lifeline = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - an interpreter with arguments of ours
                [*python, "-X", "utf8", str(START), str(reply_end), str(lifeline_end)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=directory,
                pass_fds=(reply_end, lifeline_end),
                start_new_session=True,
            )
        except OSError:
            os.close(self._replies)
            os.close(self._lifeline)
            raise
        finally:
            os.close(reply_end)
            os.close(lifeline_end)
        self._log = LineSplitter(log)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._replies, selectors.EVENT_READ)
        self._selector.register(self._log_pipe, selectors.EVENT_READ)

    @property
    def _log_pipe(self) -> int:
        assert self._process.stdout is not None  # noqa: S101 - Popen made the pipe
        return self._process.stdout.fileno()

    def ask(self, request: StartRequest | InvokeRequest, seconds: float, memory_mb: int) -> Reply:
        """Send *request* and wait for the reply with its secret, forwarding the log meanwhile.

        Raises TimedOut, Exited, and OutOfMemory on systems that show the memory of a process.
        """
        deadline = time.monotonic() + seconds
        assert self._process.stdin is not None  # noqa: S101 - see above
        with contextlib.suppress(BrokenPipeError):  # reading the reply will show that the process has ended
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        try:
            return self._read_reply(request["secret"].encode(), deadline, memory_mb, is_result="event" in request)
        finally:
            self._read_rest_of_log()

    def _read_reply(self, secret: bytes, deadline: float, memory_mb: int, *, is_result: bool) -> Reply:
        received = bytearray()
        while True:
            for key, _ in self._selector.select(min(MEMORY_CHECK_INTERVAL, max(0.0, deadline - time.monotonic()))):
                chunk = os.read(key.fd, 1 << 16)
                if key.fd == self._replies:
                    received += chunk
                    line = _take_reply(received, secret) if b"\n" in chunk else None
                    if line is not None:
                        return _parse_reply(line, memory_mb, is_result=is_result)
                    if not chunk or len(received) > MAX_REPLY_BYTES:
                        raise Exited(_describe_exit(self._process) if not chunk else SPOILT)
                elif chunk:
                    self._log.add(chunk)
                else:
                    self._selector.unregister(key.fd)
            if self.peak_memory_mb() > memory_mb:
                raise OutOfMemory
            if time.monotonic() >= deadline:
                raise TimedOut

    def _read_rest_of_log(self) -> None:
        """Read the output that preceded the reply: it is already in the pipe."""
        with selectors.DefaultSelector() as log_only:
            log_only.register(self._log_pipe, selectors.EVENT_READ)
            if log_only.select(0):
                self._log.add(os.read(self._log_pipe, PIPE_CAPACITY))
        self._log.end()

    def dump_stack(self) -> str:
        """Return faulthandler's dump of the main thread; empty if the process does not answer."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, DUMP_SIGNAL)
        written = b""
        with selectors.DefaultSelector() as replies_only:
            replies_only.register(self._replies, selectors.EVENT_READ)
            while replies_only.select(DUMP_TIMEOUT) and (chunk := os.read(self._replies, 1 << 16)):
                written += chunk
        return written.decode("utf-8", errors="replace")

    def peak_memory_mb(self) -> int:
        """Return the peak resident memory in MB, 0 if it is unknown."""
        return peak_memory_mb(self._process.pid)

    def kill(self) -> None:
        """Kill the process from another thread. A thread that waits for its reply gets Exited."""
        if self._process.poll() is None:
            _kill(self._process.pid, _descendants_of(self._process.pid))

    def close(self, grace: float) -> None:
        """Give the process *grace* seconds to exit, then kill it and everything it started."""
        started = _descendants_of(self._process.pid)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # type: ignore[union-attr]
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=grace)
        _kill(self._process.pid, started)
        self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]
        self._selector.close()
        os.close(self._replies)
        os.close(self._lifeline)


@cache
def _hide_environment() -> None:
    """Keep functions from reading this process's variables and memory through /proc and ptrace (Linux).

    Makes the process non-dumpable: /proc/PID/environ and /proc/PID/mem are then root's. There is no core dump either.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _take_reply(received: bytearray, secret: bytes) -> bytes | None:
    """Remove the complete lines from *received*. Return what follows *secret* in the first that has it, or None."""
    *lines, rest = received.split(b"\n")
    received[:] = rest
    return next((bytes(line.partition(secret)[2]) for line in lines if secret in line), None)


def _parse_reply(line: bytes, memory_mb: int, *, is_result: bool) -> Reply:
    try:
        reply: Reply = json.loads(line)
        if not _is_reply(reply, is_result=is_result):
            raise Exited(SPOILT)
    except ValueError:  # the function wrote to every file descriptor it found, at the same time
        raise Exited(SPOILT) from None
    if reply.get("max_memory_used_mb", 0) > memory_mb:
        raise OutOfMemory
    return reply


def _is_reply(reply: Any, *, is_result: bool) -> bool:
    """Whether a JSON value is a reply: to an invocation if `is_result`, else to a start."""
    if not isinstance(reply, dict) or not isinstance(reply.get("max_memory_used_mb", 0), int):
        return False
    if is_result and not isinstance(reply.get("duration_ms"), float):
        return False
    if "error" in reply:
        error = reply["error"]
        return isinstance(error, dict) and error.keys() == {"type", "message", "stack_trace"}
    return not is_result or (reply.get("kind") in KINDS and isinstance(reply.get("body"), str))


def _describe_exit(process: "subprocess.Popen[bytes]") -> str:
    """Say how a process ended, as the rest of a sentence that begins with "the function's process"."""
    try:
        status = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "closed its reply channel"
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:  # the signals between SIGRTMIN and SIGRTMAX have no names
        return f"was ended by signal {-status}"


def _descendants_of(pid: int) -> list[int]:
    """Return the processes that *pid* started, directly or not. Those whose parent has ended are missing.

    A process can leave its group and session, so a signal to the group is not enough. Works on Linux only; elsewhere
    the list is empty.
    """
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it may end at any moment
            for child in map(int, task.read_text(encoding="ascii").split()):
                found += [child, *_descendants_of(child)]
    return found


def _kill(group: int, processes: Iterable[int]) -> None:
    """Kill a process group, and *processes* that may have left it."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
