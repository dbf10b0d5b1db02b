"""What is stored of DDS. Times are seconds since the epoch (UTC), durations seconds, sizes KB."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal


DAY = 86_400.0
Mode = Literal["Sharding", "ReplicaSet", "Single"]


@dataclass(frozen=True, slots=True)
class Policy:
    """An automatic backup policy; `keep_days` is never 0 here (no policy is None).

    What was due until `since` has been made.
    """

    keep_days: int
    start_time: str
    period: str
    incremental: bool
    since: float


@dataclass(frozen=True, slots=True)
class Instance:
    """A DB instance. `actions` are under way until `busy_until`, or for ever when that is None."""

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

    def actions_at(self, now: float) -> tuple[str, ...]:
        """The operations under way, backups aside."""
        return self.actions if self.busy_until is None or now < self.busy_until else ()


class BackupStatus(str, Enum):
    """The documented states of a backup."""

    BUILDING = "BUILDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup: it runs from `begin` for `duration`, and fails at its end when `fail_reason` is given.

    A deleted one is DISABLED from `deleted_at` until `gone_at`; an automatic one is gone at `expires_at`.
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
        """When it is done, well or not."""
        return self.begin + self.duration

    def running(self, now: float) -> bool:
        """Whether it is being made at `now`."""
        return self.begin <= now < self.end

    def status(self, now: float) -> BackupStatus | None:
        """Its state at `now`, None when it is gone."""
        if self.expires_at is not None and now >= self.expires_at:
            return None
        if self.deleted_at is not None and self.gone_at is not None:
            return BackupStatus.DISABLED if now < self.gone_at else None
        if now < self.end:
            return BackupStatus.BUILDING
        return BackupStatus.COMPLETED if self.fail_reason is None else BackupStatus.FAILED


class JobKind(str, Enum):
    """Why a job exists. A backup is the task named in "Querying Tasks"; the other names are not documented."""

    BACKUP = "MongodbSnapshotBackup"
    DELETE = "DeleteBackup"
    STOP = "StopBackup"


@dataclass(frozen=True, slots=True)
class Job:
    """An asynchronous task, running from `begin` for `duration`; it fails at its end with `fail_reason`."""

    id: str
    kind: JobKind
    instance_id: str
    instance_name: str
    begin: float
    duration: float
    fail_reason: str | None = None

    @property
    def end(self) -> float:
        """When it is done, well or not."""
        return self.begin + self.duration

    def status(self, now: float) -> Literal["Running", "Completed", "Failed"]:
        """Its state at `now`."""
        if now < self.end:
            return "Running"
        return "Completed" if self.fail_reason is None else "Failed"

    def progress(self, now: float) -> str:
        """Like "60%" while it runs, else "" (DDS API, Querying Tasks)."""
        return f"{int(100 * (now - self.begin) / self.duration)}%" if now < self.end else ""
