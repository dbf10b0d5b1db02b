"""The log of one invocation, as much of it as is kept."""

from collections import deque


MOST = 1024 * 1024
"""Characters. A function may print for ever; what its caller is shown is the end of the log anyway."""


class LogTail:
    """Keeps the last lines, at most `MOST` characters, and how many there were before."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0
        self._left_out = 0

    def add(self, line: str) -> None:
        """Add a line; the oldest ones make room for it."""
        self._lines.append(line)
        self._size += len(line) + 1
        while self._size > MOST:
            self._size -= len(self._lines.popleft()) + 1
            self._left_out += 1

    def lines(self) -> tuple[str, ...]:
        """Return what is kept, the oldest first; a line of its own says how many are not."""
        note = (f"({self._left_out} lines before these were not kept)",) if self._left_out else ()
        return (*note, *self._lines)

    def clear(self) -> None:
        """Begin anew."""
        self._lines.clear()
        self._size = self._left_out = 0
