"""A child process with a request line going in, a reply line coming out, and a log, each under a deadline."""

import contextlib
import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from localcloud.functiongraph.runtime.descendants import descendants_of, end
from localcloud.functiongraph.runtime.endings import Exited, OutOfMemory, TimedOut, ending_of, read_reply
from localcloud.functiongraph.runtime.inside.child import Reply
from localcloud.functiongraph.runtime.inside.memory import peak_memory_mb
from localcloud.functiongraph.runtime.inside.stack_dump import SIGNAL
from localcloud.functiongraph.runtime.lines import Lines


START = Path(__file__).with_name("start.py")

PIPE_HOLDS = 1 << 20
"""More bytes than a pipe can hold; only that much is read at an end, since a function may print for ever."""

WATCH = 0.1
"""Seconds after which the memory of a process at work is looked at again."""

DUMP_WAIT = 0.1
"""Seconds without a further word after which a process has said where it is."""


class ChildProcess:
    """Runs the modules `inside` in a session of its own, so that what the function started ends with it."""

    def __init__(
        self, python: Sequence[str], environment: Mapping[str, str], directory: Path, log: Callable[[str], None]
    ) -> None:
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
        self._log = Lines(log)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._replies, selectors.EVENT_READ)
        self._selector.register(self._log_pipe, selectors.EVENT_READ)

    @property
    def _log_pipe(self) -> int:
        assert self._process.stdout is not None  # noqa: S101 - Popen was told to make the pipe
        return self._process.stdout.fileno()

    def ask(self, request: Mapping[str, Any], seconds: float, memory_mb: int) -> Reply:
        """Send *request* and wait for its reply, handing on the log meanwhile.

        Raises TimedOut, Exited, and OutOfMemory where memory can be looked at.
        """
        deadline = time.monotonic() + seconds
        assert self._process.stdin is not None  # noqa: S101 - see above
        with contextlib.suppress(BrokenPipeError):  # the end of the process shows when the reply is read
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        try:
            return self._read_reply(deadline, memory_mb)
        finally:
            self._read_rest_of_log()

    def _read_reply(self, deadline: float, memory_mb: int) -> Reply:
        chunks: list[bytes] = []
        while True:
            for key, _ in self._selector.select(min(WATCH, max(0.0, deadline - time.monotonic()))):
                chunk = os.read(key.fd, 1 << 16)
                if key.fd == self._replies:
                    chunks.append(chunk)
                    if chunk.endswith(b"\n"):
                        return read_reply(b"".join(chunks), memory_mb)
                    if not chunk:
                        raise Exited(ending_of(self._process))
                elif chunk:
                    self._log.add(chunk)
                else:
                    self._selector.unregister(key.fd)
            if self.peak_memory_mb() > memory_mb:
                raise OutOfMemory
            if time.monotonic() >= deadline:
                raise TimedOut

    def _read_rest_of_log(self) -> None:
        """Read what was printed before the reply: it is in the pipe already."""
        with selectors.DefaultSelector() as log_only:
            log_only.register(self._log_pipe, selectors.EVENT_READ)
            if log_only.select(0):
                self._log.add(os.read(self._log_pipe, PIPE_HOLDS))
        self._log.end()

    def dump(self) -> str:
        """Return what the process answers when it is asked where it is; empty when it does not answer."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, SIGNAL)
        written = b""
        with selectors.DefaultSelector() as replies_only:
            replies_only.register(self._replies, selectors.EVENT_READ)
            while replies_only.select(DUMP_WAIT) and (chunk := os.read(self._replies, 1 << 16)):
                written += chunk
        return written.decode("utf-8", errors="replace")

    def peak_memory_mb(self) -> int:
        return peak_memory_mb(self._process.pid)

    def kill(self) -> None:
        """End the process from another thread; whoever waits for its reply learns that it exited."""
        if self._process.poll() is None:
            end(self._process.pid, descendants_of(self._process.pid))

    def close(self, grace: float) -> None:
        """Let the process end by itself for *grace* seconds, then kill it with everything that it started."""
        started = descendants_of(self._process.pid)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # type: ignore[union-attr]
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=grace)
        end(self._process.pid, started)
        self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]
        self._selector.close()
        os.close(self._replies)
        os.close(self._lifeline)
