"""What the topic hears of an audit: each finding about an instance, and always one report."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.backups.coverage.documents import audit_document, missed_document, missed_message, uncovered_document
from shared.backups.coverage.findings import Audit, Judgement, Verdict
from shared.backups.coverage.texts import MISSED_ADVICE, UNCOVERED_ADVICE, email_lines, verdict_line
from shared.backups.coverage.wording import at
from shared.backups.errors import CloudError
from shared.backups.event_types import AUDITED, MISSED, UNCOVERED
from shared.backups.notifications import Sender, make_notification
from shared.backups.ports import Instance, Notification


_MOST_BYTES = 250_000  # of the 256 KB that SMN takes (SMN API, Publishing a Message), for all texts in their JSON form
_MOST_ITEMS = (1000, 300, 100, 30, 10)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What all notifications of one audit have in common.

    Attributes:
        identity: of the event that asked for the audit; the CloudEvents ids are derived from it, so that an event that
            is delivered again announces the same.
        now: when they are made.
    """

    identity: Sequence[str]
    sender: Sender
    now: datetime

    def missed(self, judgement: Judgement) -> Notification:
        """A backup that did not happen."""
        message = missed_message(judgement)
        return make_notification(
            MISSED,
            identity=(*self.identity, judgement.policy.name, judgement.instance.id),
            subject=judgement.instance.id,
            summary=f"{judgement.instance.name} ({judgement.instance.id})",
            data={**missed_document(judgement), "audited_at": at(judgement.now)},
            lines=[
                f"{message[0].upper()}{message[1:]}.",
                "",
                MISSED_ADVICE,
            ],
            outcome="MISSED",
            sender=self.sender,
            now=self.now,
        )

    def uncovered(self, instance: Instance, audited_at: datetime) -> Notification:
        """An instance that is tagged for backup and that no policy covers."""
        message = "the instance is tagged for backup, but no policy of the audit covers it: nobody would notice a gap"
        return make_notification(
            UNCOVERED,
            identity=(*self.identity, instance.id),
            subject=instance.id,
            summary=f"{instance.name} ({instance.id})",
            data={
                **uncovered_document(instance),
                "code": "uncovered",
                "message": message,
                "audited_at": at(audited_at),
            },
            lines=[
                f"{message[0].upper()}{message[1:]}.",
                "",
                UNCOVERED_ADVICE,
            ],
            outcome="UNCOVERED",
            sender=self.sender,
            now=self.now,
        )

    def report(self, audit: Audit, *, findings_published: bool) -> tuple[Notification, dict[str, Any]]:
        """The report and its data, with lists as long as SMN takes them."""
        for most in _MOST_ITEMS:
            report = self._report(audit, most, findings_published=findings_published)
            if _fits(report[0]):
                return report
        return self._report(audit, 0, findings_published=findings_published)

    def failure(self, error: CloudError, audited_at: datetime) -> tuple[Notification, dict[str, Any]]:
        """The report of an audit that could not be done: nothing is known of any backup."""
        data = {
            "verdict": Verdict.FAILED.value,
            "audited_at": at(audited_at),
            "code": error.code,
            "cloud_code": error.cloud_code,
            "message": str(error),
            "retryable": error.retryable,
        }
        again = "It is tried again when the event is delivered again; an API caller has to send it again."
        mend = "It is not tried again before the next event: first somebody has to mend what the message above says."
        notification = make_notification(
            AUDITED,
            # Not the id of the report that a redelivery may still publish.
            identity=(*self.identity, Verdict.FAILED.value),
            subject=self.sender.project_id,
            summary="AUDIT FAILED, nothing is known of any backup",
            data=data,
            lines=[f"DDS could not be asked: {error}", again if error.retryable else mend],
            outcome=Verdict.FAILED.name,
            sender=self.sender,
            now=self.now,
        )
        return notification, data

    def _report(self, audit: Audit, most: int, *, findings_published: bool) -> tuple[Notification, dict[str, Any]]:
        data = audit_document(audit, most=most) | {"findings_published": findings_published}
        notification = make_notification(
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


def _fits(notification: Notification) -> bool:
    return len(json.dumps([notification.body, notification.email, notification.sms])) <= _MOST_BYTES
