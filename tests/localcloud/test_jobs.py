"""Jobs: one by its id, and the task list."""

from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from huaweicloudsdkdds.v3 import ListTasksRequest, ShowJobDetailRequest

from localcloud import LocalCloud
from tests.localcloud.sdk import new_backup, rejection


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
CUSTOMERS = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
UNKNOWN = (400, "DBS.200543")


def window(days: float = 1) -> dict[str, str]:
    """The window from `days` ago until a minute from now, in the format of the task list."""
    now = datetime.now(timezone.utc)
    return {
        "start_time": (now - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "end_time": (now + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S+0000"),
    }


def test_an_unknown_job(dds: Any) -> None:
    """An unknown job is 400 DBS.200543."""
    request = ShowJobDetailRequest(id="a03b1b8a-b756-467c-8a49-38720c3d23ec")

    assert rejection(dds.show_job_detail, request) == UNKNOWN


def test_a_job_shows_only_after_a_while(cloud: LocalCloud, dds: Any) -> None:
    """With job_delay a new job is unknown at first, by its id and in the task list."""
    cloud.switch(job_delay=5)
    job_id = dds.create_manual_backup(new_backup(ORDERS)).job_id

    assert rejection(dds.show_job_detail, ShowJobDetailRequest(id=job_id)) == UNKNOWN
    assert dds.list_tasks(ListTasksRequest(**window(), id=job_id)).jobs == []
    cloud.advance(5)
    assert dds.show_job_detail(ShowJobDetailRequest(id=job_id)).job.id == job_id


def test_jobs_are_forgotten_after_a_month(cloud: LocalCloud, dds: Any) -> None:
    """Jobs older than a month are unknown."""
    job_id = dds.create_manual_backup(new_backup(ORDERS)).job_id
    cloud.advance(30 * 86_400 - 60)
    assert dds.show_job_detail(ShowJobDetailRequest(id=job_id)).job.id == job_id
    cloud.advance(120)
    assert rejection(dds.show_job_detail, ShowJobDetailRequest(id=job_id)) == UNKNOWN


def test_the_job_names_its_instance(dds: Any) -> None:
    """A job has the id and name of its instance, and its times have an offset."""
    job = dds.show_job_detail(ShowJobDetailRequest(id=dds.create_manual_backup(new_backup(ORDERS)).job_id)).job

    assert (job.instance.id, job.instance.name) == (ORDERS, "orders-cluster")
    assert job.created.endswith("+0000")


def test_tasks(cloud: LocalCloud, dds: Any) -> None:
    """The task list contains the backups of the window under their documented name."""
    first = dds.create_manual_backup(new_backup(ORDERS, "first")).job_id
    second = dds.create_manual_backup(new_backup(CUSTOMERS, "second")).job_id
    cloud.advance(45)

    listed = dds.list_tasks(ListTasksRequest(**window()))
    by_id = {task.id: task for task in listed.jobs}

    assert {first, second} <= by_id.keys()
    assert by_id[first].name == by_id[second].name == "MongodbSnapshotBackup"
    assert (by_id[first].status, by_id[first].ended_at) == ("Running", "")
    assert (by_id[second].status, by_id[second].progress) == ("Completed", "")
    assert (by_id[first].instance_id, by_id[first].instance_name) == (ORDERS, "orders-cluster")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status": "Running"}, 1),
        ({"status": "Failed"}, 0),
        ({"name": "MongodbSnapshotBackup", "status": "Running"}, 1),
        ({"name": "CreateMongoDB"}, 0),
        ({"id": "a03b1b8a-b756-467c-8a49-38720c3d23ec"}, 0),
        ({"offset": 100}, 0),
    ],
)
def test_task_filters(dds: Any, query: dict[str, Any], count: int) -> None:
    """Each filter selects the matching tasks."""
    dds.create_manual_backup(new_backup(ORDERS))

    assert len(dds.list_tasks(ListTasksRequest(**window(days=0.01), **query)).jobs) == count


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"start_time": None}, "DBS.280067"),
        ({"end_time": None}, "DBS.280068"),
        ({"start_time": "yesterday"}, "DBS.280067"),
        ({"end_time": "2024-01-01 00:00:00"}, "DBS.280068"),
        ({"start_time": "2024-01-01T00:00:00+0000", "end_time": "2024-02-01T00:00:00+0000"}, "DBS.280068"),
        ({"start_time": "2024-01-02T00:00:00+0000", "end_time": "2024-01-01T00:00:00+0000"}, "DBS.280068"),
        ({"status": "Paused"}, "DBS.200001"),
        ({"limit": 0}, "DBS.280439"),
    ],
)
def test_wrong_task_queries(cloud: LocalCloud, http: httpx.Client, query: dict[str, Any], code: str) -> None:
    """The window is mandatory, in order, and at most 30 days long. Other parameters are validated too."""
    given = {name: value for name, value in (window() | query).items() if value is not None}

    response = http.get(f"/v3.1/{cloud.connection()['project_id']}/jobs", params=given)

    assert (response.status_code, response.json()["error_code"]) == (400, code)


def test_offsets_of_task_times_are_heeded(dds: Any) -> None:
    """The window can be given with any UTC offset."""
    job_id = dds.create_manual_backup(new_backup(ORDERS)).job_id
    here = datetime.now(timezone(timedelta(hours=8)))
    begin, end = here - timedelta(minutes=5), here + timedelta(minutes=5)

    found = dds.list_tasks(
        ListTasksRequest(
            start_time=begin.strftime("%Y-%m-%dT%H:%M:%S+0800"), end_time=end.strftime("%Y-%m-%dT%H:%M:%S+0800")
        )
    )

    assert [task.id for task in found.jobs] == [job_id]
