"""Finding the backups that a question is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.backups.errors import AbsentError
from shared.backups.job_ids import NEAR
from shared.backups.names import digest, key_of
from shared.backups.ports import Backup, BackupJob, Backups, Clock, Job, Jobs
from shared.backups.retrying import Retrying
from shared.backups.tracking.answers import Answer, Progress
from shared.backups.tracking.tasks import Tasks


_OLDEST = timedelta(days=30)
_NO_JOB = (
    "DDS does not know this job: it shows a new one only after some seconds, and none that is older than a month. Ask "
    "again, or check the id, the project and the region"
)
_NO_BACKUP = "DDS does not list this manual backup. Ask again if it is new, or check the id, the project and the region"
_NO_EVENT = "no backup of the last 30 days was made under this key: not yet, or the key is another one"


@dataclass(frozen=True, slots=True)
class Questions:
    """Answers questions from DDS; one to three calls each. Every method raises CloudError if DDS does not answer."""

    backups: Backups
    jobs: Jobs
    clock: Clock
    retrying: Retrying

    def job(self, job_id: str) -> Answer:
        """How far the backup is that a job makes."""
        question = {"job_id": job_id}
        try:
            job = self.retrying.call(lambda: self.jobs.show(job_id))
        except AbsentError:
            return Answer(question, [], _NO_JOB)
        backup = self._made_by(job)
        if backup is None or job.created_at is None:
            return Answer(question, [Progress.of_job(job)])
        task = BackupJob(job_id, job.instance_id, job.created_at, job.status, job.progress, job.fail_reason)
        return Answer(question, [Progress.of_backup(backup, task)])

    def backup(self, backup_id: str) -> Answer:
        """How far a backup is."""
        try:
            listed = self.retrying.call(lambda: self.backups.list(backup_id=backup_id))
        except AbsentError:
            listed = []
        found = [backup for backup in listed if backup.id == backup_id]
        return Answer({"backup_id": backup_id}, self._with_jobs(found), None if found else _NO_BACKUP)

    def event(self, idempotency_key: str) -> Answer:
        """How far the backups are that create_backup has made so far for the event with this key."""
        key = digest("idempotency_key", idempotency_key)[:32]  # as it is in their descriptions
        since = self.clock.now() - _OLDEST  # where DDS does not filter by description, it lists them all
        listed = self.retrying.call(lambda: self.backups.list(description_part=key, since=since))
        found = {backup.id: backup for backup in listed if key_of(backup.description) == key}
        progress = self._with_jobs(sorted(found.values(), key=lambda backup: backup.name))
        return Answer({"idempotency_key": idempotency_key}, progress, None if found else _NO_EVENT)

    def _made_by(self, job: Job) -> Backup | None:
        """The only backup of the job's instance that began with it."""
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

    def _with_jobs(self, backups: Sequence[Backup]) -> list[Progress]:
        jobs = Tasks(self.jobs, self.retrying).of(backups)
        return [Progress.of_backup(backup, jobs.get(backup.id)) for backup in backups]
