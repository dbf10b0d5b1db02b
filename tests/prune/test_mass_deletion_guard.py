"""The brake: never more than half without force, and never in the way of an ordinary night."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.model import Backup
from shared.prune.plan import FEW, Fate, MassDeletionGuard, make_plan
from shared.prune.retention import Retention, read_retention
from tests.prune.made import DAY, NOW, fleets, made, nightly, retentions


def brake(backups: list[Backup], rules: str = "last=1") -> MassDeletionGuard:
    return MassDeletionGuard.for_plan(make_plan(backups, read_retention(rules), NOW))


@pytest.mark.parametrize(
    ("nights", "rules", "held"),
    [
        (4, "last=1", False),  # three of four: a few
        (5, "last=1", True),  # four of five
        (8, "last=4", False),  # four of eight: half
        (9, "last=4", True),  # five of nine
        (30, "daily=29", False),
        (60, "daily=7", True),
    ],
)
def test_more_than_a_few_and_more_than_half_are_held_back(nights: int, rules: str, *, held: bool) -> None:
    """Of one instance."""
    assert brake(nightly(nights), rules).holds_back("i-1") is held


def test_one_instance_does_not_stop_the_others() -> None:
    """Thirty backups by hand before a release are no reason to prune nothing else, though they are most of all."""
    many = [made(NOW - 2 * DAY, f"hand-{number}", instance="i-2") for number in range(30)]

    found = brake([*nightly(6), *nightly(2, instance="i-2"), *many, *nightly(6, instance="i-3")], "daily=5")

    assert found == MassDeletionGuard(frozenset({"i-2"}), everything=False)
    assert [found.holds_back(instance) for instance in ("i-1", "i-2", "i-3")] == [False, True, False]


def test_more_than_half_of_all_stops_everything() -> None:
    """Though no instance by itself loses more than a few."""
    found = brake([backup for number in range(10) for backup in nightly(4, instance=f"i-{number}")])

    assert found == MassDeletionGuard(frozenset(), everything=True)
    assert found.holds_back("i-3")


def test_an_ordinary_night_of_a_fleet_is_not_stopped() -> None:
    """`last=1`, and a new backup of each instance: half of all goes, not more."""
    found = brake([backup for number in range(50) for backup in nightly(2, instance=f"i-{number}")])

    assert found == MassDeletionGuard()


def test_failed_backups_count_on_neither_side() -> None:
    """They are no copies that could be lost."""
    failed = [made(NOW - (10 + number) * DAY, status="FAILED") for number in range(50)]

    assert brake([*nightly(2), *failed], "last=2") == MassDeletionGuard()
    assert brake([*nightly(5), *failed]).holds_back("i-1")


@settings(max_examples=40, deadline=None)
@given(fleets, retentions)
def test_no_instance_loses_more_than_half_unless_few(fleet: list[Backup], retention: Retention) -> None:
    """Counted here from the backups that are left."""
    plan = make_plan(fleet, retention, NOW)
    found = MassDeletionGuard.for_plan(plan)

    for instance in plan.instances:
        completed = [v for v in instance.verdicts if v.backup.status == "COMPLETED"]
        going = [v for v in completed if v.fate is Fate.DELETE and not found.holds_back(instance.instance_id)]
        assert len(going) <= max(FEW, len(completed) / 2)


@settings(max_examples=40, deadline=None)
@given(fleets, retentions)
def test_no_more_than_half_of_all_goes_unless_few(fleet: list[Backup], retention: Retention) -> None:
    """Over all instances."""
    plan = make_plan(fleet, retention, NOW)
    found = MassDeletionGuard.for_plan(plan)

    completed = [v for instance in plan.instances for v in instance.verdicts if v.backup.status == "COMPLETED"]
    going = [v for v in completed if v.fate is Fate.DELETE and not found.holds_back(v.backup.instance_id)]
    assert len(going) <= max(FEW, len(completed) / 2)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=8), st.integers(1, 8), st.data())
def test_killed_half_way_the_rest_is_not_held_back(nights: list[int], last: int, data: st.DataObject) -> None:
    """What was allowed before a part of it was done is allowed after, and what was not is not."""
    fleet = [b for number, count in enumerate(nights) for b in nightly(count, instance=f"i-{number}")]
    plan = make_plan(fleet, Retention(last), NOW)
    before = MassDeletionGuard.for_plan(plan)
    going = [v.backup.id for v in plan.of(Fate.DELETE) if not before.holds_back(v.backup.instance_id)]
    done = data.draw(st.sets(st.sampled_from(going))) if going else set()

    after = MassDeletionGuard.for_plan(make_plan([b for b in fleet if b.id not in done], Retention(last), NOW))

    assert after == before
