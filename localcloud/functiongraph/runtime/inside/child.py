"""The main program of a function's process: loads the function, then answers one invocation after the other.

Started by `start.py` with two file descriptors, REPLIES and LIFELINE. Requests are JSON lines on standard input,
replies are JSON lines on REPLIES; whatever the function writes to standard output and error is its log. The first
request is a StartRequest, each later one an InvokeRequest. LIFELINE closes when the parent process is gone. Only the
standard library is imported here, so that a cold start measures the function.
"""

import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal, TypedDict

from .context import Context, ContextData
from .handler import ErrorData, entry_file, entry_point, error_data, load_entry, response_body
from .inspection import dump_stack_on_signal, peak_memory_mb


class StartRequest(TypedDict):
    """Load a function. The context is that of the invocation that found no warm instance.

    A reply counts only with the *secret* of its request, so a function cannot forge one by writing to every file
    descriptor. It can if it searches the memory of its own process.
    """

    secret: str
    code_root: str
    code_uri: str
    handler: str
    initializer: str | None
    context: ContextData


class InvokeRequest(TypedDict):
    """Call the handler with this event, a JSON text."""

    secret: str
    event: str
    context: ContextData


class Reply(TypedDict, total=False):
    """The outcome of a start (an error, or nothing) or of an invocation (an error, or a body)."""

    error: ErrorData
    kind: Literal["empty", "text", "json"]
    body: str
    duration_ms: float
    max_memory_used_mb: int


def main() -> None:
    """Serve requests until standard input ends."""
    requests, replies = _private_channels(int(sys.argv[1]))
    _die_with_parent(int(sys.argv[2]))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # the parent reads the log as it is written
    dump_stack_on_signal(replies)
    start: StartRequest = json.loads(requests.readline())
    entry = entry_file(Path(start["code_uri"]), start["handler"])
    sys.path[1:1] = dict.fromkeys((start["code_root"], start["code_uri"]))
    process = os.getpid()
    try:
        handler = _load(start, entry)
    except BaseException as error:  # noqa: BLE001 - everything the function raises is its result, SystemExit included
        _exit_if_forked(process)
        reply = Reply(error=error_data(error, entry), max_memory_used_mb=peak_memory_mb())
        return _send(replies, start["secret"], reply)
    _exit_if_forked(process)
    _send(replies, start["secret"], Reply())
    for line in requests:
        request: InvokeRequest = json.loads(line)
        reply = _invoke(handler, request, entry)
        _exit_if_forked(process)
        _send(replies, request["secret"], reply)
    return None


def _private_channels(reply_fd: int) -> tuple[IO[str], IO[str]]:
    """Hide the channels from the function: its standard input is empty, its children inherit neither channel."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.set_inheritable(reply_fd, False)
    return requests, os.fdopen(reply_fd, "w", encoding="utf-8")


def _die_with_parent(lifeline: int) -> None:
    """Have the kernel kill this process and everything it started when the other end of *lifeline*, a pipe, closes.

    Only Linux supports this. On other systems a busy function ends when its work is done.
    """
    os.set_inheritable(lifeline, False)
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_RDONLY | os.O_ASYNC)


def _load(start: StartRequest, entry: Path) -> Callable[..., Any]:
    module = load_entry(entry)
    handler = entry_point(module, start["handler"])
    if start["initializer"]:
        entry_point(module, start["initializer"])(Context(start["context"]))
    return handler


def _invoke(handler: Callable[..., Any], request: InvokeRequest, entry: Path) -> Reply:
    context = Context(request["context"])
    started = time.perf_counter()
    reply = Reply()
    try:
        kind, body = response_body(handler(json.loads(request["event"]), context))
    except BaseException as error:  # noqa: BLE001 - see main
        reply = Reply(error=error_data(error, entry))
    else:
        reply = Reply(kind=kind, body=body)  # type: ignore[typeddict-item]
    reply["duration_ms"] = (time.perf_counter() - started) * 1000
    reply["max_memory_used_mb"] = peak_memory_mb()
    return reply


def _exit_if_forked(process: int) -> None:
    """Exit if this is a fork of *process* that returned from the function's code: an event has one reply."""
    if os.getpid() != process:
        os._exit(0)


def _send(replies: IO[str], secret: str, reply: Reply) -> None:
    if sys.__stdout__ and not sys.__stdout__.closed:
        sys.__stdout__.flush()
    replies.write(f"{secret}{json.dumps(reply)}\n")
    replies.flush()
