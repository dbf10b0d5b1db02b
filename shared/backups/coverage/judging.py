"""The audit itself: from what is expected and what DDS lists to what is missing. No call, no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.backups.coverage.findings import Audit, DeletedInstance, FailedBackups, Judgement, PolicyCoverage
from shared.backups.coverage.history import NO_HISTORY, History, histories
from shared.backups.coverage.request import AuditRequest, Policy
from shared.backups.names import key_of
from shared.backups.ports import Backup, Instance


_NOT_WANTED = frozenset({"false", "no", "off"})


@dataclass(frozen=True, slots=True)
class AuditRules:
    """What the operator of the function says of every audit.

    Attributes:
        stuck_after: how long a backup may be BUILDING.
        backup_tag: the key of the tag that says that an instance is to be backed up.
    """

    stuck_after: timedelta
    backup_tag: str

    def wants_backups(self, instance: Instance) -> bool:
        """Whether an instance is tagged for backup: with any value but "false", "no" and "off"."""
        value = instance.tags.get(self.backup_tag)
        return value is not None and value.strip().lower() not in _NOT_WANTED


def judge(
    request: AuditRequest, instances: Sequence[Instance], backups: Sequence[Backup], rules: AuditRules, now: datetime
) -> Audit:
    """Audit what is listed against what is asked for, as of `now`."""
    instances = list({instance.id: instance for instance in instances}.values())
    backups = list({backup.id: backup for backup in backups}.values())
    past = histories(backups)
    chosen = {policy.name: policy.choose(instances) for policy in request.policies}
    judgements = _judgements(request.policies, chosen, past, now)
    covered = {judgement.instance.id for judgement in judgements}
    existing = {instance.id for instance in instances}
    return Audit(
        time=now,
        instances=len(instances),
        judgements=judgements,
        policies=tuple(_coverage(policy, chosen[policy.name], judgements) for policy in request.policies),
        unknown_instances=tuple((p.name, unknown) for p in request.policies for unknown in p.unknown(instances)),
        uncovered=tuple(
            instance
            for instance in sorted(instances, key=lambda instance: (instance.name, instance.id))
            if rules.wants_backups(instance) and instance.id not in covered
            if not any(selector.matches(instance) for selector in request.covered_elsewhere)
        ),
        failed=_failed(past, existing),
        stuck=tuple(
            backup
            for instance_id in sorted(past.keys() & existing)
            for backup in past[instance_id].stuck(now, rules.stuck_after)
        ),
        deleted_instances=_deleted_instances(backup for backup in backups if backup.instance_id not in existing),
    )


def _judgements(
    policies: Sequence[Policy],
    chosen: Mapping[str, Sequence[Instance]],
    past: Mapping[str, History],
    now: datetime,
) -> tuple[Judgement, ...]:
    """Each covered instance by the strictest of its policies, the worst first."""
    judgements: dict[str, Judgement] = {}
    for policy in sorted(policies, key=lambda policy: (policy.limit, policy.name)):
        for instance in chosen[policy.name]:
            history = past.get(instance.id, NO_HISTORY)
            judgements.setdefault(instance.id, Judgement(instance, policy, now, history.newest, history.last_attempt))
    return tuple(sorted(judgements.values(), key=lambda judgement: judgement.urgency))


def _coverage(policy: Policy, chosen: Sequence[Instance], judgements: Iterable[Judgement]) -> PolicyCoverage:
    missed = sum(judgement.is_missed for judgement in judgements if judgement.policy.name == policy.name)
    return PolicyCoverage(policy, covered=len(chosen), missed=missed)


def _failed(past: Mapping[str, History], existing: set[str]) -> tuple[FailedBackups, ...]:
    found = [
        FailedBackups(count=len(history.failed), newest=history.failed[0])
        for instance_id, history in past.items()
        if instance_id in existing and history.failed
    ]
    return tuple(sorted(found, key=lambda failed: (-failed.count, failed.newest.instance_id)))


def _deleted_instances(orphans: Iterable[Backup]) -> tuple[DeletedInstance, ...]:
    """What is kept of instances that are gone, whoever made it, the largest first; not what is being deleted."""
    of: dict[str, list[Backup]] = {}
    for backup in orphans:
        if backup.status != "DISABLED":
            of.setdefault(backup.instance_id, []).append(backup)
    found = [
        DeletedInstance(
            id=instance_id,
            name=next((b.instance_name for b in backups if b.instance_name), ""),
            backups=len(backups),
            ours=sum(key_of(backup.description) is not None for backup in backups),
            size=sum(backup.size or 0 for backup in backups),
        )
        for instance_id, backups in of.items()
    ]
    return tuple(sorted(found, key=lambda instance: (-instance.size, instance.id)))
