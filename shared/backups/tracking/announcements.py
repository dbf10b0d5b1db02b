"""What the topic is told of an occurrence."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.backups.event_types import COMPLETED, FAILED, STUCK
from shared.backups.notifications import Sender, make_notification
from shared.backups.ports import BackupJob, Notification
from shared.backups.tracking.facts import UNKNOWN_REASON, describe, moment, readable_duration, readable_size
from shared.backups.tracking.occurrences import Occurrence


_LABELS = {
    "instance_name": "Instance name",
    "instance_id": "Instance",
    "name": "Backup",
    "backup_id": "Backup ID",
    "job_id": "Job ID",
    "begin_time": "Began",
    "end_time": "Ended",
}
_OUTCOMES = {COMPLETED: "COMPLETED", FAILED: "FAILED", STUCK: "STUCK"}
_AGAIN = (
    "This is announced once more, in case the tick that it belongs to was missed. If you know it already (the event ID "
    "below is the same), there is nothing to do."
)


def announce(
    occurrence: Occurrence, job: BackupJob | None, *, stuck_after: timedelta, is_again: bool, sender: Sender
) -> Notification:
    """The notification of an occurrence.

    The CloudEvents ``id`` follows from the type and the backup alone, ``time`` is the moment of the occurrence. The
    attribute `announcement` is "first", or "again" from a tick that it does not belong to.
    """
    data = _data(occurrence, job, stuck_after)
    notification = make_notification(
        occurrence.kind,
        identity=(occurrence.backup.id,),
        subject=occurrence.backup.instance_id,
        data=data,
        lines=[*_lines(data), *([_AGAIN] if is_again else [])],
        outcome=data["outcome"],
        sender=sender,
        now=occurrence.moment,
        summary=_summary(data),
    )
    attribute = {"announcement": "again" if is_again else "first"}
    return replace(notification, attributes=notification.attributes | attribute)


def _data(occurrence: Occurrence, job: BackupJob | None, stuck_after: timedelta) -> dict[str, Any]:
    """Only what is the same at every announcement; job id and reason as far as the task list tells them."""
    facts = {"outcome": _OUTCOMES[occurrence.kind], **describe(occurrence.backup, job)}
    if occurrence.kind == FAILED:
        reason = (job and job.fail_reason) or UNKNOWN_REASON
        return facts | {"code": "backup_failed", "message": reason, "retryable": False}
    if occurrence.kind == STUCK:
        open_end = {"backup_status": "BUILDING", "end_time": None, "duration": None, "size": None}
        seconds = round(stuck_after.total_seconds())
        message = f"not done {readable_duration(seconds)} after it began"
        stuck = {"code": "backup_stuck", "message": message, "stuck_after": seconds}
        return facts | open_end | stuck | {"stuck_since": moment(occurrence.moment)}
    return facts


def _summary(data: dict[str, Any]) -> str:
    """The headline's other half: which instance, and the one number that matters."""
    name = data["instance_name"] or ""
    instance = name if name and name.isascii() else data["instance_id"]
    if data["size"] is not None and data["duration"] is not None:
        return f"{instance}, {readable_size(data['size'])} in {readable_duration(data['duration'])}"
    return instance if data.get("message") in {None, UNKNOWN_REASON} else f"{instance}, {data['message']}"


def _lines(data: dict[str, Any]) -> list[str]:
    lines = [f"{label}: {data[name]}" for name, label in _LABELS.items() if data[name]]
    if data["duration"] is not None:
        lines.append(f"Took: {readable_duration(data['duration'])}")
    if data["size"] is not None:
        lines.append(f"Size: {readable_size(data['size'])}")
    if data.get("message"):
        lines.append(f"Details: {data['message']}")
    advice = _ADVICE.get(data.get("code", ""))
    return [*lines, advice] if advice else lines


_ADVICE = {
    "backup_failed": "What to do: there is no backup from this event. Mend the cause, then send a new event.",
    "backup_stuck": (
        "What to do: look at the backup in the DDS console. No other backup of this instance can begin before it has "
        "ended or was stopped. Its end will be announced."
    ),
}
