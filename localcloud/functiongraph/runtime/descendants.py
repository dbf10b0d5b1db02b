"""What a process has started, in whatever session: a group of processes is left by whoever asks to."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path


def end_with_descendants(pid: int) -> None:
    """Kill *pid*, which leads a group, with the group and every process that it or its children started.

    Only Linux tells whose child a process is; elsewhere, and for one whose parent has ended, the group is all.
    """
    for descendant in list(_descendants(pid)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(descendant, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it may end at any moment
            for child in map(int, task.read_text(encoding="ascii").split()):
                yield child
                yield from _descendants(child)
