"""What became of an event of track_backups."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.backups.rejections import Rejection
from shared.backups.reports import Status
from shared.backups.tracking.answers import Answer, State, combine
from shared.backups.tracking.following import Announced, Followed


@dataclass(frozen=True, slots=True)
class TrackReport:
    """Fulfils `shared.backups.reports.Report`.

    Attributes:
        trigger: the trigger's name, "unknown" if it is of no known kind.
        followed: the windows of ticks and spans.
        answers: the answers to questions.
        ignored: how many messages were this application's own notifications.
    """

    trigger: str
    request_id: str
    followed: Sequence[Followed] = ()
    answers: Sequence[Answer] = ()
    rejected: Sequence[Rejection] = ()
    ignored: int = 0

    @property
    def status(self) -> Status:
        """SUCCEEDED if everything was announced and answered, whatever the answers say; FAILED if nothing was."""
        if not self.rejected and not self._silent:
            return Status.SUCCEEDED
        good = len(self.answers) + sum(all(a.notified for a in followed.announced) for followed in self.followed)
        return Status.PARTIALLY_FAILED if good or any(a.notified for a in self._announced) else Status.FAILED

    @property
    def is_over(self) -> bool:
        """Whether nothing that was asked for is still under way or yet to be seen."""
        return all(answer.state in {State.COMPLETED, State.FAILED} for answer in self.answers)

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery of the event has something to do."""
        return bool(self._silent) or any(rejection.unfinished for rejection in self.rejected)

    @property
    def codes(self) -> list[str]:
        """The code of everything that was rejected; what was not announced has its own."""
        return [rejection.error.code for rejection in self.rejected] + ["not_notified"] * bool(self._silent)

    def left(self) -> list[str]:
        """What a redelivery would do, in words."""
        silent = [f"{a.occurrence.backup.id} {a.occurrence.kind} (notification not published)" for a in self._silent]
        return silent + [rejection.left() for rejection in self.rejected if rejection.unfinished]

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        facts: dict[str, Any] = {
            "status": self.status.value,
            "trigger": self.trigger,
            "request_id": self.request_id,
        }
        if self.answers:
            facts["state"] = combine([answer.state for answer in self.answers]).value
            facts["answers"] = [answer.document() for answer in self.answers]
        if self.followed:
            facts["windows"] = [followed.document() for followed in self.followed]
        if self.rejected:
            facts["rejected"] = [rejection.document() for rejection in self.rejected]
        return facts | ({"ignored": self.ignored} if self.ignored else {})

    def problems(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Warnings for what comes again, errors for what does not."""
        found = [(logging.WARNING, "not announced", announced.document()) for announced in self._silent]
        found += [
            (logging.WARNING, "backup without times", {"backup_id": backup_id})
            for followed in self.followed
            for backup_id in followed.untimed
        ]
        return found + [rejection.problem() for rejection in self.rejected]

    def summary(self) -> dict[str, Any]:
        """Status, and what was announced or answered."""
        return {
            "windows": [followed.summary() for followed in self.followed],
            "answers": [{**answer.question, "state": answer.state.value} for answer in self.answers],
            "rejected": len(self.rejected),
            "ignored": self.ignored,
        }

    @property
    def _announced(self) -> list[Announced]:
        return [announced for followed in self.followed for announced in followed.announced]

    @property
    def _silent(self) -> list[Announced]:
        return [announced for announced in self._announced if not announced.notified]
