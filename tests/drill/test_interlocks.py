"""What has to hold before a drill begins, and before anything is done to its instance."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.drill.interlocks import (
    DrillRules,
    forbids_any,
    forbids_deleting,
    forbids_more,
    forbids_plan,
    forbids_source,
    forbids_touching,
    is_near,
    pick_backup,
)
from shared.drill.lifecycle import Drill
from shared.drill.schedule import read_hours
from shared.model import Flavor, Instance, InstanceTask, NewInstance, Quota
from tests.drill.test_lifecycle import BACKUP, COPY, NAME, RESTORE, SOURCE, drill
from tests.fakes import START


HOUR = timedelta(hours=1)
NOW = START + timedelta(hours=8)
RULES = DrillRules(read_hours("10:00-22:00"), timedelta(hours=6), 100, 2, "drills", None, "newest")


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-24T{clock}:00").replace(tzinfo=timezone.utc)


def code(interlock: object) -> str | None:
    return getattr(interlock, "code", None)


# To begin.


def restores(*ages: float, status: str = "Completed", name: str = NAME) -> list[InstanceTask]:
    """Restores of drills, so many days old."""
    return [replace(RESTORE, instance_name=name, status=status, created_at=NOW - timedelta(days=age)) for age in ages]


@pytest.mark.parametrize(
    ("instances", "tasks", "expected"),
    [
        ([SOURCE], [], None),
        ([SOURCE, COPY], [], "another_drill"),
        ([SOURCE], restores(0.01, status="Running"), "another_drill"),
        ([SOURCE], restores(0.01, status="Running", name="shop-copy"), None),
        ([SOURCE], restores(1, 6.9), "weekly_limit"),
        ([SOURCE], restores(1, 7), None),
        ([SOURCE], restores(1, 2, name="shop-copy"), None),
    ],
)
def test_one_drill_at_a_time_and_so_many_a_week(
    instances: list[Instance], tasks: list[InstanceTask], expected: str | None
) -> None:
    """Restores with other names do not count."""
    assert code(forbids_any(RULES, instances, tasks, NOW)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"enterprise_project_id": "drills"}, "same_enterprise_project"),
        ({"status": "abnormal"}, "source_not_normal"),
        ({"actions": ("BACKUP",)}, "source_busy"),
        ({"backup_window": "11:30-12:30"}, "backup_window"),
        ({"backup_window": "13:00-14:00"}, None),
    ],
)
def test_the_source_has_to_be_idle(changes: dict[str, object], expected: str | None) -> None:
    """It is normal, does nothing, will not be backed up within an hour, and lies elsewhere than drills."""
    source = replace(SOURCE, **changes)  # type: ignore[arg-type]

    assert code(forbids_source(source, RULES, NOW)) == expected


@pytest.mark.parametrize(
    ("clock", "near"),
    [
        *[("21:59", False), ("22:00", True), ("23:30", True), ("00:30", True), ("01:59", True), ("02:00", False)],
        ("12:00", False),
    ],
)
def test_an_hour_around_automatic_backups(clock: str, near: bool) -> None:
    """The window may cross midnight."""
    assert is_near("23:00-01:00", at(clock)) is near


@pytest.mark.parametrize(
    ("clock", "near"), [("21:29", False), ("21:30", True), ("21:45", True), ("00:29", True), ("00:30", False)]
)
def test_the_minutes_of_the_window_count(clock: str, near: bool) -> None:
    """DDS begins automatic backups at any quarter of an hour."""
    assert is_near("22:30-23:30", at(clock)) is near


@pytest.mark.parametrize("window", ["", "sometimes", "1-2-3", "aa:bb-cc:dd"])
def test_a_window_that_cannot_be_read_forbids_nothing(window: str) -> None:
    """An instance without automatic backups has none."""
    assert not is_near(window, NOW)


@pytest.mark.parametrize(("sizes", "expected"), [([60, 40], None), ([60, 50], "too_large"), ([None, 100], None)])
def test_all_disks_together_count(sizes: list[int | None], expected: str | None) -> None:
    """Those of shards as often as there are shards."""
    flavors = tuple(Flavor("shard", 1, "spec", size) for size in sizes)
    new = NewInstance("n", "b", "s", flavors, "az", "vpc", "subnet", "sg", "drills", has_tls=False)

    assert code(forbids_plan(new, RULES)) == expected
    assert code(forbids_plan(replace(new, flavors=(Flavor("shard", 3, "spec", 40),)), RULES)) == "too_large"


@pytest.mark.parametrize(
    ("quota", "recycled", "expected"),
    [
        (Quota(10, 9), 80, None),
        (Quota(10, 10), 0, "quota"),
        (Quota(10, 9), 81, "recycle_bin"),
    ],
)
def test_there_is_room_in_the_quota_and_in_the_recycle_bin(quota: Quota, recycled: int, expected: str | None) -> None:
    """A mode without a quota is left to DDS."""
    assert code(forbids_more("ReplicaSet", {"ReplicaSet": quota}, recycled)) == expected
    assert forbids_more("Single", {"ReplicaSet": Quota(0, 0)}, 0) is None


def test_the_newest_good_backup_is_picked() -> None:
    """Failed ones and those without a begin are none."""
    older = replace(BACKUP, id="o", begin_time=START - timedelta(days=2))
    failed = replace(BACKUP, id="f", status="FAILED", begin_time=START)
    untimed = replace(BACKUP, id="u", begin_time=None)

    assert pick_backup([older, BACKUP, failed, untimed], "newest", START) == BACKUP
    days = [START + timedelta(days=day) for day in range(20)]
    assert {pick_backup([older, BACKUP], "newest", slot) for slot in days} == {BACKUP}
    assert pick_backup([failed, untimed], "newest", START) is None
    assert pick_backup([failed, untimed], "random", START) is None


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20, unique=True), st.integers(0, 1000), st.integers(0, 100))
def test_a_random_pick_stays_when_others_come_and_go(numbers: list[int], other: int, day: int) -> None:
    """The slot and the instance choose, so a redelivery chooses the same, and another slot another one."""
    backups = [replace(BACKUP, id=str(number)) for number in numbers]
    slot = START + timedelta(days=day)

    picked = pick_backup(backups, "random", slot)

    assert pick_backup(backups[::-1], "random", slot) == picked
    assert pick_backup([*backups, replace(BACKUP, id=str(other))], "random", slot) in {
        picked,
        replace(BACKUP, id=str(other)),
    }
    assert picked
    assert pick_backup([b for b in backups if b == picked or b.id != str(other)], "random", slot) == picked


def test_a_random_pick_reaches_every_backup() -> None:
    """Over many slots."""
    backups = [replace(BACKUP, id=str(number)) for number in range(5)]

    picked = {pick_backup(backups, "random", START + timedelta(days=day)) for day in range(60)}

    assert picked == set(backups)


def test_a_random_pick_follows_from_a_digest() -> None:
    """A new version of the function goes on with the same backups, and two instances have choices of their own."""
    backups = [replace(BACKUP, id=str(number), instance_id="a") for number in range(8)]
    others = [replace(backup, instance_id="b") for backup in backups]
    slots = [START + timedelta(days=day) for day in range(6)]

    picked, other = ([pick_backup(some, "random", slot) for slot in slots] for some in (backups, others))

    assert [backup.id for backup in picked if backup] == [
        "0",
        "2",
        "5",
        "5",
        "1",
        "4",
    ]
    assert [backup.id for backup in other if backup] == [
        "2",
        "1",
        "1",
        "0",
        "6",
        "6",
    ]


# To touch and to delete.

OURS = replace(drill("failed"), instance=replace(drill("failed").instance, enterprise_project_id="drills"))


def ours(**changes: object) -> Drill:
    """A drill whose instance is changed in one way."""
    return replace(OURS, instance=replace(OURS.instance, **changes))  # type: ignore[arg-type]


def test_an_instance_that_a_drill_made_may_be_deleted() -> None:
    """Its name, its tag, its restore, its billing, its project and its subnet agree."""
    assert forbids_touching(OURS, RULES) == []
    assert forbids_deleting(OURS, RULES) == []


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (replace(OURS, restore=None), "no_restore_task"),
        (replace(OURS, restore=replace(RESTORE, instance_name="shop")), "no_restore_task"),
        (ours(name="drill-of-mine"), "no_restore_task"),
        (replace(OURS, restore=replace(RESTORE, created_at=START - timedelta(minutes=2))), "older_than_slot"),
        (ours(is_prepaid=True), "prepaid"),
        (ours(enterprise_project_id="0"), "enterprise_project"),
        (ours(subnet_id="elsewhere"), "subnet"),
    ],
)
def test_each_doubt_alone_forbids_everything(found: Drill, expected: str) -> None:
    """Nothing is done to an instance that somebody else may have made."""
    found = replace(found, source=replace(SOURCE, subnet_id="subnet-1")) if expected == "subnet" else found

    assert [one.code for one in forbids_touching(found, RULES)] == [expected]
    assert expected in [one.code for one in forbids_deleting(found, RULES)]


def test_the_subnet_of_the_settings_comes_before_that_of_the_source() -> None:
    """It is where the instance was asked to be."""
    found = replace(ours(subnet_id="drills-net"), source=replace(SOURCE, subnet_id="subnet-1"))

    assert forbids_touching(found, replace(RULES, subnet_id="drills-net")) == []
    assert code(forbids_touching(OURS, replace(RULES, subnet_id="drills-net"))[0]) == "subnet"


def test_a_source_that_is_gone_has_no_subnet() -> None:
    """Then the settings alone say where the instances of drills lie."""
    assert forbids_touching(replace(ours(subnet_id="anywhere"), source=None), RULES) == []


def test_the_clock_of_dds_may_be_a_little_behind() -> None:
    """A restore up to a minute before its slot is no doubt."""
    found = replace(OURS, restore=replace(RESTORE, created_at=START - timedelta(minutes=1)))

    assert forbids_touching(found, RULES) == []


@pytest.mark.parametrize(("restore", "expected"), [("Completed", ["no_tag"]), ("Failed", []), ("Running", [])])
def test_what_was_restored_is_deleted_with_a_tag_only(restore: str, expected: list[str]) -> None:
    """What never became normal could not get one: there the restore has to name it."""
    found = replace(drill(None, restore=restore), instance=ours(tags={}).instance)

    assert [one.code for one in forbids_deleting(found, RULES)] == expected


def sentences() -> list[str]:
    """What each interlock says, in the order of the page."""
    new = NewInstance("n", "b", "s", (Flavor("shard", 3, "spec", 40),), "az", "v", "n", "sg", "drills", has_tls=False)
    far = replace(RULES, subnet_id="drills-net")
    wrong = replace(ours(is_prepaid=True, enterprise_project_id="0"), restore=replace(RESTORE, created_at=START - HOUR))
    untagged = replace(drill(None), instance=ours(tags={}).instance)
    quotas = {"ReplicaSet": Quota(10, 10)}
    found = [
        forbids_any(RULES, [SOURCE, COPY], [], NOW),
        forbids_any(RULES, [SOURCE], restores(0.01, status="Running"), NOW),
        forbids_any(RULES, [SOURCE], restores(1, 2), NOW),
        forbids_source(replace(SOURCE, enterprise_project_id="drills"), RULES, NOW),
        forbids_source(replace(SOURCE, status="abnormal"), RULES, NOW),
        forbids_source(replace(SOURCE, actions=("BACKUP", "REBOOT")), RULES, NOW),
        forbids_source(replace(SOURCE, backup_window="11:30-12:30"), RULES, NOW),
        forbids_plan(new, RULES),
        forbids_more("ReplicaSet", quotas, 0),
        forbids_more("ReplicaSet", {}, 81),
        *forbids_touching(replace(OURS, restore=None), RULES),
        *forbids_touching(wrong, far),
        *forbids_deleting(untagged, RULES),
    ]
    return [interlock.message if interlock else "" for interlock in found]


def test_each_interlock_says_what_was_found() -> None:
    """In a sentence that an operator understands without the code."""
    assert sentences() == [
        f"one drill at a time: {NAME} is there",
        f"one drill at a time: DDS is restoring {NAME}",
        "MAX_DRILLS_PER_WEEK is 2, and 2 have begun",
        "it lies in DRILL_ENTERPRISE_PROJECT_ID, which is for the instances of drills",
        "the instance is abnormal, not normal",
        "the instance is busy with BACKUP, REBOOT",
        "less than an hour to its automatic backups at 11:30-12:30 UTC",
        "its disks have 120 GB, and MAX_DRILL_GB is 100",
        "the project has 10 of 10 ReplicaSet instances",
        "the recycle bin holds 81 instances, and every drill adds one; the limit is 80",
        "the task list has no restore to this instance under this name",
        "the instance was restored before the slot in its name",
        "the instance is billed yearly or monthly; drills make none such",
        "the instance does not lie in DRILL_ENTERPRISE_PROJECT_ID",
        "the instance does not lie in the subnet of drills",
        "the instance has no tag ddsbackup-drill",
    ]
