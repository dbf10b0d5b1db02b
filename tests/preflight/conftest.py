"""The template of the application with changes, and the command that validates it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.paths import CHECKOUT
from tests import commands
from tests.commands import Ran


INSTANCE = "a89dab5e39394eccbdb77b19d57b0180in02"
GIVEN = ("--parameter", "NotifyEmail=dba@example.com", "--parameter", f"InstanceId={INSTANCE}")
LINES = (CHECKOUT / "template.yaml").read_text(encoding="utf-8").splitlines()
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
    return commands.run
