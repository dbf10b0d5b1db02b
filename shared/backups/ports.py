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
    """A manual backup as DDS lists it; `begin_time` in UTC, None if DDS does not tell it."""

    id: str
    name: str
    instance_id: str
    status: str
    begin_time: datetime | None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class BackupJob:
    """A job of the task list that makes a backup; `created_at` in UTC."""

    id: str
    instance_id: str
    created_at: datetime


class Backups(Protocol):
    """Manual backups in DDS. Every method raises only errors of the tree under CloudError."""

    def create(self, instance_id: str, name: str, description: str) -> NewBackup:
        """Start a manual backup; AmbiguousError leaves open whether it was started."""

    def list(
        self, *, name_part: str | None = None, instance_id: str | None = None, since: datetime | None = None
    ) -> Sequence[Backup]:
        """Manual backups whose name contains `name_part`, to the last page.

        A region that does not know a filter ignores it: callers filter again.
        """

    def jobs(self, since: datetime, until: datetime) -> Sequence[BackupJob]:
        """The backup jobs created in that window, which is 30 days at most, to the last page."""


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
