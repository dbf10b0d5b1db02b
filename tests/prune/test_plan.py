"""What a plan keeps, protects and deletes, and when the mass-deletion guard holds it back."""

from dataclasses import replace
from datetime import timedelta, tzinfo
from itertools import chain
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.identity import key_of
from shared.model import Backup
from shared.prune.plan import FAILED_KEPT_FOR, FEW, RECENT, Fate, MassDeletionGuard, Plan, make_plan
from shared.prune.retention import Retention, Tier, read_retention
from tests.prune.backups import (
    DAY,
    KEY,
    NOW,
    backups,
    deleted,
    fleets,
    kept,
    make_backup,
    nightly,
    protected,
    retentions,
    zones,
)


HOUR = timedelta(hours=1)
SHORT = settings(max_examples=40, deadline=None)


def plan_for(listed: list[Backup], rules: str = "last=1") -> Plan:
    return make_plan(listed, read_retention(rules), NOW)


# Verdicts and protections.


def test_max_age_outranks_the_tiers() -> None:
    """A yearly backup that is older than max_age is deleted, and max_age is the reason."""
    old, young = make_backup(NOW - 401 * DAY), make_backup(NOW - DAY)

    plan = plan_for([old, young], "yearly=5 max_age=400d")

    assert [(v.backup.id, v.reasons) for v in plan.of(Fate.DELETE)] == [(old.id, ("max_age",))]


@pytest.mark.parametrize("description", [None, "", "made by hand", "key:short", f"{KEY} and more"])
def test_backups_that_others_made_are_not_in_the_plan(description: str | None) -> None:
    """Only a key at the end of the description marks a backup as this application's."""
    foreign = make_backup(NOW - 900 * DAY, description=description)

    (instance,) = plan_for([foreign, make_backup()]).instances

    assert foreign not in [verdict.backup for verdict in instance.verdicts]


def test_the_newest_completed_backup_is_protected_at_any_age() -> None:
    """An instance that is no longer backed up keeps its last backup in spite of max_age."""
    oldest, newest = make_backup(NOW - 900 * DAY), make_backup(NOW - 800 * DAY)

    plan = plan_for([oldest, newest, make_backup(NOW - HOUR, status="FAILED")], "daily=7 max_age=30d")

    assert protected(plan)[newest.id] == ("newest",)
    assert deleted(plan) == {oldest.id}


@pytest.mark.parametrize(
    ("status", "protection"),
    [("BUILDING", "building"), ("DISABLED", "being_deleted"), ("UNHEARD_OF", "unknown_status"), ("", "unknown_status")],
)
def test_only_ended_backups_are_deleted(status: str, protection: str) -> None:
    """A backup in another status is protected at any age. It does not take the place of a kept one."""
    other = make_backup(NOW - 100 * DAY, status=status)
    good = [make_backup(NOW - 200 * DAY), make_backup(NOW - 300 * DAY)]

    plan = plan_for([other, *good])

    assert protected(plan) == {other.id: (protection,)}
    assert set(kept(plan)) == {good[0].id}


def test_a_backup_without_a_begin_time_is_protected() -> None:
    """Its age is unknown."""
    timeless = make_backup(None)

    assert protected(plan_for([timeless, make_backup()])) == {timeless.id: ("no_begin_time",)}


def test_no_backup_of_an_instance_under_restore_is_deleted() -> None:
    """A backup that somebody else made can be the one that shows the restore."""
    restoring = make_backup(NOW - 9 * DAY, "foreign", description="by hand", is_restoring=True)

    plan = plan_for([*nightly(5), *nightly(5, instance="i-2"), restoring])

    assert {verdict.backup.instance_id for verdict in plan.of(Fate.DELETE)} == {"i-2"}
    assert sorted(protected(plan).values()) == [("newest_day_old",)] * 2 + [("restoring",)] * 3


def test_backups_that_began_or_ended_after_the_time_of_the_plan_are_protected() -> None:
    """An event that is delivered late leads to the plan that it would have led to in time."""
    in_time = nightly(10)
    later = [make_backup(NOW + HOUR), make_backup(NOW - timedelta(minutes=1), minutes=5)]

    late = plan_for([*in_time, *later], "daily=7")

    assert deleted(late) == deleted(plan_for(in_time, "daily=7"))
    assert protected(late) == {later[0].id: ("begun_later",), later[1].id: ("building",)}


def test_a_backup_that_began_and_ended_at_the_time_of_the_plan_is_judged() -> None:
    """DDS gives whole seconds."""
    assert set(kept(plan_for([make_backup(NOW, "now", minutes=0), make_backup()]))) == {"now"}


def test_a_backup_is_protected_for_the_day_in_which_its_event_may_be_delivered_again() -> None:
    """Without it the event would make a second backup. The rules count it as any other."""
    young = [make_backup(NOW - timedelta(hours=hours)) for hours in (1, 5, 23)]
    old = [make_backup(NOW - timedelta(hours=hours)) for hours in (24, 30)]

    plan = plan_for([*young, *old], "last=1")

    assert set(kept(plan)) == {young[0].id}
    assert protected(plan) == {
        young[1].id: ("recent",),
        young[2].id: ("recent",),
        old[0].id: ("newest_day_old",),
    }
    assert set(deleted(plan)) == {old[1].id}


@pytest.mark.parametrize("burst", [1, 10, 1000])
def test_a_burst_of_new_backups_pushes_out_no_older_one(burst: int) -> None:
    """The newest completed backup from before the last day stays, whatever the rules that count."""
    before = make_backup(NOW - 2 * DAY, "before")
    new = [make_backup(NOW - timedelta(hours=1, seconds=number), f"new-{number}") for number in range(burst)]

    plan = plan_for([*new, before, make_backup(NOW - 3 * DAY, "older")], "last=1")

    assert protected(plan)["before"] == ("newest_day_old",)
    assert set(deleted(plan)) == {"older"}


def test_max_age_is_no_rule_that_counts() -> None:
    """A backup that exceeds it is deleted although it is the newest from before the last day."""
    plan = plan_for([make_backup(), make_backup(NOW - 40 * DAY, "expired")], "last=1 max_age=30d")

    assert set(deleted(plan)) == {"expired"}


def backup_with_id(age: float, number: int, **facts: Any) -> Backup:
    """A backup that is `age` days old, with an id like those of DDS."""
    return make_backup(NOW - age * DAY, f"{number:032x}br02", **facts)


VERIFIED = [f"{3:032x}", f"{4:032x}"]
"""The short ids of the backups 3 and 4."""


@pytest.mark.parametrize("rules", ["last=1", "last=1 max_age=30d", "daily=1 max_age=1d"])
def test_the_newest_verified_backup_is_protected_at_any_age(rules: str) -> None:
    """An older verified one is not, nor a newer one that no drill has verified."""
    listed = [backup_with_id(age, number) for number, age in enumerate([0.1, 2, 60, 70, 80])]

    plan = make_plan(listed, read_retention(rules), NOW, verified=VERIFIED)

    assert protected(plan)[listed[3].id] == ("newest_verified",)
    assert {listed[2].id, listed[4].id} <= deleted(plan)


def test_a_kept_backup_can_be_the_newest_verified_one() -> None:
    """Its rules are the reason, and no older one is protected for it. The same is true of other protections."""
    listed = [backup_with_id(age, number) for number, age in ((3, 0.1), (4, 2), (5, 3))]

    for verified in (VERIFIED, VERIFIED[1:]):
        plan = make_plan(listed, read_retention("last=1"), NOW, verified=verified)

        assert kept(plan) == {listed[0].id: ("last",)}
        assert protected(plan) == {listed[1].id: ("newest_day_old",)}
        assert deleted(plan) == {listed[2].id}


@pytest.mark.parametrize("facts", [{"status": "DISABLED"}, {"description": "by hand"}, {"began": NOW + HOUR}])
def test_a_verified_backup_that_may_not_stay_does_not_take_the_place_of_another(facts: dict[str, Any]) -> None:
    """One that is being deleted, that others made, or that began later."""
    other = make_backup(**{"began": NOW - 60 * DAY, **facts}, backup_id=f"{3:032x}br02")
    listed = [*(backup_with_id(age, number) for number, age in ((0, 0.1), (1, 2), (4, 70), (5, 80))), other]

    plan = make_plan(listed, read_retention("last=1"), NOW, verified=VERIFIED)

    assert protected(plan)[f"{4:032x}br02"] == ("newest_verified",)


def test_each_instance_has_its_newest_verified_backup() -> None:
    """A drill verifies the backup of one instance."""
    listed = [
        backup_with_id(age, number + 10 * place, instance=instance)
        for place, instance in enumerate(["i-1", "i-2"])
        for number, age in enumerate([0.1, 2, 60, 70])
    ]

    plan = make_plan(listed, read_retention("last=1"), NOW, verified=[f"{3:032x}", f"{12:032x}"])

    newest = {backup_id for backup_id, reasons in protected(plan).items() if reasons == ("newest_verified",)}
    assert newest == {f"{3:032x}br02", f"{12:032x}br02"}


def test_failed_backups_are_deleted_after_a_week() -> None:
    """They are not copies, so they take no place of a kept one."""
    recent, old = make_backup(NOW - 7 * DAY, status="FAILED"), make_backup(NOW - 8 * DAY, status="FAILED")
    good = make_backup(NOW - 9 * DAY)

    plan = plan_for([recent, old, good])

    assert protected(plan) == {recent.id: ("recently_failed",)}
    assert [(v.backup.id, v.reasons) for v in plan.of(Fate.DELETE)] == [(old.id, ("failed",))]
    assert set(kept(plan)) == {good.id}


def test_each_instance_is_judged_by_itself() -> None:
    """The plan lists the instances in the order of their ids."""
    plan = plan_for([*nightly(3, instance="i-2"), *nightly(3)])

    assert [(instance.instance_id, instance.instance_name) for instance in plan.instances] == [
        ("i-1", "name of i-1"),
        ("i-2", "name of i-2"),
    ]
    assert len(kept(plan)) == 2


def test_a_plan_can_be_limited_to_named_instances() -> None:
    """A named instance without backups is in the plan too."""
    listed = [*nightly(3), *nightly(3, instance="i-2")]

    plan = make_plan(listed, read_retention("last=1"), NOW, instance_ids=["i-2", "i-9"])

    assert {verdict.backup.instance_id for verdict in plan.of(Fate.DELETE)} == {"i-2"}
    assert [(i.instance_id, len(i.verdicts)) for i in plan.instances] == [("i-2", 3), ("i-9", 0)]


def test_the_oldest_backups_are_deleted_first() -> None:
    """The order holds across instances."""
    began = [v.backup.begin_time for v in plan_for([*nightly(5), *nightly(9, instance="i-2")]).of(Fate.DELETE)]

    assert began == sorted(began, key=str)
    assert len(began) == 10


# Properties of every plan.


@SHORT
@given(fleets, retentions, st.data())
def test_what_is_verified_only_keeps_the_newest_one_of_each_instance(
    fleet: list[Backup], retention: Retention, data: st.DataObject
) -> None:
    """Of the verified completed backups of an instance the newest stays; every other verdict is the same."""
    fleet = [replace(backup, id=f"{number:032x}br02") for number, backup in enumerate(fleet)]
    verified = data.draw(
        st.sets(st.sampled_from(fleet).map(lambda backup: backup.id[:32])) if fleet else st.just(set())
    )
    before = {v.backup.id: v for i in make_plan(fleet, retention, NOW).instances for v in i.verdicts}

    plan = make_plan(fleet, retention, NOW, verified=verified)

    ours = [b for b in fleet if b.id[:32] in verified and key_of(b.description) and b.status == "COMPLETED"]
    ended = [b for b in ours if b.begin_time and b.end_time and b.begin_time <= NOW and b.end_time <= NOW]
    newest = {
        max((str(b.begin_time), b.id) for b in ended if b.instance_id == i)[1] for i in {b.instance_id for b in ended}
    }
    for verdict in (v for i in plan.instances for v in i.verdicts):
        if verdict.backup.id in newest:
            assert verdict.fate is not Fate.DELETE
        if verdict != before[verdict.backup.id]:
            assert verdict.backup.id in newest
            assert verdict.reasons == ("newest_verified",)


@SHORT
@given(fleets, retentions, zones)
def test_no_plan_deletes_a_protected_backup(fleet: list[Backup], retention: Retention, zone: tzinfo) -> None:
    """The test derives each protection itself, that of the newest completed backup included."""
    going = deleted(make_plan(fleet, retention, NOW, zone))
    restoring = {backup.instance_id for backup in fleet if backup.is_restoring}

    for backup in fleet:
        if backup.id in going:
            assert key_of(backup.description)
            assert backup.status in {"COMPLETED", "FAILED"}
            assert backup.begin_time
            assert backup.end_time
            assert backup.end_time <= NOW
            assert NOW - backup.begin_time >= RECENT
            assert backup.instance_id not in restoring
            assert backup.status == "COMPLETED" or NOW - backup.begin_time > FAILED_KEPT_FOR
    completed = [b for b in fleet if b.status == "COMPLETED" and b.begin_time and key_of(b.description)]
    for instance_id in {backup.instance_id for backup in completed}:
        of_instance = [backup for backup in completed if backup.instance_id == instance_id]
        assert max(of_instance, key=lambda b: (str(b.begin_time), b.id)).id not in going


@SHORT
@given(fleets, retentions, zones)
def test_every_plan_judges_each_backup_of_this_application_once(
    fleet: list[Backup], retention: Retention, zone: tzinfo
) -> None:
    """It judges no other backup, and each verdict has a reason."""
    plan = make_plan(fleet, retention, NOW, zone)
    verdicts = [verdict for instance in plan.instances for verdict in instance.verdicts]

    assert sorted(v.backup.id for v in verdicts) == sorted(b.id for b in fleet if key_of(b.description))
    assert all(verdict.reasons for verdict in verdicts)
    known = {"last", "max_age", *(tier.value for tier in Tier)}
    assert all(set(verdict.reasons) <= known for verdict in verdicts if verdict.fate is Fate.KEEP)


@SHORT
@given(fleets, retentions, zones, st.data())
def test_a_plan_that_was_carried_out_in_part_can_be_made_again(
    fleet: list[Backup], retention: Retention, zone: tzinfo, data: st.DataObject
) -> None:
    """The second plan deletes the rest and nothing else; after all deletions it deletes nothing."""
    going = deleted(make_plan(fleet, retention, NOW, zone))
    done = data.draw(st.sets(st.sampled_from(sorted(going)))) if going else set()
    under_way = {backup_id for backup_id in done if sum(map(ord, backup_id)) % 2}

    left = [replace(b, status="DISABLED") if b.id in under_way else b for b in fleet if b.id not in done - under_way]

    assert deleted(make_plan(left, retention, NOW, zone)) == going - done
    assert not deleted(make_plan([b for b in fleet if b.id not in going], retention, NOW, zone))


@SHORT
@given(fleets, retentions, zones, st.randoms(use_true_random=False))
def test_a_plan_does_not_depend_on_the_order_of_the_list(
    fleet: list[Backup], retention: Retention, zone: tzinfo, chance: Random
) -> None:
    """A backup that two pages of the list show counts once."""
    shuffled = [*fleet, *fleet[:3]]
    chance.shuffle(shuffled)

    assert make_plan(shuffled, retention, NOW, zone) == make_plan(fleet, retention, NOW, zone)


@SHORT
@given(fleets, retentions, zones, st.data())
def test_larger_numbers_in_the_rules_keep_more(
    fleet: list[Backup], retention: Retention, zone: tzinfo, data: st.DataObject
) -> None:
    """A larger number or max_age never deletes a backup that the smaller one keeps."""
    tier = data.draw(st.sampled_from(sorted(retention.tiers)))
    larger = replace(
        retention,
        last=retention.last + data.draw(st.integers(0, 3)),
        tiers={**retention.tiers, tier: retention.tiers[tier] + data.draw(st.integers(0, 3))},
        max_age=retention.max_age and retention.max_age + data.draw(st.integers(0, 3)) * DAY,
    )

    assert deleted(make_plan(fleet, larger, NOW, zone)) <= deleted(make_plan(fleet, retention, NOW, zone))


@SHORT
@given(fleets, retentions, zones, st.data())
def test_an_incomplete_list_never_deletes_more(
    fleet: list[Backup], retention: Retention, zone: tzinfo, data: st.DataObject
) -> None:
    """This holds as long as the list shows the restores."""
    seen = [backup for backup in fleet if backup.is_restoring or data.draw(st.booleans())]

    assert deleted(make_plan(seen, retention, NOW, zone)) <= deleted(make_plan(fleet, retention, NOW, zone))


@SHORT
@given(fleets, st.lists(backups.map(lambda b: replace(b, id=f"late {b.id}")), max_size=5), retentions, zones)
def test_later_backups_do_not_change_the_plan_for_a_time(
    fleet: list[Backup], late: list[Backup], retention: Retention, zone: tzinfo
) -> None:
    """An event that is delivered again hours later deletes the same backups."""
    after = [
        replace(b, begin_time=NOW + timedelta(hours=number + 1), end_time=None, is_restoring=False)
        for number, b in enumerate({b.id: b for b in late}.values())
    ]

    assert deleted(make_plan([*fleet, *after], retention, NOW, zone)) == deleted(make_plan(fleet, retention, NOW, zone))


@SHORT
@given(fleets, retentions, zones, st.integers(1, 100 * 24))
def test_two_plans_in_any_order_leave_the_same_backups(
    fleet: list[Backup], retention: Retention, zone: tzinfo, hours: int
) -> None:
    """A plan for an earlier time deletes nothing that a plan for a later time has left."""
    settled = [replace(backup, is_restoring=False) for backup in fleet]
    earlier = NOW - timedelta(hours=hours)
    after_later = [b for b in settled if b.id not in deleted(make_plan(settled, retention, NOW, zone))]
    after_earlier = [b for b in settled if b.id not in deleted(make_plan(settled, retention, earlier, zone))]

    in_order = deleted(make_plan(after_earlier, retention, NOW, zone))
    assert not deleted(make_plan(after_later, retention, earlier, zone))
    assert {b.id for b in after_earlier} - in_order == {b.id for b in after_later}


@SHORT
@given(st.lists(st.integers(1, 5), min_size=20, max_size=60), retentions, zones)
def test_the_frequency_of_runs_does_not_change_the_result(steps: list[int], retention: Retention, zone: tzinfo) -> None:
    """The next run makes up for a missed one."""
    every = [make_backup(NOW - 400 * DAY + number * timedelta(hours=13)) for number in range(sum(steps))]
    existing: list[Backup] = []
    left = list(every)
    for step in steps:
        existing += left[:step]
        left = left[step:]
        now = (existing[-1].end_time or NOW) + HOUR
        going = deleted(make_plan(existing, retention, now, zone))
        existing = [backup for backup in existing if backup.id not in going]

    at_once = deleted(make_plan(every, retention, now, zone))
    assert {b.id for b in existing} == {b.id for b in every} - at_once


# The mass-deletion guard.


def guard_for(listed: list[Backup], rules: str = "last=1") -> MassDeletionGuard:
    return MassDeletionGuard.for_plan(plan_for(listed, rules))


@pytest.mark.parametrize(
    ("nights", "rules", "held_back"),
    [
        (5, "last=1", False),  # three of five: not more than FEW
        (6, "last=1", True),  # four of six
        (8, "last=4", False),  # four of eight: not more than half
        (9, "last=4", True),  # five of nine
    ],
)
def test_an_instance_that_would_lose_more_than_few_and_more_than_half_is_held_back(
    nights: int, rules: str, *, held_back: bool
) -> None:
    """Both limits have to be exceeded."""
    assert guard_for(nightly(nights), rules).holds_back("i-1") is held_back


def test_an_instance_that_is_held_back_does_not_stop_the_others() -> None:
    """Thirty manual backups of one instance are most of all backups, and the others are still pruned."""
    many = [make_backup(NOW - 2 * DAY, f"manual-{number}", instance="i-2") for number in range(30)]

    guard = guard_for([*nightly(6), *nightly(2, instance="i-2"), *many, *nightly(6, instance="i-3")], "daily=5")

    assert guard == MassDeletionGuard(frozenset({"i-2"}), everything=False)
    assert [guard.holds_back(instance) for instance in ("i-1", "i-2", "i-3")] == [False, True, False]


def test_more_than_half_of_all_backups_holds_everything_back() -> None:
    """No single instance loses more than a few."""
    guard = guard_for([backup for number in range(10) for backup in nightly(5, instance=f"i-{number}")])

    assert guard == MassDeletionGuard(frozenset(), everything=True)
    assert guard.holds_back("i-3")


def test_failed_backups_do_not_count_for_the_guard() -> None:
    """They add neither to the deleted nor to the existing copies."""
    failed = [make_backup(NOW - (10 + number) * DAY, status="FAILED") for number in range(50)]

    assert guard_for([*nightly(2), *failed], "last=2") == MassDeletionGuard()
    assert guard_for([*nightly(6), *failed]).holds_back("i-1")


@SHORT
@given(fleets, retentions)
def test_the_guard_lets_no_more_than_half_go_unless_few(fleet: list[Backup], retention: Retention) -> None:
    """The limit holds for each instance and for all instances together."""
    plan = make_plan(fleet, retention, NOW)
    guard = MassDeletionGuard.for_plan(plan)

    by_instance = [[v for v in instance.verdicts if v.backup.status == "COMPLETED"] for instance in plan.instances]
    for completed in (*by_instance, [*chain.from_iterable(by_instance)]):
        going = [v for v in completed if v.fate is Fate.DELETE and not guard.holds_back(v.backup.instance_id)]
        assert len(going) <= max(FEW, len(completed) / 2)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=8), st.integers(1, 8), st.data())
def test_the_guard_judges_the_rest_of_a_plan_as_it_judged_the_whole(
    nights: list[int], last: int, data: st.DataObject
) -> None:
    """A run that was killed half-way is not held back the next time."""
    fleet = [b for number, count in enumerate(nights) for b in nightly(count, instance=f"i-{number}")]
    plan = make_plan(fleet, Retention(last), NOW)
    before = MassDeletionGuard.for_plan(plan)
    going = [v.backup.id for v in plan.of(Fate.DELETE) if not before.holds_back(v.backup.instance_id)]
    done = data.draw(st.sets(st.sampled_from(going))) if going else set()

    after = MassDeletionGuard.for_plan(make_plan([b for b in fleet if b.id not in done], Retention(last), NOW))

    assert after == before
