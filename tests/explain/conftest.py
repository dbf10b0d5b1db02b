"""The subcommands of explain in this process, in 80 columns, on the template of the application."""

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from cli.dds import Dds
from cli.paths import CHECKOUT
from shared.model import Instance
from tests.commands import Ran
from tests.commands import run as run_command
from tests.drill.world import World
from tests.fakes import INSTANCES, FakeClock, FakeDds, FakeInstances, FakeJobs, make_retrying


NOW = datetime(2026, 11, 24, 20, 0, tzinfo=timezone.utc)
AT = ("--at", "2026-11-24T20:00:00Z")


Explain = Callable[..., Ran]


@pytest.fixture
def explain(monkeypatch: pytest.MonkeyPatch) -> Explain:
    """Run `ddsbackup explain`."""
    monkeypatch.setattr("cli.console.PIPED_WIDTH", 80)

    def run(*arguments: str, stdin: str = "", template: Path = CHECKOUT / "template.yaml") -> Ran:
        return run_command("explain", *arguments, "--template", template, stdin=stdin)

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
