"""Options and types of options that several commands share, and the ``NAME=value`` files that some of them name."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from cli.errors import WrongCall
from shared.fields import Interval, Time


class Duration(click.ParamType[float]):
    """A duration such as 90s, 30m or 12h, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        try:
            interval: timedelta = TypeAdapter(Interval).validate_python(value)
        except ValidationError:
            self.fail(f"found {value}, expected a duration such as 90s, 30m or 12h", param, ctx)
        return interval.total_seconds()


class Moment(click.ParamType[datetime]):
    """A time with a zone, such as 2026-06-01T02:00:00Z."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time in UTC."""
        try:
            moment: datetime = TypeAdapter(Time).validate_python(value)
        except ValidationError:
            expected = "a time with a zone, such as 2026-06-01T02:00:00Z or 2026-06-01T02:00:00+08:00"
            self.fail(f"found {value!r:.60}, expected {expected}", param, ctx)
        return moment


template_option = click.option(
    "template_file",
    "--template",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Default: template.yaml in the current directory, or else the one installed with this command.",
)

allow_file_option = click.option(
    "allowed",
    "--allow-file",
    multiple=True,
    metavar="PATTERN",
    help="Pack a file although it looks like a secret. A name or a path, such as 'data/*.pem'. Repeatable.",
)


LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)")
QUOTED = re.compile(r"(?P<quote>['\"])(?P<inside>.*)(?P=quote)\s*(?:#.*)?")
ESCAPES = {"n": "\n", "t": "\t"}


def read_env_file(file: Path) -> dict[str, str]:
    """Return the values in *file*, in the syntax of docker's and dotenv's env files. The last line of a name wins.

    Empty lines and lines that start with ``#`` are skipped. In an unquoted value, `` #`` starts a comment. Single
    quotes keep the value as it is; double quotes allow ``\\n``, ``\\t``, ``\\"`` and ``\\\\``. Any other line raises
    WrongCall with its number.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise WrongCall(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongCall(f"{file} is not UTF-8 text: {error}") from error
    values: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = LINE.fullmatch(text)
        if match is None:
            name = text.partition("=")[0].strip()  # the value may be a secret, so the message leaves it out
            raise WrongCall(f"{file}:{number}: found {name!r}, expected NAME=value, with a name of A-Z a-z 0-9 _")
        values[match["name"]] = _value(match["value"], f"{file}:{number}")
    return values


def _value(text: str, where: str) -> str:
    if text[:1] not in ("'", '"'):
        return re.split(r"\s+#|^#", text, maxsplit=1)[0].rstrip()
    match = QUOTED.fullmatch(text)
    if match is None:
        raise WrongCall(f"{where}: the value starts with {text[0]} but does not end with it")
    if match["quote"] == "'":
        return match["inside"]
    return re.sub(r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[1]), match["inside"])
