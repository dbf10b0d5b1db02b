"""Where the command writes: results to standard output, everything about them to standard error."""

from rich.console import Console


PIPED_WIDTH = 140
"""Columns when nobody watches: enough for a row of ids, so that no line is broken."""


def make_console(*, stderr: bool = False) -> Console:
    """Return a console: in colour and as wide as the terminal on one, plain text otherwise."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console = Console(stderr=stderr, highlight=False, width=PIPED_WIDTH)
    return console
