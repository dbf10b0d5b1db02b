"""What became of an event: one outcome an instance, one status an event."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from shared.backups.errors import BackupError, CloudError, RequestError


class Outcome(str, Enum):
    """What became of one instance."""

    CREATED = "CREATED"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    SKIPPED = "SKIPPED"
    DEFERRED = "DEFERRED"
    FAILED = "FAILED"


class Status(str, Enum):
    """What became of the whole event."""

    SUCCEEDED = "SUCCEEDED"
    PARTIALLY_FAILED = "PARTIALLY_FAILED"
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


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message from which nothing came: it can never be carried out, or, if the error is retryable, not now.

    Attributes:
        position: where it stood in the event, such as "record.1.smn.message".
        payload: what it said, so that nothing is lost.
        identity: what identifies it, for a notification that is the same at a redelivery.
    """

    position: str
    error: BackupError
    payload: object
    identity: tuple[str, ...]
    notified: bool = False

    @property
    def errors(self) -> tuple[str, ...]:
        """Every fault found, one line each."""
        return self.error.errors if isinstance(self.error, RequestError) else (str(self.error),)

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to do."""
        return self.error.retryable or not self.notified

    def document(self) -> dict[str, Any]:
        """The rejection as JSON, without the payload."""
        return {
            "position": self.position,
            "code": self.error.code,
            "message": str(self.error),
            "errors": list(self.errors),
            "notified": self.notified,
        }


class Report(Protocol):
    """What a function returns of an event."""

    @property
    def trigger(self) -> str:
        """The trigger's name, "unknown" if it is of no known kind."""

    @property
    def status(self) -> Status:
        """What became of the whole event."""

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery of the event has something to do."""

    @property
    def codes(self) -> Sequence[str]:
        """The stable codes of what went wrong."""

    def left(self) -> Sequence[str]:
        """What a redelivery would do, in words."""

    def document(self) -> dict[str, Any]:
        """The report as JSON."""

    def problems(self) -> Sequence[tuple[int, str, dict[str, Any]]]:
        """What deserves a log line of its own: level, message, fields."""

    def summary(self) -> dict[str, Any]:
        """The facts for the one line of the invocation."""


@dataclass(frozen=True, slots=True)
class EventReport:
    """What became of an event of create_backup.

    Attributes:
        trigger: the trigger's name, "unknown" if it is of no known kind.
        ignored: how many messages were this application's own notifications.
        handed_on: how many instances other invocations were asked to back up, beside those in `results`.
        not_handed_on: how many were to be, but the request topic did not take the message.
    """

    trigger: str
    request_id: str
    results: Sequence[InstanceResult] = ()
    rejected: Sequence[Rejection] = ()
    ignored: int = 0
    handed_on: int = 0
    not_handed_on: int = 0

    @property
    def status(self) -> Status:
        """SUCCEEDED if nothing is left and nothing was rejected, FAILED if nothing succeeded."""
        good = sum(result.succeeded for result in self.results) + self.handed_on
        if good == len(self.results) + self.handed_on and not self.rejected and not self.not_handed_on:
            return Status.SUCCEEDED
        return Status.PARTIALLY_FAILED if good else Status.FAILED

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery of the event has something to do."""
        left = any(r.unfinished for r in self.results) or any(r.unfinished for r in self.rejected)
        return left or bool(self.not_handed_on)

    @property
    def codes(self) -> list[str]:
        """The code of everything that is not as it was asked for; one that was only not announced has its own."""
        rejected = [rejection.error.code for rejection in self.rejected]
        codes = rejected + [result.code or "not_notified" for result in self.results if not result.succeeded]
        return codes + ["not_handed_on"] * bool(self.not_handed_on)

    def left(self) -> list[str]:
        """What a redelivery would do, in words."""
        unannounced = "notification not published"
        results = [f"{r.instance_id} {r.outcome.value} ({r.code or unannounced})" for r in self.results if r.unfinished]
        if self.not_handed_on:
            results.append(f"{self.not_handed_on} instances not handed on")
        return results + [
            f"{r.position} rejected ({r.error.code if r.error.retryable else unannounced})"
            for r in self.rejected
            if r.unfinished
        ]

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        facts: dict[str, Any] = {
            "status": self.status.value,
            "trigger": self.trigger,
            "request_id": self.request_id,
            "results": [result.document() for result in self.results],
        }
        if self.rejected:
            facts["rejected"] = [rejection.document() for rejection in self.rejected]
        counts = {"ignored": self.ignored, "handed_on": self.handed_on, "not_handed_on": self.not_handed_on}
        return facts | {name: count for name, count in counts.items() if count}

    def problems(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Errors for what is final, warnings for what may still succeed or is merely odd."""
        found = [
            (
                logging.WARNING if result.succeeded or result.retryable else logging.ERROR,
                f"instance {result.outcome.value}",
                result.document(),
            )
            for result in self.results
            if not result.succeeded or result.warnings
        ]
        return found + [(logging.ERROR, "message rejected", rejection.document()) for rejection in self.rejected]

    def summary(self) -> dict[str, Any]:
        """Status, and for each instance what one looks for at 3 a.m."""
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
        counts = {"ignored": self.ignored, "handed_on": self.handed_on, "not_handed_on": self.not_handed_on}
        return {"results": results, "rejected": len(self.rejected), **counts}
