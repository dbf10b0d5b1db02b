"""What a report says, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cli.report.strip import Strip
from shared.audit.audit import DeletedInstance
from shared.audit.request import Policy
from shared.errors import CloudError
from shared.format import gigabytes
from shared.model import Backup, BackupJob, Instance, InstanceTask


@dataclass(frozen=True, slots=True)
class Facts:
    """What DDS lists.

    Attributes:
        backups: all full backups, manual and automatic.
        jobs: the jobs of the last 30 days that made backups.
        restores: the tasks of the last 30 days that restore to new instances or restart instances.
        unknown_tasks: why `jobs` and `restores` are not known; both are then empty.
        windows: by instance id, the earliest and latest moment that the instance can be restored to; only of those
            that were asked for.
    """

    instances: Sequence[Instance]
    backups: Sequence[Backup]
    jobs: Sequence[BackupJob] = ()
    restores: Sequence[InstanceTask] = ()
    unknown_tasks: CloudError | None = None
    windows: Mapping[str, tuple[datetime, datetime] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that needs a person.

    Attributes:
        code: stable, such as backup_too_old.
        since: since when it is so; None if that is not known.
        text: one sentence without a full stop.
    """

    code: str
    since: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Drilled:
    """What restore drills tell of an instance, of the last 30 days.

    Attributes:
        verified_at: when a backup was last found valid.
        restored_in: how long that restore took.
        failed_at: when a later restore of a drill failed.
        is_running: whether a drill is under way.
        within: how long ago a backup may have been verified; None if no policy asks.
    """

    verified_at: datetime | None = None
    restored_in: timedelta | None = None
    failed_at: datetime | None = None
    is_running: bool = False
    within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Storage:
    """The backups of an instance, in KB.

    Attributes:
        backups: how many there are, manual and automatic.
        free: up to this size they are free: the disks of the instance; 0 for a deleted one.
    """

    backups: int
    size: int
    free: int

    @property
    def billed(self) -> int:
        """What is beyond the free space (DDS User Guide, Creating a Manual Backup)."""
        return max(0, self.size - self.free)


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """An instance with its answers.

    Attributes:
        policy: the target by which it is judged; None if nothing is expected of it.
        newest: the newest good backup that this application made.
        age: the age of that.
        failed_since: when the first backup failed that no good one followed, and `failures` how many did.
        window: the earliest and latest moment to which the instance can be restored.
        window_asked: whether DDS was asked for that.
    """

    id: str
    name: str
    kind: str
    policy: Policy | None
    findings: tuple[Finding, ...]
    newest: Backup | None
    age: timedelta | None
    failed_since: datetime | None
    failures: int
    building: int
    next_backup: datetime | None
    next_drill: datetime | None
    drill: Drilled
    window: tuple[datetime, datetime] | None
    window_asked: bool
    storage: Storage
    strip: Strip

    @property
    def is_recent(self) -> bool | None:
        """Whether the newest good backup meets the target; None if nothing is expected."""
        return None if self.policy is None else not any(f.code in _TOO_OLD for f in self.findings)


_TOO_OLD = frozenset({"no_backup", "backup_too_old"})


@dataclass(frozen=True, slots=True)
class NextRun:
    """The next run of an enabled timer, in UTC. That of a rate counts from the deployment, so it is not known."""

    function: str
    timer: str
    schedule: str
    time: datetime | None


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report.

    Attributes:
        time: as of when.
        place: what it is of, such as "the region cn-north-4".
        findings: those of no single instance that exists.
        instances: those with findings first, each group by name.
        orphans: deleted instances whose backups are still there.
        price: of a GB of backup storage and month, in any currency.
        drills_known: whether the task list could be read.
        drills_on: whether the template has drills that make instances.
    """

    time: datetime
    place: str
    findings: tuple[Finding, ...]
    instances: tuple[InstanceReport, ...]
    next_runs: tuple[NextRun, ...]
    orphans: tuple[DeletedInstance, ...]
    price: float | None
    drills_known: bool
    drills_on: bool
    remarks: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Whether there is no finding."""
        return not self.findings and not any(one.findings for one in self.instances)

    @property
    def expected(self) -> list[InstanceReport]:
        """The instances that have a target."""
        return [one for one in self.instances if one.policy]

    @property
    def late(self) -> list[InstanceReport]:
        """The instances whose newest good backup is older than their target."""
        return [one for one in self.expected if not one.is_recent]

    @property
    def proven(self) -> list[InstanceReport]:
        """The instances of which a drill has verified a backup."""
        return [one for one in self.expected if one.drill.verified_at]

    @property
    def slowest(self) -> timedelta | None:
        """The longest restore of the last verified drills."""
        return max((one.drill.restored_in for one in self.proven if one.drill.restored_in is not None), default=None)

    @property
    def size(self) -> int:
        """The size of all backups in KB."""
        return sum(one.storage.size for one in self.instances) + sum(one.size for one in self.orphans)

    @property
    def billed(self) -> int:
        """The KB beyond the free space of each instance. That of deleted instances is gone."""
        return sum(one.storage.billed for one in self.instances) + sum(one.size for one in self.orphans)

    @property
    def monthly(self) -> float | None:
        """What the billed storage costs a month; None without a price."""
        return None if self.price is None else gigabytes(self.billed) * self.price
