"""The subcommands of explain in this process, in 80 columns, on the template of the application."""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from cli.dds import Dds
from cli.main import main
from cli.paths import CHECKOUT
from shared.model import Instance
from tests.drill.world import World
from tests.fakes import INSTANCES, FakeClock, FakeDds, FakeInstances, FakeJobs, make_retrying


NOW = datetime(2026, 11, 24, 20, 0, tzinfo=timezone.utc)
AT = ("--at", "2026-11-24T20:00:00Z")


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


Explain = Callable[..., Ran]


@pytest.fixture
def explain(monkeypatch: pytest.MonkeyPatch) -> Explain:
    """Run `ddsbackup explain`."""
    monkeypatch.setattr("cli.console.PIPED_WIDTH", 80)

    def run(*arguments: str, stdin: str = "", template: Path = CHECKOUT / "template.yaml") -> Ran:
        result = CliRunner().invoke(main, ["explain", *arguments, "--template", str(template)], input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def backups() -> FakeDds:
    """The backups of a cloud in memory."""
    return FakeDds(FakeClock())


@pytest.fixture
def instances() -> FakeInstances:
    """The instances of the same cloud: db-0 to db-8."""
    return FakeInstances([Instance(one, f"db-{number}", mode="ReplicaSet") for number, one in enumerate(INSTANCES)])


@pytest.fixture
def dds(monkeypatch: pytest.MonkeyPatch, backups: FakeDds, instances: FakeInstances) -> Dds:
    """The lists of the cloud in memory, which --cloud and --region open."""
    clock = backups.clock
    opened = Dds(instances, backups, FakeJobs(backups), World(clock), clock, make_retrying(clock))
    monkeypatch.setattr("cli.dds.open_dds", lambda *_: opened)
    return opened
