"""What the topic is told: a CloudEvent 1.0 for programs, a text for people, a line for telephones."""

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from shared.backups.names import EventNames, digest
from shared.backups.outcomes import InstanceResult, Outcome, Rejection
from shared.backups.ports import Notification


STARTED = "dds.backup.started"
SKIPPED = "dds.backup.skipped"
DEFERRED = "dds.backup.deferred"
FAILED = "dds.backup.failed"
REJECTED = "dds.backup.rejected"

ANNOUNCEMENTS = frozenset({STARTED, SKIPPED, DEFERRED, FAILED, REJECTED})
"""Types that only ever tell; a function that is sent one of them has nothing to do."""

_TYPES = {
    Outcome.CREATED: STARTED,
    Outcome.ALREADY_EXISTS: STARTED,
    Outcome.SKIPPED: SKIPPED,
    Outcome.DEFERRED: DEFERRED,
    Outcome.FAILED: FAILED,
}
_HEADLINES = {
    STARTED: "DDS backup started",
    SKIPPED: "DDS backup skipped",
    DEFERRED: "DDS backup deferred",
    FAILED: "DDS backup failed",
    REJECTED: "DDS backup request rejected",
}
_MOST_PAYLOAD = 4096


@dataclass(frozen=True, slots=True)
class Sender:
    """Who speaks: the parts of a notification that are the same for all of a function's.

    Attributes:
        source: the function's URN, CloudEvents' ``source``.
        region: the region whose DDS is backed up.
        project_id: its project.
        request_id: the invocation's.
    """

    source: str
    region: str
    project_id: str
    request_id: str


def announce_result(result: InstanceResult, names: EventNames, sender: Sender, now: datetime) -> Notification:
    """The notification of one instance's outcome; its CloudEvents ``id`` is the same at every redelivery."""
    kind = _TYPES[result.outcome]
    facts = {name: value for name, value in result.document().items() if name != "notified"}
    lines = [f"{label}: {facts[name]}" for name, label in _LABELS.items() if facts.get(name) is not None]
    if kind == DEFERRED or (kind == FAILED and result.retryable):
        lines.append("It is tried again when the event is delivered again; an API caller has to send it again.")
    event_id = digest(kind, names.key, result.instance_id)[:32]
    attributes = {"event_type": _attribute(kind), "outcome": result.outcome.value}
    return _notification(kind, event_id, result.instance_id, facts, lines, attributes, sender, now)


def announce_rejection(rejection: Rejection, trigger: str, sender: Sender, now: datetime) -> Notification:
    """The notification of a message that can never become a backup, with what it said."""
    facts = {name: value for name, value in rejection.document().items() if name != "notified"}
    payload = rejection.payload if isinstance(rejection.payload, str) else json.dumps(rejection.payload, default=str)
    lines = [
        f"Where: {trigger} event, {rejection.position}",
        *rejection.errors,
        f"Found: {payload[:300]}",
    ]
    event_id = digest(REJECTED, *rejection.identity)[:32]
    attributes = {"event_type": _attribute(REJECTED), "outcome": "REJECTED"}
    data = {**facts, "trigger": trigger, "payload": payload[:_MOST_PAYLOAD]}
    return _notification(REJECTED, event_id, rejection.position, data, lines, attributes, sender, now)


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


def _notification(
    kind: str,
    event_id: str,
    subject: str,
    data: dict[str, Any],
    lines: list[str],
    attributes: dict[str, str],
    sender: Sender,
    now: datetime,
) -> Notification:
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": sender.source,
        "type": kind,
        "subject": subject,
        "time": now.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {
            **data,
            "region": sender.region,
            "project_id": sender.project_id,
            "request_id": sender.request_id,
        },
    }
    headline = f"{_HEADLINES[kind]}: {subject}"
    where = f"Region: {sender.region}\nProject: {sender.project_id}\nRequest ID: {sender.request_id}"
    return Notification(
        subject=_printable(headline)[:120],
        body=json.dumps(event),
        email="\n".join([headline, "", *lines, "", where, f"Event ID: {event_id}"]),
        sms=f"{headline} {data.get('code') or data.get('job_id') or ''}".translate(_NOT_IN_SMS)[:160].strip(),
        attributes=attributes,
    )


_NOT_IN_SMS = str.maketrans("[]【】", "()()")


def _attribute(kind: str) -> str:
    """A type as SMN lets an attribute be: letters, digits and underscores, 32 at most (SMN API, MessageAttribute)."""
    return kind.replace(".", "_")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() and c.isascii() else "?" for c in text)
