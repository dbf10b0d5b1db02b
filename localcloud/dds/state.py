"""The state of DDS: the stored instances, backups and jobs, and what they amount to at a given time.

Times are seconds since the epoch (UTC), durations are in seconds, sizes in KB.
"""

import math
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

from localcloud.clock import text, utc
from localcloud.dds.contents import Contents
from localcloud.dds.errors import dds_error
from localcloud.mongo.content import Content
from localcloud.region import Region
from localcloud.store import Store


DAY = 86_400.0
Mode = Literal["Sharding", "ReplicaSet", "Single"]

# The suffix differs between documents (in01 in some examples), so any two digits are accepted.
INSTANCE_ID = re.compile(r"[0-9a-f]{32}in\d\d")

_NAMESPACE = uuid.UUID("8d2f7a54-2a4e-5c58-9a0f-3d2f0c1c7f11")


@dataclass(frozen=True, slots=True)
class Policy:
    """An automatic backup policy that is enabled: `keep_days` is never 0.

    The backups due until `since` have been created.
    """

    keep_days: int
    start_time: str
    period: str
    incremental: bool
    since: float

    def due(self, instance_id: str, now: float) -> Iterator[float]:
        """The times in (since, now] at which automatic backups begin, oldest first, without those that have expired.

        There is one on each day of the period. Its time within the window varies from day to day, but is always the
        same for the same instance and day.
        """
        days = {int(day) for day in self.period.split(",")}
        window = 3600 * int(self.start_time[:2]) + 60 * int(self.start_time[3:5])
        # A window can cross midnight, so start with the day before.
        first = math.floor(max(self.since, now - self.keep_days * DAY) / DAY) - 1
        for day in range(first, math.floor(now / DAY) + 1):
            begin = day * DAY + window + uuid.uuid5(_NAMESPACE, f"{instance_id}/{day}").int % 3000
            if utc(day * DAY).isoweekday() in days and self.since < begin <= now:
                yield begin


@dataclass(frozen=True, slots=True)
class Instance:
    """A DB instance. `actions` are in progress until `busy_until`, or indefinitely when that is None.

    `password` is that of its administrator, rwuser. Nobody can sign in to an instance without one.
    """

    id: str
    name: str
    mode: Mode
    status: str
    version: str
    created: float
    remark: str = ""
    data_kb: int = 0
    volume_gb: int = 10
    enterprise_project_id: str = "0"
    hidden_node: str = "normal"
    actions: tuple[str, ...] = ()
    busy_until: float | None = None
    fails_with: str | None = None
    policy: Policy | None = None
    tags: dict[str, str] = field(default_factory=dict)
    ssl: bool = True
    password: str | None = None

    def actions_at(self, now: float) -> tuple[str, ...]:
        """The operations in progress at `now`, except backups."""
        return self.actions if self.busy_until is None or now < self.busy_until else ()


class BackupStatus(str, Enum):
    """The documented states of a backup."""

    BUILDING = "BUILDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that runs from `begin` for `duration`. It fails at its end if it has a `fail_reason`.

    A deleted backup is DISABLED from `deleted_at` to `gone_at`. An automatic backup is gone at `expires_at`.
    """

    id: str
    name: str
    type: Literal["Auto", "Manual"]
    instance_id: str
    instance_name: str
    instance_mode: Mode
    version: str
    description: str
    job_id: str
    begin: float
    duration: float
    size_kb: int
    fail_reason: str | None = None
    deleted_at: float | None = None
    gone_at: float | None = None
    expires_at: float | None = None

    @property
    def end(self) -> float:
        """The time at which it completes or fails."""
        return self.begin + self.duration

    def running(self, now: float) -> bool:
        """Whether it is in progress at `now`."""
        return self.begin <= now < self.end

    def status(self, now: float) -> BackupStatus | None:
        """Its status at `now`, or None if it is gone."""
        if self.expires_at is not None and now >= self.expires_at:
            return None
        if self.deleted_at is not None and self.gone_at is not None:
            return BackupStatus.DISABLED if now < self.gone_at else None
        if now < self.end:
            return BackupStatus.BUILDING
        return BackupStatus.COMPLETED if self.fail_reason is None else BackupStatus.FAILED


class JobKind(str, Enum):
    """The name of a job. "Querying Tasks" documents that of backups; the others are not documented."""

    BACKUP = "MongodbSnapshotBackup"
    DELETE = "DeleteBackup"
    STOP = "StopBackup"


@dataclass(frozen=True, slots=True)
class Job:
    """An asynchronous task that runs from `begin` for `duration`. It fails at its end if it has a `fail_reason`."""

    id: str
    kind: JobKind
    instance_id: str
    instance_name: str
    begin: float
    duration: float
    fail_reason: str | None = None

    @property
    def end(self) -> float:
        """The time at which it completes or fails."""
        return self.begin + self.duration

    def status(self, now: float) -> Literal["Running", "Completed", "Failed"]:
        """Its status at `now`."""
        if now < self.end:
            return "Running"
        return "Completed" if self.fail_reason is None else "Failed"

    def progress(self, now: float) -> str:
        """A percentage such as "60%" while it runs, then "" (DDS API, Querying Tasks)."""
        return f"{int(100 * (now - self.begin) / self.duration)}%" if now < self.end else ""


class DdsState:
    """The instances, backups and jobs of the project, and what the instances and backups hold."""

    def __init__(self, region: Region, store: Store) -> None:
        self.region = region
        self.instances = store.table("instance", Instance)
        self.stored_backups = store.table("backup", Backup)
        self.jobs = store.table("job", Job)
        self.contents = Contents(store)
        self.address: Callable[[Instance], tuple[str, int] | None] = lambda _: None
        """Where the data plane of an instance listens. A cloud that is not served has none."""

    def present(self) -> float:
        """Create the automatic backups that are due, and return the current time."""
        now = self.region.clock.now()
        for instance in tuple(self.instances):
            if instance.policy is not None and instance.status == "normal":
                self._create_due_backups(instance, instance.policy, now)
        return now

    @property
    def rate_kb(self) -> float:
        """The speed of backups in KB/s."""
        return self.region.switches.backup_rate * 1024

    def instance(self, instance_id: str) -> Instance:
        """The instance with this id. Raises DBS.280404 for a malformed id, DBS.200002 for an unknown one."""
        instance = self.instances.get(instance_id)
        if instance is not None:
            return instance
        raise dds_error("DBS.200002" if INSTANCE_ID.fullmatch(instance_id) else "DBS.280404")

    def backups(self, now: float) -> list[Backup]:
        """The backups that exist at `now`. Manual backups outlive their instance."""
        return [backup for backup in self.stored_backups if backup.status(now) is not None]

    def backup(self, backup_id: str, now: float) -> Backup:
        """The backup with this id that exists at `now`. Raises DBS.201214 if there is none."""
        backup = self.stored_backups.get(backup_id)
        if backup is None or backup.status(now) is None:
            raise dds_error("DBS.201214")
        return backup

    def operations(self, instance: Instance, now: float) -> tuple[str, ...]:
        """The operations in progress on an instance at `now`, as in "actions" of the instance list."""
        running = any(backup.running(now) for backup in self._backups_of(instance))
        return (*instance.actions_at(now), *(("BACKUP",) if running else ()))

    def begin_backup(
        self,
        instance: Instance,
        begin: float,
        name: str,
        *,
        description: str = "",
        automatic: bool = False,
        keep_days: int | None = None,
        identity: uuid.UUID | None = None,
    ) -> Backup:
        """Store a backup that starts at `begin`, with its job.

        It has what the instance held at `begin`, and is kept forever unless `keep_days` is given. Its ids are derived
        from `identity`, which is random by default.
        """
        identity = identity or uuid.uuid4()
        backup = Backup(
            id=f"{identity.hex}br02",
            name=name,
            type="Auto" if automatic else "Manual",
            instance_id=instance.id,
            instance_name=instance.name,
            instance_mode=instance.mode,
            version=instance.version,
            description=description,
            job_id=str(uuid.uuid5(identity, "job")),
            begin=begin,
            duration=max(1.0, instance.data_kb / self.rate_kb),
            size_kb=instance.data_kb,
            fail_reason=instance.fails_with,
            expires_at=None if keep_days is None else begin + keep_days * DAY,
        )
        self.keep(backup)
        self.contents.put(backup.id, self.content_at(instance.id, begin), begin)
        return backup

    def content(self, identity: str) -> Content:
        """What an instance holds now, or what a backup has. Empty for an unknown id."""
        return self.contents.now(identity)

    def content_at(self, instance_id: str, time: float) -> Content:
        """What an instance held at `time`, as far as the local cloud knows: see `Contents.at`."""
        return self.contents.at(instance_id, time)

    def write(self, instance_id: str, content: Content) -> None:
        """Replace what an instance holds. Automatic backups that are due by now have what it held before."""
        self.contents.write(instance_id, content, self.present())

    def keep(self, backup: Backup) -> None:
        """Store a new or stopped backup together with its job."""
        self.stored_backups.put(backup)
        self.jobs.put(
            Job(
                id=backup.job_id,
                kind=JobKind.BACKUP,
                instance_id=backup.instance_id,
                instance_name=backup.instance_name,
                begin=backup.begin,
                duration=backup.duration,
                fail_reason=backup.fail_reason,
            )
        )

    def _create_due_backups(self, instance: Instance, policy: Policy, now: float) -> None:
        for due in policy.due(instance.id, now):
            begin = self._free_from(instance, due)
            if begin > now:
                return  # it waits for another backup to end, and so do the later ones
            self.begin_backup(
                instance,
                begin,
                automatic_name(instance, due),
                automatic=True,
                keep_days=policy.keep_days,
                identity=uuid.uuid5(_NAMESPACE, f"{instance.id}/{due}"),
            )
            self.instances.put(replace(instance, policy=replace(policy, since=due)))

    def _free_from(self, instance: Instance, begin: float) -> float:
        for other in sorted(self._backups_of(instance), key=lambda backup: backup.begin):
            if other.running(begin):
                begin = other.end
        return begin

    def _backups_of(self, instance: Instance) -> list[Backup]:
        return [backup for backup in self.stored_backups if backup.instance_id == instance.id]


def automatic_name(instance: Instance, begin: float) -> str:
    """The name of an automatic backup of an instance."""
    return f"auto-{instance.name}-{text(begin, '%Y%m%d%H%M%S')}"
