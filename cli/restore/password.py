"""The password of the new instance's administrator. It is asked for, or read from the environment or standard input."""

import os
import sys
from collections.abc import Iterator

import click

from cli.console import is_interactive
from cli.errors import WrongCall


VARIABLE = "DDSBACKUP_RESTORE_PASSWORD"
SPECIAL = "~!@#%^*-_=+?"
SHORTEST, LONGEST = 8, 32

_RULE = f"{SHORTEST} to {LONGEST} characters with upper case, lower case, digits and some of {SPECIAL}"


def faults(text: str) -> Iterator[str]:
    """Yield what is wrong with a password, without quoting it (DDS API, Restoring Data to a New DB Instance)."""
    if not SHORTEST <= len(text) <= LONGEST:
        yield f"it has {len(text)} characters"
    if not any("A" <= c <= "Z" for c in text):
        yield "it has no upper-case letter"
    if not any("a" <= c <= "z" for c in text):
        yield "it has no lower-case letter"
    if not any("0" <= c <= "9" for c in text):
        yield "it has no digit"
    if not any(c in SPECIAL for c in text):
        yield f"it has none of {SPECIAL}"
    if any(not (c.isascii() and c.isalnum()) and c not in SPECIAL for c in text):
        yield "it has a character that is not allowed"


def check(text: str) -> str:
    """Return the password. Raises WrongCall if DDS would refuse it."""
    if wrong := list(faults(text)):
        raise WrongCall(f"the password cannot be used: {', '.join(wrong)}. DDS expects {_RULE}")
    return text


def is_askable(*, from_stdin: bool) -> bool:
    """Whether there is a password, or somebody who can be asked for it."""
    return from_stdin or VARIABLE in os.environ or is_interactive()


def read(*, from_stdin: bool) -> str:
    """Return the password: the first line of standard input, that of VARIABLE, or the answer of the user.

    The user is asked until DDS would take the answer. Raises WrongCall if it would refuse one of the other two.
    """
    if from_stdin:
        return check(sys.stdin.readline().rstrip("\r\n"))
    if VARIABLE in os.environ:
        return check(os.environ[VARIABLE])
    click.echo(f"A password for the administrator of the new instance: {_RULE}.", err=True)
    while True:
        answer: str = click.prompt("Password", hide_input=True, confirmation_prompt="Again", err=True)
        if not (wrong := list(faults(answer))):
            return answer
        click.echo(f"This cannot be used: {', '.join(wrong)}.", err=True)
