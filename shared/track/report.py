"""What track_backups returns and publishes: occurrences within a window, and answers to questions."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Any

from shared.format import duration, size, timestamp
from shared.identity import key_of
from shared.model import Backup, BackupJob, Job, Notification
from shared.notify import COMPLETED, FAILED, STUCK, Sender, build_notification
from shared.report import Item, LogEvent, Report, Status, combine_status
from shared.track.window import Occurrence, Window


UNKNOWN_REASON = "DDS gives no reason; look at the instance and at the backup in the DDS console"


def describe(backup: Backup, job: BackupJob | None) -> dict[str, Any]:
    """Serialize a backup: `size` in KB, `duration` in seconds, times in UTC; what is unknown is null."""
    took = backup.end_time - backup.begin_time if backup.begin_time and backup.end_time else None
    return {
        "instance_id": backup.instance_id,
        "instance_name": backup.instance_name or None,
        "backup_id": backup.id,
        "name": backup.name,
        "event_key": key_of(backup.description),
        "job_id": job.id if job else None,
        "backup_status": backup.status,
        "begin_time": timestamp(backup.begin_time),
        "end_time": timestamp(backup.end_time),
        "duration": round(took.total_seconds()) if took is not None else None,
        "size": backup.size if backup.status == "COMPLETED" else None,
    }


# Answers to questions.


class State(str, Enum):
    """The state of a backup. UNKNOWN if DDS does not show it, as in the first seconds of a job."""

    COMPLETED = "COMPLETED"
    RUNNING = "RUNNING"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


_STATE_OF_BACKUP = {"COMPLETED": State.COMPLETED, "FAILED": State.FAILED, "DISABLED": State.FAILED}
_STATE_OF_JOB = {"Completed": State.COMPLETED, "Failed": State.FAILED}
_WORST_FIRST = (State.FAILED, State.RUNNING, State.UNKNOWN, State.COMPLETED)


@dataclass(frozen=True, slots=True)
class BackupProgress:
    """The progress of one backup.

    Attributes:
        facts: as in `describe`.
        progress: such as "60%"; None if the backup is not running or the task list does not say.
        reason: why the backup failed.
    """

    state: State
    facts: dict[str, Any]
    progress: str | None = None
    reason: str | None = None

    @classmethod
    def of_backup(cls, backup: Backup, job: BackupJob | None) -> "BackupProgress":
        """From the backup list and the job. A failed job counts before the backup list shows the failure."""
        state = _STATE_OF_BACKUP.get(backup.status, State.RUNNING)
        if state is State.RUNNING and job and job.status == "Failed":
            state = State.FAILED
        return cls(
            state,
            describe(backup, job),
            progress=(job.progress or None) if job and state is State.RUNNING else None,
            reason=_reason(job, backup.status) if state is State.FAILED else None,
        )

    @classmethod
    def of_job(cls, job: Job) -> "BackupProgress":
        """From a job alone, if its backup is not known."""
        state = _STATE_OF_JOB.get(job.status, State.RUNNING)
        return cls(
            state,
            {"instance_id": job.instance_id or None, "backup_id": None, "job_id": job.id},
            progress=(job.progress or None) if state is State.RUNNING else None,
            reason=(job.fail_reason or UNKNOWN_REASON) if state is State.FAILED else None,
        )

    def document(self) -> dict[str, Any]:
        """Serialize the progress."""
        return {"state": self.state.value, **self.facts, "progress": self.progress, "reason": self.reason}


def _reason(job: BackupJob | None, status: str) -> str:
    if status == "DISABLED":
        return "the backup is being deleted"
    return (job and job.fail_reason) or UNKNOWN_REASON


def combine_states(states: Sequence[State]) -> State:
    """FAILED as soon as one failed, COMPLETED only if all are; UNKNOWN for none."""
    return next((state for state in _WORST_FIRST if state in states), State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Answer(Item):
    """The answer to one question.

    Attributes:
        question: the field of the request and its value, such as {"job_id": "..."}.
        backups: one backup, or all that an event has made so far.
        message: explains why there is no backup.
    """

    question: dict[str, str]
    backups: Sequence[BackupProgress]
    message: str | None = None

    @property
    def state(self) -> State:
        """The state of all backups together."""
        return combine_states([backup.state for backup in self.backups])

    @property
    def status(self) -> Status:
        """Always SUCCEEDED: the question was answered, whatever the answer."""
        return Status.SUCCEEDED

    def document(self) -> dict[str, Any]:
        """Serialize the answer."""
        facts: dict[str, Any] = {**self.question, "state": self.state.value}
        if self.message:
            facts["message"] = self.message
        return facts | {"backups": [backup.document() for backup in self.backups]}


# Occurrences within a window, and their notifications.


@dataclass(frozen=True, slots=True)
class Published:
    """An occurrence and its notification.

    Attributes:
        is_again: whether the occurrence belongs to an earlier window, which should have published it.
        notified: whether SMN accepted the notification.
    """

    occurrence: Occurrence
    is_again: bool
    notified: bool

    def document(self) -> dict[str, Any]:
        """Serialize the occurrence."""
        backup = self.occurrence.backup
        return {
            "type": self.occurrence.kind,
            "time": timestamp(self.occurrence.moment),
            "instance_id": backup.instance_id,
            "backup_id": backup.id,
            "name": backup.name,
            "again": self.is_again,
            "notified": self.notified,
        }


@dataclass(frozen=True, slots=True)
class Followed(Item):
    """What happened within a window.

    Attributes:
        published: in the order of their moments.
        building: how many backups were BUILDING when the list was read.
        untimed: the ids of backups that have ended and for which DDS lists neither begin nor end: they are in no
            window.
    """

    window: Window
    published: Sequence[Published]
    building: int
    untimed: Sequence[str]

    @property
    def status(self) -> Status:
        """SUCCEEDED if everything was published."""
        return combine_status(Status.SUCCEEDED if one.notified else Status.FAILED for one in self.published)

    @property
    def unpublished(self) -> list[Published]:
        """The occurrences whose notification SMN did not accept."""
        return [one for one in self.published if not one.notified]

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to publish."""
        return bool(self.unpublished)

    @property
    def codes(self) -> list[str]:
        """The code for what was not published."""
        return ["not_notified"] * bool(self.unpublished)

    def pending(self) -> list[str]:
        """What a redelivery would publish, in words."""
        return [
            f"{one.occurrence.backup.id} {one.occurrence.kind} (notification not published)" for one in self.unpublished
        ]

    def log_events(self) -> list[LogEvent]:
        """Return a warning for each occurrence that was not published and each backup without times."""
        events: list[LogEvent] = [(logging.WARNING, "not announced", one.document()) for one in self.unpublished]
        return events + [(logging.WARNING, "backup without times", {"backup_id": id_}) for id_ in self.untimed]

    def log_facts(self) -> dict[str, Any]:
        """The window and the number of its occurrences by type."""
        return {
            "since": timestamp(self.window.since),
            "until": timestamp(self.window.until),
            "announced": dict(Counter(one.occurrence.kind for one in self.published)),
            "building": self.building,
        }

    def document(self) -> dict[str, Any]:
        """Serialize the window and its occurrences."""
        facts: dict[str, Any] = {
            "since": timestamp(self.window.since),
            "until": timestamp(self.window.until),
            "announced": [one.document() for one in self.published],
            "building": self.building,
        }
        return facts | ({"untimed": list(self.untimed)} if self.untimed else {})


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
    "This is published again, in case the run that should have published it was missed. If you know it already (the "
    "event ID below is the same), there is nothing to do."
)
_ADVICE = {
    "backup_failed": "What to do: there is no backup from this event. Fix the cause, then send a new event.",
    "backup_stuck": (
        "What to do: look at the backup in the DDS console. No other backup of this instance can begin before it ends "
        "or is stopped. Its end will be published."
    ),
}


def occurrence_notification(
    occurrence: Occurrence, job: BackupJob | None, *, stuck_after: timedelta, is_again: bool, sender: Sender
) -> Notification:
    """Build the notification of an occurrence.

    The CloudEvents ``id`` follows from the type and the backup alone, and ``time`` is the moment of the occurrence. The
    message attribute `announcement` is "first", or "again" if the occurrence belongs to an earlier window.
    """
    data = _data(occurrence, job, stuck_after)
    notification = build_notification(
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
    """Return only facts that are the same in every publication; job id and reason as far as the task list has them."""
    facts = {"outcome": _OUTCOMES[occurrence.kind], **describe(occurrence.backup, job)}
    if occurrence.kind == FAILED:
        reason = (job and job.fail_reason) or UNKNOWN_REASON
        return facts | {"code": "backup_failed", "message": reason, "retryable": False}
    if occurrence.kind == STUCK:
        open_end = {"backup_status": "BUILDING", "end_time": None, "duration": None, "size": None}
        message = f"not done {duration(stuck_after)} after it began"
        stuck = {"code": "backup_stuck", "message": message, "stuck_after": round(stuck_after.total_seconds())}
        return facts | open_end | stuck | {"stuck_since": timestamp(occurrence.moment)}
    return facts


def _summary(data: dict[str, Any]) -> str:
    """Return the second half of the headline: the instance and the most important number."""
    name = data["instance_name"] or ""
    instance = name if name and name.isascii() else data["instance_id"]
    if data["size"] is not None and data["duration"] is not None:
        return f"{instance}, {size(data['size'])} in {duration(data['duration'])}"
    return instance if data.get("message") in {None, UNKNOWN_REASON} else f"{instance}, {data['message']}"


def _lines(data: dict[str, Any]) -> list[str]:
    lines = [f"{label}: {data[name]}" for name, label in _LABELS.items() if data[name]]
    if data["duration"] is not None:
        lines.append(f"Took: {duration(data['duration'])}")
    if data["size"] is not None:
        lines.append(f"Size: {size(data['size'])}")
    if data.get("message"):
        lines.append(f"Details: {data['message']}")
    advice = _ADVICE.get(data.get("code", ""))
    return [*lines, advice] if advice else lines


@dataclass(frozen=True)
class TrackReport(Report):
    """What became of an event of track_backups.

    Attributes:
        followed: the windows of timer events and spans.
        answers: the answers to questions.
    """

    followed: Sequence[Followed] = ()
    answers: Sequence[Answer] = ()

    @property
    def items(self) -> list[Item]:
        """The windows and the answers."""
        return [*self.followed, *self.answers]

    @property
    def is_settled(self) -> bool:
        """Whether no backup of the answers is running or yet to appear."""
        return all(answer.state in {State.COMPLETED, State.FAILED} for answer in self.answers)

    def body(self) -> dict[str, Any]:
        """Serialize the answers with their combined state, and the windows."""
        facts: dict[str, Any] = {}
        if self.answers:
            facts["state"] = combine_states([answer.state for answer in self.answers]).value
            facts["answers"] = [answer.document() for answer in self.answers]
        if self.followed:
            facts["windows"] = [followed.document() for followed in self.followed]
        return facts

    def log_facts(self) -> dict[str, Any]:
        """How many windows and answers there are."""
        return {"windows": len(self.followed), "answers": len(self.answers)}

    def log_items(self) -> dict[str, Sequence[dict[str, Any]]]:
        """The windows with counts by type, and the states of the answers."""
        return {
            "windows": [followed.log_facts() for followed in self.followed],
            "answers": [{**answer.question, "state": answer.state.value} for answer in self.answers],
        }
