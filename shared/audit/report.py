"""What audit_backups returns and publishes: each finding about an instance, and always one report."""

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.audit.audit import Audit, Judgement, Verdict
from shared.audit.document import (
    serialize_audit,
    serialize_leaked,
    serialize_missed,
    serialize_uncovered,
    serialize_unverified,
)
from shared.audit.drills import LivingDrill, Proof
from shared.audit.email import (
    LEAKED_ADVICE,
    MISSED_ADVICE,
    UNCOVERED_ADVICE,
    UNVERIFIED_ADVICE,
    email_lines,
    verdict_line,
)
from shared.errors import CloudError
from shared.format import timestamp
from shared.model import Instance, Notification
from shared.notify import AUDITED, DRILL_LEAKED, MISSED, UNCOVERED, UNVERIFIED, Sender, build_notification
from shared.report import Item, LogEvent, Report, Status


_LOGGED = {
    "missed": "backup missed",
    "uncovered": "instance not covered",
    "unverified": "backup unverified",
    "leaked_drills": "drill leaked",
}


@dataclass(frozen=True, slots=True)
class AuditResult(Item):
    """One audit that was done, or that could not be done.

    Attributes:
        data: the data of its dds.backup.audited event.
        error: why it could not be done.
        notified: whether SMN accepted the report.
        unpublished: how many notifications about instances SMN did not accept.
    """

    data: dict[str, Any]
    error: CloudError | None = None
    notified: bool = False
    unpublished: int = 0

    @property
    def status(self) -> Status:
        """SUCCEEDED if the audit was done and published. An audit with findings is a successful audit."""
        return Status.SUCCEEDED if self.error is None and self._is_published else Status.FAILED

    @property
    def _is_published(self) -> bool:
        return self.notified and not self.unpublished

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to do."""
        return not self._is_published or (self.error is not None and self.error.retryable)

    @property
    def code(self) -> str | None:
        """Why the audit did not succeed."""
        if self.error:
            return self.error.code
        return None if self._is_published else "not_notified"

    @property
    def codes(self) -> list[str]:
        """The code of an audit that did not succeed."""
        return [self.code] if self.code else []

    def pending(self) -> list[str]:
        """What a redelivery would do, in words."""
        return [f"audit ({self.code})"]

    def log_events(self) -> list[LogEvent]:
        """Return an error for an audit that could not be done, and a warning for each finding about an instance."""
        events: list[LogEvent] = [(logging.ERROR, "audit failed", self.document())] if self.error else []
        verification = self.data.get("verification", {})
        if verification.get("state") == "not_known":
            events.append((logging.WARNING, "verification not known", verification))
        return events + [
            (logging.WARNING, text, one) for name, text in _LOGGED.items() for one in self.data.get(name, ())
        ]

    def document(self) -> dict[str, Any]:
        """Serialize the result."""
        facts = {**self.data, "notified": self.notified}
        return {**facts, "unpublished_findings": self.unpublished} if self.unpublished else facts


@dataclass(frozen=True)
class AuditReport(Report):
    """What became of an event of audit_backups."""

    audits: Sequence[AuditResult] = ()

    @property
    def items(self) -> Sequence[AuditResult]:
        """The audits."""
        return self.audits

    @property
    def is_settled(self) -> bool:
        """Always: an audit is over when it is reported."""
        return True

    def body(self) -> dict[str, Any]:
        """Serialize the audits."""
        return {"audits": [audit.document() for audit in self.audits]}

    def log_facts(self) -> dict[str, Any]:
        """The verdicts, counted."""
        return {"verdicts": dict(Counter(audit.data["verdict"] for audit in self.audits))}

    def log_items(self) -> dict[str, Sequence[dict[str, Any]]]:
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
        return {"audits": audits}


# Notifications.

_MAX_BYTES = 250_000  # of the 256 KB that SMN takes (SMN API, Publishing a Message), for all texts in their JSON form
_MOST_ITEMS = (1000, 300, 100, 30, 10)


@dataclass(frozen=True, slots=True)
class AuditNotifications:
    """Builds the notifications of one audit.

    Attributes:
        identity: identifies the event that asked for the audit, so that its redelivery leads to the same CloudEvents
            ids.
        now: when the notifications are made.
    """

    identity: Sequence[str]
    sender: Sender
    now: datetime

    def missed(self, judgement: Judgement) -> Notification:
        """Build the notification of a backup that did not happen."""
        return self._about_instance(
            MISSED,
            judgement.instance,
            identity=(judgement.policy.name, judgement.instance.id),
            data={**serialize_missed(judgement), "audited_at": timestamp(judgement.now)},
            advice=MISSED_ADVICE,
            outcome="MISSED",
        )

    def uncovered(self, instance: Instance, audited_at: datetime) -> Notification:
        """Build the notification of an instance that is tagged for backup and that no policy covers."""
        message = "the instance is tagged for backup, but no policy of the audit covers it: nobody would notice a gap"
        facts = {"code": "uncovered", "message": message, "audited_at": timestamp(audited_at)}
        return self._about_instance(
            UNCOVERED,
            instance,
            identity=(instance.id,),
            data={**serialize_uncovered(instance), **facts},
            advice=UNCOVERED_ADVICE,
            outcome="UNCOVERED",
        )

    def unverified(self, proof: Proof) -> Notification:
        """Build the notification of an instance without a verified backup."""
        return self._about_instance(
            UNVERIFIED,
            proof.instance,
            identity=(proof.policy.name, proof.instance.id),
            data={**serialize_unverified(proof), "audited_at": timestamp(proof.now)},
            advice=UNVERIFIED_ADVICE,
            outcome="UNVERIFIED",
        )

    def leaked(self, drill: LivingDrill) -> Notification:
        """Build the notification of an instance that a restore drill has left."""
        return self._about_instance(
            DRILL_LEAKED,
            drill.instance,
            identity=(drill.instance.id,),
            data={"outcome": "LEAKED", **serialize_leaked(drill)},
            advice=LEAKED_ADVICE,
            outcome="LEAKED",
        )

    def _about_instance(
        self,
        kind: str,
        instance: Instance,
        *,
        identity: Sequence[str],
        data: dict[str, Any],
        advice: str,
        outcome: str,
    ) -> Notification:
        message = data["message"]
        return build_notification(
            kind,
            identity=(*self.identity, *identity),
            subject=instance.id,
            summary=f"{instance.name} ({instance.id})",
            data=data,
            lines=[f"{message[0].upper()}{message[1:]}.", "", advice],
            outcome=outcome,
            sender=self.sender,
            now=self.now,
        )

    def report(self, audit: Audit, *, findings_published: bool) -> tuple[Notification, dict[str, Any]]:
        """Build the report and its data, with lists as long as SMN takes them."""
        for most in _MOST_ITEMS:
            report = self._report(audit, most, findings_published=findings_published)
            if _fits(report[0]):
                return report
        return self._report(audit, 0, findings_published=findings_published)

    def _report(self, audit: Audit, most: int, *, findings_published: bool) -> tuple[Notification, dict[str, Any]]:
        data = serialize_audit(audit, most=most) | {"findings_published": findings_published}
        notification = build_notification(
            AUDITED,
            identity=self.identity,
            subject=self.sender.project_id,
            summary=verdict_line(audit),
            data=data,
            lines=email_lines(audit, most=most, findings_published=findings_published),
            outcome=audit.verdict.name,
            sender=self.sender,
            now=self.now,
        )
        return notification, data

    def failure(self, error: CloudError, audited_at: datetime) -> tuple[Notification, dict[str, Any]]:
        """Build the report of an audit that could not be done, and its data."""
        data = {
            "verdict": Verdict.FAILED.value,
            "audited_at": timestamp(audited_at),
            "code": error.code,
            "cloud_code": error.cloud_code,
            "message": str(error),
            "retryable": error.retryable,
        }
        again = "It is tried again when the event is delivered again; an API caller has to send it again."
        fix = "It is not tried again before the next event. Somebody has to fix what the message above says."
        notification = build_notification(
            AUDITED,
            identity=(*self.identity, Verdict.FAILED.value),
            subject=self.sender.project_id,
            summary="AUDIT FAILED, nothing is known of any backup",
            data=data,
            lines=[f"DDS did not answer: {error}", again if error.retryable else fix],
            outcome=Verdict.FAILED.name,
            sender=self.sender,
            now=self.now,
            retryable=error.retryable,
        )
        return notification, data


def _fits(notification: Notification) -> bool:
    return len(json.dumps([notification.body, notification.email, notification.sms])) <= _MAX_BYTES
