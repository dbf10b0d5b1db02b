"""``ddsbackup package``."""

import hashlib
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from cli.main import main
from cli.package.command import package as command
from cli.package.display import make_observer, make_progress
from cli.template.model import Function
from tests.package.conftest import PYTHON


TEMPLATE = """\
Resources:
  Greet:
    Type: HC::Serverless::Function
    Properties:
      FunctionName: greet
      CodeUri: functions/greet
      Handler: index.handler
      Runtime: Python{}
"""


@pytest.fixture
def run(application: Callable[..., Function], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run the command on an application with one function."""
    root = application().code_root
    (root / "template.yaml").write_text(TEMPLATE.format(PYTHON if PYTHON != "3.11" else "3.10"), encoding="utf-8")
    monkeypatch.chdir(root)

    def run_it(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(main, ["package", "--full", "--without-byte-code", *arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run_it


def test_each_function_is_packed_into_build(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table and the digests go to standard output, the progress to standard error."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    status, out, err = run()
    path = Path("build", "greet.zip")

    assert status == 0
    digest = hashlib.sha512(path.read_bytes()).hexdigest()
    assert f"\n{digest}  {path}\n" in out
    assert "console (at most 40 MB) yes" in out
    assert "Downloading 1 wheels" in err
    assert Path("build", "greet.cdx.json").exists()


def test_json(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """With --json, one document on standard output has each package."""
    status, out, _ = run("greet", "--json", "--out", str(tmp_path / "here"))
    (package,) = json.loads(out)["packages"]
    content = (tmp_path / "here" / "greet.zip").read_bytes()

    assert status == 0
    assert package == {
        "function": "greet",
        "python": PYTHON if PYTHON != "3.11" else "3.10",
        "path": str(tmp_path / "here" / "greet.zip"),
        "sbom": str(tmp_path / "here" / "greet.cdx.json"),
        "size": len(content),
        "files": package["files"],
        "unpacked_size": package["unpacked_size"],
        "digest": hashlib.sha512(content).hexdigest(),
        "uploads": ["console", "API", "OBS"],
    }


def test_another_python_than_the_runtime_is_a_warning(run: Callable[..., tuple[int, str, str]]) -> None:
    """FunctionGraph cannot change the runtime of an existing function."""
    other = "3.10" if PYTHON == "3.12" else "3.12"
    status, _, err = run("--python", other)

    assert status == 0
    assert "cannot change the runtime" in " ".join(err.split())
    assert "greet" in err


@pytest.mark.parametrize(
    ("arguments", "status", "said"), [(["gret"], 2, "did you mean 'greet'?"), (["--python", "3.11"], 2, "3.12")]
)
def test_wrong_calls(run: Callable[..., tuple[int, str, str]], arguments: list[str], status: int, said: str) -> None:
    """An unknown function or an unsupported Python is an error that names the known ones."""
    got, _, err = run(*arguments)

    assert (got, said in err) == (status, True)


def test_a_template_without_functions(run: Callable[..., tuple[int, str, str]]) -> None:
    """The command fails instead of printing an empty table."""
    Path("template.yaml").write_text("Resources: {}\n", encoding="utf-8")
    status, _, err = run()

    assert (status, "no function, expected a resource of type HC::Serverless::Function" in err) == (2, True)


def test_a_failure_is_exit_status_1(run: Callable[..., tuple[int, str, str]]) -> None:
    """The message says what went wrong, without a traceback."""
    Path("requirements.txt").write_text("greeting\n", encoding="utf-8")
    status, out, err = run()

    assert (status, out) == (1, "")
    assert "not pinned" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("terminal", [True, False])
def test_every_step_is_shown(terminal: bool) -> None:
    """A step is a bar on a terminal, and a line elsewhere. Warnings are shown, too."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, highlight=False)
    with make_progress(console) as progress:
        observer = make_observer(console, progress)
        done = observer.step("Compiling 2 modules", 2)
        done()
        observer.warn("[careful]")
        progress.refresh()

    assert "Compiling 2 modules" in out.getvalue()
    assert ("1/2" in out.getvalue()) is terminal
    assert "Warning: [careful]" in out.getvalue()


def test_uncommitted_changes_are_a_warning(run: Callable[..., tuple[int, str, str]], git: Callable[..., Any]) -> None:
    """The warning names changed, untracked and ignored files that are packed."""
    git("init", "--quiet")
    git("add", ".")
    git("-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "-m", "x")
    assert "uncommitted" not in run()[2]
    Path(".git", "info", "exclude").write_text("ignored.json\n", encoding="utf-8")
    for name in ("größe.py", "ignored.json", ".DS_Store"):
        Path("shared", name).touch()
    assert "uncommitted changes, in shared/größe.py, shared/ignored.json\n" in run()[2]


@pytest.fixture
def git() -> Callable[..., Any]:
    """Run git in the current directory."""
    executable = shutil.which("git")
    if executable is None:
        pytest.skip("no git on this machine")
    return lambda *arguments: subprocess.run([executable, *arguments], check=True)


def test_the_help_states_the_cost_of_leaving_out_byte_code() -> None:
    """Cold starts without byte code take three to four times as long."""
    assert "three to four times" in " ".join(CliRunner().invoke(command, ["--help"]).stdout.split())
