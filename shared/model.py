"""Backups, instances and jobs, and the ports through which the application reaches the world outside.

`shared.cloud` and `shared.runtime` implement the ports; tests implement them with fakes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


MAX_NAME = 64
"""Characters of a backup's name (DDS API, Creating a Manual Backup, table 2)."""

MAX_DESCRIPTION = 256
"""Characters of a backup's description (DDS API, Creating a Manual Backup, table 2)."""


@dataclass(frozen=True, slots=True)
class NewBackup:
    """DDS's answer to a create call. `job_id` is None in regions that do not return one."""

    backup_id: str
    job_id: str | None


@dataclass(frozen=True, slots=True)
class Backup:
    """A manual backup as DDS lists it.

    Attributes:
        status: BUILDING, COMPLETED, FAILED or DISABLED (being deleted).
        begin_time: in UTC; None if DDS does not say.
        end_time: in UTC; None while the backup is BUILDING.
        size: in KB.
        is_restoring: whether the backup's instance is being restored, which forbids deleting the backup.
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
class Instance:
    """An instance as DDS lists it.

    Attributes:
        status: "normal" for a healthy instance.
        mode: Sharding, ReplicaSet or Single.
        created: in UTC; None if DDS does not say.
    """

    id: str
    name: str
    status: str = "normal"
    mode: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    enterprise_project_id: str = ""
    created: datetime | None = None


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

    def show(self, job_id: str) -> Job:
        """Show one job. DDS answers AbsentError in a job's first seconds and after a month."""


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
