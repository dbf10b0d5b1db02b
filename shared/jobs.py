"""Finding the job that makes a backup in DDS's task list, by the backup's instance and begin time."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from shared.errors import CloudError
from shared.model import JOBS_KEPT, Backup, BackupJob, Jobs
from shared.retry import Retrying


_log = logging.getLogger(__name__)

FoundT = TypeVar("FoundT")

NEAR = timedelta(seconds=60)
"""How far apart a backup's begin and the creation of its job may be."""

_YOUNG = timedelta(minutes=1)  # while a backup is so young, DDS may not list its job yet
_SKEW = timedelta(seconds=5)  # how long before its backup's begin a job may be created; times of DDS are whole seconds
_ROUNDING = timedelta(seconds=1)
_POLL_INTERVAL = 2.0
_PATIENCE = 15.0  # seconds that a notification waits for the job of its backup


class _JobList:
    """Jobs by instance, each once."""

    def __init__(self) -> None:
        self._by_instance: dict[str, dict[str, BackupJob]] = {}

    def add(self, jobs: Iterable[BackupJob]) -> None:
        """Add jobs, or replace those that have the same id."""
        for job in jobs:
            self._by_instance.setdefault(job.instance_id, {})[job.id] = job

    def only_job(self, instance_id: str, began: datetime, *, since: datetime) -> BackupJob | None:
        """Return the only job of the instance created within a minute of `began`; None if there are two candidates.

        Jobs created before `since` do not count.
        """
        jobs = self._by_instance.get(instance_id, {}).values()
        near = [job for job in jobs if job.created_at >= since and abs(job.created_at - began) <= NEAR]
        return near[0] if len(near) == 1 else None


class _Read(NamedTuple):
    """A read of the jobs that were created from `since` to `until`."""

    since: datetime
    until: datetime
    time: datetime

    def may_have_job(self, began: datetime) -> bool:
        """Whether the job of a backup that began then can be in it: times of DDS are whole seconds, rounded down."""
        return self.since <= began - _SKEW and began + _SKEW <= self.until and self.time >= began + _ROUNDING


class JobFinder:
    """Finds the jobs of backups. Workers may share it: what one has listed serves the others.

    An instance runs one operation at a time, so the only job that was created near a backup's begin makes that backup.
    This does not hold while the job may not be listed yet, since DDS shows a job only after some seconds (DDS API,
    Querying Task Details): the only one may then belong to the instance's previous backup, an automated one say. For
    a young backup only jobs count that were created at most 5 seconds before it began. A list that was read before the
    backup began cannot have its job, so it is read again.
    """

    def __init__(self, jobs: Jobs, retrying: Retrying) -> None:
        self._jobs = jobs
        self._retrying = retrying
        self._clock = retrying.deadline.clock
        self._lock = threading.Lock()
        self._listed = _JobList()
        self._reads: list[_Read] = []

    def find(self, backup: Backup, *, patience: float) -> tuple[str | None, str | None]:
        """Return a backup's job id, or None and the reason why it is not known.

        The task list is polled for at most `patience` seconds if the backup is young.
        """
        if backup.begin_time is None:
            return None, "DDS does not say when the backup began"
        began, age = backup.begin_time, self._clock.now() - backup.begin_time
        if age > JOBS_KEPT:
            return None, "DDS keeps jobs for a month, and this backup is older"
        until = self._clock.monotonic() + patience
        job, note = self._poll(
            lambda: self._look(backup.instance_id, began, patience=until - self._clock.monotonic()),
            patience,
            may_appear=age < _YOUNG,
        )
        return (job.id, None) if job else (None, f"no job of this instance alone began with the backup{note}")

    def find_new(self, locate: Callable[[], Backup | None], *, patience: float) -> tuple[str | None, str | None]:
        """The same for a backup just made, which `locate` finds in the backup list as soon as DDS shows it."""
        until = self._clock.monotonic() + patience
        backup, note = self._poll(locate, patience, may_appear=True)
        if backup is None:
            return None, f"the answer had none, and DDS does not list the backup yet{note}"
        return self.find(backup, patience=until - self._clock.monotonic())

    def find_all(self, backups: Sequence[Backup]) -> dict[str, BackupJob]:
        """Return the jobs by the ids of their backups, from one look at the task list.

        Jobs are optional here: a task list that cannot be read within 15 seconds is logged, and nothing is found.
        """
        oldest = self._clock.now() - JOBS_KEPT
        begins = [backup.begin_time for backup in backups if backup.begin_time and backup.begin_time > oldest]
        if not begins:
            return {}
        until = max(begins) + NEAR
        since = max(min(begins) - NEAR, until - JOBS_KEPT)
        listed = _JobList()
        try:
            listed.add(self._read(since, until))
        except CloudError as error:
            _log.warning("task list not read", extra={"fields": {"code": error.code, "error": str(error)}})
            return {}
        found = {b.id: self._match(listed, b.instance_id, b.begin_time) for b in backups if b.begin_time}
        return {backup_id: job for backup_id, job in found.items() if job}

    def _read(self, since: datetime, until: datetime) -> Sequence[BackupJob]:
        """Read all pages of the task list within 15 seconds."""
        retrying = self._retrying.within(_PATIENCE)
        return retrying.call(lambda: self._jobs.created_between(since, until, patience=retrying.deadline.left()))

    def _poll(
        self, look: Callable[[], FoundT | None], patience: float, *, may_appear: bool
    ) -> tuple[FoundT | None, str]:
        """Return what `look` finds, or None and the error of the last look, if there was one."""
        retrying = self._retrying.within(max(0.0, patience))
        try:
            return (retrying.poll(look, every=_POLL_INTERVAL) if may_appear else retrying.call(look)), ""
        except CloudError as error:
            return None, f" ({error})"

    def _look(self, instance_id: str, began: datetime, *, patience: float) -> BackupJob | None:
        with self._lock:
            if any(read.may_have_job(began) for read in self._reads) and (
                job := self._match(self._listed, instance_id, began)
            ):
                return job
            read = _Read(began - NEAR, began + NEAR, self._clock.now())
            self._listed.add(self._jobs.created_between(read.since, read.until, patience=patience))
            self._reads.append(read)
            return self._match(self._listed, instance_id, began)

    def _match(self, listed: _JobList, instance_id: str, began: datetime) -> BackupJob | None:
        is_young = self._clock.now() - began < _YOUNG
        return listed.only_job(instance_id, began, since=began - (_SKEW if is_young else NEAR))
