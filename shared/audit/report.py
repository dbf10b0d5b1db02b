"""What audit_backups returns and publishes: each finding about an instance, and always one report."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.audit.audit import Audit, DeletedInstance, FailedBackups, Judgement, PolicyCoverage, Verdict
from shared.audit.email import MISSED_ADVICE, UNCOVERED_ADVICE, email_lines, missed_message, verdict_line
from shared.errors import CloudError
from shared.format import gigabytes, timestamp
from shared.model import Backup, Instance, Notification
from shared.notify import AUDITED, MISSED, UNCOVERED, Sender, build_notification
from shared.report import Item, LogEvent, Report, Status


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
        events += [(logging.WARNING, "backup missed", missed) for missed in self.data.get("missed", ())]
        return events + [(logging.WARNING, "instance not covered", one) for one in self.data.get("uncovered", ())]

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
            data={**_serialize_missed(judgement), "audited_at": timestamp(judgement.now)},
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
            data={**_serialize_uncovered(instance), **facts},
            advice=UNCOVERED_ADVICE,
            outcome="UNCOVERED",
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


# Findings as JSON.


def serialize_audit(audit: Audit, *, most: int) -> dict[str, Any]:
    """Serialize an audit with at most `most` items a list. The totals count all; `cut` names the lists that are cut."""
    lists: dict[str, tuple[Sequence[Any], Callable[[Any], Any]]] = {
        "policies": (audit.policies, _serialize_policy),
        "missed": (audit.missed, _serialize_missed),
        "uncovered": (audit.uncovered, _serialize_uncovered),
        "failed_backups": (audit.failed, _serialize_failed),
        "stuck_backups": (audit.stuck, _serialize_stuck),
        "empty_policies": (audit.empty_policies, str),
        "unknown_instances": (audit.unknown_instances, lambda pair: {"policy": pair[0], "instance_id": pair[1]}),
        "deleted_instances": (audit.deleted_instances, _serialize_deleted_instance),
    }
    return {
        "verdict": audit.verdict.value,
        "audited_at": timestamp(audit.time),
        "totals": _totals(audit),
        **{name: [serialize(item) for item in items[:most]] for name, (items, serialize) in lists.items()},
        "cut": [name for name, (items, _) in lists.items() if len(items) > most],
    }


def _totals(audit: Audit) -> dict[str, int | float]:
    """Count everything. The sizes are those of the backups of deleted instances."""
    size = sum(instance.size for instance in audit.deleted_instances)
    return {
        "instances": audit.instances,
        "policies": len(audit.policies),
        "covered": len(audit.judgements),
        "fine": len(audit.judgements) - len(audit.missed),
        "missed": len(audit.missed),
        "uncovered": len(audit.uncovered),
        "failed_backups": sum(failed.count for failed in audit.failed),
        "stuck_backups": len(audit.stuck),
        "empty_policies": len(audit.empty_policies),
        "unknown_instances": len(audit.unknown_instances),
        "deleted_instances": len(audit.deleted_instances),
        "deleted_instances_backups": sum(instance.backups for instance in audit.deleted_instances),
        "deleted_instances_size_kb": size,
        "deleted_instances_size_gb": gigabytes(size),
    }


def _serialize_policy(coverage: PolicyCoverage) -> dict[str, Any]:
    policy = coverage.policy
    return {
        "name": policy.name,
        "covered": coverage.covered,
        "missed": coverage.missed,
        "expected_interval_seconds": int(policy.expected_interval.total_seconds()),
        "grace_seconds": int(policy.grace.total_seconds()),
    }


def _serialize_missed(judgement: Judgement) -> dict[str, Any]:
    policy, age = judgement.policy, judgement.age
    return {
        **_serialize_instance(judgement.instance),
        "policy": policy.name,
        "code": judgement.code,
        "message": missed_message(judgement),
        "expected_interval_seconds": int(policy.expected_interval.total_seconds()),
        "grace_seconds": int(policy.grace.total_seconds()),
        "age_seconds": None if age is None else int(age.total_seconds()),
        "newest_backup": judgement.newest and _serialize_backup(judgement.newest),
        "last_attempt": judgement.last_attempt and _serialize_backup(judgement.last_attempt),
    }


def _serialize_uncovered(instance: Instance) -> dict[str, Any]:
    return {**_serialize_instance(instance), "tags": dict(instance.tags)}


def _serialize_failed(failed: FailedBackups) -> dict[str, Any]:
    newest = failed.newest
    return {
        "instance_id": newest.instance_id,
        "instance_name": newest.instance_name,
        "backups": failed.count,
        "newest": _serialize_backup(newest),
    }


def _serialize_stuck(backup: Backup) -> dict[str, Any]:
    return {"instance_id": backup.instance_id, "instance_name": backup.instance_name, **_serialize_backup(backup)}


def _serialize_deleted_instance(instance: DeletedInstance) -> dict[str, Any]:
    return {
        "instance_id": instance.id,
        "instance_name": instance.name,
        "backups": instance.backups,
        "made_by_this_application": instance.ours,
        "size_kb": instance.size,
        "size_gb": gigabytes(instance.size),
    }


def _serialize_instance(instance: Instance) -> dict[str, Any]:
    return {"instance_id": instance.id, "instance_name": instance.name, "instance_status": instance.status}


def _serialize_backup(backup: Backup) -> dict[str, Any]:
    return {
        "backup_id": backup.id,
        "name": backup.name,
        "status": backup.status,
        "begin_time": timestamp(backup.begin_time),
    }
