"""The rules of the API page Creating a Manual Backup, and their error codes."""

import re
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from localcloud import LocalCloud
from tests.localcloud.sdk import new_backup, rejection


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
CUSTOMERS = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
UNKNOWN = "0" * 32 + "in02"


def refused(dds: Any, *args: Any, **kwargs: Any) -> tuple[int, str]:
    """The status and code of a rejected backup."""
    return rejection(dds.create_manual_backup, new_backup(*args, **kwargs))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("abc")
@example("abcd")
@example("A" * 64)
@example("a" * 65)
@example("1abc")
@example("äbcd")
@example("abcd\n")
@example("ab c")
@given(name=st.text(max_size=66) | st.from_regex("[A-Za-z][A-Za-z0-9_-]{2,64}", fullmatch=True))
def test_names(cloud: LocalCloud, http: httpx.Client, project: str, name: str) -> None:
    """4 to 64 letters, digits, hyphens and underscores with a letter first are accepted, other names are DBS.280277."""
    cloud.reset()
    body = {"backup": {"instance_id": ORDERS, "name": name}}

    response = http.post(f"{project}/backups", json=body)

    valid = 4 <= len(name) <= 64 and re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", name) is not None
    assert response.status_code == (200 if valid else 400)
    if not valid:
        assert response.json()["error_code"] == "DBS.280277"


@pytest.mark.parametrize("description", [*(f"a{sign}b" for sign in ">!<\"&'=\r\n"), "a" * 257])
def test_invalid_descriptions(dds: Any, description: str) -> None:
    """More than 256 characters, the forbidden characters and line breaks are DBS.280127."""
    assert refused(dds, ORDERS, description=description) == (400, "DBS.280127")


@pytest.mark.parametrize("description", ["", "a" * 256, "key:abc;by:me/1.0 (test) 备份", None])
def test_valid_descriptions(cloud: LocalCloud, dds: Any, description: str | None) -> None:
    """A valid description is stored unchanged, a missing one as an empty string."""
    created = dds.create_manual_backup(new_backup(ORDERS, description=description))

    [kept] = [backup for backup in cloud.state()["backups"] if backup["id"] == created.backup_id]
    assert kept["description"] == (description or "")


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
    """A malformed id is DBS.280404, that of an unknown instance DBS.200002."""
    assert refused(dds, instance_id) == (status, code)


@pytest.mark.parametrize(
    ("instance", "code"),
    [
        ("legacy-search", "DBS.201000"),
        ("new-arrivals", "DBS.201000"),
        ("never-born", "DBS.201000"),
        ("outgrown", "DBS.201000"),
        ("unpaid", "DBS.201000"),
        ("audit-log", "DBS.201014"),
        ("geo", "DBS.200018"),
    ],
)
def test_instances_that_cannot_be_backed_up(cloud: LocalCloud, dds: Any, instance: str, code: str) -> None:
    """A busy, abnormal, incomplete, frozen or full instance, or one with an abnormal hidden node, is 403."""
    [found] = [one for one in cloud.state()["instances"] if one["name"] == instance]

    assert refused(dds, found["id"]) == (403, code)


def test_one_operation_at_a_time(cloud: LocalCloud, dds: Any) -> None:
    """A second backup of an instance is DBS.200019 until the first one ends."""
    dds.create_manual_backup(new_backup(ORDERS, "first"))

    assert refused(dds, ORDERS, "second") == (403, "DBS.200019")
    assert dds.create_manual_backup(new_backup(CUSTOMERS, "other")).status_code == 200
    cloud.advance(600)
    assert dds.create_manual_backup(new_backup(ORDERS, "second")).status_code == 200


def test_names_are_unique_in_the_project(cloud: LocalCloud, dds: Any) -> None:
    """A name that exists in the project is DBS.201201. Names are case-sensitive."""
    dds.create_manual_backup(new_backup(ORDERS, "nightly"))

    assert refused(dds, ORDERS, "nightly") == (400, "DBS.201201")
    assert refused(dds, CUSTOMERS, "nightly") == (400, "DBS.201201")
    assert dds.create_manual_backup(new_backup(CUSTOMERS, "Nightly")).status_code == 200


def test_names_need_not_be_unique_everywhere(cloud: LocalCloud, dds: Any) -> None:
    """With unique_names off a name can be used twice."""
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
def test_malformed_bodies(http: httpx.Client, project: str, body: bytes) -> None:
    """Invalid JSON, wrong types and missing fields are DBS.200001."""
    response = http.post(f"{project}/backups", content=body)

    assert (response.status_code, response.json()["error_code"]) == (400, "DBS.200001")
    assert response.json().keys() == {"error_code", "error_msg"}


def test_job_id_can_be_left_out(cloud: LocalCloud, http: httpx.Client, project: str) -> None:
    """With job_id_in_answer off the response has only backup_id, as in older regions."""
    cloud.switch(job_id_in_answer=False)

    body = http.post(f"{project}/backups", json={"backup": {"instance_id": ORDERS, "name": "abcd"}}).json()

    assert body.keys() == {"backup_id"}


def test_ids_have_the_documented_form(dds: Any) -> None:
    """A backup id has 32 hexadecimal digits and br02, and a job id is a UUID."""
    created = dds.create_manual_backup(new_backup(ORDERS))

    assert re.fullmatch("[0-9a-f]{32}br02", created.backup_id)
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", created.job_id)
