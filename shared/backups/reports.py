"""What a function returns of an event: what every report has, and create_backup's."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from shared.backups.outcomes import InstanceResult
from shared.backups.rejections import Rejection


class Status(str, Enum):
    """What became of the whole event."""

    SUCCEEDED = "SUCCEEDED"
    PARTIALLY_FAILED = "PARTIALLY_FAILED"
    FAILED = "FAILED"


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
        return results + [rejection.left() for rejection in self.rejected if rejection.unfinished]

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
        return found + [rejection.problem() for rejection in self.rejected]

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
