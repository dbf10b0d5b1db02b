"""The terminal: results go to standard output, everything else to standard error."""

import sys

from rich.console import Console


PIPED_WIDTH = 140
"""Columns without a terminal. A row of ids fits, so rich breaks no line."""


def make_console(*, stderr: bool = False) -> Console:
    """Return a console: colored and as wide as the terminal, or plain text if there is none."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console = Console(stderr=stderr, highlight=False, width=PIPED_WIDTH)
    return console


def is_interactive() -> bool:
    """Return whether the command can ask the user: both standard input and standard error are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()
