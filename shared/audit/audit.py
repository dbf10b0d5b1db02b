"""The audit: from what is expected and what DDS lists to what is missing. It makes no call and reads no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum

from shared.audit.drills import LivingDrill, Proof, find_drills, prove
from shared.audit.request import AuditRequest, Policy
from shared.drills import Verified, is_drill
from shared.errors import CloudError
from shared.identity import key_of
from shared.model import Backup, Instance


# What an audit finds.


class Verdict(str, Enum):
    """The result of an audit: nothing is wrong, something is wrong, or the audit could not be done."""

    ALL_WELL = "all_well"
    FINDINGS = "findings"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """An instance that should have a young backup, and the backup that it has.

    Attributes:
        policy: the strictest of the policies that cover the instance.
        now: the moment of the audit.
        newest: the newest good backup that this application made.
        last_attempt: the newest backup that began later and failed or is still BUILDING.
    """

    instance: Instance
    policy: Policy
    now: datetime
    newest: Backup | None
    last_attempt: Backup | None

    @property
    def age(self) -> timedelta | None:
        """The age of the newest good backup, from its begin; None if there is none."""
        if self.newest is None or self.newest.begin_time is None:
            return None
        return self.now - self.newest.begin_time

    @property
    def is_missed(self) -> bool:
        """Whether a backup should have happened and did not.

        The first backup of an instance has as much time as every other, if DDS says when the instance was created.
        """
        if self.age is not None:
            return self.age > self.policy.limit
        return self.instance.created is None or self.now - self.instance.created > self.policy.limit

    @property
    def code(self) -> str | None:
        """The stable reason of a missed backup; None if it is not missed."""
        if not self.is_missed:
            return None
        return "no_backup" if self.newest is None else "backup_too_old"

    @property
    def urgency(self) -> tuple[bool, bool, timedelta, str]:
        """Sort key: missed backups of instances without any first, then by how far a backup is over its limit."""
        over = self.age - self.policy.limit if self.age is not None else timedelta(0)
        return not self.is_missed, self.age is not None, -over, self.instance.id


@dataclass(frozen=True, slots=True)
class PolicyCoverage:
    """How many instances a policy covers, and how many missed backups it found as the strictest policy."""

    policy: Policy
    covered: int
    missed: int


@dataclass(frozen=True, slots=True)
class FailedBackups:
    """An instance whose last backups failed: how many since the last good one, and the newest of them."""

    count: int
    newest: Backup


@dataclass(frozen=True, slots=True)
class DeletedInstance:
    """An instance that no longer exists and whose manual backups still cost money.

    Attributes:
        ours: how many of the `backups` this application made.
        size: the size of all of them in KB.
    """

    id: str
    name: str
    backups: int
    ours: int
    size: int


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that an audit found.

    Attributes:
        time: the moment of the audit.
        instances: how many instances are in the project.
        judgements: one for each covered instance, the worst first.
        unknown_instances: (policy, instance id, code) of those that are named in vain: not_found or drill.
        uncovered: instances that are tagged for backup and that no policy covers.
        failed: instances whose last backups failed.
        stuck: backups that have been BUILDING for too long.
        deleted_instances: cost money, but are not a finding.
        leaked_drills: instances of restore drills that should be gone.
        proofs: one for each instance of the policies that have `verified_within`, the worst first; None if no policy
            has.
        unproved: why it is not known which backups are verified; `proofs` is then empty.
    """

    time: datetime
    instances: int
    judgements: tuple[Judgement, ...]
    policies: tuple[PolicyCoverage, ...]
    unknown_instances: tuple[tuple[str, str, str], ...]
    uncovered: tuple[Instance, ...]
    failed: tuple[FailedBackups, ...]
    stuck: tuple[Backup, ...]
    deleted_instances: tuple[DeletedInstance, ...]
    leaked_drills: tuple[LivingDrill, ...]
    proofs: tuple[Proof, ...] | None
    unproved: CloudError | None

    @property
    def unverified(self) -> list[Proof]:
        """The instances without a verified backup, as far as that is known."""
        return [proof for proof in self.proofs or () if proof.code]

    @property
    def missed(self) -> list[Judgement]:
        """The covered instances whose backup did not happen."""
        return [judgement for judgement in self.judgements if judgement.is_missed]

    @property
    def empty_policies(self) -> list[str]:
        """The names of the policies that cover no instance."""
        return [found.policy.name for found in self.policies if not found.covered]

    @property
    def verdict(self) -> Verdict:
        """FINDINGS if anything is wrong. Backups of deleted instances may be kept on purpose and do not count.

        That it is not known which backups are verified, although a policy asks, is a finding too.
        """
        wrong = (self.missed, self.uncovered, self.failed, self.stuck, self.empty_policies, self.unknown_instances)
        of_drills = (self.leaked_drills, self.unverified, self.unproved)
        return Verdict.FINDINGS if any((*wrong, *of_drills)) else Verdict.ALL_WELL


# What the list of manual backups says about one instance.

_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class History:
    """The backups of one instance that this application made.

    Attributes:
        newest: the newest good one: COMPLETED, with a known begin.
        failed: the FAILED ones that no good one followed, the newest first.
        building: the BUILDING ones, the newest first.
    """

    newest: Backup | None = None
    failed: tuple[Backup, ...] = ()
    building: tuple[Backup, ...] = ()

    @classmethod
    def of(cls, backups: Iterable[Backup]) -> "History":
        """Sort the backups of one instance."""
        newest_first = sorted(backups, key=lambda backup: (_began(backup), backup.id), reverse=True)
        newest = next((backup for backup in newest_first if backup.status == "COMPLETED" and backup.begin_time), None)
        return cls(
            newest,
            failed=tuple(
                b for b in newest_first if b.status == "FAILED" and (newest is None or _began(b) > _began(newest))
            ),
            building=tuple(b for b in newest_first if b.status == "BUILDING"),
        )

    @property
    def last_attempt(self) -> Backup | None:
        """The newest backup that began after the newest good one."""
        later = (b for b in (*self.building, *self.failed) if self.newest is None or _began(b) > _began(self.newest))
        return max(later, key=_began, default=None)

    def stuck(self, now: datetime, after: timedelta) -> list[Backup]:
        """Return the backups that have been BUILDING for longer than `after`."""
        return [backup for backup in self.building if backup.begin_time and now - backup.begin_time > after]


def _began(backup: Backup) -> datetime:
    return backup.begin_time or _LONG_AGO


def histories(backups: Iterable[Backup]) -> Mapping[str, History]:
    """Return the history of each instance by its id. Only backups that this application made count."""
    ours: dict[str, list[Backup]] = {}
    for backup in backups:
        if key_of(backup.description):
            ours.setdefault(backup.instance_id, []).append(backup)
    return {instance_id: History.of(found) for instance_id, found in ours.items()}


# The audit itself.

_NOT_WANTED = frozenset({"false", "no", "off"})


@dataclass(frozen=True, slots=True)
class AuditRules:
    """What the operator of the function decides for every audit.

    Attributes:
        stuck_after: how long a backup may be BUILDING.
        backup_tag: the key of the tag that marks an instance for backup.
        drill_max_age: how old the instance of a restore drill becomes at most.
    """

    stuck_after: timedelta
    backup_tag: str
    drill_max_age: timedelta

    def wants_backups(self, instance: Instance) -> bool:
        """Whether an instance is tagged for backup, with any value but "false", "no" and "off"."""
        value = instance.tags.get(self.backup_tag)
        return value is not None and value.strip().lower() not in _NOT_WANTED


def judge(
    request: AuditRequest,
    instances: Sequence[Instance],
    backups: Sequence[Backup],
    verified: Sequence[Verified] | CloudError,
    rules: AuditRules,
    now: datetime,
) -> Audit:
    """Audit what DDS lists against what the request expects, as of `now`.

    Backups that began later do not count, whatever became of them: they do not show that the backup that was expected
    by `now` was made. The status of the others is that of the list. `verified` is what drills have verified, or why
    that is not known; it matters only if a policy has `verified_within`. Instances of drills are not judged.
    """
    instances = list({instance.id: instance for instance in instances}.values())
    backups = list({backup.id: backup for backup in backups}.values())
    past = histories(backup for backup in backups if backup.begin_time is None or backup.begin_time <= now)
    chosen = {policy.name: policy.choose(instances) for policy in request.policies}
    judgements = _judge_instances(request.policies, chosen, past, now)
    covered = {judgement.instance.id for judgement in judgements}
    existing = {instance.id for instance in instances}
    watched = {instance.id for instance in instances if not is_drill(instance)}
    drills = find_drills(instances, backups, rules.drill_max_age, now)
    asked = any(policy.verified_within for policy in request.policies)
    unproved = verified if asked and isinstance(verified, CloudError) else None
    marks = () if isinstance(verified, CloudError) else verified
    running = [drill for drill in drills if not drill.is_leaked]
    proofs = () if unproved else prove(request.policies, chosen, backups, marks, running, now)
    return Audit(
        time=now,
        instances=len(instances),
        judgements=judgements,
        policies=tuple(_coverage(policy, chosen[policy.name], judgements) for policy in request.policies),
        unknown_instances=tuple((p.name, *unknown) for p in request.policies for unknown in p.unknown(instances)),
        uncovered=tuple(
            instance
            for instance in sorted(instances, key=lambda instance: (instance.name, instance.id))
            if rules.wants_backups(instance) and instance.id in watched - covered
            if not any(selector.matches(instance) for selector in request.covered_elsewhere)
        ),
        failed=_failed(past, watched),
        stuck=tuple(
            backup
            for instance_id in sorted(past.keys() & watched)
            for backup in past[instance_id].stuck(now, rules.stuck_after)
        ),
        deleted_instances=_deleted_instances(backup for backup in backups if backup.instance_id not in existing),
        leaked_drills=tuple(drill for drill in drills if drill.is_leaked),
        proofs=proofs if asked else None,
        unproved=unproved,
    )


def _judge_instances(
    policies: Sequence[Policy],
    chosen: Mapping[str, Sequence[Instance]],
    past: Mapping[str, History],
    now: datetime,
) -> tuple[Judgement, ...]:
    """Judge each covered instance by the strictest of its policies; the worst first."""
    judgements: dict[str, Judgement] = {}
    for policy in sorted(policies, key=lambda policy: (policy.limit, policy.name)):
        for instance in chosen[policy.name]:
            history = past.get(instance.id, History())
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
    """Group the backups of deleted instances, whoever made them, the largest first. DISABLED backups do not count."""
    by_instance: dict[str, list[Backup]] = {}
    for backup in orphans:
        if backup.status != "DISABLED":
            by_instance.setdefault(backup.instance_id, []).append(backup)
    found = [
        DeletedInstance(
            id=instance_id,
            name=next((b.instance_name for b in backups if b.instance_name), ""),
            backups=len(backups),
            ours=sum(key_of(backup.description) is not None for backup in backups),
            size=sum(backup.size or 0 for backup in backups),
        )
        for instance_id, backups in by_instance.items()
    ]
    return tuple(sorted(found, key=lambda instance: (-instance.size, instance.id)))
