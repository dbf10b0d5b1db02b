"""What the topic is told: a CloudEvent 1.0 for programs, a text for people, a line for telephones."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from shared.backups.event_types import DEFERRED, FAILED, HEADLINES, REJECTED, SKIPPED, STARTED
from shared.backups.names import EventNames, digest
from shared.backups.outcomes import InstanceResult, Outcome
from shared.backups.ports import Notification
from shared.backups.rejections import Rejection


_TYPES = {
    Outcome.CREATED: STARTED,
    Outcome.ALREADY_EXISTS: STARTED,
    Outcome.SKIPPED: SKIPPED,
    Outcome.DEFERRED: DEFERRED,
    Outcome.FAILED: FAILED,
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
    return make_notification(
        kind,
        identity=(names.key, result.instance_id),
        subject=result.instance_id,
        data=facts,
        lines=lines,
        outcome=result.outcome.value,
        sender=sender,
        now=now,
    )


def announce_rejection(rejection: Rejection, trigger: str, sender: Sender, now: datetime) -> Notification:
    """The notification of a message from which nothing came, with what it said."""
    facts = {name: value for name, value in rejection.document().items() if name != "notified"}
    payload = rejection.payload if isinstance(rejection.payload, str) else json.dumps(rejection.payload, default=str)
    return make_notification(
        REJECTED,
        identity=rejection.identity,
        subject=rejection.position,
        data={**facts, "trigger": trigger, "payload": payload[:_MOST_PAYLOAD]},
        lines=[f"Where: {trigger} event, {rejection.position}", *rejection.errors, f"Found: {payload[:300]}"],
        outcome="REJECTED",
        sender=sender,
        now=now,
    )


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


def make_notification(
    kind: str,
    *,
    identity: Sequence[str],
    subject: str,
    data: dict[str, Any],
    lines: Sequence[str],
    outcome: str,
    sender: Sender,
    now: datetime,
    summary: str | None = None,
) -> Notification:
    """A notification of a type of ours.

    `identity` is what makes it the same when it is published again: the CloudEvents ``id`` is derived from it and the
    type. `lines` are the e-mail's, `outcome` (letters and underscores) is for filter policies. `summary` is what people
    read in the headline in place of the `subject`.
    """
    event_id = digest(kind, *identity)[:32]
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": sender.source,
        "type": kind,
        "subject": subject,
        "time": now.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {**data, "region": sender.region, "project_id": sender.project_id, "request_id": sender.request_id},
    }
    headline = f"{HEADLINES[kind]}: {summary or subject}"
    where = f"Region: {sender.region}\nProject: {sender.project_id}\nRequest ID: {sender.request_id}"
    return Notification(
        subject=_printable(headline)[:120],
        body=json.dumps(event),
        email="\n".join([headline, "", *lines, "", where, f"Event ID: {event_id}"]),
        sms=f"{headline} {data.get('code') or data.get('job_id') or ''}".translate(_NOT_IN_SMS)[:160].strip(),
        attributes={"event_type": _attribute(kind), "outcome": outcome},
    )


_UNPRINTABLE = re.compile("[^ -~]")
_NOT_IN_SMS = str.maketrans("[]【】", "()()")


def _attribute(kind: str) -> str:
    """A type as SMN lets an attribute be: letters, digits and underscores, 32 at most (SMN API, MessageAttribute)."""
    return kind.replace(".", "_")


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("?", text)
