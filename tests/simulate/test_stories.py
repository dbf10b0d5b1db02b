"""The stories of docs/stories, and what must hold in each of them."""

import json
from pathlib import Path

import pytest

from cli.paths import CHECKOUT
from cli.simulate.document import as_document
from cli.simulate.page import render
from cli.simulate.summary import Cell, Line, Summary
from tests.simulate.conftest import Play


STORIES = CHECKOUT / "docs" / "stories"
NAMES = sorted(path.stem for path in STORIES.glob("*.yaml"))


def line(summary: Summary, name: str) -> Line:
    """The line of an instance."""
    return next(line for line in summary.lines if line.name == name)


def days(line: Line, cell: Cell) -> list[int]:
    """The days of a kind, counted from 1."""
    return [number for number, found in enumerate(line.cells, start=1) if found is cell]


@pytest.mark.slow
def test_a_topic_that_is_down_costs_no_backup(play: Play) -> None:
    """All backups of the night exist. FunctionGraph gives up telling of them, and the page names each of those."""
    summary, platform = play(STORIES / "smn-down.yaml", days=13)

    assert summary.cells(Cell.GOOD) == 13 * 4
    assert summary.effects[0].refused > 0
    assert len(summary.unannounced) == 4
    assert all("20260112T020000Z" in name for name in summary.unannounced)
    assert platform.ledger.given_up["create_backup"] == 1
    assert platform.ledger.failure_mails + platform.ledger.lost_failures >= 1


@pytest.mark.slow
def test_busy_instances_are_waited_for_and_the_missed_ones_announced(play: Play) -> None:
    """Who is busy for a few minutes gets a late backup; who is busy for hours gets none, and the audit says so."""
    summary, _ = play(STORIES / "busy-nights.yaml", days=10)
    nightly, short, long = summary.effects

    assert days(line(summary, "orders"), Cell.MISSED) == [*range(1, 11)]
    assert nightly.announced["dds.backup.missed"] >= 9
    assert line(summary, "customers").count(Cell.MISSED) == 0
    assert short.cells == {Cell.GOOD: 5}
    assert days(line(summary, "catalogue"), Cell.MISSED) == [6]
    assert long.announced["dds.backup.missed"] == 1
    assert days(line(summary, "catalogue"), Cell.GOOD) == [1, 2, 3, 4, 5, 7, 8, 9, 10]
    assert summary.deferred >= 11


@pytest.mark.slow
def test_what_dds_refuses_for_long_is_missed_and_announced_by_the_next_audit(play: Play) -> None:
    """An outage costs at most the night it lasts for, and the audit of the morning announces every missed backup."""
    summary, _ = play(STORIES / "dds-down.yaml", days=10)
    short, long = summary.effects

    for effect in (short, long):
        assert effect.refused > 0
        assert effect.announced.get("dds.backup.missed", 0) == effect.cells.get(Cell.MISSED, 0)
    assert long.cells == {Cell.MISSED: 4}
    assert summary.cells(Cell.GOOD) + summary.cells(Cell.LATE) + summary.cells(Cell.MISSED) == 40


@pytest.mark.slow
def test_a_silent_audit_delays_the_news_by_a_day(play: Play) -> None:
    """A night without a run is announced the same morning, or by the next audit if that day's does not run either."""
    summary, platform = play(STORIES / "silent-timers.yaml", days=10)
    missed = [one for one in platform.ledger.told if one.kind == "dds.backup.missed"]
    by_day = {int((one.moment - summary.start) // 86_400) + 1 for one in missed}

    assert [effect.unfired for effect in summary.effects] == [1, 1, 1]
    assert summary.cells(Cell.MISSED) == 8
    assert by_day == {4}, "the backups of night 9 are made before the audit of that day"


@pytest.mark.slow
def test_a_fleet_that_changes(play: Play) -> None:
    """Backups outlive their instance, a new instance is reported as uncovered, and failed backups are announced."""
    summary, platform = play(STORIES / "changing-fleet.yaml", days=12)
    gone, failing = line(summary, "customers"), line(summary, "orders")
    kinds = {one.kind for one in platform.ledger.told if one.instance_id == failing.id}

    assert days(gone, Cell.ABSENT) == [*range(7, 13)]
    assert gone.kept >= 1
    assert days(failing, Cell.FAILED) == [9, 10]
    assert {"dds.backup.failed", "dds.backup.missed"} <= kinds
    assert days(line(summary, "new-shop"), Cell.NOT_DUE) == [*range(7, 13)]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_story_shows_what_it_says(name: str, play: Play, tmp_path: Path) -> None:
    """The page and the document of each story name every fault, and no instance is left without any backup."""
    summary, platform = play(STORIES / f"{name}.yaml", days=9)
    page, document = render(summary, platform, 0), json.dumps(as_document(summary, platform, 0))

    assert summary.effects
    for effect in summary.effects:
        assert effect.fault.text in page
        assert json.dumps(effect.fault.text) in document
