"""The wheel by itself: the command works from any folder, without the checkout."""

import json
import os
import shlex
import socket
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


PRINTED = {
    "serve": "A local Huawei Cloud listens at",
    "init": "ddsbackup validate",
    "validate": "0 errors, 0 warnings, 0 not checked",
    "deploy": "done    create   trigger create_backup TIMER Nightly",
    "doctor": "none is confirmed, email dba@example.com not yet",
    "invoke": '"outcome": "CREATED"',
    "destroy": "the backups are kept",
    "serve --stop": "Stopped the local cloud",
}
"""What the commands of the recipe print."""


def test_a_new_user_gets_to_a_first_backup(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The commands of the recipe, pasted one after the other in an empty folder, print what the recipe says."""
    recipes = (CHECKOUT / "docs" / "recipes.md").read_text(encoding="utf-8")
    commands = recipes.partition("## From nothing to a first backup")[2].split("```sh\n")[1].split("```")[0]
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    folder, port, made = tmp_path, str(free_port()), []
    for line in commands.splitlines():
        program, *arguments = shlex.split(line)
        if program == "cd":
            folder /= arguments[0]
            continue
        options = ["--port", port] if arguments[0] == "serve" else []
        arguments = [argument.replace("local", f"http://127.0.0.1:{port}") for argument in arguments]
        out = python(site / "bin" / program, *arguments, *options, cwd=folder, path=site) + capfd.readouterr().err
        made.append("serve --stop" if "--stop" in arguments else arguments[0])
        assert PRINTED[made[-1]] in out

    assert made == list(PRINTED)


def free_port() -> int:
    """A port that nobody uses, since several tests run a local cloud at the same time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_the_locked_versions_satisfy_the_wheel(site: Path) -> None:
    """The tests run with versions that the ranges in pyproject.toml allow."""
    (wheel,) = Distribution.discover(name="dds-backup", path=[str(site)])
    wanted = [Requirement(text) for text in wheel.requires or ()]

    assert wanted
    assert [str(one) for one in wanted if not one.specifier.contains(version(one.name))] == []
