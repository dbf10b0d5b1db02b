"""Notifications: CloudEvents 1.0 for programs, a text for people, a line for telephones, and publishing them."""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared.errors import BackupError, CloudError, InvalidError, RequestError
from shared.format import plain, shortened, timestamp
from shared.identity import digest
from shared.limits import MAX_NOTIFICATION
from shared.model import Clock, Notification, Topic
from shared.report import Item, LogEvent, Status
from shared.retry import CircuitBreaker, Retrying


_log = logging.getLogger(__name__)

STARTED = "dds.backup.started"
SKIPPED = "dds.backup.skipped"
DEFERRED = "dds.backup.deferred"
FAILED = "dds.backup.failed"
REJECTED = "dds.backup.rejected"
COMPLETED = "dds.backup.completed"
STUCK = "dds.backup.stuck"
PRUNED = "dds.backup.pruned"
MISSED = "dds.backup.missed"
UNCOVERED = "dds.backup.uncovered"
AUDITED = "dds.backup.audited"
UNVERIFIED = "dds.backup.unverified"
DRILL_STARTED = "dds.drill.started"
DRILL_VERIFIED = "dds.drill.verified"
DRILL_FAILED = "dds.drill.failed"
DRILL_INCONCLUSIVE = "dds.drill.inconclusive"
DRILL_OVERDUE = "dds.drill.overdue"
DRILL_LEAKED = "dds.drill.leaked"

HEADLINES = {
    STARTED: "DDS backup started",
    SKIPPED: "DDS backup skipped",
    DEFERRED: "DDS backup deferred",
    FAILED: "DDS backup failed",
    REJECTED: "Request rejected",
    COMPLETED: "DDS backup completed",
    STUCK: "DDS backup stuck",
    PRUNED: "DDS backups pruned",
    MISSED: "DDS backup missed",
    UNCOVERED: "DDS instance not covered",
    AUDITED: "DDS backups audited",
    UNVERIFIED: "DDS backup unverified",
    DRILL_STARTED: "DDS restore drill started",
    DRILL_VERIFIED: "DDS backup verified by a drill",
    DRILL_FAILED: "DDS restore drill failed",
    DRILL_INCONCLUSIVE: "DDS restore drill inconclusive",
    DRILL_OVERDUE: "DDS restore drill overdue",
    DRILL_LEAKED: "DDS restore drill left an instance",
}
"""Every CloudEvents type that this application publishes, with its headline for people."""

_SEVERITIES: dict[str | tuple[str, str | None], str] = {
    STARTED: "info",
    COMPLETED: "info",
    (SKIPPED, "min_interval"): "info",
    (PRUNED, "PRUNED"): "info",
    (PRUNED, "DRY_RUN"): "info",
    (AUDITED, "ALL_WELL"): "notice",
    SKIPPED: "warning",
    DEFERRED: "warning",
    UNCOVERED: "warning",
    UNVERIFIED: "warning",
    (PRUNED, "HELD_BACK"): "warning",
    (PRUNED, "UNFINISHED"): "warning",
    DRILL_STARTED: "info",
    DRILL_VERIFIED: "info",
    (DRILL_VERIFIED, "rto_missed"): "warning",
    (DRILL_INCONCLUSIVE, "dry_run"): "info",
    DRILL_INCONCLUSIVE: "warning",
    DRILL_OVERDUE: "warning",
}
"""By type, or by type and outcome or code. Whatever is not here is an error, so that nothing new goes unnoticed."""


def severity_of(kind: str, outcome: str, code: str | None = None) -> str:
    """Return how much a notification matters, as one of four names of RFC 5424.

    "info" is routine. "notice" is the daily report that all is well. "warning" and "error" need a person: an error is a
    backup that is missing or failed, or work that was not done.
    """
    by_type = _SEVERITIES.get(kind, "error")
    return _SEVERITIES.get((kind, outcome)) or _SEVERITIES.get((kind, code)) or by_type


@dataclass(frozen=True, slots=True)
class Sender:
    """The parts of a notification that are the same for all notifications of an invocation.

    Attributes:
        source: the function's URN, CloudEvents' ``source``.
        region: the region whose DDS is backed up.
        project_id: the project in that region.
        request_id: the invocation's request id.
    """

    source: str
    region: str
    project_id: str
    request_id: str


def build_notification(
    kind: str,
    *,
    identity: Sequence[str],
    subject: str,
    data: dict[str, Any],
    lines: Sequence[str],
    outcome: str,
    sender: Sender,
    now: datetime,
    retryable: bool = False,
    summary: str | None = None,
) -> Notification:
    """Build a notification of one of the types above.

    The CloudEvents ``id`` is derived from the type, `identity` and `retryable`. It is the same whenever the same fact
    is published again, so that consumers can drop duplicates, and an outcome that a redelivery may change never shares
    it with the final one.

    Args:
        kind: the CloudEvents ``type``.
        identity: what the notification is about.
        subject: the CloudEvents ``subject``.
        data: the CloudEvents ``data``, without region, project and request id.
        lines: the body of the e-mail.
        outcome: letters and underscores, for filter policies.
        retryable: whether a redelivery of the event may lead to another outcome.
        summary: replaces `subject` in the headline for people.
    """
    event_id = digest(kind, *identity, *(("retryable",) if retryable else ()))[:32]
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": sender.source,
        "type": kind,
        "subject": subject,
        "time": timestamp(now, "milliseconds"),
        "datacontenttype": "application/json",
        "data": {**data, "region": sender.region, "project_id": sender.project_id, "request_id": sender.request_id},
    }
    headline = plain(f"{HEADLINES[kind]}: {summary or subject}")
    where = f"Region: {sender.region}\nProject: {sender.project_id}\nRequest ID: {sender.request_id}"
    return Notification(
        subject=_UNPRINTABLE.sub("?", headline)[:120],
        body=json.dumps(event),
        email="\n".join([headline, "", *map(plain, lines), "", where, f"Event ID: {event_id}"]),
        sms=f"{headline} {data.get('code') or data.get('job_id') or ''}".translate(_NOT_IN_SMS)[:160].strip(),
        # An attribute holds letters, digits and underscores, 32 at most (SMN API, MessageAttribute).
        attributes={
            "event_type": kind.replace(".", "_"),
            "outcome": outcome,
            "severity": severity_of(kind, outcome, data.get("code")),
        },
    )


_UNPRINTABLE = re.compile("[^ -~]")
_NOT_IN_SMS = str.maketrans("[]【】", "()()")


@dataclass(frozen=True, slots=True)
class Rejection(Item):
    """A message that leads to nothing: never, or, if the error is retryable, not in this delivery.

    Attributes:
        position: where it stood in the event, such as "record.1.smn.message".
        payload: the fields of the message that the model knows, which the notification repeats.
        identity: identifies the message; the same at every redelivery.
        notified: whether SMN accepted the notification.
    """

    position: str
    error: BackupError
    payload: dict[str, object]
    identity: tuple[str, ...]
    notified: bool = False

    @property
    def errors(self) -> tuple[str, ...]:
        """Every fault found, one line each."""
        return self.error.errors if isinstance(self.error, RequestError) else (str(self.error),)

    @property
    def status(self) -> Status:
        """Always FAILED."""
        return Status.FAILED

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to do."""
        return self.error.retryable or not self.notified

    @property
    def codes(self) -> list[str]:
        """The code of the error."""
        return [self.error.code]

    def pending(self) -> list[str]:
        """What a redelivery would do, in words."""
        reason = self.error.code if self.error.retryable else "notification not published"
        return [f"{self.position} rejected ({reason})"]

    def log_events(self) -> list[LogEvent]:
        """Return a warning if a redelivery tries the message again, otherwise an error."""
        level = logging.WARNING if self.error.retryable else logging.ERROR
        return [(level, "message rejected", self.document())]

    def document(self) -> dict[str, Any]:
        """Serialize the rejection, without the payload."""
        return {
            "position": self.position,
            "code": self.error.code,
            "message": str(self.error),
            "errors": list(self.errors),
            "notified": self.notified,
        }


_MOST_PAYLOAD = 4096


def rejection_notification(rejection: Rejection, trigger: str, sender: Sender, now: datetime) -> Notification:
    """Build the notification of a rejected message, with the known part of its content."""
    facts = {name: value for name, value in rejection.document().items() if name != "notified"}
    payload = json.dumps(rejection.payload, default=str) if rejection.payload else ""
    return build_notification(
        REJECTED,
        identity=rejection.identity,
        subject=rejection.position,
        data={**facts, "trigger": trigger, "payload": payload[:_MOST_PAYLOAD]},
        lines=[
            f"Where: {trigger} event, {rejection.position}",
            *(f"Fault: {error}" for error in rejection.errors),  # a fault may begin with a key that the sender chose
            *([f"The sender wrote: {payload[:300]}"] if payload else []),
        ],
        outcome="REJECTED",
        sender=sender,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Notifier:
    """Publishes notifications to a topic.

    Publishing one twice does no harm, since its CloudEvents ``id`` is the same. After one could not be published, the
    topic is not called again in this invocation: the redelivery of the event publishes the rest.
    """

    topic: Topic
    retrying: Retrying
    sender: Sender
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)

    @property
    def clock(self) -> Clock:
        """The clock of the notifications."""
        return self.retrying.deadline.clock

    def to(self, topic: Topic) -> "Notifier":
        """The same for another topic, with a circuit breaker of its own."""
        return replace(self, topic=topic, breaker=CircuitBreaker())

    def publish(self, notification: Notification) -> bool:
        """Publish, and return whether SMN accepted the notification. A failure is logged, not raised."""
        if self.breaker.is_open or self.retrying.deadline.left() <= 0:
            return False
        fits = len(json.dumps([notification.body, notification.email, notification.sms])) <= MAX_NOTIFICATION
        try:
            try:
                self._publish(notification if fits else _shorten(notification))
            except InvalidError:
                self._publish(_shorten(notification))
        except CloudError as error:
            if not isinstance(error, InvalidError):  # that is a fault of this notification, not of the topic
                self.breaker.trip()
            fields = {"code": error.code, "cloud_code": error.cloud_code, "error": str(error)}
            facts = {**fields, "notification": notification.subject}
            _log.warning("notification not published", extra={"fields": facts})
            return False
        return True

    def _publish(self, notification: Notification) -> None:
        self.retrying.call(lambda: self.topic.publish(notification))

    def publish_rejection(self, rejection: Rejection, trigger: str) -> Rejection:
        """Publish a rejection unless it is retryable, and return it with `notified` set."""
        if rejection.error.retryable:
            return rejection
        notification = rejection_notification(rejection, trigger, self.sender, self.clock.now())
        return replace(rejection, notified=self.publish(notification))


_SHORT = 500
_SHORT_LINES = 20


def _shorten(notification: Notification) -> Notification:
    """Return a notification that fits SMN: with only the scalar data of the CloudEvent, and a short e-mail."""
    event = json.loads(notification.body)
    if "specversion" in event:
        data = {name: value for name, value in event["data"].items() if not isinstance(value, (list, dict))}
        event["data"] = {name: shortened(v, _SHORT) if isinstance(v, str) else v for name, v in data.items()}
        event["data"]["shortened"] = True
    lines = [shortened(line, _SHORT) for line in notification.email.split("\n")]
    if len(lines) > _SHORT_LINES:
        lines = [*lines[: _SHORT_LINES - 6], "... This is not all.", *lines[-5:]]
    return replace(notification, body=json.dumps(event), email="\n".join(lines))
