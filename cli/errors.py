"""What the user of the command can put right: one message, exit status 2, no traceback."""

import difflib
from collections.abc import Iterable

import click


class WrongCall(click.ClickException):
    """A wrong flag, file, template or address: what was found, what was expected and what to do."""

    exit_code = 2


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return ``, did you mean 'x'?`` for the known word nearest to *found*; a full stop when none is near."""
    near = difflib.get_close_matches(found, list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else "."
