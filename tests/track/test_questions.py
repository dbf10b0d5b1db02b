"""Answers to questions: completed, running with its progress, failed with the reason, or unknown."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.create.request import BackupRequest
from shared.errors import AbsentError, CloudError, DeniedError, ThrottledError, TransientError
from shared.jobs import JobFinder
from shared.model import Backup, BackupJob, Job
from shared.track.questions import Questions
from shared.track.report import State, combine_states
from tests.fakes import INSTANCES, START, A, FakeClock, FakeDds, FakeJobs, make_retrying, name_request
from tests.track.history import KEY


BUILDING = Backup("b-1", "name", A, "BUILDING", START, KEY)
DONE = replace(BUILDING, status="COMPLETED", end_time=START + timedelta(seconds=60), size=2803)
TASK = BackupJob("job-1", A, START, "Running", "60%")
BROKEN_TASK = replace(TASK, status="Failed", progress="", fail_reason="no space")
JOB = Job("job-1", "Running", "60%", A, created_at=START)


@pytest.fixture
def dds() -> FakeDds:
    clock = FakeClock()
    clock.seconds = 30
    return FakeDds(clock)


@pytest.fixture
def questions(dds: FakeDds) -> Questions:
    return Questions(dds, FakeJobs(dds), dds.clock, make_retrying(dds.clock, 70))


@pytest.mark.parametrize(
    ("backup", "task", "expected"),
    [
        (BUILDING, TASK, (State.RUNNING, "60%", None)),
        (BUILDING, None, (State.RUNNING, None, None)),
        (BUILDING, replace(TASK, status="Completed", progress=""), (State.RUNNING, None, None)),
        (BUILDING, BROKEN_TASK, (State.FAILED, None, "no space")),
        (DONE, TASK, (State.COMPLETED, None, None)),
        (replace(BUILDING, status="FAILED"), BROKEN_TASK, (State.FAILED, None, "no space")),
        (replace(BUILDING, status="DISABLED"), TASK, (State.FAILED, None, "the backup is being deleted")),
    ],
    ids=["running", "no job", "job is done first", "job fails first", "done", "failed", "being deleted"],
)
def test_the_state_of_a_backup(
    dds: FakeDds, questions: Questions, backup: Backup, task: BackupJob | None, expected: tuple[object, ...]
) -> None:
    """The backup list decides. The job adds progress and reason; a failed job counts before the list shows it."""
    dds.backups, dds.tasks = [backup], [task] if task else []

    (found,) = questions.backup("b-1").backups

    assert (found.state, found.progress, found.reason) == expected
    assert found.document()["backup_id"] == "b-1"
    assert found.document()["job_id"] == (task and "job-1")


def test_a_failed_backup_without_a_reason_says_where_to_look(dds: FakeDds, questions: Questions) -> None:
    """The reason names the DDS console."""
    dds.backups = [replace(BUILDING, status="FAILED")]

    assert "DDS console" in str(questions.backup("b-1").backups[0].reason)


@pytest.mark.parametrize("fault", [None, AbsentError("DBS.201214")], ids=["empty list", "error"])
def test_a_backup_that_is_not_listed_is_unknown(dds: FakeDds, questions: Questions, fault: AbsentError | None) -> None:
    """DDS may list a new backup some seconds later."""
    dds.list_faults = [fault]

    answer = questions.backup("b-1")

    assert (answer.state, list(answer.backups)) == (State.UNKNOWN, [])
    assert "does not list" in str(answer.message)


@pytest.mark.parametrize(
    ("backups", "job", "expected"),
    [
        ([DONE], replace(JOB, status="Completed", progress=""), (State.COMPLETED, "b-1", None)),
        ([BUILDING], JOB, (State.RUNNING, "b-1", None)),
        ([], JOB, (State.RUNNING, None, None)),
        ([], replace(JOB, status="Completed"), (State.COMPLETED, None, None)),
        ([], replace(JOB, status="Failed", fail_reason="no space"), (State.FAILED, None, "no space")),
        ([BUILDING, replace(BUILDING, id="b-2")], JOB, (State.RUNNING, None, None)),
        ([replace(BUILDING, instance_id=INSTANCES[1])], JOB, (State.RUNNING, None, None)),
        ([replace(BUILDING, begin_time=START + timedelta(seconds=61))], JOB, (State.RUNNING, None, None)),
        ([BUILDING], replace(JOB, created_at=None), (State.RUNNING, None, None)),
        ([BUILDING], replace(JOB, instance_id=""), (State.RUNNING, None, None)),
    ],
    ids=["done", "running", "alone", "done alone", "failed", "two", "another's", "another time", "no time", "no place"],
)
def test_the_state_of_a_job(
    dds: FakeDds, questions: Questions, backups: list[Backup], job: Job, expected: tuple[object, ...]
) -> None:
    """The answer has the backup if only one backup can be that of the job."""
    dds.clock.seconds = 100
    dds.backups, dds.shown_jobs = backups, {"job-1": job}

    (found,) = questions.job("job-1").backups

    assert (found.state, found.facts["backup_id"], found.reason) == expected
    assert found.progress == ("60%" if found.state is State.RUNNING else None)
    assert found.facts["job_id"] == "job-1"


def test_a_job_that_dds_does_not_show_is_unknown(questions: Questions) -> None:
    """DDS shows a new job after some seconds."""
    answer = questions.job("job-1")

    assert (answer.state, answer.document()["backups"]) == (State.UNKNOWN, [])
    assert "only after some seconds" in answer.document()["message"]


@pytest.mark.parametrize("filters", [True, False])
def test_the_backups_of_an_event_are_found_by_its_key(dds: FakeDds, questions: Questions, *, filters: bool) -> None:
    """Neither the names of the backups nor the filters of the region matter."""
    dds.filters = filters
    dds.duration = 0
    request = BackupRequest(instance_ids=INSTANCES[:2], idempotency_key="release-42")
    names = name_request(request, ("idempotency_key", "release-42"))
    other = name_request(request, ("idempotency_key", "release-43"))
    for instance in INSTANCES[:2]:
        dds.add(instance, names.name(instance), names.description("a text"))
        dds.add(instance, other.name(instance), other.description(""))

    answer = questions.event("release-42")

    assert sorted(backup.facts["instance_id"] for backup in answer.backups) == list(INSTANCES[:2])
    assert {backup.facts["event_key"] for backup in answer.backups} == {names.key}
    assert dds.calls == ["list", "jobs"]
    assert questions.event("release-44").state is State.UNKNOWN


@pytest.mark.parametrize(
    ("states", "together"),
    [
        ("COMPLETED COMPLETED", "COMPLETED"),
        ("COMPLETED RUNNING", "RUNNING"),
        ("COMPLETED UNKNOWN", "UNKNOWN"),
        ("RUNNING FAILED COMPLETED", "FAILED"),
        ("UNKNOWN RUNNING", "RUNNING"),
        ("", "UNKNOWN"),
    ],
)
def test_states_are_combined(states: str, together: str) -> None:
    """The result is FAILED as soon as one backup failed, and COMPLETED only if all are."""
    assert combine_states([State(state) for state in states.split()]) is State(together)


def test_a_call_that_fails_once_is_repeated(dds: FakeDds, questions: Questions) -> None:
    """Both lists are read again."""
    dds.backups, dds.tasks = [BUILDING], [TASK]
    dds.list_faults = dds.job_faults = [TransientError("503"), None, TransientError("503")]

    assert questions.backup("b-1").backups[0].progress == "60%"


def test_a_denied_list_is_raised(dds: FakeDds, questions: Questions) -> None:
    """The question has no answer."""
    dds.list_faults = [DeniedError("no")]

    with pytest.raises(DeniedError):
        questions.backup("b-1")


@pytest.mark.parametrize("fault", [TransientError("503"), ThrottledError("429"), DeniedError("no")])
def test_a_task_list_that_fails_only_costs_its_own_facts(dds: FakeDds, questions: Questions, fault: CloudError) -> None:
    """The answer has the state of the backup after at most 15 seconds."""
    dds.backups, dds.job_faults = [BUILDING], [fault] * 99

    (found,) = questions.backup("b-1").backups

    assert (found.state, found.progress) == (State.RUNNING, None)
    assert dds.clock.seconds <= 45


def test_the_jobs_of_many_backups_take_one_call(dds: FakeDds, questions: Questions) -> None:
    """The call covers the backups of the last month, since DDS keeps no older jobs."""
    old = replace(BUILDING, id="b-0", begin_time=START - timedelta(days=31))
    month = replace(BUILDING, id="b-2", begin_time=START - timedelta(days=30) + timedelta(seconds=40))
    unknown = replace(BUILDING, id="b-3", begin_time=None)
    asked: list[tuple[object, object]] = []

    class Asked(FakeJobs):
        def created_between(self, since: object, until: object, *, patience: float = 0) -> list[BackupJob]:
            asked.append((since, until))
            return [TASK]

    found = JobFinder(Asked(dds), questions.retrying).find_all([old, month, BUILDING, unknown])

    assert found == {"b-1": TASK}
    ((since, until),) = asked
    assert until == START + timedelta(minutes=1)
    assert since == START - timedelta(days=30) + timedelta(minutes=1)
    assert JobFinder(Asked(dds), questions.retrying).find_all([old, unknown]) == {}
