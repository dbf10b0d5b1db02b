"""The log of a function: bytes cut into lines, and the last lines of one invocation."""

from collections import deque
from collections.abc import Callable


MAX_LINE_BYTES = 90 * 1024
"""A longer line is split, as the runtime's logger does (Python guide, context, getLogger)."""

MAX_LOG_CHARACTERS = 1024 * 1024
"""A function may print without end; callers are shown the end of the log only."""


class LineSplitter:
    """Splits a stream of bytes into lines of text."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._rest = b""

    def add(self, chunk: bytes) -> None:
        """Write the lines that *chunk* completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._split(line)
        if len(self._rest) >= MAX_LINE_BYTES:
            self.end()

    def end(self) -> None:
        """Write the incomplete last line, if there is one."""
        if self._rest:
            self._split(self._rest)
            self._rest = b""

    def _split(self, line: bytes) -> None:
        for start in range(0, len(line) or 1, MAX_LINE_BYTES):
            self._write(line[start : start + MAX_LINE_BYTES].decode("utf-8", errors="replace"))


class LogTail:
    """Keeps the last lines, at most `MAX_LOG_CHARACTERS` characters, and counts those dropped."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0
        self._dropped = 0

    def add(self, line: str) -> None:
        """Add a line; drop the oldest ones if the log becomes too large."""
        self._lines.append(line)
        self._size += len(line) + 1
        while self._size > MAX_LOG_CHARACTERS:
            self._size -= len(self._lines.popleft()) + 1
            self._dropped += 1

    def lines(self) -> tuple[str, ...]:
        """Return the kept lines, oldest first, after a note about the dropped ones if there are any."""
        note = (f"({self._dropped} lines before these were not kept)",) if self._dropped else ()
        return (*note, *self._lines)

    def clear(self) -> None:
        """Start a new log."""
        self._lines.clear()
        self._size = self._dropped = 0
