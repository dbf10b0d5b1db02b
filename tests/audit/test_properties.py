"""For any instances, backups and policies: the same verdict as brute force, and nothing between two chairs."""

from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.audit.audit import Audit, Verdict, judge
from shared.audit.report import AuditNotifications, serialize_audit
from shared.audit.request import AuditRequest
from shared.model import Backup, Instance
from tests.audit.drawn import BACKUPS, ELSEWHERE, IDS, INSTANCES, POLICIES, SENDER
from tests.audit.fleet import NOW, OURS, RULES
from tests.fakes import ids_of


def covers(policy: dict[str, Any], instance: Instance) -> bool:
    """Whether a policy covers an instance, as the documents say it."""
    if "instance_ids" in policy:
        return instance.id in policy["instance_ids"]
    return selects(policy["select"], instance)


def selects(selector: dict[str, Any], instance: Instance) -> bool:
    """Whether a selector chooses an instance."""
    if "name" in selector:
        return fnmatchcase(instance.name, selector["name"])
    values = selector["tags"]["env"]
    return "env" in instance.tags and (values == [] or instance.tags["env"] in values)


def is_fine(instance: Instance, backups: list[Backup], policies: list[dict[str, Any]]) -> bool:
    """Whether an instance meets every policy that covers it: the strictest is met exactly if all are."""
    for policy in policies:
        limit = timedelta(seconds=policy["expected_interval"] + policy["grace"])
        good = [
            backup
            for backup in backups
            if backup.instance_id == instance.id
            and backup.status == "COMPLETED"
            and backup.begin_time is not None
            and (backup.description or "").endswith(OURS)
        ]
        if good and all(NOW - backup.begin_time > limit for backup in good if backup.begin_time):
            return False
        if not good and (instance.created is None or NOW - instance.created > limit):
            return False
    return True


def do(
    instances: list[Instance], backups: list[Backup], policies: list[dict[str, Any]], elsewhere: list[dict[str, Any]]
) -> Audit:
    """The audit under test."""
    request = AuditRequest.model_validate({"policies": policies, "covered_elsewhere": elsewhere})
    return judge(request, instances, backups, RULES, NOW)


@given(INSTANCES, BACKUPS, POLICIES, ELSEWHERE)
def test_each_instance_gets_the_verdict_of_brute_force(
    instances: list[Instance], backups: list[Backup], policies: list[dict[str, Any]], elsewhere: list[dict[str, Any]]
) -> None:
    """Every covered instance is either fine or missed, every other tagged one is uncovered, no other is either."""
    found = do(instances, backups, policies, elsewhere)

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


@given(INSTANCES, BACKUPS, POLICIES, ELSEWHERE, st.randoms(use_true_random=False))
def test_the_order_of_the_lists_does_not_matter(
    instances: list[Instance],
    backups: list[Backup],
    policies: list[dict[str, Any]],
    elsewhere: list[dict[str, Any]],
    chance: Any,
) -> None:
    """DDS may list as it likes, and the policies may stand in any order."""
    before = do(instances, backups, policies, elsewhere)
    for items in (instances, backups, policies):
        chance.shuffle(items)
    after = do(instances, backups, policies, elsewhere)

    assert before.judgements == after.judgements
    assert serialize_audit(before, most=0)["totals"] == serialize_audit(after, most=0)["totals"]
    assert before.verdict == after.verdict


@given(INSTANCES, BACKUPS, POLICIES, ELSEWHERE)
def test_the_totals_add_up(
    instances: list[Instance], backups: list[Backup], policies: list[dict[str, Any]], elsewhere: list[dict[str, Any]]
) -> None:
    """Whatever is cut from the lists; and all is well exactly if nothing is wrong."""
    found = do(instances, backups, policies, elsewhere)
    whole, cut = serialize_audit(found, most=1000), serialize_audit(found, most=1)

    assert whole["totals"] == cut["totals"]
    assert whole["totals"]["covered"] == whole["totals"]["fine"] + len(whole["missed"])
    assert whole["cut"] == []
    assert set(cut["cut"]) == {name for name, items in whole.items() if isinstance(items, list) and len(items) > 1}
    wrong = [whole["totals"][name] for name in ("missed", "uncovered", "failed_backups", "stuck_backups")]
    wrong += [whole["totals"][name] for name in ("empty_policies", "unknown_instances")]
    assert (found.verdict is Verdict.ALL_WELL) == (sum(wrong) == 0)


@given(
    INSTANCES, BACKUPS, POLICIES, st.lists(st.text(min_size=1), min_size=1), st.lists(st.text(min_size=1), min_size=1)
)
def test_ids_are_the_same_for_the_same_tick_and_others_for_another(
    instances: list[Instance],
    backups: list[Backup],
    policies: list[dict[str, Any]],
    tonight: list[str],
    tomorrow: list[str],
) -> None:
    """And no two notifications of a run share one."""
    found = do(instances, backups, policies, [])

    def ids(identity: list[str], now: datetime) -> list[str]:
        occasion = AuditNotifications(identity, SENDER, now)
        notifications = [occasion.missed(judgement) for judgement in found.missed]
        notifications += [occasion.uncovered(instance, NOW) for instance in found.uncovered]
        return ids_of([*notifications, occasion.report(found, findings_published=True)[0]])

    first = ids(tonight, NOW)
    assert first == ids(tonight, datetime(2027, 1, 1, tzinfo=timezone.utc))
    assert len(set(first)) == len(first)
    assert tonight == tomorrow or not set(first) & set(ids(tomorrow, NOW))
