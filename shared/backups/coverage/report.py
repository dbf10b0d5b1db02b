"""What audit_backups returns of an event."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.backups.errors import CloudError
from shared.backups.rejections import Rejection
from shared.backups.reports import Status


@dataclass(frozen=True, slots=True)
class AuditResult:
    """One audit that was done, or could not be.

    Attributes:
        data: that of its dds.backup.audited event.
        error: why it could not be done.
        notified: whether SMN took the report.
        unpublished: how many notifications about instances SMN did not take.
    """

    data: dict[str, Any]
    error: CloudError | None = None
    notified: bool = False
    unpublished: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether it was done and announced, whatever it found: an audit with findings is a successful audit."""
        return self.error is None and self.is_announced

    @property
    def is_announced(self) -> bool:
        """Whether everything was."""
        return self.notified and not self.unpublished

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to do."""
        return not self.is_announced or (self.error is not None and self.error.retryable)

    @property
    def code(self) -> str | None:
        """Why it did not succeed."""
        if self.error:
            return self.error.code
        return None if self.is_announced else "not_notified"

    def document(self) -> dict[str, Any]:
        """The result as JSON."""
        facts = {**self.data, "notified": self.notified}
        return {**facts, "unpublished_findings": self.unpublished} if self.unpublished else facts


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What became of an event of audit_backups; fulfils `shared.backups.reports.Report`.

    Attributes:
        trigger: the trigger's name, "unknown" if it is of no known kind.
        ignored: how many messages were this application's own notifications.
    """

    trigger: str
    request_id: str
    audits: Sequence[AuditResult] = ()
    rejected: Sequence[Rejection] = ()
    ignored: int = 0

    @property
    def status(self) -> Status:
        """SUCCEEDED if every audit was done and announced and nothing was rejected, FAILED if none was."""
        good = sum(audit.succeeded for audit in self.audits)
        if good == len(self.audits) and not self.rejected:
            return Status.SUCCEEDED
        return Status.PARTIALLY_FAILED if good else Status.FAILED

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery of the event has something to do."""
        return any(audit.unfinished for audit in self.audits) or any(r.unfinished for r in self.rejected)

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to wait for: an audit is done when it is reported."""
        return True

    @property
    def codes(self) -> list[str]:
        """The code of everything that did not succeed."""
        return [rejection.error.code for rejection in self.rejected] + [a.code for a in self.audits if a.code]

    def left(self) -> list[str]:
        """What a redelivery would do, in words."""
        audits = [f"audit ({audit.code})" for audit in self.audits if audit.unfinished]
        return audits + [rejection.left() for rejection in self.rejected if rejection.unfinished]

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        facts: dict[str, Any] = {
            "status": self.status.value,
            "trigger": self.trigger,
            "request_id": self.request_id,
            "audits": [audit.document() for audit in self.audits],
        }
        if self.rejected:
            facts["rejected"] = [rejection.document() for rejection in self.rejected]
        return {**facts, "ignored": self.ignored} if self.ignored else facts

    def problems(self) -> list[tuple[int, str, dict[str, Any]]]:
        """An error for each audit that could not be done, a warning for each finding about an instance."""
        found: list[tuple[int, str, dict[str, Any]]] = []
        for audit in self.audits:
            if audit.error:
                found.append((logging.ERROR, "audit failed", audit.document()))
            found += [(logging.WARNING, "backup missed", missed) for missed in audit.data.get("missed", ())]
            found += [(logging.WARNING, "instance not covered", one) for one in audit.data.get("uncovered", ())]
        return found + [rejection.problem() for rejection in self.rejected]

    def summary(self) -> dict[str, Any]:
        """The verdict and the totals of each audit."""
        audits = [
            {
                "verdict": audit.data["verdict"],
                "audited_at": audit.data["audited_at"],
                "code": audit.code,
                **audit.data.get("totals", {}),
                "notified": audit.notified,
                "unpublished_findings": audit.unpublished,
            }
            for audit in self.audits
        ]
        return {"audits": audits, "rejected": len(self.rejected), "ignored": self.ignored}
