"""Simulations with rare timers, so that a day takes a tenth of a second."""

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from cli.paths import CHECKOUT
from cli.simulate.faults import Story, read_story
from cli.simulate.platform import Platform
from cli.simulate.run import Options, simulate
from cli.simulate.summary import Summary


BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
PRUNE = {"prune_backups.DRY_RUN": "false"}
Play = Callable[..., tuple[Summary, Platform]]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application's template with timers that fire every half hour instead of every five minutes."""
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("simulate") / "template.yaml"
    rare = text.replace("schedule: 5m", "schedule: 30m").replace("_PERIOD: 5m", "_PERIOD: 30m")
    file.write_text(rare, encoding="utf-8")
    return file


@pytest.fixture
def play(template: Path) -> Play:
    """Play days of four instances; keyword arguments are those of Options."""

    def run(story: Path | Story = Story(), **changes: Any) -> tuple[Summary, Platform]:  # noqa: B008 never changed
        given = read_story(story) if isinstance(story, Path) else story
        usual: dict[str, Any] = {"days": 3, "instances": 4, "settings": PRUNE}
        return simulate(Options(template=template, begin=BEGIN, story=given, **usual | changes))

    return run
