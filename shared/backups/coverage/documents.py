"""Findings as JSON: the data of the notifications, and what the function returns."""

from collections.abc import Callable, Sequence
from typing import Any

from shared.backups.coverage.findings import Audit, DeletedInstance, FailedBackups, Judgement, PolicyCoverage
from shared.backups.coverage.wording import at, gigabytes, in_words
from shared.backups.ports import Backup, Instance


def audit_document(audit: Audit, *, most: int) -> dict[str, Any]:
    """The whole audit, at most `most` items a list; the totals count all, `cut` names the lists that are cut."""
    lists: dict[str, tuple[Sequence[Any], Callable[[Any], Any]]] = {
        "policies": (audit.policies, policy_document),
        "missed": (audit.missed, missed_document),
        "uncovered": (audit.uncovered, uncovered_document),
        "failed_backups": (audit.failed, failed_document),
        "stuck_backups": (audit.stuck, stuck_document),
        "empty_policies": (audit.empty_policies, str),
        "unknown_instances": (audit.unknown_instances, lambda pair: {"policy": pair[0], "instance_id": pair[1]}),
        "deleted_instances": (audit.deleted_instances, deleted_instance_document),
    }
    return {
        "verdict": audit.verdict.value,
        "audited_at": at(audit.time),
        "totals": totals(audit),
        **{name: [document(item) for item in items[:most]] for name, (items, document) in lists.items()},
        "cut": [name for name, (items, _) in lists.items() if len(items) > most],
    }


def totals(audit: Audit) -> dict[str, int | float]:
    """How many of everything; `size` in KB and GB is that of the backups of deleted instances."""
    size = sum(instance.size for instance in audit.deleted_instances)
    return {
        "instances": audit.instances,
        "policies": len(audit.policies),
        "covered": len(audit.judgements),
        "fine": len(audit.judgements) - len(audit.missed),
        "missed": len(audit.missed),
        "uncovered": len(audit.uncovered),
        "failed_backups": sum(failed.count for failed in audit.failed),
        "stuck_backups": len(audit.stuck),
        "empty_policies": len(audit.empty_policies),
        "unknown_instances": len(audit.unknown_instances),
        "deleted_instances": len(audit.deleted_instances),
        "deleted_instances_backups": sum(instance.backups for instance in audit.deleted_instances),
        "deleted_instances_size_kb": size,
        "deleted_instances_size_gb": gigabytes(size),
    }


def missed_document(judgement: Judgement) -> dict[str, Any]:
    """A backup that did not happen, why it counts as missed, and what there is instead."""
    policy, age = judgement.policy, judgement.age
    return {
        **_instance(judgement.instance),
        "policy": policy.name,
        "code": judgement.code,
        "message": missed_message(judgement),
        "expected_interval_seconds": int(policy.expected_interval.total_seconds()),
        "grace_seconds": int(policy.grace.total_seconds()),
        "age_seconds": None if age is None else int(age.total_seconds()),
        "newest_backup": judgement.newest and _backup(judgement.newest),
        "last_attempt": judgement.last_attempt and _backup(judgement.last_attempt),
    }


def missed_message(judgement: Judgement) -> str:
    """The same in a sentence."""
    policy, attempt = judgement.policy, judgement.last_attempt
    expected = f"expected every {in_words(policy.expected_interval)}, with {in_words(policy.grace)} of grace"
    if judgement.age is None:
        found, later = "there is no good backup of this application", ""
    else:
        found, later = f"the newest good backup is {in_words(judgement.age)} old", "later "
    tried = (
        f"the last attempt, at {at(attempt.begin_time)}, is {attempt.status}"
        if attempt
        else f"no {later}attempt is listed"
    )
    status = judgement.instance.status
    ill = "" if status == "normal" else f"; the instance is {status}, and only a normal one can be backed up"
    return f"{found}, {expected} (policy {policy.name}); {tried}{ill}"


def uncovered_document(instance: Instance) -> dict[str, Any]:
    """An instance that is tagged for backup and that no policy covers."""
    return {**_instance(instance), "tags": dict(instance.tags)}


def failed_document(failed: FailedBackups) -> dict[str, Any]:
    """An instance whose last backups failed; `newest` is the newest of them."""
    newest = failed.newest
    return {
        "instance_id": newest.instance_id,
        "instance_name": newest.instance_name,
        "backups": failed.count,
        "newest": _backup(newest),
    }


def stuck_document(backup: Backup) -> dict[str, Any]:
    """A backup that has been BUILDING for too long."""
    return {"instance_id": backup.instance_id, "instance_name": backup.instance_name, **_backup(backup)}


def deleted_instance_document(instance: DeletedInstance) -> dict[str, Any]:
    """An instance that is gone and whose manual backups still cost."""
    return {
        "instance_id": instance.id,
        "instance_name": instance.name,
        "backups": instance.backups,
        "made_by_this_application": instance.ours,
        "size_kb": instance.size,
        "size_gb": gigabytes(instance.size),
    }


def policy_document(coverage: PolicyCoverage) -> dict[str, Any]:
    """A policy and how it fared."""
    policy = coverage.policy
    return {
        "name": policy.name,
        "covered": coverage.covered,
        "missed": coverage.missed,
        "expected_interval_seconds": int(policy.expected_interval.total_seconds()),
        "grace_seconds": int(policy.grace.total_seconds()),
    }


def _instance(instance: Instance) -> dict[str, Any]:
    return {"instance_id": instance.id, "instance_name": instance.name, "instance_status": instance.status}


def _backup(backup: Backup) -> dict[str, Any]:
    return {
        "backup_id": backup.id,
        "name": backup.name,
        "status": backup.status,
        "begin_time": at(backup.begin_time),
    }
