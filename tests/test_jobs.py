"""Job ids that got lost: recovered only when there is no doubt."""

from dataclasses import replace
from datetime import timedelta

from shared.jobs import JobFinder
from shared.model import Backup, BackupJob
from tests.fakes import INSTANCES, START, A, FakeClock, FakeDds, FakeJobs, make_retrying


BACKUP = Backup("b-1", "name", A, "COMPLETED", START)


def find(*jobs: BackupJob, backup: Backup = BACKUP, later: float = 3600) -> tuple[str | None, str | None]:
    clock = FakeClock()
    dds = FakeDds(clock, tasks=list(jobs))
    clock.sleep(later)
    return JobFinder(FakeJobs(dds), make_retrying(clock)).find(backup, patience=10)


def job(seconds: float = 0, instance_id: str = A, job_id: str = "job-1") -> BackupJob:
    return BackupJob(job_id, instance_id, START + timedelta(seconds=seconds))


def test_the_only_job_of_the_instance_at_that_time_is_the_backups() -> None:
    """One operation an instance at a time: there can be no other."""
    assert find(job(2), job(0, INSTANCES[1], "job-2")) == ("job-1", None)


def test_a_job_of_another_time_is_not() -> None:
    """A wrong id is worse than none."""
    assert find(job(61))[0] is None


def test_of_two_jobs_neither_is_guessed() -> None:
    """Two within the minute."""
    assert find(job(0), job(30, job_id="job-2"))[0] is None


def test_a_backup_older_than_a_month_has_no_job_any_more() -> None:
    """DDS keeps tasks for a month; nothing is asked."""
    job_id, why = find(job(), later=31 * 86400)

    assert (job_id, why) == (None, "DDS keeps jobs for a month, and this backup is older")


def test_a_backup_of_unknown_time_has_no_job_to_be_found() -> None:
    """The list did not say when it began."""
    assert find(job(), backup=replace(BACKUP, begin_time=None)) == (None, "DDS does not say when the backup began")


def test_one_look_serves_all_backups_of_that_time() -> None:
    """A redelivery of a large event does not ask once an instance."""
    clock = FakeClock()
    dds = FakeDds(clock, tasks=[job(number, instance, f"job-{number}") for number, instance in enumerate(INSTANCES)])
    clock.sleep(3600)
    ids = JobFinder(FakeJobs(dds), make_retrying(clock))

    found = [ids.find(replace(BACKUP, instance_id=instance), patience=10)[0] for instance in INSTANCES]

    assert found == [f"job-{number}" for number in range(len(INSTANCES))]
    assert dds.calls == ["jobs"]
