"""The rules of the API page and their error codes, seen as a client sees them."""

import re
from typing import Any

import httpx
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud import LocalCloud
from tests.localcloud.sdk import new_backup


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
CUSTOMERS = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
UNKNOWN = "0" * 32 + "in02"


def refused(dds: Any, *args: Any, **kwargs: Any) -> tuple[int, str]:
    """Status and code of the refusal of a backup."""
    with pytest.raises(ClientRequestException) as error:
        dds.create_manual_backup(new_backup(*args, **kwargs))
    return error.value.status_code, error.value.error_code


@pytest.mark.parametrize("name", ["", "abc", "1abc", "_abc", "-abc", "a" * 65, "ab c", "äbcd", "abcd\n", "ab.cd"])
def test_invalid_names(dds: Any, name: str) -> None:
    """4 to 64 characters, a letter first, then letters, digits, hyphens and underscores: else DBS.280277."""
    assert refused(dds, ORDERS, name) == (400, "DBS.280277")


@pytest.mark.parametrize("name", ["abcd", "A" * 64, "a-_9", "Zebra-1"])
def test_valid_names(dds: Any, name: str) -> None:
    """The shortest and the longest names are taken."""
    assert dds.create_manual_backup(new_backup(ORDERS, name)).status_code == 200


@pytest.mark.parametrize("description", [*(f"a{sign}b" for sign in ">!<\"&'=\r\n"), "a" * 257])
def test_invalid_descriptions(dds: Any, description: str) -> None:
    """More than 256 characters, the signs of the page and line breaks are DBS.280127."""
    assert refused(dds, ORDERS, description=description) == (400, "DBS.280127")


@pytest.mark.parametrize("description", ["", "a" * 256, "key:abc;by:me/1.0 (test) 备份", None])
def test_valid_descriptions(cloud: LocalCloud, dds: Any, description: str | None) -> None:
    """Anything else is kept as it is, nothing as an empty text."""
    created = dds.create_manual_backup(new_backup(ORDERS, description=description))

    [kept] = [backup for backup in cloud.state()["backups"] if backup["id"] == created.backup_id]
    assert kept["description"] == (description or "")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=66) | st.from_regex("[A-Za-z][A-Za-z0-9_-]{2,64}", fullmatch=True))
def test_names_are_as_the_page_says(cloud: LocalCloud, http: httpx.Client, project: str, name: str) -> None:
    """A name is taken exactly when it is one by the words of the page."""
    cloud.reset()
    body = {"backup": {"instance_id": ORDERS, "name": name}}

    response = http.post(f"{project}/backups", json=body)

    valid = 4 <= len(name) <= 64 and re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", name) is not None
    assert response.status_code == (200 if valid else 400)
    if not valid:
        assert response.json()["error_code"] == "DBS.280277"


@pytest.mark.parametrize(
    ("instance_id", "status", "code"),
    [
        ("orders-cluster", 400, "DBS.280404"),
        ("", 400, "DBS.280404"),
        (ORDERS.upper(), 400, "DBS.280404"),
        (UNKNOWN, 404, "DBS.200002"),
        (UNKNOWN.replace("in02", "in01"), 404, "DBS.200002"),
    ],
)
def test_unknown_instances(dds: Any, instance_id: str, status: int, code: str) -> None:
    """What is no id is DBS.280404, a well-formed id of nothing DBS.200002."""
    assert refused(dds, instance_id) == (status, code)


@pytest.mark.parametrize(
    ("instance", "code"),
    [
        ("ledger", "DBS.200019"),
        ("legacy-search", "DBS.201000"),
        ("new-arrivals", "DBS.201000"),
        ("never-born", "DBS.201000"),
        ("outgrown", "DBS.201000"),
        ("unpaid", "DBS.201000"),
        ("audit-log", "DBS.201014"),
        ("geo", "DBS.200018"),
    ],
)
def test_instances_that_are_not_well(cloud: LocalCloud, dds: Any, instance: str, code: str) -> None:
    """Busy, abnormal, creating, frozen, full, and without a healthy hidden node: each is refused with 403."""
    [found] = [one for one in cloud.state()["instances"] if one["name"] == instance]

    assert refused(dds, found["id"]) == (403, code)


def test_one_operation_at_a_time(cloud: LocalCloud, dds: Any) -> None:
    """While a backup is made a second one of the instance is DBS.200019; afterwards it is made."""
    dds.create_manual_backup(new_backup(ORDERS, "first"))

    assert refused(dds, ORDERS, "second") == (403, "DBS.200019")
    assert dds.create_manual_backup(new_backup(CUSTOMERS, "other")).status_code == 200
    cloud.advance(600)
    assert dds.create_manual_backup(new_backup(ORDERS, "second")).status_code == 200


def test_names_are_unique_in_the_project(cloud: LocalCloud, dds: Any) -> None:
    """A name that exists is DBS.201201 on any instance, in exactly its letters, until its backup is gone."""
    dds.create_manual_backup(new_backup(ORDERS, "nightly"))

    assert refused(dds, ORDERS, "nightly") == (400, "DBS.201201")
    assert refused(dds, CUSTOMERS, "nightly") == (400, "DBS.201201")
    assert dds.create_manual_backup(new_backup(CUSTOMERS, "Nightly")).status_code == 200


def test_names_need_not_be_unique_everywhere(cloud: LocalCloud, dds: Any) -> None:
    """With unique_names switched off the same name is taken twice."""
    cloud.switch(unique_names=False)
    dds.create_manual_backup(new_backup(ORDERS, "nightly"))

    assert dds.create_manual_backup(new_backup(CUSTOMERS, "nightly")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'{"backup": null}',
        b'{"backup": []}',
        b'{"backup": {}}',
        b'{"backup": {"instance_id": "x"}}',
        b'{"backup": {"name": "abcd"}}',
        b'{"backup": {"instance_id": 1, "name": "abcd"}}',
        b'{"backup": {"instance_id": "x", "name": ["abcd"]}}',
        b'{"backup": {"instance_id": "x", "name": "abcd", "description": 5}}',
        b"\xff\xfe",
    ],
)
def test_bodies_of_the_wrong_shape(http: httpx.Client, project: str, body: bytes) -> None:
    """No JSON, wrong types and missing parts are DBS.200001."""
    response = http.post(f"{project}/backups", content=body)

    assert (response.status_code, response.json()["error_code"]) == (400, "DBS.200001")
    assert response.json().keys() == {"error_code", "error_msg"}


def test_job_id_can_be_left_out(cloud: LocalCloud, http: httpx.Client, project: str) -> None:
    """With job_id_in_answer switched off the answer has backup_id alone, as in older regions."""
    cloud.switch(job_id_in_answer=False)

    body = http.post(f"{project}/backups", json={"backup": {"instance_id": ORDERS, "name": "abcd"}}).json()

    assert body.keys() == {"backup_id"}


def test_ids_have_the_documented_shape(dds: Any) -> None:
    """A backup id is 32 hexadecimal digits and br02, a job id a UUID."""
    created = dds.create_manual_backup(new_backup(ORDERS))

    assert re.fullmatch("[0-9a-f]{32}br02", created.backup_id)
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", created.job_id)
