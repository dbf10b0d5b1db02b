"""The wheel by itself: the command works from any folder, without the checkout."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import Distribution, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from cli.paths import CHECKOUT


pytestmark = pytest.mark.slow
Installed = Callable[..., str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and install it, without its dependencies, into an empty folder."""
    dist, site = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("site")
    python("-m", "hatchling", "build", "--target", "wheel", "--directory", dist, cwd=CHECKOUT)
    options = ("--quiet", "--no-deps", "--no-index", "--no-compile", "--target", site)
    python("-m", "pip", "install", *options, *dist.glob("*.whl"), cwd=dist)
    return site


@pytest.fixture
def installed(site: Path, tmp_path: Path) -> Installed:
    """Run the installed command in another folder. Returns its standard output."""
    return lambda *arguments: python(site / "bin" / "ddsbackup", *arguments, cwd=tmp_path, path=site)


def python(*arguments: str | Path, cwd: Path, path: Path | None = None) -> str:
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_the_wheel_has_everything_that_the_command_needs(installed: Installed, site: Path, tmp_path: Path) -> None:
    """That includes the samples, the template with its schema, the requirements and the code of the functions."""
    assert python("-c", "import cli; print(cli.__file__)", cwd=tmp_path, path=site).startswith(str(site))
    assert version("dds-backup") in installed("--version")
    assert json.loads(installed("event", "timer"))["trigger_type"] == "TIMER"
    assert json.loads(installed("demo", "--json"))["ok"] is True
    application = site / "cli" / "application"
    for file in ("requirements.txt", "template.yaml", "functions/create_backup/index.py", "shared/bootstrap.py"):
        assert (application / file).read_bytes() == (CHECKOUT / file).read_bytes()


def test_a_template_of_ones_own_needs_no_other_file(installed: Installed) -> None:
    """What init writes validates, and its functions run, with the code that the wheel brings."""
    installed("init", "--yes", "--email", "dba@example.com", "--instances", "env=production")
    installed("validate")
    answer = json.loads(installed("invoke", "audit_backups", "-t", "timer", "--json"))

    assert answer["ok"] is True


def test_the_locked_versions_satisfy_the_wheel(site: Path) -> None:
    """The tests run with versions that the ranges in pyproject.toml allow."""
    (wheel,) = Distribution.discover(name="dds-backup", path=[str(site)])
    wanted = [Requirement(text) for text in wheel.requires or ()]

    assert wanted
    assert [str(one) for one in wanted if not one.specifier.contains(version(one.name))] == []
