"""What an audit finds."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from shared.backups.coverage.request import Policy
from shared.backups.ports import Backup, Instance


class Verdict(str, Enum):
    """What an audit comes to: nothing is wrong, something is, or it could not be done and nothing is known."""

    ALL_WELL = "all_well"
    FINDINGS = "findings"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """An instance that should have a young backup, and the one that it has.

    Attributes:
        policy: the strictest of those that cover the instance.
        now: the moment of the audit.
        newest: the newest good backup that this application made.
        last_attempt: the newest one that began later, and failed or is still BUILDING.
    """

    instance: Instance
    policy: Policy
    now: datetime
    newest: Backup | None = None
    last_attempt: Backup | None = None

    @property
    def age(self) -> timedelta | None:
        """How old the newest good backup is, by its begin; None if there is none."""
        if self.newest is None or self.newest.begin_time is None:
            return None
        return max(self.now - self.newest.begin_time, timedelta(0))

    @property
    def is_missed(self) -> bool:
        """Whether a backup should have happened and did not.

        An instance without any has as much time for its first as for every other, if DDS tells when it was created.
        """
        if self.age is not None:
            return self.age > self.policy.limit
        return self.instance.created is None or self.now - self.instance.created > self.policy.limit

    @property
    def code(self) -> str | None:
        """Why it is missed: stable, for programs. None if it is not."""
        if not self.is_missed:
            return None
        return "no_backup" if self.newest is None else "backup_too_old"

    @property
    def urgency(self) -> tuple[bool, bool, timedelta, str]:
        """Sorts the worst first: missed ones without any backup, then by how far the backup is over its limit."""
        over = self.age - self.policy.limit if self.age is not None else timedelta(0)
        return not self.is_missed, self.age is not None, -over, self.instance.id


@dataclass(frozen=True, slots=True)
class PolicyCoverage:
    """How many instances a policy covers, and how many that it is the strictest for were missed."""

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
    """An instance that is gone and whose manual backups still cost.

    Attributes:
        ours: how many of the `backups` this application made.
        size: of all of them, in KB.
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
        time: as of when.
        instances: how many there are in the project.
        judgements: one for each covered instance, the worst first.
        unknown_instances: (policy, instance id) of those that are named and do not exist.
        uncovered: tagged for backup, but no policy covers them.
        failed: instances whose last backups failed.
        stuck: backups that have been BUILDING for too long.
        deleted_instances: cost, but are nothing wrong.
    """

    time: datetime
    instances: int
    judgements: tuple[Judgement, ...] = ()
    policies: tuple[PolicyCoverage, ...] = ()
    unknown_instances: tuple[tuple[str, str], ...] = ()
    uncovered: tuple[Instance, ...] = ()
    failed: tuple[FailedBackups, ...] = ()
    stuck: tuple[Backup, ...] = ()
    deleted_instances: tuple[DeletedInstance, ...] = ()

    @property
    def missed(self) -> list[Judgement]:
        """The covered instances whose backup did not happen."""
        return [judgement for judgement in self.judgements if judgement.is_missed]

    @property
    def empty_policies(self) -> list[str]:
        """The policies that cover no instance: a slip of the pen, or nothing is left."""
        return [found.policy.name for found in self.policies if not found.covered]

    @property
    def verdict(self) -> Verdict:
        """Backups of deleted instances may be kept on purpose: they alone are no finding."""
        wrong = (self.missed, self.uncovered, self.failed, self.stuck, self.empty_policies, self.unknown_instances)
        return Verdict.FINDINGS if any(wrong) else Verdict.ALL_WELL
