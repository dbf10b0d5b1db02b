"""Lines whose further lines hang below their text, so that no width of a terminal breaks a word."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.format import plain


MARKS = frozenset("+=-!?*")
"""What a line may begin with. Further lines hang below what follows."""


def print_line(console: Console, text: str, indent: int = 0, style: str = "") -> None:
    """Print a text at an indent, behind its mark if it begins with one of MARKS and a blank.

    Only a word that is longer than a line is broken.
    """
    has_mark = text[:1] in MARKS and text[1:2] == " "
    mark, rest = (text[0], text[2:]) if has_mark else ("", text)
    grid = Table.grid(padding=0)
    grid.add_column(width=indent + 2 * has_mark, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(" " * indent + mark, Text(plain(rest), style=style))
    console.print(grid if indent or has_mark else Text(plain(text), style=style))


def print_fact(console: Console, name: str, value: str, indent: int = 0) -> None:
    """Print a value after its name, in a column of its own."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(style="dim", width=8 + indent, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(" " * indent + name, Text(plain(value)))
    console.print(grid)
