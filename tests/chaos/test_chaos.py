"""The chaos itself finds no broken rule, and its oracle and its mutants are what they claim to be."""

from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.chaos.mutants import MUTANTS, Mutant, Patch, stage
from tests.chaos.oracle import is_own
from tests.chaos.prune import Old, expected_of
from tests.chaos.rounds import KINDS, Totals, draw, run


NOW = datetime(2026, 11, 24, 8, tzinfo=timezone.utc)
SEED = 20261124
ROUNDS = 14


def old(days: float, status: str = "COMPLETED") -> Old:
    """A backup of that age."""
    began = NOW - timedelta(days=days)
    return Old(f"{days:g}", "i", began, began + timedelta(minutes=1), status)


@pytest.mark.slow
def test_a_short_chaos_breaks_no_rule(tmp_path: Path) -> None:
    """Some rounds of a fixed seed: function processes on a local cloud that fails, kills and repeats."""
    totals = Totals(SEED)
    for played in run(stage(tmp_path), SEED, tuple(KINDS), iter(range(ROUNDS)), minutes=5, workers=2):
        totals.add(played)

    assert [(played.number, played.violations, played.story) for played in totals.failed] == []
    assert sum(totals.rounds.values()) == ROUNDS
    assert set(totals.rounds) == set(KINDS)
    assert totals.counts["killed"]
    assert totals.counts["spoilt calls"]


@pytest.mark.slow
@pytest.mark.parametrize(("mutant", "kind"), [("keeps-one-less", "prune"), ("announces-first", "create")])
def test_a_mutant_is_found(tmp_path: Path, mutant: str, kind: str) -> None:
    """The rounds of its kind break a rule."""
    broken = [p for p in run(stage(tmp_path, mutant), SEED, (kind,), count(), minutes=5, workers=2) if p.violations]

    assert broken


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_changes_the_copy_alone(tmp_path: Path, mutant: str) -> None:
    """Each patch finds its text in the copied code, which is Python afterwards."""
    stage(tmp_path, mutant)

    for patch in MUTANTS[mutant].patches:
        source = (tmp_path / patch.file).read_text(encoding="utf-8")
        assert patch.after in source
        compile(source, patch.file, "exec")


def test_a_mutant_that_fits_no_more_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run never goes on with a fault that was not planted."""
    monkeypatch.setitem(MUTANTS, "gone", Mutant("nothing", (Patch("shared/errors.py", "no such text", ""),)))

    with pytest.raises(ValueError, match=r"gone does not fit shared/errors\.py"):
        stage(tmp_path, "gone")


def test_a_round_depends_on_the_seed_and_its_number_alone() -> None:
    """A round can be played again alone."""
    kinds = tuple(KINDS)

    assert [draw(SEED, number, kinds) for number in range(20)] == [draw(SEED, number, kinds) for number in range(20)]
    assert draw(SEED, 0, ("create",)) != draw(SEED + 1, 0, ("create",))


@pytest.mark.parametrize(
    ("rules", "due"),
    [
        ("last=1", ["9", "8.5", "8", "3"]),
        ("last=3", ["9", "8.5", "8"]),
        ("daily=3", ["9", "8.5", "8"]),
        ("weekly=2", ["9", "8.5", "8", "3"]),
        ("last=1 max_age=4d", ["9", "8.5", "8", "3"]),
        ("max_age=2d", ["9", "8.5", "8", "3"]),
    ],
)
def test_the_oracle_of_prune_backups(rules: str, due: list[str]) -> None:
    """Counted by hand, as of a Tuesday. The newest one and the newest one that is a day old stay in any case."""
    backups = [old(days) for days in (0.5, 1.5, 3, 8, 8.5, 9)]

    assert expected_of(backups, rules, timezone.utc, NOW, force=True).due == due


def test_the_oracle_knows_the_mass_deletion_guard() -> None:
    """More than three and more than half of an instance's backups are held back without force."""
    backups = [old(days) for days in (2, 3, 4, 5, 6, 7)]

    expected = expected_of(backups, "last=1", timezone.utc, NOW, force=False)

    assert (expected.due, expected.held_back) == ([], {"3", "4", "5", "6", "7"})


def test_the_oracle_counts_days_in_the_zone() -> None:
    """Half past eleven in the evening in UTC is the next day in Berlin."""
    backups = [old(2 + 8.5 / 24), old(2 + 7 / 24), old(2)]

    assert expected_of(backups, "daily=1", timezone.utc, NOW, force=True).due == ["2.35417", "2.29167"]
    assert expected_of(backups, "daily=2", timezone.utc, NOW, force=True).due == ["2.29167"]
    assert expected_of(backups, "daily=2", ZoneInfo("Europe/Berlin"), NOW, force=True).due == ["2.35417", "2.29167"]


def test_the_oracle_leaves_failed_backups_for_a_week() -> None:
    """Failed backups count for no rule and go after seven days."""
    backups = [old(2), old(3, "FAILED"), old(8, "FAILED")]

    assert expected_of(backups, "last=1", timezone.utc, NOW, force=True).due == ["8"]


@pytest.mark.parametrize(
    ("description", "stack", "expected"),
    [
        (f"text;key:{'0' * 32}", None, True),
        (f"key:{'0' * 32}", None, True),
        (f"text;stack:blue;key:{'0' * 32}", "blue", True),
        (f"text;stack:blue;key:{'0' * 32}", None, False),
        (f"text;key:{'0' * 32}", "blue", False),
        (f"text;key:{'0' * 32} ", None, False),
        ("key:0123", None, False),
    ],
)
def test_the_oracle_knows_our_backups(description: str, stack: str | None, expected: bool) -> None:
    """The key is at the end, and the stack is that of the deployment."""
    assert is_own(description, stack) is expected


def test_every_kind_of_round_can_be_drawn() -> None:
    """Each comes with its share."""
    drawn = {draw(SEED, number, tuple(KINDS))[0] for number in range(100)}

    assert drawn == set(KINDS)
