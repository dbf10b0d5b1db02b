"""Runs `ddsbackup` in this process."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from cli.main import main


class Ran(NamedTuple):
    """The result of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The lines of the output without the blanks at their ends."""
        return [line.rstrip() for line in self.out.splitlines()]

    @property
    def findings(self) -> list[tuple[str, str, int]]:
        """Level, code and line of each finding of `validate --json`."""
        return [(one["level"], one["code"], one["line"]) for one in self.json["findings"]]


def run(*arguments: str | Path, stdin: str | bytes = "") -> Ran:
    """Run `ddsbackup` with these arguments. An exception that it does not turn into an exit status is raised."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)
