"""An audit as JSON: the data of its report, and of the events about single instances."""

from collections.abc import Callable, Sequence
from typing import Any

from shared.audit.audit import Audit, DeletedInstance, FailedBackups, Judgement, PolicyCoverage
from shared.audit.drills import LivingDrill, Proof
from shared.audit.email import leaked_message, missed_message, unverified_message
from shared.format import gigabytes, timestamp
from shared.model import Backup, Instance


def serialize_audit(audit: Audit, *, most: int) -> dict[str, Any]:
    """Serialize an audit with at most `most` items a list. The totals count all; `cut` names the lists that are cut."""
    lists: dict[str, tuple[Sequence[Any], Callable[[Any], Any]]] = {
        "policies": (audit.policies, _serialize_policy),
        "missed": (audit.missed, serialize_missed),
        "uncovered": (audit.uncovered, serialize_uncovered),
        "failed_backups": (audit.failed, _serialize_failed),
        "stuck_backups": (audit.stuck, _serialize_stuck),
        "empty_policies": (audit.empty_policies, str),
        "unknown_instances": (audit.unknown_instances, _serialize_unknown),
        "deleted_instances": (audit.deleted_instances, _serialize_deleted_instance),
        "unverified": (audit.unverified, serialize_unverified),
        "leaked_drills": (audit.leaked_drills, serialize_leaked),
    }
    return {
        "verdict": audit.verdict.value,
        "audited_at": timestamp(audit.time),
        "totals": _totals(audit),
        "verification": _serialize_verification(audit),
        **{name: [serialize(item) for item in items[:most]] for name, (items, serialize) in lists.items()},
        "cut": [name for name, (items, _) in lists.items() if len(items) > most],
    }


def _totals(audit: Audit) -> dict[str, int | float | None]:
    """Count everything. The sizes are those of the backups of deleted instances.

    What is verified is None if no policy asks or it is not known.
    """
    proofs = None if audit.unproved else audit.proofs
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
        "verified": None if proofs is None else sum(proof.is_verified for proof in proofs),
        "verification_pending": None if proofs is None else sum(proof.is_pending for proof in proofs),
        "unverified": None if proofs is None else len(audit.unverified),
        "leaked_drills": len(audit.leaked_drills),
    }


def _serialize_verification(audit: Audit) -> dict[str, Any]:
    """Say whether it is known which backups are verified, and otherwise why not."""
    if error := audit.unproved:
        facts = {"code": error.code, "cloud_code": error.cloud_code, "message": str(error)}
        return {"state": "not_known", **facts}
    return {"state": "not_asked" if audit.proofs is None else "known"}


def _serialize_policy(coverage: PolicyCoverage) -> dict[str, Any]:
    policy = coverage.policy
    return {
        "name": policy.name,
        "covered": coverage.covered,
        "missed": coverage.missed,
        "expected_interval_seconds": int(policy.expected_interval.total_seconds()),
        "grace_seconds": int(policy.grace.total_seconds()),
    }


def serialize_missed(judgement: Judgement) -> dict[str, Any]:
    """Serialize an instance without a young good backup."""
    policy, age = judgement.policy, judgement.age
    return {
        **_serialize_instance(judgement.instance),
        "policy": policy.name,
        "code": judgement.code,
        "message": missed_message(judgement),
        "expected_interval_seconds": int(policy.expected_interval.total_seconds()),
        "grace_seconds": int(policy.grace.total_seconds()),
        "age_seconds": None if age is None else int(age.total_seconds()),
        "newest_backup": judgement.newest and _serialize_backup(judgement.newest),
        "last_attempt": judgement.last_attempt and _serialize_backup(judgement.last_attempt),
    }


def serialize_uncovered(instance: Instance) -> dict[str, Any]:
    """Serialize an instance that is tagged for backup and that no policy covers."""
    return {**_serialize_instance(instance), "tags": dict(instance.tags)}


def serialize_unverified(proof: Proof) -> dict[str, Any]:
    """Serialize an instance without a verified backup."""
    age = proof.age
    return {
        **_serialize_instance(proof.instance),
        "policy": proof.policy.name,
        "code": proof.code,
        "message": unverified_message(proof),
        "verified_within_seconds": int(proof.within.total_seconds()),
        "age_seconds": None if age is None else int(age.total_seconds()),
        "last_verified": proof.newest
        and {"verified_at": timestamp(proof.newest[0].time), **_serialize_backup(proof.newest[1])},
    }


def serialize_leaked(drill: LivingDrill) -> dict[str, Any]:
    """Serialize an instance that a restore drill has left, as drill_backups does in dds.drill.leaked."""
    instance, name, backup = drill.instance, drill.name, drill.backup
    return {
        "instance_id": backup.instance_id if backup else None,
        "instance_name": (backup.instance_name or None) if backup else None,
        "slot": timestamp(name.slot) if name else None,
        "drill": instance.name,
        "drill_instance_id": instance.id,
        "backup_id": backup.id if backup else None,
        "backup_name": backup.name if backup else None,
        "backup_begin_time": timestamp(backup.begin_time) if backup else None,
        "restore_began": None,
        "restore_ended": None,
        "restored": "unknown",
        "valid": "inconclusive",
        "cleaned_up": "no",
        "instance_status": instance.status,
        "created": timestamp(instance.created),
        "day": None if drill.over is None else drill.over.days,
        "code": "too_old",
        "message": leaked_message(drill),
        "stage": "clean_up",
    }


def _serialize_unknown(unknown: tuple[str, str, str]) -> dict[str, Any]:
    policy, instance_id, code = unknown
    return {"policy": policy, "instance_id": instance_id, "code": code}


def _serialize_failed(failed: FailedBackups) -> dict[str, Any]:
    newest = failed.newest
    return {
        "instance_id": newest.instance_id,
        "instance_name": newest.instance_name,
        "backups": failed.count,
        "newest": _serialize_backup(newest),
    }


def _serialize_stuck(backup: Backup) -> dict[str, Any]:
    return {"instance_id": backup.instance_id, "instance_name": backup.instance_name, **_serialize_backup(backup)}


def _serialize_deleted_instance(instance: DeletedInstance) -> dict[str, Any]:
    return {
        "instance_id": instance.id,
        "instance_name": instance.name,
        "backups": instance.backups,
        "made_by_this_application": instance.ours,
        "size_kb": instance.size,
        "size_gb": gigabytes(instance.size),
    }


def _serialize_instance(instance: Instance) -> dict[str, Any]:
    return {"instance_id": instance.id, "instance_name": instance.name, "instance_status": instance.status}


def _serialize_backup(backup: Backup) -> dict[str, Any]:
    return {
        "backup_id": backup.id,
        "name": backup.name,
        "status": backup.status,
        "begin_time": timestamp(backup.begin_time),
    }
