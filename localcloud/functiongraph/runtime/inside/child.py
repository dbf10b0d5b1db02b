"""The process in which a function lives: loads it, then answers one invocation after the other.

Started by `start.py` with two file descriptors, REPLIES and LIFELINE. Requests come as JSON lines on standard input
and replies go as JSON lines to REPLIES; what the function prints goes to standard output and error and is its log. The
first request is a StartRequest, each later one an InvokeRequest. LIFELINE closes when whoever started this process is
no more. Only the standard library is imported here, so that a cold start measures the function.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal, TypedDict

from .context import Context, ContextData
from .lifeline import hang_on
from .loader import entry_file, entry_point, load_entry
from .memory import peak_memory_mb
from .outcome import ErrorData, error_data, response_body
from .stack_dump import tell_when_asked


class StartRequest(TypedDict):
    """Load this function; the context is that of the invocation which found no warm instance."""

    code_root: str
    code_uri: str
    handler: str
    initializer: str | None
    context: ContextData


class InvokeRequest(TypedDict):
    """Hand this event, a JSON text, to the handler."""

    event: str
    context: ContextData


class Reply(TypedDict, total=False):
    """The end of a start (an error, or nothing) or of an invocation (an error, or a body)."""

    error: ErrorData
    kind: Literal["empty", "text", "json"]
    body: str
    duration_ms: float
    max_memory_used_mb: int


def main() -> None:
    requests, replies = _private_channels(int(sys.argv[1]))
    hang_on(int(sys.argv[2]))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # the log is read while it grows
    tell_when_asked(replies)
    start: StartRequest = json.loads(requests.readline())
    entry = entry_file(Path(start["code_uri"]), start["handler"])
    sys.path[1:1] = dict.fromkeys((start["code_root"], start["code_uri"]))
    process = os.getpid()
    try:
        handler = _load(start, entry)
    except BaseException as error:  # noqa: BLE001 - whatever the function does is its result, sys.exit() included
        _end_if_forked(process)
        return _send(replies, Reply(error=error_data(error, entry), max_memory_used_mb=peak_memory_mb()))
    _end_if_forked(process)
    _send(replies, Reply())
    for line in requests:
        reply = _invoke(handler, json.loads(line), entry)
        _end_if_forked(process)
        _send(replies, reply)
    return None


def _private_channels(reply_fd: int) -> tuple[IO[str], IO[str]]:
    """Take the channels out of the function's reach: its input is empty, its children inherit neither."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.set_inheritable(reply_fd, False)
    return requests, os.fdopen(reply_fd, "w", encoding="utf-8")


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


def _end_if_forked(process: int) -> None:
    """End a fork of *process* that came back from the function's code: an event has one answer."""
    if os.getpid() != process:
        os._exit(0)


def _send(replies: IO[str], reply: Reply) -> None:
    if sys.__stdout__ and not sys.__stdout__.closed:
        sys.__stdout__.flush()
    replies.write(json.dumps(reply) + "\n")
    replies.flush()
