"""Lines of a terminal as a picture."""

import io
import re

from rich.console import Console
from rich.text import Text

from tests.pictures.terminal import COLUMNS


_FONT_FACES = re.compile(r"@font-face \{.*?\n    \}\n", re.DOTALL)


def draw(lines: list[str], title: str, name: str) -> str:
    """Return an SVG of the lines. It refers to nothing outside: the reader's own monospaced font is used."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        text = Text.from_ansi(line)
        for part in text.divide(range(COLUMNS, len(text), COLUMNS)):  # as a terminal goes on in the next line
            console.print(part, soft_wrap=True)
    return _FONT_FACES.sub("", console.export_svg(title=title, unique_id=name)).replace("Fira Code, ", "")
