"""The job of a backup whose job id got lost, or that was never told: recovered from the task list."""

import threading
from datetime import datetime, timedelta

from shared.backups.errors import CloudError
from shared.backups.ports import Backup, BackupJob, Backups, Clock


_WINDOW = timedelta(seconds=60)
_YOUNG = timedelta(minutes=1)
_OLDEST = timedelta(days=30)
_LOOKS = 3
_BETWEEN_LOOKS = 2.0


class JobIds:
    """Finds the jobs of backups. Shared by all workers of the event, so that one look serves many of them."""

    def __init__(self, backups: Backups, clock: Clock) -> None:
        self._backups = backups
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, BackupJob] = {}

    def find(self, backup: Backup, *, patience: float) -> tuple[str | None, str | None]:
        """The job id, or None and the reason why it cannot be told.

        A job shows in the task list some seconds after its backup (DDS API, Querying Task Details): a young backup's
        is looked for again, for at most `patience` seconds.
        """
        if backup.begin_time is None:
            return None, "DDS does not tell when the backup began"
        age = self._clock.now() - backup.begin_time
        if age > _OLDEST:
            return None, "DDS keeps jobs for a month, and this backup is older"
        looks = 1 + min(_LOOKS - 1, int(patience / _BETWEEN_LOOKS)) if age < _YOUNG else 1
        try:
            for look in range(looks):
                if look:
                    self._clock.sleep(_BETWEEN_LOOKS)
                if job_id := self._look(backup.instance_id, backup.begin_time):
                    return job_id, None
        except CloudError as error:
            return None, f"the task list cannot be read: {error}"
        return None, "no single backup job of this instance began with the backup"

    def _look(self, instance_id: str, began: datetime) -> str | None:
        with self._lock:
            if job_id := self._match(instance_id, began):
                return job_id
            jobs = self._backups.jobs(began - _WINDOW, began + _WINDOW)
            self._known.update((job.id, job) for job in jobs)
            return self._match(instance_id, began)

    def _match(self, instance_id: str, began: datetime) -> str | None:
        """The only job of the instance that was created within a minute: a wrong id is worse than none."""
        near = [
            job.id
            for job in self._known.values()
            if job.instance_id == instance_id and abs(job.created_at - began) <= _WINDOW
        ]
        return near[0] if len(near) == 1 else None
