"""The terminal: results go to standard output, everything else to standard error.

Long lines hang below their text, and no width breaks a word: one that is longer than a line stays whole.
"""

import sys
import textwrap

from rich.console import Console
from rich.text import Text

from shared.format import plain


PIPED_WIDTH = 140
"""Columns without a terminal. A row of ids fits, so rich breaks no line."""

MARKS = frozenset("+=-!?*")
"""What a line may begin with. Further lines hang below what follows."""

_NAMES = 9  # columns for the name of a fact


def make_console(*, stderr: bool = False) -> Console:
    """Return a console: colored and as wide as the terminal, or plain text if there is none."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console = Console(stderr=stderr, highlight=False, width=PIPED_WIDTH)
    return console


def is_interactive() -> bool:
    """Return whether the command can ask the user: both standard input and standard error are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def print_line(
    console: Console, text: str, indent: int = 0, style: str = "", *, hang: int = 0, width: int | None = None
) -> None:
    """Print a text at an indent, its further lines *hang* columns deeper, within *width*, by default the console's.

    If it begins with one of MARKS and a blank, further lines hang below what follows the mark.
    """
    has_mark = text[:1] in MARKS and text[1:2] == " "
    lead, rest = (text[:2], text[2:]) if has_mark else ("", text)
    _print_hanging(console, Text(" " * indent + lead, style), rest, style, hang, width or console.width)


def print_fact(console: Console, name: str, value: str, indent: int = 0) -> None:
    """Print a value after its name, in a column of its own."""
    lead = Text(f"{' ' * indent + name:<{_NAMES + indent}}", style="dim")
    _print_hanging(console, lead, value, "", 0, console.width)


def _print_hanging(console: Console, lead: Text, text: str, style: str, hang: int, width: int) -> None:
    most, below = width - len(lead), " " * hang
    lines = textwrap.wrap(plain(text), most, subsequent_indent=below, break_on_hyphens=False, break_long_words=False)
    for line in lines or [""]:
        console.print(lead + Text(line, style), soft_wrap=True)
        lead = Text(" " * len(lead))
