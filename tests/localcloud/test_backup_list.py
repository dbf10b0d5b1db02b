"""The backup list: filters, order, pages."""

from typing import Any

import httpx
import pytest
from huaweicloudsdkdds.v3 import ListBackupsRequest

from localcloud import LocalCloud
from tests.localcloud.sdk import new_backup


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
CUSTOMERS = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
METRICS = "90b6f2a47c1d4e38b5f0d7a3c9e8612din02"


def names(dds: Any, **query: Any) -> list[str]:
    """The names of the listed backups, in order. Checks total_count."""
    found = dds.list_backups(ListBackupsRequest(**query))
    assert found.total_count >= len(found.backups)
    return [backup.name for backup in found.backups]


def test_newest_first_and_every_kind(dds: Any) -> None:
    """Without parameters all full backups are listed, manual and automatic, newest first."""
    found = dds.list_backups(ListBackupsRequest())

    times = [backup.begin_time for backup in found.backups]
    assert times == sorted(times, reverse=True)
    assert {backup.type for backup in found.backups} == {"Auto", "Manual"}
    assert found.total_count == len(found.backups)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"instance_id": CUSTOMERS}, ["before-release-42", "before-release-41"]),
        ({"instance_id": ORDERS}, []),
        ({"backup_id": "bf9ee62a7f7044c583c6765c916c36edbr02"}, ["before-release-41"]),
        ({"backup_id": "0" * 32 + "br02"}, []),
        ({"backup_type": "Manual", "mode": "Single"}, []),
        ({"backup_type": "manual", "instance_id": CUSTOMERS}, ["before-release-42", "before-release-41"]),
        ({"backup_type": "Incremental", "instance_id": CUSTOMERS}, []),
        ({"backup_name": "release"}, ["before-release-42", "before-release-41"]),
        ({"backup_name": "RELEASE"}, []),
        ({"backup_description": "43"}, ["before-release-42"]),
        ({"instance_name": "ware"}, ["warehouse-final"]),
        ({"backup_status": "FAILED"}, ["archive-2024"]),
        ({"backup_status": "BUILDING"}, []),
        (
            {"backup_type": "Manual", "order_field": "name", "order_rule": "asc"},
            ["archive-2024", "before-release-41", "before-release-42", "warehouse-final"],
        ),
        (
            {"backup_type": "Manual", "order_field": "beginTime", "order_rule": "asc"},
            ["warehouse-final", "archive-2024", "before-release-41", "before-release-42"],
        ),
        (
            {"backup_type": "Manual", "order_field": "status", "order_rule": "desc", "limit": 1},
            ["archive-2024"],
        ),
        ({"backup_type": "Manual", "limit": 2}, ["before-release-42", "before-release-41"]),
        ({"backup_type": "Manual", "offset": 3}, ["warehouse-final"]),
        ({"backup_type": "Manual", "offset": 4}, []),
    ],
)
def test_filters(dds: Any, query: dict[str, Any], expected: list[str]) -> None:
    """Each filter selects the matching backups."""
    assert names(dds, **query) == expected


def test_modes(dds: Any) -> None:
    """The filter mode compares with the mode of the instance."""
    found = dds.list_backups(ListBackupsRequest(mode="Sharding")).backups

    assert {backup.instance_mode for backup in found} == {"Sharding"}
    assert {backup.instance_id for backup in found} == {METRICS}


def test_total_count_counts_every_page(dds: Any) -> None:
    """total_count counts all pages, which together contain all backups."""
    whole = dds.list_backups(ListBackupsRequest())
    pages = [dds.list_backups(ListBackupsRequest(offset=offset, limit=2)) for offset in range(0, whole.total_count, 2)]

    assert {page.total_count for page in pages} == {whole.total_count}
    assert [backup.id for page in pages for backup in page.backups] == [backup.id for backup in whole.backups]


def test_a_window_of_time(cloud: LocalCloud, dds: Any) -> None:
    """begin_time and end_time select backups by their begin time."""
    dds.create_manual_backup(new_backup(ORDERS))
    [mine] = dds.list_backups(ListBackupsRequest(instance_id=ORDERS)).backups

    assert names(dds, begin_time=mine.begin_time, end_time="2099-01-01 00:00:00") == ["mybackup1"]
    assert names(dds, begin_time="2000-01-01 00:00:00", end_time="2000-01-02 00:00:00") == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"instance_id": "x"}, "DBS.280404"),
        ({"backup_type": "Full"}, "DBS.200001"),
        ({"backup_type": "Incremental"}, "DBS.200001"),
        ({"offset": -1}, "DBS.280440"),
        ({"offset": "x"}, "DBS.280440"),
        ({"limit": 0}, "DBS.280439"),
        ({"limit": 101}, "DBS.280439"),
        ({"limit": "x"}, "DBS.280439"),
        ({"begin_time": "2018-08-06 10:41:14"}, "DBS.200001"),
        ({"end_time": "2018-08-06 10:41:14"}, "DBS.200001"),
        ({"begin_time": "yesterday", "end_time": "2018-08-06 10:41:14"}, "DBS.280067"),
        ({"begin_time": "2018-08-06 10:41:14", "end_time": "2018-13-06 10:41:14"}, "DBS.280068"),
        ({"begin_time": "2018-08-06 10:41:14", "end_time": "2018-08-06 10:41:13"}, "DBS.280068"),
        ({"mode": "Cluster"}, "DBS.280342"),
        ({"order_field": "name"}, "DBS.200001"),
        ({"order_rule": "asc"}, "DBS.200001"),
        ({"order_field": "size", "order_rule": "asc"}, "DBS.200001"),
        ({"order_field": "name", "order_rule": "up"}, "DBS.200001"),
        ({"backup_status": "DONE"}, "DBS.200001"),
    ],
)
def test_wrong_parameters(http: httpx.Client, project: str, query: dict[str, Any], code: str) -> None:
    """An invalid parameter is rejected with its documented code."""
    response = http.get(f"{project}/backups", params=query)

    assert (response.status_code, response.json()["error_code"]) == (400, code)


def test_older_regions_ignore_the_newer_filters(cloud: LocalCloud, dds: Any) -> None:
    """With newer_filters off the newer parameters are neither applied nor checked."""
    whole = names(dds)
    cloud.switch(newer_filters=False)

    for newer in (
        {"backup_name": "release"},
        {"backup_description": "x"},
        {"instance_name": "x"},
        {"backup_status": "nonsense"},
        {"order_field": "name", "order_rule": "asc"},
        {"order_rule": "asc"},
    ):
        assert names(dds, **newer) == whole
