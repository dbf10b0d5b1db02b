"""The facts about DDS: instances, backups, jobs and restores, and what each amounts to at a given time.

Times are seconds since the epoch (UTC), durations are in seconds, sizes in KB.
"""

import math
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from localcloud.clock import utc
from localcloud.dds.specification import Mode, Specification


DAY = 86_400.0
# The duration of what never ends.
FOREVER = 100 * 365 * DAY

# The suffix differs between documents (in01 in some examples), so any two digits are accepted.
INSTANCE_ID = re.compile(r"[0-9a-f]{32}in\d\d")

NAMESPACE = uuid.UUID("8d2f7a54-2a4e-5c58-9a0f-3d2f0c1c7f11")


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
            begin = day * DAY + window + uuid.uuid5(NAMESPACE, f"{instance_id}/{day}").int % 3000
            if utc(day * DAY).isoweekday() in days and self.since < begin <= now:
                yield begin


@dataclass(frozen=True, slots=True)
class Instance:
    """A DB instance. `actions` are in progress until `busy_until`, or indefinitely when that is None.

    An instance that is being created becomes `becomes` at `ready_at`, and one that is being deleted is gone at
    `gone_at`. `password` is that of its administrator, rwuser. Nobody can sign in to an instance without one.
    """

    id: str
    name: str
    mode: Mode
    status: str
    version: str
    created: float
    remark: str = ""
    data_kb: int = 0
    spec: Specification = field(default_factory=Specification)
    enterprise_project_id: str = "0"
    hidden_node: str = "normal"
    actions: tuple[str, ...] = ()
    busy_until: float | None = None
    fails_with: str | None = None
    policy: Policy | None = None
    tags: dict[str, str] = field(default_factory=dict)
    ssl: bool = True
    password: str | None = None
    ready_at: float | None = None
    becomes: str = "normal"
    gone_at: float | None = None

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

    `disk_gb` is the disk of its instance. A deleted backup is DISABLED from `deleted_at` to `gone_at`. An automatic
    backup is gone at `expires_at`.
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
    disk_gb: int = 0
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
    """The name of a job ("Querying Tasks"). The names of deletions and of stopping a backup are not documented."""

    BACKUP = "MongodbSnapshotBackup"
    DELETE = "DeleteBackup"
    STOP = "StopBackup"
    CREATE_CLUSTER = "CreateMongoDB"
    CREATE_REPLICA_SET = "CreateMongoDBReplica"
    CREATE_SINGLE = "CreateMongoDBReplicaSingle"
    RESTORE_CLUSTER = "RestoreMongoDB"
    RESTORE_REPLICA_SET = "RestoreMongoDB_Replica"
    RESTORE_SINGLE = "RestoreMongoDB_Replica_Single"
    RESTORE_REPLICA_SET_TO_TIME = "RestoreMongoDB_Replica_PITR"
    RESTORE_TO_TIME = "MongodbPitr2NewInstance"
    RESTORE_OVER = "MongodbRestoreData2CurrentInstance"
    RESTORE_OVER_TO_TIME = "MongodbPitr2CurrentInstance"
    RESTART_CLUSTER = "RestartInstance"
    RESTART_GROUP = "RestartGroup"
    RESTART_NODE = "RestartNode"
    RESTART_REPLICA_SET = "RestartReplicaSetInstance"
    RESTART_SINGLE = "RestartReplicaSingleInstance"
    DELETE_INSTANCE = "DeleteInstance"


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


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore to the new instance `target_id`. The source of the data is busy with it from `begin` to `end`.

    Its id is that of its job. `backup_id` is None for a restore to a point in time.
    """

    id: str
    source_id: str
    backup_id: str | None
    target_id: str
    begin: float
    end: float

    def running(self, now: float) -> bool:
        """Whether it is in progress at `now`."""
        return self.begin <= now < self.end
