"""Nights of the deployed application, played by one move of the local cloud's clock."""

import json
import re
import shutil
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.paths import CHECKOUT
from localcloud import LocalCloud


INSTANCE = "a89dab5e39394eccbdb77b19d57b0180in02"
NIGHTS = 4
DAY = 86_400
TICKS = DAY // 300
"""How often the timer of track_backups is due in a day."""


@pytest.fixture
def deployed(cloud: LocalCloud, quick_packages: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Deploy template.yaml at noon, with the pruning switched on. Returns the day of that noon."""
    for name in ("shared", "functions"):
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "requirements.txt", tmp_path)
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
    before, prune, after = text.partition("  PruneBackups:\n")
    text = before + prune + after.replace('DRY_RUN: "true"', 'DRY_RUN: "false"', 1)
    text = re.sub(r"RETENTION: .*", "RETENTION: last=2 daily=2", text)
    (tmp_path / "template.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    cloud.switch(enforce_policies=True)
    now = datetime.fromisoformat(cloud.advance(0)["now"].replace("Z", "+00:00"))
    noon = now.replace(hour=12, minute=0, second=0)
    noon += timedelta(days=noon < now)
    cloud.advance((noon - now).total_seconds())
    values = ("--parameter", "NotifyEmail=dba@example.com", "--parameter", f"InstanceId={INSTANCE}")
    done = CliRunner().invoke(main, ["deploy", "--cloud", cloud.url, *values, "--yes"])
    assert done.exit_code == 0, done.output
    return noon


def told(cloud: LocalCloud) -> list[tuple[str, dict[str, Any]]]:
    """Return time of day and notification of each message in order, without those about instances not covered."""
    notes = [(str(item["timestamp"])[11:16], json.loads(item["message"])) for item in cloud.messages()]
    return [(time, note) for time, note in notes if note["type"] != "dds.backup.uncovered"]


def own_backups(cloud: LocalCloud) -> list[Any]:
    """Return the backups that the application has made and not deleted."""
    return [item for item in cloud.backups() if "key:" in item["description"] and item["status"] != "DISABLED"]


@pytest.mark.slow
def test_all_nights_are_well(cloud: LocalCloud, deployed: datetime) -> None:
    """Each backup is made, followed, audited and at last pruned, each at its own time."""
    jump = cloud.advance(NIGHTS * DAY)

    assert {(run["function"], run["fired"], run["skipped_from"]) for run in jump["timers"]} == {
        ("create_backup", NIGHTS, None),
        ("audit_backups", NIGHTS, None),
        ("prune_backups", NIGHTS, None),
        ("track_backups", NIGHTS * TICKS, None),
        ("drill_backups", NIGHTS * TICKS, None),
    }
    assert jump["unfinished"] == 0
    night = ["started 02:00", "completed 02:05", "completed 02:10", "audited 06:00", "pruned 08:00"]
    types = [f"{note['type'].removeprefix('dds.backup.')} {time}" for time, note in told(cloud)]
    assert types == night * NIGHTS
    ends = Counter(note["id"] for _, note in told(cloud) if note["type"] == "dds.backup.completed")
    assert list(ends.values()) == [2] * NIGHTS
    audits = [note["data"] for _, note in told(cloud) if note["type"] == "dds.backup.audited"]
    assert [audit["totals"]["missed"] for audit in audits] == [0] * NIGHTS
    kept = [deployed + timedelta(days=night) for night in (NIGHTS - 1, NIGHTS)]
    assert [item["begin_time"][:16] for item in own_backups(cloud)] == [f"{day:%Y-%m-%d}T02:00" for day in kept]


@pytest.mark.slow
def test_a_night_without_a_backup_is_reported(cloud: LocalCloud, deployed: datetime) -> None:
    """DDS refuses the second backup. The audit of that morning says that it is missing, and no other one does."""
    refusal = {"status": 400, "body": {"error_code": "DBS.200010", "error_msg": "refused"}}
    cloud.set_faults([{"method": "POST", "path": "/backups$", "nth": 2, "answer": refusal}])

    cloud.advance(NIGHTS * DAY)

    types = [f"{note['type'].removeprefix('dds.backup.')} {time}" for time, note in told(cloud)]
    assert types.count("started 02:00") == NIGHTS - 1
    assert [name for name in types if name.startswith(("failed", "missed"))] == ["failed 02:00", "missed 06:00"]
    audits = [note["data"] for _, note in told(cloud) if note["type"] == "dds.backup.audited"]
    assert [audit["totals"]["missed"] for audit in audits] == [0, 1, 0, 0]
    kept = [deployed + timedelta(days=night) for night in (NIGHTS - 1, NIGHTS)]
    assert [item["begin_time"][:16] for item in own_backups(cloud)] == [f"{day:%Y-%m-%d}T02:00" for day in kept]
