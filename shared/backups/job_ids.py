"""The job of a backup whose job id got lost, or that was never told: recovered from the task list."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from shared.backups.errors import CloudError
from shared.backups.ports import Backup, BackupJob, Clock, Jobs


FoundT = TypeVar("FoundT")

NEAR = timedelta(seconds=60)
"""How far apart a backup's begin and the creation of its job may be."""

_YOUNG = timedelta(minutes=1)
_OLDEST = timedelta(days=30)
_BETWEEN_LOOKS = 2.0


class JobIds:
    """Finds the jobs of backups. Shared by all workers of the event, so that one look serves many of them."""

    def __init__(self, jobs: Jobs, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, BackupJob] = {}

    def find(self, backup: Backup, *, patience: float) -> tuple[str | None, str | None]:
        """The job id, or None and the reason why it cannot be told.

        For at most `patience` seconds it is looked for again: if the task list could not be read, and for a young
        backup, whose job shows only after some seconds (DDS API, Querying Task Details).
        """
        if backup.begin_time is None:
            return None, "DDS does not tell when the backup began"
        began, age = backup.begin_time, self._clock.now() - backup.begin_time
        if age > _OLDEST:
            return None, "DDS keeps jobs for a month, and this backup is older"
        job_id, note = self._until_found(lambda: self._look(backup.instance_id, began), patience, may_show=age < _YOUNG)
        return job_id, None if job_id else f"no job of this instance alone began with the backup{note}"

    def find_new(self, locate: Callable[[], Backup | None], *, patience: float) -> tuple[str | None, str | None]:
        """The same for a backup just made, which `locate` finds in the list as soon as DDS shows it."""
        until = self._clock.monotonic() + patience
        backup, note = self._until_found(locate, patience, may_show=True)
        if backup is None:
            return None, f"DDS told none and does not list the backup yet{note}"
        return self.find(backup, patience=until - self._clock.monotonic())

    def _until_found(
        self, look: Callable[[], FoundT | None], patience: float, *, may_show: bool
    ) -> tuple[FoundT | None, str]:
        """What `look` finds, or None; and what went wrong with the last look, if anything did."""
        until = self._clock.monotonic() + patience
        while True:
            error: CloudError | None = None
            try:
                if (found := look()) is not None:
                    return found, ""
            except CloudError as caught:
                error = caught
            looks_again = error.retryable if error else may_show
            if not looks_again or self._clock.monotonic() + _BETWEEN_LOOKS > until:
                return None, f" ({error})" if error else ""
            self._clock.sleep(_BETWEEN_LOOKS)

    def _look(self, instance_id: str, began: datetime) -> str | None:
        with self._lock:
            if job_id := self._match(instance_id, began):
                return job_id
            jobs = self._jobs.created_between(began - NEAR, began + NEAR)
            self._known.update((job.id, job) for job in jobs)
            return self._match(instance_id, began)

    def _match(self, instance_id: str, began: datetime) -> str | None:
        job = only_job(self._known.values(), instance_id, began)
        return job.id if job else None


def only_job(jobs: Iterable[BackupJob], instance_id: str, began: datetime) -> BackupJob | None:
    """The only job of the instance that was created within a minute of `began`: a wrong one is worse than none."""
    near = [job for job in jobs if job.instance_id == instance_id and abs(job.created_at - began) <= NEAR]
    return near[0] if len(near) == 1 else None
