"""Looking into a function's process from outside: its peak memory, and the stack of its main thread."""

import faulthandler
import linecache
import re
import resource
import signal
import sys
from pathlib import Path
from traceback import FrameSummary, format_list
from typing import IO


DUMP_SIGNAL = signal.SIGUSR1
_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<name>.+)$', re.MULTILINE)


def peak_memory_mb(pid: int | None = None) -> int:
    """Return the peak resident memory of this process or of *pid* in MB, rounded up; 0 if it is unknown.

    /proc knows it for any process on Linux. getrusage includes the parent's peak, which survives exec.
    """
    try:
        status = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0 if pid else _peak_from_rusage()
    peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return -(-int(peak[1]) // 1024) if peak else 0


def _peak_from_rusage() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return -(-peak // (1024 * 1024 if sys.platform == "darwin" else 1024))


def dump_stack_on_signal(replies: IO[str]) -> None:
    """Make this process write the stack of its main thread to *replies* when it gets DUMP_SIGNAL, even while busy."""
    faulthandler.register(DUMP_SIGNAL, file=replies, all_threads=False)


def frames_from(dump: str, entry: Path) -> list[str]:
    """Return the frames of a stack dump from the file *entry* on, formatted like those of a traceback."""
    linecache.checkcache()
    frames = [FrameSummary(found["file"], int(found["line"]), found["name"]) for found in _FRAME.finditer(dump)]
    frames.reverse()
    first = next((at for at, frame in enumerate(frames) if frame.filename == str(entry)), len(frames))
    return [line.rstrip("\n") for line in format_list(frames[first:])]
