"""Where a function is that does not come to an end: what a stack trace is for an exception, for a timeout."""

import faulthandler
import linecache
import re
import signal
from pathlib import Path
from traceback import FrameSummary, format_list
from typing import IO


SIGNAL = signal.SIGUSR1
FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<name>.+)$', re.MULTILINE)


def tell_when_asked(replies: IO[str]) -> None:
    """Make this process write the stack of its main thread to *replies* whenever it gets SIGNAL, busy or not."""
    faulthandler.register(SIGNAL, file=replies, all_threads=False)


def frames_from(dump: str, entry: Path) -> list[str]:
    """Return the frames of *dump*, which a process wrote when it was asked, from the file *entry* on."""
    linecache.checkcache()
    frames = [FrameSummary(found["file"], int(found["line"]), found["name"]) for found in FRAME.finditer(dump)]
    frames.reverse()
    first = next((at for at, frame in enumerate(frames) if frame.filename == str(entry)), len(frames))
    return [line.rstrip("\n") for line in format_list(frames[first:])]
