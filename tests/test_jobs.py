"""Finding the job of a backup in the task list: only if there is no doubt."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import DeniedError, TransientError
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


def test_the_only_job_of_the_instance_at_that_time_is_found() -> None:
    """An instance runs one operation at a time, so there is no other."""
    assert find(job(2), job(0, INSTANCES[1], "job-2")) == ("job-1", None)


def test_a_job_more_than_a_minute_away_is_not_found() -> None:
    """A wrong job id is worse than none."""
    assert find(job(61))[0] is None


def test_neither_of_two_jobs_is_found() -> None:
    """Both are within a minute of the backup."""
    assert find(job(0), job(30, job_id="job-2"))[0] is None


@pytest.mark.parametrize("age", [0, 30, 45])
def test_the_job_of_the_previous_backup_is_not_taken_for_the_job_of_a_young_one(age: float) -> None:
    """The young backup's own job may not be listed yet, although it is created when the backup begins."""
    assert find(job(-40), later=age)[0] is None
    assert find(job(-5), later=age) == ("job-1", None)
    assert find(job(-40), job(0, job_id="own"), later=age) == ("own", None)


def test_a_job_listed_twice_counts_once() -> None:
    """A job may be on two pages of the task list."""
    dds = FakeDds(FakeClock(), tasks=[job(), job()])
    dds.clock.sleep(3600)

    assert JobFinder(FakeJobs(dds), make_retrying(dds.clock)).find_all([BACKUP]) == {"b-1": job()}


def test_the_task_list_is_given_15_seconds() -> None:
    """They count for all pages, and for tries before the last."""
    clock, patiences = FakeClock(), []

    class Failing(FakeJobs):
        def created_between(self, since: object, until: object, *, patience: float = 0) -> list[BackupJob]:
            patiences.append(patience)
            clock.sleep(4)
            raise TransientError("503")

    assert JobFinder(Failing(FakeDds(clock)), make_retrying(clock, 300)).find_all([BACKUP]) == {}
    assert patiences[0] == 15
    assert patiences == sorted(patiences, reverse=True)
    assert clock.seconds <= 20


def test_the_job_of_a_backup_older_than_a_month_is_not_found() -> None:
    """DDS keeps jobs for a month, so it is not asked."""
    job_id, why = find(job(), later=31 * 86400)

    assert (job_id, why) == (None, "DDS keeps jobs for a month, and this backup is older")


def test_the_job_of_a_backup_without_a_begin_time_is_not_found() -> None:
    """DDS did not return when the backup began."""
    assert find(job(), backup=replace(BACKUP, begin_time=None)) == (None, "DDS does not say when the backup began")


def test_one_task_list_serves_all_backups_of_that_time() -> None:
    """A redelivery of a large event does not ask for each instance."""
    clock = FakeClock()
    dds = FakeDds(clock, tasks=[job(number, instance, f"job-{number}") for number, instance in enumerate(INSTANCES)])
    clock.sleep(3600)
    ids = JobFinder(FakeJobs(dds), make_retrying(clock))

    found = [ids.find(replace(BACKUP, instance_id=instance), patience=10)[0] for instance in INSTANCES]

    assert found == [f"job-{number}" for number in range(len(INSTANCES))]
    assert dds.calls == ["jobs"]


def test_a_list_from_before_the_backup_began_is_read_again() -> None:
    """Its only job near the backup's begin belongs to the instance's previous backup."""
    clock = FakeClock()
    dds = FakeDds(clock, tasks=[job(-3, job_id="previous")])
    finder = JobFinder(FakeJobs(dds), make_retrying(clock))
    earlier = finder.find(replace(BACKUP, begin_time=START - timedelta(seconds=3)), patience=0)

    clock.sleep(30)
    dds.tasks.append(job(1, job_id="own"))
    later = finder.find(BACKUP, patience=0)

    assert earlier == ("previous", None)
    assert later[0] is None


class NewBackup:
    """A backup that was made just now, and the job finder that looks for its job."""

    def __init__(self, **options: Any) -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock, **options)
        self.dds.add(A, "name")

    def find(self) -> tuple[str | None, str | None]:
        finder = JobFinder(FakeJobs(self.dds), make_retrying(self.clock))
        return finder.find_new(lambda: next(iter(self.dds.list()), None), patience=10)


def test_the_job_of_a_new_backup_is_waited_for() -> None:
    """The list of backups lags for five seconds, and the task list fails once."""
    new = NewBackup(hidden_for=5, job_faults=[TransientError("503")])

    assert new.find() == ("job-1", None)
    assert new.clock.seconds <= 10


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda dds: dds.list_faults.extend([TransientError("503")] * 99), "list the backup yet (503)"),
        (lambda dds: setattr(dds, "hidden_for", 100), "list the backup yet"),
        (lambda dds: dds.job_faults.append(DeniedError("no")), "began with the backup (no)"),
        (lambda dds: dds.job_faults.extend([TransientError("no")] * 99), "began with the backup (no)"),
        (lambda dds: dds.tasks.clear(), "no job of this instance alone"),
    ],
    ids=["list fails", "list lags", "tasks denied", "tasks fail", "no task"],
)
def test_there_is_a_reason_if_the_job_of_a_new_backup_is_not_found(
    spoil: Callable[[FakeDds], object], reason: str
) -> None:
    """It is not waited for longer than the caller's patience."""
    new = NewBackup()
    spoil(new.dds)

    job_id, why = new.find()

    assert job_id is None
    assert reason in str(why)
    assert new.clock.seconds <= 10
