"""What became of an event: one outcome an instance, one status an event."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from shared.backups.errors import BackupError, CloudError


class Outcome(str, Enum):
    """What became of one instance."""

    CREATED = "CREATED"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    SKIPPED = "SKIPPED"
    DEFERRED = "DEFERRED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class InstanceResult:
    """The outcome for one instance.

    Attributes:
        name: the backup's name, computed from the event.
        event_key: the key of the event, as in the backup's description.
        code: stable reason of anything but CREATED; for FAILED and DEFERRED see `retryable`.
        message: the same for people.
        retryable: whether a redelivery of the event can still succeed.
        cloud_code: the cloud's own error code, if it gave one.
        job_id_missing: why `job_id` is None although there is a backup.
        backup_status: what DDS says of a backup that existed already, such as "BUILDING".
        warnings: what is odd but stopped nothing.
        attempts: create calls made.
        duration: seconds spent on this instance.
        notified: whether the notification was accepted by SMN.
        handed_on: whether another invocation was asked to go on with the instance.
    """

    instance_id: str
    outcome: Outcome
    name: str | None = None
    event_key: str | None = None
    backup_id: str | None = None
    job_id: str | None = None
    job_id_missing: str | None = None
    backup_status: str | None = None
    code: str | None = None
    message: str | None = None
    retryable: bool = False
    cloud_code: str | None = None
    warnings: tuple[str, ...] = ()
    attempts: int = 0
    duration: float = 0.0
    notified: bool = False
    handed_on: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether nothing is left to do here: the backup exists or is not wanted, which was announced; or handed on."""
        return self.handed_on or (self.outcome not in {Outcome.FAILED, Outcome.DEFERRED} and self.notified)

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to do."""
        return not self.handed_on and (self.retryable or not self.notified)

    def document(self) -> dict[str, Any]:
        """The result as JSON; what is unknown is null, what does not apply is left out."""
        facts: dict[str, Any] = {
            "instance_id": self.instance_id,
            "outcome": self.outcome.value,
            "name": self.name,
            "event_key": self.event_key,
            "backup_id": self.backup_id,
            "job_id": self.job_id,
            "notified": self.notified,
        }
        optional = ("job_id_missing", "backup_status", "code", "message", "cloud_code")
        facts.update((name, value) for name in optional if (value := getattr(self, name)) is not None)
        if self.outcome in {Outcome.FAILED, Outcome.DEFERRED}:
            facts["retryable"] = self.retryable
        if self.handed_on:
            facts["handed_on"] = True
        if self.warnings:
            facts["warnings"] = list(self.warnings)
        return facts


def failed(instance_id: str, error: BackupError, **facts: Any) -> InstanceResult:
    """FAILED, for the reason that `error` gives."""
    return InstanceResult(
        instance_id,
        Outcome.FAILED,
        code=error.code,
        message=str(error),
        retryable=error.retryable,
        cloud_code=error.cloud_code if isinstance(error, CloudError) else None,
        **facts,
    )
