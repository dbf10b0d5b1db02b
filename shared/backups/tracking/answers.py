"""What a pipeline asks: is the backup done, how far is it, or why did it fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from shared.backups.ports import Backup, BackupJob, Job
from shared.backups.tracking.facts import UNKNOWN_REASON, describe


class State(str, Enum):
    """How far a backup is: UNKNOWN if DDS does not show it, which is so for the first seconds of a job too."""

    COMPLETED = "COMPLETED"
    RUNNING = "RUNNING"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


_OF_BACKUP = {"COMPLETED": State.COMPLETED, "FAILED": State.FAILED, "DISABLED": State.FAILED}
_OF_JOB = {"Completed": State.COMPLETED, "Failed": State.FAILED}
_WORST_FIRST = (State.FAILED, State.RUNNING, State.UNKNOWN, State.COMPLETED)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one backup is.

    Attributes:
        facts: as in `shared.backups.tracking.facts.describe`.
        progress: such as "60%"; None if it does not run or the task list does not tell.
        reason: why it failed.
    """

    state: State
    facts: dict[str, Any]
    progress: str | None = None
    reason: str | None = None

    @classmethod
    def of_backup(cls, backup: Backup, job: BackupJob | None) -> "Progress":
        """From the backup list, the job adding what it knows. A failed job is believed before the list follows."""
        state = _OF_BACKUP.get(backup.status, State.RUNNING)
        if state is State.RUNNING and job and job.status == "Failed":
            state = State.FAILED
        return cls(
            state,
            describe(backup, job),
            progress=(job.progress or None) if job and state is State.RUNNING else None,
            reason=_reason(job, backup.status) if state is State.FAILED else None,
        )

    @classmethod
    def of_job(cls, job: Job) -> "Progress":
        """From a job alone, whose backup cannot be told."""
        state = _OF_JOB.get(job.status, State.RUNNING)
        return cls(
            state,
            {"instance_id": job.instance_id or None, "backup_id": None, "job_id": job.id},
            progress=(job.progress or None) if state is State.RUNNING else None,
            reason=(job.fail_reason or UNKNOWN_REASON) if state is State.FAILED else None,
        )

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {"state": self.state.value, **self.facts, "progress": self.progress, "reason": self.reason}


def _reason(job: BackupJob | None, status: str) -> str:
    if status == "DISABLED":
        return "the backup is being deleted"
    return (job and job.fail_reason) or UNKNOWN_REASON


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question.

    Attributes:
        question: the field that asked and what it held, such as {"job_id": "..."}.
        backups: one, or all that an event has made so far.
        message: what to think of it if there is none.
    """

    question: dict[str, str]
    backups: Sequence[Progress]
    message: str | None = None

    @property
    def state(self) -> State:
        """That of the backups together."""
        return combine([backup.state for backup in self.backups])

    def document(self) -> dict[str, Any]:
        """The answer as JSON."""
        facts: dict[str, Any] = {**self.question, "state": self.state.value}
        if self.message:
            facts["message"] = self.message
        return facts | {"backups": [backup.document() for backup in self.backups]}


def combine(states: Sequence[State]) -> State:
    """FAILED as soon as one failed, COMPLETED only when all are; UNKNOWN for none."""
    return next((state for state in _WORST_FIRST if state in states), State.UNKNOWN)
