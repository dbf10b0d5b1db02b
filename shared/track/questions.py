"""Answers questions about backups: is it done, how far is it, why did it fail."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import AbsentError
from shared.identity import event_key, key_of
from shared.jobs import NEAR, JobFinder
from shared.model import JOBS_KEPT, Backup, BackupJob, Backups, Clock, Job, Jobs
from shared.retry import Retrying
from shared.track.report import Answer, BackupProgress


_NO_JOB = (
    "DDS does not know this job: it shows a new one only after some seconds, and none that is older than a month. Ask "
    "again, or check the id, the project and the region"
)
_NO_BACKUP = "DDS does not list this manual backup. Ask again if it is new, or check the id, the project and the region"
_NO_EVENT = "no backup of the last 30 days was made under this key: not yet, or the key is another one"


@dataclass(frozen=True, slots=True)
class Questions:
    """Answers questions from DDS, with one to three calls each.

    Every method raises CloudError if DDS does not answer.
    """

    backups: Backups
    jobs: Jobs
    clock: Clock
    retrying: Retrying

    def job(self, job_id: str) -> Answer:
        """Answer how far the backup is that a job makes."""
        question = {"job_id": job_id}
        try:
            job = self.retrying.call(lambda: self.jobs.show(job_id))
        except AbsentError:
            return Answer(question, [], _NO_JOB)
        backup = self._made_by(job)
        if backup is None or job.created_at is None:
            return Answer(question, [BackupProgress.of_job(job)])
        task = BackupJob(job_id, job.instance_id, job.created_at, job.status, job.progress, job.fail_reason)
        return Answer(question, [BackupProgress.of_backup(backup, task)])

    def backup(self, backup_id: str) -> Answer:
        """Answer how far a backup is."""
        try:
            listed = self.retrying.call(lambda: self.backups.list(backup_id=backup_id))
        except AbsentError:
            listed = []
        found = [backup for backup in listed if backup.id == backup_id]
        return Answer({"backup_id": backup_id}, self._with_jobs(found), None if found else _NO_BACKUP)

    def event(self, idempotency_key: str) -> Answer:
        """Answer how far the backups are that create_backup has made so far for the event with this key."""
        key = event_key(("idempotency_key", idempotency_key))
        since = self.clock.now() - JOBS_KEPT  # bounds the list in regions that do not filter by description
        listed = self.retrying.call(lambda: self.backups.list(description_part=key, since=since))
        found = {backup.id: backup for backup in listed if key_of(backup.description) == key}
        progress = self._with_jobs(sorted(found.values(), key=lambda backup: backup.name))
        return Answer({"idempotency_key": idempotency_key}, progress, None if found else _NO_EVENT)

    def _made_by(self, job: Job) -> Backup | None:
        """Return the only backup of the job's instance that began together with the job."""
        if job.created_at is None or not job.instance_id:
            return None
        created, instance_id = job.created_at, job.instance_id
        listed = self.retrying.call(lambda: self.backups.list(instance_id=instance_id, since=created - NEAR))
        near = [
            backup
            for backup in listed
            if backup.instance_id == instance_id and backup.begin_time and abs(backup.begin_time - created) <= NEAR
        ]
        return near[0] if len(near) == 1 else None

    def _with_jobs(self, backups: Sequence[Backup]) -> list[BackupProgress]:
        jobs = JobFinder(self.jobs, self.retrying).find_all(backups)
        return [BackupProgress.of_backup(backup, jobs.get(backup.id)) for backup in backups]
