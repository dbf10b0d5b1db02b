"""Backups, instances and jobs, and the ports through which the application reaches the world outside.

`shared.cloud` and `shared.runtime` implement the ports; tests implement them with fakes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol


MAX_NAME = 64
"""Characters of a backup's name (DDS API, Creating a Manual Backup, table 2)."""

MAX_DESCRIPTION = 256
"""Characters of a backup's description (DDS API, Creating a Manual Backup, table 2)."""

JOBS_KEPT = timedelta(days=30)
"""How long DDS lists jobs (DDS API, Querying Task Details: the tasks of the last month)."""


@dataclass(frozen=True, slots=True)
class NewBackup:
    """DDS's answer to a create call. `job_id` is None in regions that do not return one."""

    backup_id: str
    job_id: str | None


@dataclass(frozen=True, slots=True)
class Backup:
    """A full backup as DDS lists it.

    Attributes:
        status: BUILDING, COMPLETED, FAILED or DISABLED (being deleted).
        begin_time: in UTC; None if DDS does not say.
        end_time: in UTC; None while the backup is BUILDING.
        size: in KB.
        is_restoring: whether the backup's instance is being restored, which forbids deleting the backup.
        is_automatic: whether DDS made it by the backup policy of the instance.
        mode: of the instance: Sharding, ReplicaSet or Single.
        version: of the instance, such as "4.0".
    """

    id: str
    name: str
    instance_id: str
    status: str
    begin_time: datetime | None
    description: str | None = None
    instance_name: str = ""
    end_time: datetime | None = None
    size: int | None = None
    is_restoring: bool = False
    is_automatic: bool = False
    mode: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class BackupJob:
    """A job of the task list that makes or deletes a backup.

    `created_at` is in UTC; for the other attributes see `Job`.
    """

    id: str
    instance_id: str
    created_at: datetime
    status: str = ""
    progress: str = ""
    fail_reason: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceTask:
    """A task of the task list that restores data to a new instance or restarts an instance.

    Attributes:
        is_restart: whether it restarts the instance; otherwise it restores data to it.
        instance_id: of the instance that is restarted, or of the new one.
        instance_name: its name when the task was created.
        status: Running, Completed or Failed.
        created_at: in UTC.
        ended_at: in UTC; None while it runs.
    """

    id: str
    is_restart: bool
    instance_id: str
    instance_name: str
    status: str
    created_at: datetime
    ended_at: datetime | None = None
    fail_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as DDS shows it.

    Attributes:
        status: Running, Completed or Failed.
        progress: such as "60%", or "".
        created_at: in UTC; None if DDS does not say.
    """

    id: str
    status: str
    progress: str = ""
    instance_id: str = ""
    fail_reason: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """The nodes of an instance that have one purpose: mongos, a shard, config, a replica set, or the single node.

    Attributes:
        kind: mongos, shard, config, replica or single.
        spec_code: the specification of each node.
        size: the disk in GB; None for mongos, which has none.
        used: GB of the disk in use; None if DDS does not say.
        hosts: the private IP addresses of the nodes that clients can connect to, which hidden nodes are not.
        availability_zones: the zones of the nodes, each once, in the order of the nodes.
    """

    kind: str
    spec_code: str
    size: int | None = None
    used: float | None = None
    hosts: tuple[str, ...] = ()
    availability_zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance as DDS lists it.

    Attributes:
        status: "normal" for a healthy instance.
        mode: Sharding, ReplicaSet or Single.
        created: in UTC; None if DDS does not say.
        version: such as "4.0".
        actions: the operations in progress, such as BACKUP or RESTORE_TO_NEW_INSTANCE.
        is_prepaid: whether it is billed yearly or monthly. DDS refuses to delete such an instance.
        backup_window: when the automatic backups begin, as hh:mm-HH:MM in UTC; empty if there are none.
        backup_days: days for which automatic backups are kept; 0 if there are none.
        disk_encryption_id: the key that encrypts the disks; empty if they are not encrypted.
    """

    id: str
    name: str
    status: str = "normal"
    mode: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    enterprise_project_id: str = ""
    created: datetime | None = None
    version: str = ""
    actions: tuple[str, ...] = ()
    port: int = 8635
    has_tls: bool = False
    user: str = "rwuser"
    is_prepaid: bool = False
    vpc_id: str = ""
    subnet_id: str = ""
    security_group_id: str = ""
    backup_window: str = ""
    backup_days: int = 0
    disk_encryption_id: str = ""
    groups: tuple[NodeGroup, ...] = ()


class Instances(Protocol):
    """The instances of the project. Raises only subclasses of CloudError."""

    def list(self) -> Sequence[Instance]:
        """List all of them, to the last page."""


class Backups(Protocol):
    """Manual backups in DDS. Every method raises only subclasses of CloudError."""

    def create(self, instance_id: str, name: str, description: str) -> NewBackup:
        """Start a manual backup. AmbiguousError leaves open whether it was started."""

    def list(
        self,
        *,
        name_part: str | None = None,
        description_part: str | None = None,
        backup_id: str | None = None,
        instance_id: str | None = None,
        since: datetime | None = None,
    ) -> Sequence[Backup]:
        """List the manual backups that meet every given criterion, to the last page.

        `since` is the earliest begin time. A region that does not know a filter ignores it, so callers filter the
        result again. For an unknown `backup_id` the result is empty or AbsentError is raised.
        """

    def delete(self, backup_id: str) -> None:
        """Start to delete a manual backup. AmbiguousError leaves open whether the deletion was started."""


class Jobs(Protocol):
    """The task list of DDS. Raises only subclasses of CloudError."""

    def created_between(self, since: datetime, until: datetime, *, patience: float = math.inf) -> Sequence[BackupJob]:
        """List the jobs that make backups, created within at most 30 days, to the last page.

        No page is asked for later than `patience` seconds after the call.
        """

    def deleting_between(self, since: datetime, until: datetime, *, patience: float = math.inf) -> Sequence[BackupJob]:
        """List the jobs that delete backups, in the same way. Whether DDS lists any is not documented."""

    def restoring_between(
        self, since: datetime, until: datetime, *, patience: float = math.inf
    ) -> Sequence[InstanceTask]:
        """List the tasks that restore to new instances or restart instances, in the same way."""

    def show(self, job_id: str) -> Job:
        """Show one job. DDS answers AbsentError in a job's first seconds and after a month."""


@dataclass(frozen=True, slots=True)
class Flavor:
    """Nodes of one purpose of an instance to be made.

    Attributes:
        kind: mongos, shard, config, replica or single.
        number: of nodes (mongos, single) or of groups of nodes (shard, config, replica).
        spec_code: the specification of each node.
        size: the disk in GB, a multiple of 10; None for mongos.
    """

    kind: str
    number: int
    spec_code: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class NewInstance:
    """An instance to be made from a backup (DDS API, Restoring Data to a New DB Instance).

    It is billed by use and has no automatic backups.

    Attributes:
        backup_id: the backup to restore; None to restore `source_id` to `restore_time`.
        password: of the administrator; None lets DDS decide.
        disk_encryption_id: the key that encrypts the disks; empty if they are not to be encrypted.
    """

    name: str
    backup_id: str | None
    source_id: str
    flavors: tuple[Flavor, ...]
    availability_zone: str
    vpc_id: str
    subnet_id: str
    security_group_id: str
    enterprise_project_id: str
    has_tls: bool
    restore_time: datetime | None = None
    password: str | None = field(default=None, repr=False)
    disk_encryption_id: str = ""


@dataclass(frozen=True, slots=True)
class StartedRestore:
    """DDS's answer to a restore. `job_id` is None if the answer has none."""

    instance_id: str
    job_id: str | None


@dataclass(frozen=True, slots=True)
class Database:
    """A database as DDS lists it. `data_size` and `storage_size` are in GB with two decimals."""

    name: str
    collections: int
    data_size: float
    storage_size: float


@dataclass(frozen=True, slots=True)
class Quota:
    """How many instances of a mode a project may have, and has."""

    limit: int
    used: int


class Restores(Protocol):
    """Restoring backups to new instances, and looking after these. Every method raises only subclasses of CloudError.

    No method restores over an instance that exists.
    """

    def restore(self, new: NewInstance) -> StartedRestore:
        """Start to make an instance from a backup. AmbiguousError leaves open whether it was started."""

    def databases(self, instance_id: str) -> Sequence[Database]:
        """List the databases of a normal instance, without admin and config, to the last page."""

    def windows(self, instance_id: str, day: date) -> Sequence[tuple[datetime, datetime]]:
        """List the periods of a day (UTC) to any moment of which an instance can be restored."""

    def recycled(self) -> int:
        """Return how many instances are in the recycle bin."""

    def quotas(self) -> dict[str, Quota]:
        """Return the quota of each mode."""

    def tag(self, instance_id: str, key: str, value: str) -> None:
        """Add a tag to an instance, or replace its value."""

    def reset_password(self, instance_id: str, password: str) -> None:
        """Set the password of the administrator. AmbiguousError leaves open whether it was set."""

    def restart(self, instance_id: str) -> None:
        """Start to restart an instance. AmbiguousError leaves open whether the restart was started."""

    def delete(self, instance_id: str) -> None:
        """Start to delete an instance. AmbiguousError leaves open whether the deletion was started."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A message to publish: a CloudEvent for programs and two texts for people.

    Attributes:
        subject: at most 512 bytes.
        body: the CloudEvent in JSON.
        email: the text for e-mail subscribers.
        sms: at most 490 characters, without square brackets.
        attributes: message attributes, which the filter policies of subscriptions use.
    """

    subject: str
    body: str
    email: str
    sms: str
    attributes: dict[str, str] = field(default_factory=dict)


class Topic(Protocol):
    """An SMN topic."""

    def publish(self, notification: Notification) -> str:
        """Publish and return the message id. Raises only subclasses of CloudError."""


class Clock(Protocol):
    """Time. Tests replace it so that they need not wait."""

    def now(self) -> datetime:
        """The current time in UTC."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment in the past; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Block for this many seconds."""
