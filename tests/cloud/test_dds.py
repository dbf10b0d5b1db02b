"""Backups, jobs and instances in DDS, through the official SDK."""

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest

from cli.cost import calls
from localcloud import LocalCloud
from shared.cloud.dds import read_pages
from shared.errors import AbsentError, DeniedError, ThrottledError, TransientError
from shared.runtime.invocation import SystemClock
from tests.cloud.conftest import Adapters, adapters_for
from tests.fakes import FakeClock, make_retrying


KEY = f"key:{'0' * 32}"


def page(count: int, total: int, first: int = 0) -> dict[str, Any]:
    """Return the answer to a list of backups: `count` backups with numbers from `first`, and the total count."""
    numbers = range(first, first + count)
    backups = [{"id": f"b{number}", "name": "n", "instance_id": "i", "status": "COMPLETED"} for number in numbers]
    return {"status": 200, "body": {"backups": backups, "total_count": total}}


def set_answers(cloud: LocalCloud, *answers: dict[str, Any], last: dict[str, Any] | None = None) -> None:
    """Let the local cloud answer lists with `answers`, and those after them with `last`."""
    rules = [{"method": "GET", "nth": [1], "answer": answer} for answer in answers]
    cloud.set_faults(rules + ([{"method": "GET", "answer": last}] if last else []))


def offsets(cloud: LocalCloud) -> list[int]:
    """Return the offsets of all lists."""
    return [int(parse_qs(call["query"])["offset"][0]) for call in cloud.requests() if call["method"] == "GET"]


def test_a_new_backup_and_its_job_are_listed(adapters: Adapters) -> None:
    """All fields agree with the create."""
    new = adapters.dds.create(adapters.instance, "some-name", KEY)

    (backup,) = adapters.dds.list(name_part="some-na", instance_id=adapters.instance)
    assert (backup.id, backup.name, backup.instance_id) == (new.backup_id, "some-name", adapters.instance)
    assert (backup.status, backup.description) == ("BUILDING", KEY)
    assert backup.begin_time
    assert abs(backup.begin_time - SystemClock().now()) < timedelta(minutes=1)
    minute = timedelta(minutes=1)
    jobs = adapters.jobs.created_between(backup.begin_time - minute, backup.begin_time + minute)
    assert [(job.id, job.instance_id) for job in jobs if job.id == new.job_id] == [(new.job_id, adapters.instance)]


def test_a_list_since_a_time_leaves_out_older_backups(cloud: LocalCloud, adapters: Adapters) -> None:
    """The time is converted to UTC."""
    adapters.dds.create(adapters.instance, "some-name", KEY)

    assert adapters.dds.list(name_part="some-name", since=SystemClock().now() - timedelta(hours=1))
    assert not adapters.dds.list(name_part="some-name", since=SystemClock().now() + timedelta(hours=1))


def test_a_create_without_a_job_id_is_a_success(cloud: LocalCloud, adapters: Adapters) -> None:
    """The API page of Kuala Lumpur has only the backup id."""
    answer = {"status": 200, "body": {"backup_id": "b-1"}}
    cloud.set_faults([{"method": "POST", "answer": answer}])

    assert adapters.dds.create(adapters.instance, "some-name", "").job_id is None


@pytest.mark.parametrize("field", ["size", "begin_time"])
def test_a_field_of_another_type_is_not_raised(cloud: LocalCloud, adapters: Adapters, field: str) -> None:
    """A size that is not a number is a transient error, and a begin time that is not a time is None."""
    backup = {"id": "b", "name": "n", "instance_id": "i", "status": "BUILDING", field: ""}
    cloud.set_faults([{"method": "GET", "answer": {"status": 200, "body": {"backups": [backup], "total_count": 1}}}])

    if field == "size":
        with pytest.raises(TransientError):
            adapters.dds.list()
    else:
        assert adapters.dds.list()[0].begin_time is None


def test_a_list_is_read_to_its_last_page(cloud: LocalCloud, adapters: Adapters) -> None:
    """A page has 100 backups. A total count that is too small does not end the list."""
    set_answers(cloud, page(100, 50), page(100, 210, 100), page(10, 210, 200))

    assert len(adapters.dds.list()) == 210
    assert offsets(cloud) == [0, 100, 200]


def test_a_list_that_ends_too_early_is_transient(cloud: LocalCloud, adapters: Adapters) -> None:
    """The missing backup may be one that must not be deleted, or that must not be made again."""
    set_answers(cloud, page(1, 2), page(0, 2))

    with pytest.raises(TransientError, match="ended after 1 of 2"):
        adapters.dds.list()


def test_no_backup_is_skipped_if_others_vanish_between_two_pages(cloud: LocalCloud, adapters: Adapters) -> None:
    """The rest moves up by at most as many as the total count shrinks by. A backup on two pages is returned once."""
    set_answers(cloud, page(100, 250), page(100, 248, 102), page(100, 248, 100), page(50, 248, 200))

    ids = [backup.id for backup in adapters.dds.list()]
    assert len(ids) == 250
    assert set(ids) == {f"b{number}" for number in range(250)}
    assert offsets(cloud) == [0, 100, 98, 198]


def test_a_list_of_which_the_last_page_vanishes_is_complete(cloud: LocalCloud, adapters: Adapters) -> None:
    """The second page is empty, and the first one had to be read to its end."""
    set_answers(cloud, page(100, 101), page(0, 99), page(1, 99, 100))

    assert [backup.id for backup in adapters.dds.list()] == [f"b{number}" for number in range(101)]
    assert offsets(cloud) == [0, 100, 98]


def test_a_list_that_keeps_shrinking_is_transient(cloud: LocalCloud, adapters: Adapters) -> None:
    """A total count that swings would be read for ever."""
    set_answers(cloud, *[page(100, 300), page(100, 100, 100)] * 60)

    with pytest.raises(TransientError, match="shrank 51 times"):
        adapters.dds.list()


def test_an_offset_without_effect_is_transient(cloud: LocalCloud, adapters: Adapters) -> None:
    """Otherwise the list would never end."""
    set_answers(cloud, last=page(100, 100))

    with pytest.raises(TransientError, match="offset has no effect"):
        adapters.dds.list()
    assert offsets(cloud) == [0, 100]


def read_slow_pages(seconds: float, left: float) -> tuple[list[int], str]:
    """Read a list of 3 pages, each of which takes `seconds`, in `left` seconds. Return the offsets and the error."""
    clock, asked = FakeClock(), []

    def slow(offset: int) -> Any:
        asked.append(offset)
        clock.sleep(seconds)
        items = [SimpleNamespace(id=str(number)) for number in range(offset, min(offset + 100, 300))]
        return SimpleNamespace(status_code=200, total_count=300, items=items)

    try:
        read_pages(make_retrying(clock, left), slow, "items")
    except TransientError as error:
        return asked, str(error)
    return asked, ""


def test_no_page_is_read_after_the_deadline() -> None:
    """A page that comes at once was never late, however many there were."""
    assert read_slow_pages(10, left=60) == ([0, 100, 200, 300], "")
    assert read_slow_pages(10, left=20) == ([0, 100], "the time was over after 200 of 300 items")


def test_the_task_list_is_read_within_its_patience(cloud: LocalCloud) -> None:
    """All of its pages count, and the pauses before them."""
    clock = FakeClock()
    adapters = adapters_for(cloud.connection(), left=300, clock=clock)
    now = SystemClock().now()
    jobs = [{"id": f"j{number}", "name": "MongodbSnapshotBackup"} for number in range(100)]
    set_answers(cloud, {"status": 200, "body": {"jobs": jobs, "total_count": 150}}, last={"status": 429})

    with pytest.raises(ThrottledError):
        adapters.jobs.created_between(now, now, patience=15)
    assert clock.seconds <= 15


RESTORE = {
    "id": "r",
    "name": "RestoreMongoDB_Replica",
    "instance_id": "copy",
    "instance_name": "drill",
    "status": "Completed",
    "created_at": "2026-11-24T02:00:00+0000",
    "ended_at": "2026-11-24T02:09:00+0000",
}


def tasks_page(jobs: list[dict[str, Any]], total: int) -> dict[str, Any]:
    """Return the answer to a list of tasks."""
    return {"status": 200, "body": {"jobs": jobs, "total_count": total}}


def test_few_tasks_are_read_as_one_list(cloud: LocalCloud) -> None:
    """The first page is read once, and tasks of other kinds are left out."""
    adapters = adapters_for(cloud.connection())
    job = {"name": "MongodbSnapshotBackup", "created_at": RESTORE["created_at"]}
    all_tasks = [*({**job, "id": f"j{n}"} for n in range(899)), RESTORE]
    pages = [tasks_page(all_tasks[start : start + 100], 900) for start in range(0, 900, 100)]
    set_answers(cloud, *pages, last=tasks_page([], 900))
    now = SystemClock().now()

    (found,) = adapters.jobs.restoring_between(now - timedelta(days=30), now)

    assert (found.id, found.is_restart, found.instance_id, found.instance_name) == ("r", False, "copy", "drill")
    assert found.ended_at
    assert found.ended_at - found.created_at == timedelta(minutes=9)
    assert offsets(cloud) == list(range(0, 1000, 100))
    assert len(cloud.requests()) == calls.verified_calls(900)
    assert all("name" not in parse_qs(call["query"]) for call in cloud.requests())


def test_of_many_tasks_those_that_matter_are_read_by_their_names(cloud: LocalCloud) -> None:
    """That takes ten calls, however many tasks there are. The cost is computed from their number."""
    adapters = adapters_for(cloud.connection())
    many = tasks_page([{"id": "j", "name": "MongodbSnapshotBackup", "created_at": RESTORE["created_at"]}], 901)
    restart = {**RESTORE, "id": "s", "name": "RestartInstance"}
    set_answers(cloud, many, tasks_page([restart], 1), last=tasks_page([RESTORE], 1))
    now = SystemClock().now()

    found = adapters.jobs.restoring_between(now - timedelta(days=30), now)

    assert sorted({(task.id, task.is_restart) for task in found}) == [("r", False), ("s", True)]
    first, *others = [parse_qs(call["query"]).get("name") for call in cloud.requests()]
    assert first is None
    assert len({name for (name,) in filter(None, others)}) == len(others) == calls.DRILL_TASKS
    assert len(cloud.requests()) == calls.verified_calls(901)


@pytest.mark.parametrize(
    ("name", "is_deletion"),
    [
        ("DeleteBackup", True),
        ("Delete_MongoDB_Backup", True),
        ("MongodbManualBackupDelete", True),
        ("MongodbSnapshotBackup", False),
        ("MongodbRecycleBackup", False),
        ("DeleteMongoDB", False),
        (None, False),
    ],
)
def test_a_job_deletes_a_backup_if_its_name_says_so(cloud: LocalCloud, name: str | None, *, is_deletion: bool) -> None:
    """The documents have no name for it. A job of a deleted instance may have no instance id."""
    adapters = adapters_for(cloud.connection())
    now = SystemClock().now()
    job = {"id": "j", "name": name, "created_at": "2026-11-24T02:00:00+0000"}
    set_answers(cloud, {"status": 200, "body": {"jobs": [job], "total_count": 1}})

    found = adapters.jobs.deleting_between(now - timedelta(days=1), now)

    assert [(job.id, job.instance_id) for job in found] == [("j", "")] * is_deletion


def test_a_list_since_a_time_ends_soon_after_now(cloud: LocalCloud, adapters: Adapters) -> None:
    """Whether DDS takes an end that lies far in the future is not documented (DBS.280068)."""
    adapters.dds.list(since=SystemClock().now() - timedelta(hours=1))

    end = parse_qs(cloud.requests()[-1]["query"])["end_time"][0]
    ahead = datetime.strptime(end, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc) - SystemClock().now()
    assert timedelta(0) < ahead <= timedelta(minutes=5)


def test_a_throttled_list_continues_with_the_page_that_failed(cloud: LocalCloud) -> None:
    """If it started again, a long list would never end."""
    clock = FakeClock()
    adapters = adapters_for(cloud.connection(), clock=clock)
    set_answers(
        cloud,
        page(100, 250),
        {"status": 429},
        {"status": 503},
        page(100, 250, 100),
        {"status": 429},
        page(50, 250, 200),
    )

    assert len(adapters.dds.list()) == 250
    assert offsets(cloud) == [0, 100, 100, 100, 200, 200]
    assert clock.slept[:2] == [0.25, 0.5]
    assert clock.seconds < 5


def test_a_throttled_list_ends_with_the_deadline(cloud: LocalCloud) -> None:
    """A pause that does not fit is not begun."""
    clock = FakeClock()
    adapters = adapters_for(cloud.connection(), left=0.2, clock=clock)
    set_answers(cloud, page(100, 250), last={"status": 429})

    with pytest.raises(ThrottledError):
        adapters.dds.list()
    assert not clock.slept


def test_a_page_is_tried_five_times(cloud: LocalCloud) -> None:
    """A page that is denied is tried once."""
    adapters = adapters_for(cloud.connection(), clock=FakeClock())

    set_answers(cloud, page(100, 250), last={"status": 503})
    with pytest.raises(TransientError):
        adapters.dds.list()
    assert offsets(cloud) == [0, *[100] * 5]

    set_answers(cloud, page(100, 250), last={"status": 403})
    with pytest.raises(DeniedError):
        adapters.dds.list()
    assert offsets(cloud)[6:] == [0, 100]


def test_a_job_runs_and_completes(cloud: LocalCloud, adapters: Adapters) -> None:
    """The completed backup has a size and an end time."""
    new = adapters.dds.create(adapters.instance, "some-name", KEY)
    assert new.job_id

    assert adapters.jobs.show(new.job_id).status == "Running"
    cloud.advance(600)
    job = adapters.jobs.show(new.job_id)

    assert (job.id, job.status, job.instance_id) == (new.job_id, "Completed", adapters.instance)
    (backup,) = adapters.dds.list(name_part="some-name")
    assert backup.status == "COMPLETED"
    assert backup.size
    assert backup.begin_time
    assert backup.end_time
    assert backup.end_time > backup.begin_time


def test_an_unknown_job_is_absent(adapters: Adapters) -> None:
    """DBS.200543 is in no table of the documents, but in the official Terraform provider."""
    with pytest.raises(AbsentError):
        adapters.jobs.show("8f14e45f-ceea-467f-a8f4-000000000000")


@pytest.mark.parametrize("body", [{}, {"job": None}, {"job": {"id": "x"}}], ids=["nothing", "null", "no status"])
def test_a_job_without_a_status_is_transient(cloud: LocalCloud, adapters: Adapters, body: dict[str, Any]) -> None:
    """Nothing is known about the job."""
    cloud.set_faults([{"path": "/jobs$", "answer": {"status": 200, "body": body}}])

    with pytest.raises(TransientError):
        adapters.jobs.show("x")


def test_a_deleted_backup_is_absent(cloud: LocalCloud, adapters: Adapters) -> None:
    """It is not listed, and cannot be deleted again."""
    new = adapters.dds.create(adapters.instance, "some-name", KEY)
    cloud.advance(600)

    adapters.dds.delete(new.backup_id)
    cloud.advance(600)

    assert not adapters.dds.list(name_part="some-name")
    with pytest.raises(AbsentError):
        adapters.dds.delete(new.backup_id)


def test_all_instances_are_listed(cloud: LocalCloud, adapters: Adapters) -> None:
    """They have the fields that a selector matches: name, status, mode, tags and enterprise project."""
    instances = {instance.id: instance for instance in adapters.instances.list()}

    assert set(instances) == {instance["id"] for instance in cloud.state()["instances"]}
    first = instances["a89dab5e39394eccbdb77b19d57b0180in02"]
    assert (first.name, first.status, first.mode) == ("orders-cluster", "normal", "Sharding")
    assert first.tags["env"] == "production"
    assert {instance.status for instance in instances.values()} > {"normal", "frozen"}
    assert any(instance.enterprise_project_id not in {"", "0"} for instance in instances.values())


def test_an_instance_tells_what_a_copy_needs(adapters: Adapters) -> None:
    """Clients cannot connect to hidden nodes. Automatic backups are kept for some days, or switched off."""
    instances = {instance.name: instance for instance in adapters.instances.list()}
    (replicas,) = instances["customers"].groups

    assert (len(replicas.hosts), len(replicas.availability_zones)) == (2, 3)
    assert (instances["catalogue"].backup_days, instances["customers"].backup_days) == (14, 0)
    assert instances["customers"].disk_encryption_id == ""


def test_all_full_backups_are_listed(adapters: Adapters) -> None:
    """Those that DDS made too, each with mode and version of its instance. The functions see manual ones only."""
    listed = adapters.dds.list_all()

    manual = [backup for backup in listed if not backup.is_automatic]
    assert 0 < len(manual) < len(listed)
    assert {backup.id for backup in manual} == {backup.id for backup in adapters.dds.list()}
    automatic = next(backup for backup in listed if backup.is_automatic)
    assert (automatic.instance_name, automatic.mode, automatic.version) == ("metrics-cluster", "Sharding", "4.4")
