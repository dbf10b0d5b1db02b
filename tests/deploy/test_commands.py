"""The commands: what they ask for, and what they refuse."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.deploy import command
from cli.main import main
from cli.package.model import Package
from cli.template.model import Function
from tests.deploy.conftest import SECRET, App


@pytest.fixture(autouse=True)
def _on_the_local_cloud(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.deployment()
    monkeypatch.chdir(app.folder)
    monkeypatch.setattr("cli.huaweicloud.access.open_access", lambda _cloud, _region: app.access)
    monkeypatch.setattr(
        "cli.deploy.deployment.build_packages",
        lambda functions, python, **_: tuple(app.deployment().pack(functions, python).values()),
    )
    monkeypatch.delenv("DDSBACKUP_PASSWORD", raising=False)


def run(*arguments: str, typed: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments), input=typed)
    assert SECRET not in result.output
    return result.exit_code, result.output


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other parameters have defaults."""
    monkeypatch.setenv("DDSBACKUP_PASSWORD", SECRET)

    assert run("deploy", "--dry-run")[0] == 0


def test_a_missing_parameter_is_a_wrong_call() -> None:
    """With --yes the command does not ask."""
    status, output = run("deploy", "--yes")

    assert status == 2
    assert "the template needs Password: set DDSBACKUP_PASSWORD" in output


def test_a_missing_parameter_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The input of a secret has no echo."""
    monkeypatch.setattr(command, "is_interactive", lambda: True)
    monkeypatch.setattr("cli.deploy.deployment.is_interactive", lambda: True)

    status, output = run("deploy", "--cloud", "local", typed=f"{SECRET}\nn\n")

    assert status == 1
    assert "Password" in output
    assert "Go on?" in output
    assert "Nothing was changed" in output


def test_ctrl_c_at_a_question_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a shell, and unlike the answer no."""

    def interrupt(*_: object, **__: object) -> None:
        abort = click.Abort()
        abort.__context__ = KeyboardInterrupt()  # as click's prompts do
        raise abort

    monkeypatch.setattr("cli.deploy.deployment.is_interactive", lambda: True)
    monkeypatch.setattr("click.confirm", interrupt)
    monkeypatch.setenv("DDSBACKUP_PASSWORD", SECRET)

    status, output = run("deploy", "--cloud", "local")

    assert status == 130
    assert "Interrupted." in output


def test_a_dry_run_writes_the_plan_to_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be piped to a pager."""
    monkeypatch.setenv("DDSBACKUP_PASSWORD", SECRET)

    result = CliRunner().invoke(main, ["deploy", "--dry-run"])

    assert "create   function backup" in result.stdout
    assert "create   function backup" not in result.stderr


def test_a_parameters_file_is_read() -> None:
    """It has one NAME=value per line."""
    Path("parameters.env").write_text(f"Password={SECRET}\nPrefix=other\n", encoding="utf-8")

    status, output = run("deploy", "--parameters-file", "parameters.env", "--dry-run")

    assert status == 0
    assert "create   topic other-events" in output


@pytest.mark.parametrize("name", ["", "1st", "a_b", "a" * 33])
def test_a_stack_has_a_name_that_fits_everywhere(name: str) -> None:
    """It is part of descriptions and tags."""
    status, output = run("destroy", "--stack-name", name)

    assert status == 2
    assert "expected 1 to 32 letters, digits and hyphens" in output


def test_a_package_too_large_for_the_api_is_refused_before_any_change(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API accepts 50 MB."""
    monkeypatch.setenv("DDSBACKUP_PASSWORD", SECRET)
    (made,) = app.deployment().pack(app.deployment().template.functions, None).values()
    large = replace(made, size=51 * 1024 * 1024)
    monkeypatch.setattr("cli.deploy.deployment.build_packages", lambda functions, **_: (large,))

    status, output = run("deploy", "--yes")

    assert status == 1
    assert "too large for FunctionGraph's API" in output
    assert "create" not in output


def test_what_the_template_exposes_is_a_warning(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown with the plan, before the user agrees."""
    monkeypatch.setenv("DDSBACKUP_PASSWORD", SECRET)
    app.change("LOG_LEVEL: INFO", 'DDS_ENDPOINT: "http://10.0.0.1"')
    app.deployment()

    status, output = run("deploy", "--dry-run")

    assert status == 0
    assert "DDS_ENDPOINT is http://, so that the security token" in output


@pytest.mark.parametrize("command", [("deploy", "--dry-run"), ("doctor",)])
def test_a_file_is_allowed_as_by_package(app: App, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    """The commands that package the functions have the same option for files that look like secrets."""
    monkeypatch.setenv("DDSBACKUP_PASSWORD", SECRET)
    given: list[object] = []

    def build(functions: Sequence[Function], python: str | None, **options: object) -> tuple[Package, ...]:
        given.append(options["allowed"])
        return tuple(app.deployment().pack(functions, python).values())

    monkeypatch.setattr("cli.deploy.deployment.build_packages", build)
    run(*command, "--allow-file", "one.pem", "--allow-file", "*.env")

    assert given == [("one.pem", "*.env")]
