"""What create_backup returns and publishes: one outcome for each instance, one status for the event."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from shared.errors import BackupError, CloudError
from shared.identity import EventNames
from shared.model import Notification
from shared.notify import DEFERRED, FAILED, SKIPPED, STARTED, Sender, build_notification
from shared.report import Item, LogEvent, Report, Status, combine_status


class Outcome(str, Enum):
    """What became of one instance."""

    CREATED = "CREATED"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    SKIPPED = "SKIPPED"
    DEFERRED = "DEFERRED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class InstanceResult(Item):
    """The outcome for one instance.

    Attributes:
        name: the backup's name, computed from the event.
        event_key: the key of the event, as in the backup's description.
        job_id_missing: why `job_id` is None although there is a backup.
        backup_status: DDS's status of a backup that existed already, such as "BUILDING".
        code: stable reason of any outcome but CREATED.
        message: the same reason for people.
        retryable: whether a redelivery of the event can still succeed.
        cloud_code: Huawei Cloud's own error code, if there was one.
        warnings: what is unusual but stopped nothing.
        attempts: create calls made.
        duration: seconds spent on this instance.
        notified: whether SMN accepted the notification.
        handed_on: whether another invocation was asked to continue with the instance.
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
    def status(self) -> Status:
        """SUCCEEDED if the instance was handed off, or if a backup exists or is not wanted and that was published."""
        is_good = self.outcome not in {Outcome.FAILED, Outcome.DEFERRED} and self.notified
        return Status.SUCCEEDED if self.handed_on or is_good else Status.FAILED

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to do."""
        return not self.handed_on and (self.retryable or not self.notified)

    @property
    def codes(self) -> list[str]:
        """The code of a result that did not succeed."""
        return [self.code or "not_notified"] if self.status is Status.FAILED else []

    def pending(self) -> list[str]:
        """What a redelivery would do, in words."""
        return [f"{self.instance_id} {self.outcome.value} ({self.code or 'notification not published'})"]

    def log_events(self) -> list[LogEvent]:
        """Return an error for a final failure, a warning for one that may still succeed and for an unusual request."""
        if self.status is Status.SUCCEEDED and not self.warnings:
            return []
        level = logging.WARNING if self.status is Status.SUCCEEDED or self.retryable else logging.ERROR
        return [(level, f"instance {self.outcome.value}", self.document())]

    def document(self) -> dict[str, Any]:
        """Serialize the result; what is unknown is null, what does not apply is left out."""
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
    """Return a FAILED result with the reason that `error` gives."""
    return InstanceResult(
        instance_id,
        Outcome.FAILED,
        code=error.code,
        message=str(error),
        retryable=error.retryable,
        cloud_code=error.cloud_code if isinstance(error, CloudError) else None,
        **facts,
    )


_TYPES = {
    Outcome.CREATED: STARTED,
    Outcome.ALREADY_EXISTS: STARTED,
    Outcome.SKIPPED: SKIPPED,
    Outcome.DEFERRED: DEFERRED,
    Outcome.FAILED: FAILED,
}
_LABELS = {
    "instance_id": "Instance",
    "outcome": "Outcome",
    "name": "Backup",
    "backup_id": "Backup ID",
    "job_id": "Job ID",
    "job_id_missing": "No job ID",
    "backup_status": "Status in DDS",
    "code": "Reason",
    "cloud_code": "DDS code",
    "message": "Details",
}


def result_notification(
    result: InstanceResult, names: EventNames, sender: Sender, now: datetime, instance_name: str | None = None
) -> Notification:
    """Build the notification of one instance's outcome.

    The texts for people have `instance_name`. It is known for a selected instance only, and costs a call for others.
    """
    kind = _TYPES[result.outcome]
    facts = {name: value for name, value in result.document().items() if name != "notified"}
    lines = [f"Instance name: {instance_name}"] if instance_name else []
    lines += [f"{label}: {facts[name]}" for name, label in _LABELS.items() if facts.get(name) is not None]
    if result.retryable:
        lines.append("It is tried again when the event is delivered again; an API caller has to send it again.")
    return build_notification(
        kind,
        identity=(names.key, result.instance_id),
        subject=result.instance_id,
        data=facts,
        lines=lines,
        outcome=result.outcome.value,
        sender=sender,
        now=now,
        retryable=result.retryable,
        summary=f"{instance_name} ({result.instance_id})" if instance_name else None,
    )


@dataclass(frozen=True)
class CreateReport(Report):
    """What became of an event of create_backup.

    Attributes:
        handed_on: how many instances other invocations were asked to back up, in addition to those in `results`.
    """

    results: Sequence[InstanceResult] = ()
    handed_on: int = 0

    @property
    def items(self) -> Sequence[Item]:
        """The results."""
        return self.results

    @property
    def status(self) -> Status:
        """The status of the whole event. What was handed off has succeeded here."""
        return combine_status([super().status, *[Status.SUCCEEDED] * bool(self.handed_on)])

    def body(self) -> dict[str, Any]:
        """Serialize the results and the count of the hand-off."""
        handed_on = {"handed_on": self.handed_on} if self.handed_on else {}
        return {"results": [result.document() for result in self.results], **handed_on}

    def log_facts(self) -> dict[str, Any]:
        """The outcomes, counted."""
        outcomes = Counter(result.outcome.value for result in self.results)
        return {"outcomes": dict(outcomes), "handed_on": self.handed_on}

    def log_items(self) -> dict[str, Sequence[dict[str, Any]]]:
        """The ids and outcomes of all instances."""
        results = [
            {
                "instance_id": result.instance_id,
                "outcome": result.outcome.value,
                "code": result.code,
                "backup_id": result.backup_id,
                "job_id": result.job_id,
                "event_key": result.event_key,
                "attempts": result.attempts,
                "duration": round(result.duration, 3),
            }
            for result in self.results
        ]
        return {"results": results}
