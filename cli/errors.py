"""Errors that the user of the command can correct: one message, exit status 2, no traceback."""

import difflib
from collections.abc import Iterable

import click


class WrongCall(click.ClickException):
    """A wrong option, file, template or address. The message says what was found, what was expected and what to do."""

    exit_code = 2


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return ``, did you mean 'x'?`` for the known word closest to *found*, or a full stop if none is close."""
    near = difflib.get_close_matches(found, list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else "."
