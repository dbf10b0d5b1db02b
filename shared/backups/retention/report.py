"""What prune_backups returns of an event, and what it publishes of each run."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.backups.event_types import PRUNED
from shared.backups.notifications import Sender, make_notification
from shared.backups.ports import Notification
from shared.backups.rejections import Rejection
from shared.backups.reports import Status
from shared.backups.retention.document import describe
from shared.backups.retention.results import PruneOutcome, PruneResult
from shared.backups.retention.texts import lines, summary


def announce_run(result: PruneResult, sender: Sender, now: datetime) -> Notification:
    """The notification of a run; its CloudEvents ``id`` is the same at every redelivery of the event.

    Only one that leaves something for a redelivery has another, so that nobody drops the last one as seen before.
    """
    return make_notification(
        PRUNED,
        identity=(*result.identity, "unfinished") if result.comes_again else result.identity,
        subject=sender.project_id,
        data=describe(result),
        lines=list(lines(result)),
        outcome=result.outcome.value,
        sender=sender,
        now=now,
        summary=summary(result),
    )


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What became of an event of prune_backups; see `shared.backups.reports.Report`.

    Attributes:
        runs: one for each request in the event.
        ignored: how many messages were this application's own notifications.
    """

    trigger: str
    request_id: str
    runs: Sequence[PruneResult] = ()
    rejected: Sequence[Rejection] = ()
    ignored: int = 0

    @property
    def status(self) -> Status:
        """SUCCEEDED if all did, FAILED if all failed."""
        found = {*(run.status for run in self.runs), *(Status.FAILED for _ in self.rejected)}
        return found.pop() if len(found) == 1 else Status.PARTIALLY_FAILED if found else Status.SUCCEEDED

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery of the event has something to do."""
        return any(run.unfinished for run in self.runs) or any(r.unfinished for r in self.rejected)

    @property
    def codes(self) -> list[str]:
        """The stable codes of what went wrong."""
        rejected = [rejection.error.code for rejection in self.rejected]
        return rejected + [code for run in self.runs for code in run.codes]

    def left(self) -> list[str]:
        """What a redelivery would do, in words."""
        runs = [f"{summary(run)} ({', '.join(run.codes)})" for run in self.runs if run.unfinished]
        return runs + [rejection.left() for rejection in self.rejected if rejection.unfinished]

    def document(self) -> dict[str, Any]:
        """The report as JSON; long lists are cut as in the notification."""
        facts: dict[str, Any] = {
            "status": self.status.value,
            "trigger": self.trigger,
            "request_id": self.request_id,
            "runs": [{**describe(run), "notified": run.notified} for run in self.runs],
        }
        if self.rejected:
            facts["rejected"] = [rejection.document() for rejection in self.rejected]
        return facts | ({"ignored": self.ignored} if self.ignored else {})

    def problems(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Errors for what is final, warnings for what may still succeed or is merely odd."""
        found: list[tuple[int, str, dict[str, Any]]] = []
        for run in self.runs:
            if run.failure:
                found.append((_level(run.failure.retryable), "backups not listed", run.failure.document()))
            for result in run.results(PruneOutcome.FAILED, PruneOutcome.LEFT):
                retryable = bool(result.failure and result.failure.retryable)
                found.append((_level(retryable), f"backup {result.outcome.value}", result.document()))
            if run.holds_back:
                ids = [instance.instance_id for instance in run.instances if instance.held_back]
                found.append((logging.WARNING, "backups held back", {"code": "needs_force", "instance_ids": ids[:100]}))
            found += ((logging.WARNING, "odd request", {"error": warning}) for warning in run.warnings)
        return found + [rejection.problem() for rejection in self.rejected]

    def summary(self) -> dict[str, Any]:
        """The totals of each run, and which backups were deleted."""
        runs = [
            {
                "outcome": run.outcome.value,
                "totals": {outcome.value.lower(): number for outcome, number in run.counts().items()},
                "deleted": [result.backup.id for result in run.results(PruneOutcome.DELETED)],
                "notified": run.notified,
            }
            for run in self.runs
        ]
        return {"runs": runs, "rejected": len(self.rejected), "ignored": self.ignored}


def _level(retryable: bool) -> int:
    return logging.WARNING if retryable else logging.ERROR
