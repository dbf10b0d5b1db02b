"""What a process has started, in whatever session: a group of processes is left by whoever asks to."""

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path


def descendants_of(pid: int) -> list[int]:
    """Return the processes that *pid* and its children started, as far as their parents have not ended yet.

    Only Linux tells; elsewhere there are none.
    """
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it may end at any moment
            for child in map(int, task.read_text(encoding="ascii").split()):
                found += [child, *descendants_of(child)]
    return found


def end(group: int, processes: Iterable[int]) -> None:
    """Kill a group of processes, and some that may be in others."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
