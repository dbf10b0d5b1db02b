"""What an audit finds: missed backups, uncovered instances, failed and stuck backups, deleted instances."""

from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit.audit import AuditRules, Verdict
from shared.audit.document import serialize_audit
from shared.model import Backup, Instance
from tests.audit.fleet import (
    BACKUPS,
    COVERED_ELSEWHERE,
    IDS,
    INSTANCES,
    NIGHTLY,
    NOW,
    OURS,
    POLICIES,
    audit,
    backup,
    instance,
    missed_names,
)


HOURLY = {"name": "hourly", "select": {"tags": {"tier": ["gold"]}}, "expected_interval": "1h", "grace": "15m"}


def test_the_verdicts_are_public() -> None:
    """Consumers of the report compare these words."""
    assert [verdict.value for verdict in Verdict] == ["all_well", "findings", "failed"]


def test_an_audit_has_its_moment() -> None:
    """This is the time for which the findings hold."""
    assert audit([]).time == NOW


@pytest.mark.parametrize(("age", "code"), [(0, None), (26, None), (26.01, "backup_too_old"), (2200, "backup_too_old")])
def test_a_backup_is_missed_if_the_newest_good_one_is_older_than_interval_and_grace(
    age: float, code: str | None
) -> None:
    """The age counts from the begin of the backup and may be equal to the limit."""
    (judgement,) = audit([instance()], [backup(1, age), backup(1, age + 24)]).judgements

    assert judgement.code == code
    assert judgement.age == timedelta(hours=age)


def test_an_instance_without_a_backup_differs_from_one_with_an_old_backup() -> None:
    """Each has its own code."""
    found = audit([instance(1), instance(2)], [backup(2, 24 * 90)])

    assert [(j.instance.name, j.code) for j in found.missed] == [("db-1", "no_backup"), ("db-2", "backup_too_old")]
    assert found.verdict is Verdict.FINDINGS


@pytest.mark.parametrize(("age", "is_missed"), [(1, False), (26, False), (26.01, True), (None, True)])
def test_a_new_instance_has_time_for_its_first_backup(age: float | None, is_missed: bool) -> None:
    """The time is that for any other backup. An instance of unknown age has none."""
    assert bool(audit([instance(age=age)]).missed) is is_missed


def test_a_backup_that_began_after_the_time_of_the_audit_does_not_count() -> None:
    """A late delivery reports what a punctual one would have reported."""
    (judgement,) = audit([instance()], [backup(1, -3), backup(1, 30)]).judgements

    assert (judgement.code, judgement.age) == ("backup_too_old", timedelta(hours=30))


@pytest.mark.parametrize("status", ["FAILED", "BUILDING"])
def test_an_attempt_that_began_after_the_time_of_the_audit_does_not_count(status: str) -> None:
    """It is no finding, and not the last attempt."""
    found = audit([instance()], [backup(1, -3, status), backup(1, 30)])

    assert (found.failed, found.stuck, found.judgements[0].last_attempt) == ((), (), None)


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
def test_other_backups_do_not_count(other: Any) -> None:
    """Those that are not completed, that others made, of another instance, and of unknown age."""
    assert [(j.instance.name, j.code) for j in audit([instance()], [other]).missed] == [("db-1", "no_backup")]


def test_an_instance_is_judged_by_its_strictest_policy() -> None:
    """The other policy still counts it as covered."""
    found = audit([instance(tags={"tier": "gold"}), instance(2)], [backup(1, 2), backup(2, 2)], NIGHTLY, HOURLY)

    assert [(j.instance.name, j.policy.name) for j in found.missed] == [("db-1", "hourly")]
    assert [(p.policy.name, p.covered, p.missed) for p in found.policies] == [("nightly", 2, 0), ("hourly", 1, 1)]
    assert len(found.judgements) == 2


@pytest.mark.parametrize("order", [1, -1])
def test_the_strictest_policy_has_the_least_interval_and_grace_together(order: int) -> None:
    """The name decides between equal ones, in any order of the policies."""
    patient = {**NIGHTLY, "name": "patient", "expected_interval": "24h", "grace": "10h"}
    strict = [{**NIGHTLY, "name": name, "expected_interval": "26h", "grace": "1h"} for name in ("strict-a", "strict-b")]
    (judgement,) = audit([instance()], [backup(1, 30)], *[patient, *strict][::order]).missed

    assert judgement.policy.name == "strict-a"


@pytest.mark.parametrize("status", ["frozen", "abnormal", "data_disk_full", "createfail"])
def test_an_instance_that_cannot_be_backed_up_is_missed_too(status: str) -> None:
    """DDS backs up only a normal instance."""
    assert missed_names(audit([instance(status=status)])) == ["db-1"]


def test_a_missed_backup_has_its_last_attempt() -> None:
    """This is the newest backup that began after the good one."""
    backups = [backup(1, 50), backup(1, 49, "FAILED"), backup(1, 25, "FAILED"), backup(1, 1, "BUILDING")]
    (judgement,) = audit([instance()], backups).missed

    assert judgement.last_attempt == backups[3]
    for earlier in ("FAILED", "BUILDING"):
        assert audit([instance()], [backup(1, 50), backup(1, 60, earlier)]).missed[0].last_attempt is None


def test_the_worst_come_first() -> None:
    """Instances without any backup precede those that are furthest over their limit."""
    instances = [instance(number) for number in range(1, 5)]

    found = audit(instances, [backup(1, 30), backup(2, 300), backup(4, 1)])

    assert missed_names(found) == ["db-3", "db-2", "db-1"]
    assert [judgement.instance.name for judgement in found.judgements] == ["db-3", "db-2", "db-1", "db-4"]


def test_the_urgency_counts_from_the_limit() -> None:
    """A backup a day over its limit is worse than an older one that is an hour over a limit of ten days."""
    patient = {**NIGHTLY, "name": "patient", "select": {"name": "db-1"}, "expected_interval": "10d", "grace": "1h"}
    strict = {**NIGHTLY, "name": "strict", "select": {"name": "db-2"}, "expected_interval": "1h", "grace": "1h"}

    assert missed_names(audit([instance(1), instance(2)], [backup(1, 242), backup(2, 25)], patient, strict)) == [
        "db-2",
        "db-1",
    ]


@pytest.mark.parametrize("value", ["", "true", "yes", "nightly", "0", "disabled"])
def test_an_instance_that_is_tagged_for_backup_has_to_be_covered(value: str) -> None:
    """The tag may have almost any value."""
    found = audit([instance(tags={"backup": value})], (), {**NIGHTLY, "select": {"name": "other"}})

    assert [one.name for one in found.uncovered] == ["db-1"]


@pytest.mark.parametrize("tags", [{}, {"backups": "yes"}, *({"backup": no} for no in ("false", "No", " OFF "))])
def test_an_instance_that_is_not_tagged_for_backup_need_not_be_covered(tags: dict[str, str]) -> None:
    """It has no tag, or one whose value is false, no or off."""
    assert not audit([instance(tags=tags)], (), {**NIGHTLY, "select": {"name": "other"}}).uncovered


def test_the_rules_name_the_tag() -> None:
    """Other tags mean nothing."""
    rules = AuditRules(timedelta(hours=6), backup_tag="dr", drill_max_age=timedelta(hours=6))

    assert not audit([instance(tags={"backup": ""})], (), {**NIGHTLY, "select": {"name": "x"}}, rules=rules).uncovered
    assert audit([instance(tags={"dr": ""})], (), {**NIGHTLY, "select": {"name": "x"}}, rules=rules).uncovered


def test_an_instance_that_is_covered_elsewhere_is_not_uncovered() -> None:
    """No policy of this audit judges it."""
    instances = [instance(1, tags={"backup": "a"}), instance(2, tags={"backup": "b"})]
    found = audit(instances, (), {**NIGHTLY, "select": {"name": "x"}}, covered_elsewhere=[{"tags": {"backup": ["a"]}}])

    assert [one.name for one in found.uncovered] == ["db-2"]
    assert not found.judgements


def test_a_policy_that_covers_no_instance_is_a_finding() -> None:
    """A misspelt selector must not look like success."""
    found = audit([], (), NIGHTLY, {"name": "ids", "instance_ids": ["x"], "expected_interval": "1d"})

    assert found.empty_policies == ["nightly", "ids"]
    assert found.unknown_instances == (("ids", "x", "not_found"),)
    assert found.verdict is Verdict.FINDINGS


def test_an_unknown_instance_in_a_policy_is_a_finding() -> None:
    """The policy covers the instances that exist."""
    known = instance()
    found = audit([known], [backup(1, 1)], {"name": "ids", "instance_ids": [known.id, "x"], "expected_interval": "1d"})

    assert (found.unknown_instances, found.empty_policies, found.missed) == ((("ids", "x", "not_found"),), [], [])
    assert found.verdict is Verdict.FINDINGS


def test_failed_backups_are_a_finding_until_a_good_one_follows() -> None:
    """The finding has their number and the newest. Those of others and of deleted instances do not count."""
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


@pytest.mark.parametrize("status", ["FAILED", "BUILDING"])
def test_an_attempt_that_began_together_with_the_good_backup_did_not_follow_it(status: str) -> None:
    """DDS gives times in seconds."""
    found = audit([instance()], [backup(1, 30), backup(1, 30, status, size=1)])

    assert not found.failed
    assert found.judgements[0].last_attempt is None


def test_the_instance_with_the_most_failed_backups_comes_first() -> None:
    """The id decides between equal ones."""
    backups = [backup(number, hours, "FAILED") for number, hours in [(1, 2), (3, 2), (2, 2), (2, 3)]]

    found = audit([instance(1), instance(2), instance(3)], backups).failed

    assert [(failed.newest.instance_id[31], failed.count) for failed in found] == [("2", 2), ("1", 1), ("3", 1)]


@pytest.mark.parametrize(("age", "is_stuck"), [(6, False), (6.01, True), (200, True), (None, False)])
def test_a_backup_that_is_building_for_too_long_is_stuck(age: float | None, is_stuck: bool) -> None:
    """This is a finding even if there is a young good backup."""
    found = audit([instance()], [backup(1, 1), backup(1, age, "BUILDING"), backup("gone", 99, "BUILDING")])

    assert bool(found.stuck) is is_stuck
    assert (found.verdict is Verdict.FINDINGS) is is_stuck


def test_backups_of_deleted_instances_are_counted() -> None:
    """The largest come first, whoever made them. DISABLED ones do not count. They alone are not a finding."""
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


@pytest.mark.parametrize(("names", "name"), [(("", "db", ""), "db"), (("", ""), "")])
def test_a_deleted_instance_has_the_name_that_its_backups_tell(names: tuple[str, ...], name: str) -> None:
    """The name is empty if none of them tells it."""
    backups = [replace(backup("gone", number), instance_name=told) for number, told in enumerate(names)]

    assert [gone.name for gone in audit([], backups).deleted_instances] == [name]


def test_an_item_on_two_pages_of_a_list_counts_once() -> None:
    """Pages overlap if a list changes while it is read."""
    found = audit([instance(), instance()], [backup("gone", 1, size=5)] * 2 + [backup(1, 1, "FAILED")] * 2)

    assert (found.instances, found.deleted_instances[0].backups, found.failed[0].count) == (1, 1, 1)


# For any instances, backups and policies.


def covers(policy: dict[str, Any], instance: Instance) -> bool:
    """Whether a policy covers an instance, by the documentation."""
    if "instance_ids" in policy:
        return instance.id in policy["instance_ids"]
    return selects(policy["select"], instance)


def selects(selector: dict[str, Any], instance: Instance) -> bool:
    """Whether a selector matches an instance."""
    if "name" in selector:
        return fnmatchcase(instance.name, selector["name"])
    values = selector["tags"]["env"]
    return "env" in instance.tags and (values == [] or instance.tags["env"] in values)


def is_fine(instance: Instance, backups: list[Backup], policies: list[dict[str, Any]]) -> bool:
    """Whether an instance meets every policy that covers it. It meets the strictest exactly if it meets all."""
    for policy in policies:
        limit = timedelta(seconds=policy["expected_interval"] + policy["grace"])
        good = [
            backup
            for backup in backups
            if backup.instance_id == instance.id
            and backup.status == "COMPLETED"
            and backup.begin_time is not None
            and backup.begin_time <= NOW
            and (backup.description or "").endswith(OURS)
        ]
        if good and all(NOW - backup.begin_time > limit for backup in good if backup.begin_time):
            return False
        if not good and (instance.created is None or NOW - instance.created > limit):
            return False
    return True


@given(INSTANCES, BACKUPS, POLICIES, COVERED_ELSEWHERE)
def test_an_audit_agrees_with_an_oracle(
    instances: list[Instance], backups: list[Backup], policies: list[dict[str, Any]], elsewhere: list[dict[str, Any]]
) -> None:
    """The oracle compares every instance with every policy and every backup."""
    found = audit(instances, backups, policies=policies, covered_elsewhere=elsewhere)

    expected = {
        instance.id: is_fine(instance, backups, applying)
        for instance in instances
        if (applying := [policy for policy in policies if covers(policy, instance)])
    }
    assert {judgement.instance.id: not judgement.is_missed for judgement in found.judgements} == expected
    assert len(found.judgements) == len(expected)
    assert {instance.id for instance in found.uncovered} == {
        instance.id
        for instance in instances
        if instance.id not in expected
        and instance.tags.get("backup") == "x"
        and not any(selects(selector, instance) for selector in elsewhere)
    }
    assert set(found.empty_policies) == {
        policy["name"] for policy in policies if not any(covers(policy, instance) for instance in instances)
    }
    existing = {instance.id for instance in instances}
    assert {gone.id: (gone.backups, gone.size) for gone in found.deleted_instances} == {
        owner: (len(kept), sum(backup.size or 0 for backup in kept))
        for owner in IDS
        if owner not in existing
        if (kept := [b for b in backups if b.instance_id == owner and b.status != "DISABLED"])
    }


@given(INSTANCES, BACKUPS, POLICIES, COVERED_ELSEWHERE, st.randoms(use_true_random=False))
def test_the_order_of_the_lists_does_not_matter(
    instances: list[Instance],
    backups: list[Backup],
    policies: list[dict[str, Any]],
    elsewhere: list[dict[str, Any]],
    chance: Any,
) -> None:
    """The same holds for the order of the policies."""
    before = audit(instances, backups, policies=policies, covered_elsewhere=elsewhere)
    for items in (instances, backups, policies):
        chance.shuffle(items)
    after = audit(instances, backups, policies=policies, covered_elsewhere=elsewhere)

    assert before.judgements == after.judgements
    assert serialize_audit(before, most=0)["totals"] == serialize_audit(after, most=0)["totals"]
    assert before.verdict == after.verdict
