"""What restore drills tell an audit: which instances have a verified backup, and which drills left an instance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.audit.request import Policy
from shared.drills import GRACE, DrillName, Verified, is_drill, short_id
from shared.model import Backup, Instance


@dataclass(frozen=True, slots=True)
class LivingDrill:
    """An instance of a restore drill.

    Attributes:
        name: None if the instance was renamed, so that only its tag marks it.
        backup: what it was restored from; None if that is not known or not listed any more.
        age: from the creation of the instance, or else from its slot; None if neither is known.
        most: the age at which it counts as leaked.
    """

    instance: Instance
    name: DrillName | None
    backup: Backup | None
    age: timedelta | None
    most: timedelta

    @property
    def over(self) -> timedelta | None:
        """For how long the instance should be gone, negative for one that may be there; None if its age is unknown."""
        return None if self.age is None else self.age - self.most

    @property
    def is_leaked(self) -> bool:
        """Whether drill_backups should have deleted the instance. One of unknown age counts as leaked."""
        return self.over is None or self.over > timedelta(0)


def find_drills(
    instances: Iterable[Instance], backups: Iterable[Backup], max_age: timedelta, now: datetime
) -> tuple[LivingDrill, ...]:
    """Return the instances of drills that were there at `now`, the oldest first."""
    by_id = {short_id(backup.id): backup for backup in backups}
    found = []
    for instance in filter(is_drill, instances):
        name = DrillName.parse(instance.name)
        born = instance.created or (name.slot if name else None)
        if born is None or born <= now:
            age = None if born is None else now - born
            backup = by_id.get(name.backup) if name else None
            found.append(LivingDrill(instance, name, backup, age, max_age + GRACE))
    return tuple(sorted(found, key=_age_order))


def _age_order(drill: LivingDrill) -> tuple[bool, timedelta, str]:
    return drill.age is not None, -(drill.age or timedelta(0)), drill.instance.id


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether drills have shown that a backup of an instance can be restored.

    Attributes:
        policy: of the policies that cover the instance the one with the shortest `verified_within`.
        within: that duration.
        now: the moment of the audit.
        newest: the last verification, and the backup that it is of.
        drill: a drill of one of the instance's backups that is under way.
    """

    instance: Instance
    policy: Policy
    within: timedelta
    now: datetime
    newest: tuple[Verified, Backup] | None
    drill: LivingDrill | None

    @property
    def age(self) -> timedelta | None:
        """How long ago a backup was verified last; None if DDS lists no such drill."""
        return self.now - self.newest[0].time if self.newest else None

    @property
    def is_verified(self) -> bool:
        """Whether a backup was verified within the time that the policy gives."""
        return self.age is not None and self.age <= self.within

    @property
    def is_pending(self) -> bool:
        """Whether it is too early to say: a drill is under way, or the instance is too young to have had one."""
        is_young = self.instance.created is not None and self.now - self.instance.created <= self.within
        return not self.is_verified and (self.drill is not None or is_young)

    @property
    def code(self) -> str | None:
        """The stable reason of an unverified instance; None if it is verified or pending."""
        if self.is_verified or self.is_pending:
            return None
        return "not_verified" if self.newest is None else "verified_too_long_ago"


def prove(
    policies: Iterable[Policy],
    chosen: Mapping[str, Sequence[Instance]],
    backups: Iterable[Backup],
    verified: Iterable[Verified],
    drills: Iterable[LivingDrill],
    now: datetime,
) -> tuple[Proof, ...]:
    """Judge each instance of the policies that have `verified_within`, the longest unverified first.

    A drill counts for the instance of its backup, if that is COMPLETED and listed, whoever made it. Verifications after
    `now` do not count, nor do leaked drills, which are left out of `drills`.
    """
    by_id = {short_id(backup.id): backup for backup in backups if backup.status == "COMPLETED"}
    newest: dict[str, tuple[Verified, Backup]] = {}
    for mark in sorted(verified, key=lambda mark: (mark.time, mark.name.backup)):
        if mark.time <= now and (backup := by_id.get(mark.name.backup)):
            newest[backup.instance_id] = mark, backup
    running = {drill.backup.instance_id: drill for drill in drills if drill.backup}
    strict = sorted((p.verified_within, p.name, p) for p in policies if p.verified_within)
    proofs: dict[str, Proof] = {}
    for within, _, policy in strict:
        for instance in chosen[policy.name]:
            found = newest.get(instance.id), running.get(instance.id)
            proofs.setdefault(instance.id, Proof(instance, policy, within, now, *found))
    return tuple(sorted(proofs.values(), key=_urgency))


def _urgency(proof: Proof) -> tuple[bool, bool, timedelta, str]:
    over = proof.age - proof.within if proof.age is not None else timedelta(0)
    return proof.code is None, proof.age is not None, -over, proof.instance.id
