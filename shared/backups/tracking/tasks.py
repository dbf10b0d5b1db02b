"""The jobs of backups, in one look at the task list."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.backups.errors import CloudError
from shared.backups.job_ids import NEAR, only_job
from shared.backups.ports import Backup, BackupJob, Jobs
from shared.backups.retrying import Retrying


_log = logging.getLogger(__name__)

_KEPT = timedelta(days=30)  # DDS API, Querying Task Details: the tasks of the last month
_PATIENCE = 15.0  # seconds: what must be announced must not wait long for what would be good to know


@dataclass(frozen=True, slots=True)
class Tasks:
    """What the task list adds to backups: job id, progress, and why one failed. It adds; nothing depends on it."""

    jobs: Jobs
    retrying: Retrying

    def of(self, backups: Sequence[Backup]) -> dict[str, BackupJob]:
        """The jobs by the ids of their backups, as far as they can be told; of a list that keeps failing, none."""
        oldest = self.retrying.waiting.clock.now() - _KEPT
        begins = [backup.begin_time for backup in backups if backup.begin_time and backup.begin_time > oldest]
        if not begins:
            return {}
        until = max(begins) + NEAR
        try:
            since = max(min(begins) - NEAR, until - _KEPT)
            jobs = self._patient().call(lambda: self.jobs.created_between(since, until))
        except CloudError as error:
            _log.warning("task list not read", extra={"fields": {"code": error.code, "error": str(error)}})
            return {}
        found = {b.id: only_job(jobs, b.instance_id, b.begin_time) for b in backups if b.begin_time}
        return {backup_id: job for backup_id, job in found.items() if job}

    def _patient(self) -> Retrying:
        waiting = self.retrying.waiting
        until = waiting.clock.monotonic() + _PATIENCE
        shorter = replace(waiting, left=lambda: min(waiting.left(), until - waiting.clock.monotonic()))
        return replace(self.retrying, waiting=shorter)
