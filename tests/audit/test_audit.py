"""What is missed, what is not covered, and what else an audit finds."""

from datetime import timedelta
from typing import Any

import pytest

from shared.audit.audit import AuditRules, Verdict
from shared.format import counted, duration, gigabytes
from tests.audit.fleet import NIGHTLY, audit, backup, instance, missed


HOURLY = {"name": "hourly", "select": {"tags": {"tier": ["gold"]}}, "expected_interval": "1h", "grace": "15m"}


@pytest.mark.parametrize(("age", "code"), [(0, None), (26, None), (26.01, "backup_too_old"), (2200, "backup_too_old")])
def test_a_backup_is_missed_when_the_newest_good_one_is_older_than_interval_and_grace(
    age: float, code: str | None
) -> None:
    """Its age counts from its begin, up to and with the limit."""
    (judgement,) = audit([instance()], [backup(1, age), backup(1, age + 24)]).judgements

    assert judgement.code == code
    assert judgement.age == timedelta(hours=age)


def test_an_instance_that_never_had_one_is_told_apart_from_one_whose_is_old() -> None:
    """Three months old is not never."""
    found = audit([instance(1), instance(2)], [backup(2, 24 * 90)])

    assert [(j.instance.name, j.code) for j in found.missed] == [("db-1", "no_backup"), ("db-2", "backup_too_old")]
    assert found.verdict is Verdict.FINDINGS


@pytest.mark.parametrize(("age", "is_missed"), [(1, False), (26, False), (26.01, True), (None, True)])
def test_a_new_instance_has_time_for_its_first_backup(age: float | None, is_missed: bool) -> None:
    """As much as for every other; if DDS does not tell its age, it has none."""
    assert bool(audit([instance(age=age)]).missed) is is_missed


def test_a_backup_that_began_after_the_tick_counts() -> None:
    """A tick that is delivered late does not complain of what has been done meanwhile."""
    (judgement,) = audit([instance()], [backup(1, -3)]).judgements

    assert (judgement.code, judgement.age) == (None, timedelta(0))


@pytest.mark.parametrize(
    "other",
    [
        backup(1, 1, "FAILED"),
        backup(1, 1, "BUILDING"),
        backup(1, 1, "DISABLED"),
        backup(1, 1, description="made by hand"),
        backup(1, 1, description=None),
        backup(2, 1),
        backup(1, None),
    ],
    ids=range(7),
)
def test_what_does_not_count(other: Any) -> None:
    """Failed, unfinished, being deleted, somebody else's, another instance's, and one of unknown age."""
    assert [(j.instance.name, j.code) for j in audit([instance()], [other]).missed] == [("db-1", "no_backup")]


def test_the_strictest_policy_judges() -> None:
    """By interval and grace together; the other covers the instance none the less."""
    found = audit([instance(tags={"tier": "gold"}), instance(2)], [backup(1, 2), backup(2, 2)], NIGHTLY, HOURLY)

    assert [(j.instance.name, j.policy.name) for j in found.missed] == [("db-1", "hourly")]
    assert [(p.policy.name, p.covered, p.missed) for p in found.policies] == [("nightly", 2, 0), ("hourly", 1, 1)]
    assert len(found.judgements) == 2


@pytest.mark.parametrize("order", [1, -1])
def test_strictness_is_interval_and_grace_together_and_a_tie_goes_by_name(order: int) -> None:
    """Whatever order the policies stand in."""
    patient = {**NIGHTLY, "name": "patient", "expected_interval": "24h", "grace": "10h"}
    strict = [{**NIGHTLY, "name": name, "expected_interval": "26h", "grace": "1h"} for name in ("strict-a", "strict-b")]
    (judgement,) = audit([instance()], [backup(1, 30)], *[patient, *strict][::order]).missed

    assert judgement.policy.name == "strict-a"


@pytest.mark.parametrize("status", ["frozen", "abnormal", "data_disk_full", "createfail"])
def test_an_instance_that_cannot_be_backed_up_is_missed_all_the_same(status: str) -> None:
    """Nobody is helped by silence."""
    assert missed(audit([instance(status=status)])) == ["db-1"]


def test_the_last_attempt_is_told() -> None:
    """The newest that began after the good one: it says whether anybody tried at all."""
    backups = [backup(1, 50), backup(1, 49, "FAILED"), backup(1, 25, "FAILED"), backup(1, 1, "BUILDING")]
    (judgement,) = audit([instance()], backups).missed

    assert judgement.last_attempt == backups[3]
    for earlier in ("FAILED", "BUILDING"):
        assert audit([instance()], [backup(1, 50), backup(1, 60, earlier)]).missed[0].last_attempt is None


def test_the_worst_are_told_first() -> None:
    """Those without any backup, then those furthest over their limit."""
    instances = [instance(number) for number in range(1, 5)]

    assert missed(audit(instances, [backup(1, 30), backup(2, 300), backup(4, 1)])) == ["db-3", "db-2", "db-1"]


@pytest.mark.parametrize("value", ["", "true", "yes", "nightly", "0", "disabled"])
def test_an_instance_tagged_for_backup_has_to_be_covered(value: str) -> None:
    """By any value of the tag."""
    found = audit([instance(tags={"backup": value})], (), {**NIGHTLY, "select": {"name": "other"}})

    assert [one.name for one in found.uncovered] == ["db-1"]


@pytest.mark.parametrize("tags", [{}, {"backups": "yes"}, *({"backup": no} for no in ("false", "No", " OFF "))])
def test_an_instance_that_is_not_tagged_for_backup_need_not_be_covered(tags: dict[str, str]) -> None:
    """No tag, or one that says no in any case."""
    assert not audit([instance(tags=tags)], (), {**NIGHTLY, "select": {"name": "other"}}).uncovered


def test_the_tag_is_a_setting() -> None:
    """Teams have their own names for it."""
    rules = AuditRules(timedelta(hours=6), backup_tag="dr")

    assert not audit([instance(tags={"backup": ""})], (), {**NIGHTLY, "select": {"name": "x"}}, rules=rules).uncovered
    assert audit([instance(tags={"dr": ""})], (), {**NIGHTLY, "select": {"name": "x"}}, rules=rules).uncovered


def test_what_another_timer_covers_is_not_uncovered() -> None:
    """But it is judged by no policy here."""
    instances = [instance(1, tags={"backup": "a"}), instance(2, tags={"backup": "b"})]
    found = audit(instances, (), {**NIGHTLY, "select": {"name": "x"}}, covered_elsewhere=[{"tags": {"backup": ["a"]}}])

    assert [one.name for one in found.uncovered] == ["db-2"]
    assert not found.judgements


def test_a_policy_that_covers_nothing_is_a_finding() -> None:
    """A slip of the pen must not look like peace."""
    found = audit([], (), NIGHTLY, {"name": "ids", "instance_ids": ["x"], "expected_interval": "1d"})

    assert found.empty_policies == ["nightly", "ids"]
    assert found.unknown_instances == (("ids", "x"),)
    assert found.verdict is Verdict.FINDINGS


def test_an_instance_that_a_policy_names_and_that_does_not_exist_is_a_finding() -> None:
    """Beside those that do."""
    known = instance()
    found = audit([known], [backup(1, 1)], {"name": "ids", "instance_ids": [known.id, "x"], "expected_interval": "1d"})

    assert (found.unknown_instances, found.empty_policies, found.missed) == ((("ids", "x"),), [], [])
    assert found.verdict is Verdict.FINDINGS


def test_failures_are_told_until_a_good_backup_follows() -> None:
    """How many, and the newest of them; those of other people and of deleted instances are not."""
    backups = [
        *(backup(1, hours, "FAILED") for hours in (3, 10, 40)),
        backup(1, 20),
        backup(2, 1, "FAILED", description="by hand"),
        backup(3, 5),
        backup(3, 6, "FAILED"),
        backup(9, 1, "FAILED"),
    ]
    found = audit([instance(1), instance(2), instance(3)], backups, {**NIGHTLY, "select": {"name": "db-[13]"}})

    assert [(failed.count, failed.newest) for failed in found.failed] == [(2, backups[0])]
    assert not found.missed
    assert found.verdict is Verdict.FINDINGS


@pytest.mark.parametrize(("age", "is_stuck"), [(6, False), (6.01, True), (200, True), (None, False)])
def test_a_backup_that_is_building_for_too_long_is_stuck(age: float | None, is_stuck: bool) -> None:
    """Longer than STUCK_AFTER, whether or not a good one is there."""
    found = audit([instance()], [backup(1, 1), backup(1, age, "BUILDING"), backup("gone", 99, "BUILDING")])

    assert bool(found.stuck) is is_stuck
    assert (found.verdict is Verdict.FINDINGS) is is_stuck


def test_backups_of_deleted_instances_are_counted_whoever_made_them() -> None:
    """They cost, the largest first; what is being deleted no longer does. They alone are no finding."""
    backups = [
        backup(1, 1),
        backup("gone-1", 1000, size=1024),
        backup("gone-2", 1000, size=5_000_000),
        backup("gone-2", 2000, size=1, description="by hand"),
        backup("gone-2", 3000, "DISABLED", size=10**9),
        backup("gone-3", 3000, "DISABLED", size=10**9),
    ]
    found = audit([instance()], backups)

    assert [(gone.id, gone.backups, gone.ours, gone.size) for gone in found.deleted_instances] == [
        ("gone-2", 2, 1, 5_000_001),
        ("gone-1", 1, 1, 1024),
    ]
    assert found.verdict is Verdict.ALL_WELL


def test_what_a_page_shows_twice_counts_once() -> None:
    """Lists move while they are read."""
    found = audit([instance(), instance()], [backup("gone", 1, size=5)] * 2 + [backup(1, 1, "FAILED")] * 2)

    assert (found.instances, found.deleted_instances[0].backups, found.failed[0].count) == (1, 1, 1)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=45), "45 min"),
        (timedelta(hours=26), "1 d 2 h"),
        (timedelta(days=3, seconds=1), "3 d 1 s"),
        (timedelta(days=90, hours=1, minutes=1), "90 d 1 h"),
    ],
)
def test_durations_in_words(length: timedelta, words: str) -> None:
    """Two units are enough."""
    assert duration(length) == words


def test_sizes_and_counts_in_words() -> None:
    """DDS counts in KB, people in GB."""
    assert gigabytes(3 * 1024**2 + 1024**2 // 2) == 3.5
    assert [counted(number, "backup") for number in (0, 1, 2000)] == ["0 backups", "1 backup", "2,000 backups"]
