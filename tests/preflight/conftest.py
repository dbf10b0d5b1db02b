"""The template of the application with changes, and the command that validates it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.paths import CHECKOUT


INSTANCE = "a89dab5e39394eccbdb77b19d57b0180in02"
GIVEN = ("--parameter", "NotifyEmail=dba@example.com", "--parameter", f"InstanceId={INSTANCE}")
LINES = (CHECKOUT / "template.yaml").read_text(encoding="utf-8").splitlines()


class Ran(NamedTuple):
    """The result of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def findings(self) -> list[tuple[str, str, int]]:
        """Level, code and line of each finding."""
        return [(one["level"], one["code"], one["line"]) for one in self.json["findings"]]


Run = Callable[..., Ran]
Change = Callable[..., None]


def line_of(text: str) -> int:
    """The line of the only place of *text* in the template of the application."""
    (line,) = (number for number, found in enumerate(LINES, 1) if text in found)
    return line


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The template of the application next to its functions, in the current folder. Returns the folder."""
    (tmp_path / "functions").symlink_to(CHECKOUT / "functions")
    (tmp_path / "template.yaml").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def change(application: Path) -> Change:
    """Replace texts in the template, each of which it has once."""
    file = application / "template.yaml"

    def replace(*pairs: tuple[str, str]) -> None:
        text = file.read_text(encoding="utf-8")
        for old, new in pairs:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")

    return replace


@pytest.fixture
def run(application: Path) -> Run:
    """Run a command."""

    def run_it(*arguments: str) -> Ran:
        result = CliRunner().invoke(main, arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run_it
