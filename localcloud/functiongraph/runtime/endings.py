"""How a request to the process of a function ends, by a reply or without one."""

import json
import signal
import subprocess

from localcloud.functiongraph.runtime.inside.child import Reply


class TimedOut(Exception):  # noqa: N818 - an event, not a fault of this program
    """The reply did not come in time."""


class Exited(Exception):  # noqa: N818 - see above
    """The process ended without a reply."""


class OutOfMemory(Exception):  # noqa: N818 - see above
    """The process has more memory than it may."""


def read_reply(line: bytes, memory_mb: int) -> Reply:
    """Return the reply that a line holds. Raises Exited for what is none, OutOfMemory for one that took too much."""
    try:
        reply: Reply = json.loads(line)
    except ValueError:  # the function has written to every file descriptor that it found
        raise Exited("spoilt its reply") from None
    if reply.get("max_memory_used_mb", 0) > memory_mb:
        raise OutOfMemory
    return reply


def ending_of(process: "subprocess.Popen[bytes]") -> str:
    """Say how a process ended that will not reply any more."""
    try:
        status = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return "closed its reply channel"
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:  # those between SIGRTMIN and SIGRTMAX have no name
        return f"was ended by signal {-status}"
