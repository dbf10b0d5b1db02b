"""Terminal output as a picture."""

import io
import re

from rich.console import Console
from rich.text import Text

from tests.pictures.terminal import COLUMNS


_FONT_FACES = re.compile(r"@font-face \{.*?\n    \}\n", re.DOTALL)


def shorten(lines: list[str], first: int, last: int) -> list[str]:
    """Return the first and the last lines. One line between them says how many are missing."""
    missing = len(lines) - first - last
    if missing <= 0:
        return lines
    return [*lines[:first], "", f"\x1b[2m... {missing} more lines ...\x1b[0m", "", *lines[-last:]]


def draw(lines: list[str], title: str, name: str) -> str:
    """Return an SVG of the lines. It loads nothing: the reader's browser supplies the monospaced font."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        text = Text.from_ansi(line)
        for part in text.divide(range(COLUMNS, len(text), COLUMNS)):  # a terminal continues in the next line
            console.print(part, soft_wrap=True)
    return _FONT_FACES.sub("", console.export_svg(title=title, unique_id=name)).replace("Fira Code, ", "")
