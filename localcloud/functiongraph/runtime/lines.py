"""From the bytes that a function prints to the lines of its log."""

from collections.abc import Callable


LONGEST = 90 * 1024
"""Bytes after which a line is cut in two, as the runtime's logger does (Python guide, context, getLogger)."""


class Lines:
    """Cuts bytes into lines of text."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._rest = b""

    def add(self, chunk: bytes) -> None:
        """Write the lines that *chunk* completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._cut(line)
        if len(self._rest) >= LONGEST:
            self.end()

    def end(self) -> None:
        """Write what is there of the last line."""
        if self._rest:
            self._cut(self._rest)
            self._rest = b""

    def _cut(self, line: bytes) -> None:
        for start in range(0, len(line) or 1, LONGEST):
            self._write(line[start : start + LONGEST].decode("utf-8", errors="replace"))
