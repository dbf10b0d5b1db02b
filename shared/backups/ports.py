"""What the domain needs of the world outside; `shared.cloud` and `shared.runtime` provide it, tests fake it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class NewBackup:
    """What DDS answers to a create: `job_id` is None in regions that do not return one."""

    backup_id: str
    job_id: str | None


@dataclass(frozen=True, slots=True)
class Backup:
    """A manual backup as DDS lists it.

    Attributes:
        status: BUILDING, COMPLETED, FAILED or DISABLED (being deleted).
        begin_time: in UTC; None if DDS does not tell it.
        end_time: in UTC; None while it is building.
        size: in KB.
        is_restoring: whether a restore of its instance is under way, which forbids deleting it.
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
    """A job of the task list that makes a backup; `created_at` in UTC, the rest as in Job."""

    id: str
    instance_id: str
    created_at: datetime
    status: str = ""
    progress: str = ""
    fail_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as DDS shows it: `status` is Running, Completed or Failed; `progress` such as "60%" or ""."""

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
        status: "normal" if all is well.
        mode: Sharding, ReplicaSet or Single.
        created: in UTC; None if DDS does not tell it.
    """

    id: str
    name: str
    status: str = "normal"
    mode: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    enterprise_project_id: str = ""
    created: datetime | None = None


class Instances(Protocol):
    """The instances of the project. Raises only errors of the tree under CloudError."""

    def list(self) -> Sequence[Instance]:
        """All of them, to the last page."""


class Backups(Protocol):
    """Manual backups in DDS. Every method raises only errors of the tree under CloudError."""

    def create(self, instance_id: str, name: str, description: str) -> NewBackup:
        """Start a manual backup; AmbiguousError leaves open whether it was started."""

    def list(
        self,
        *,
        name_part: str | None = None,
        description_part: str | None = None,
        backup_id: str | None = None,
        instance_id: str | None = None,
        since: datetime | None = None,
    ) -> Sequence[Backup]:
        """Manual backups that meet every criterion given, to the last page; `since` is when they began.

        A region that does not know a filter ignores it: callers filter again. AbsentError, or nothing, for an unknown
        `backup_id`.
        """

    def delete(self, backup_id: str) -> None:
        """Start to delete a manual backup; AbsentError if there is none, AmbiguousError leaves it open."""


class Jobs(Protocol):
    """The task list of DDS. Raises only errors of the tree under CloudError."""

    def created_between(self, since: datetime, until: datetime) -> Sequence[BackupJob]:
        """The jobs that make a backup, created in that window, which is 30 days at most, to the last page."""

    def show(self, job_id: str) -> Job:
        """One job; AbsentError if DDS does not know it, which is so for its first seconds and after a month."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What is published: a CloudEvent for programs and two texts for people.

    Attributes:
        subject: at most 512 bytes.
        body: the CloudEvent in JSON.
        email: the text that e-mail subscribers get.
        sms: at most 490 characters, without square brackets.
        attributes: message attributes, by which subscriptions can filter.
    """

    subject: str
    body: str
    email: str
    sms: str
    attributes: dict[str, str] = field(default_factory=dict)


class Topic(Protocol):
    """The SMN topic that hears of every backup."""

    def publish(self, notification: Notification) -> str:
        """Publish and return the message id; raises an error of the tree under CloudError."""


class Clock(Protocol):
    """Time, so that tests need not wait."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds since some moment in the past; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
