"""The calls under /_local."""

import json
import re
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from huaweicloudsdkdds.v3 import DdsClient, ListBackupsRequest
from huaweicloudsdksmn.v2 import AddSubscriptionRequest, AddSubscriptionRequestBody

from localcloud import LocalCloud
from tests.localcloud.sdk import build, new_backup


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
EXAMPLES: set[str] = set()
PAGE = Path(__file__).parents[2] / "docs" / "local_cloud.md"
COMMANDS = re.findall(r"^curl .+$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture
def local(cloud: LocalCloud) -> Any:
    """Plain HTTP with the owner's token."""
    token = cloud.connection()["token"]
    with httpx.Client(base_url=cloud.url, headers={"X-Auth-Token": token}, trust_env=False) as client:
        yield client


def test_connection(cloud: LocalCloud, local: httpx.Client) -> None:
    """The connection has what a client needs, with the URL of the request."""
    connection = local.get("/_local/connection").json()

    assert connection.keys() == {
        "endpoint",
        "region",
        "project_id",
        "access_key",
        "secret_key",
        "security_token",
        "token",
        "topic_urn",
        "instance_ids",
        "instances",
    }
    assert connection["endpoint"] == cloud.url
    assert connection["instance_ids"][0] == ORDERS
    assert connection == cloud.connection()


def test_state(cloud: LocalCloud, dds: Any, local: httpx.Client) -> None:
    """The state has instances, backups, jobs, restores and the recycle bin, and the job of each backup."""
    created = dds.create_manual_backup(new_backup(ORDERS))
    state = local.get("/_local/state").json()

    [backup] = [one for one in state["backups"] if one["id"] == created.backup_id]
    [job] = [one for one in state["jobs"] if one["id"] == created.job_id]
    [instance] = [one for one in state["instances"] if one["id"] == ORDERS]
    assert state.keys() == {"instances", "backups", "jobs", "restores", "recycle_bin"}
    assert {name: backup[name] for name in ("name", "instance_id", "type", "status", "job_id")} == {
        "name": "mybackup1",
        "instance_id": ORDERS,
        "type": "Manual",
        "status": "BUILDING",
        "job_id": created.job_id,
    }
    assert (job["status"], job["progress"], job["instance_id"]) == ("Running", "0%", ORDERS)
    assert (instance["status"], instance["actions"]) == ("normal", ["BACKUP"])


def test_requests(cloud: LocalCloud, dds: Any, local: httpx.Client, project: str) -> None:
    """Every call of a service is logged with access key, status and id, without passwords. Calls of /_local are not."""
    dds.list_backups(ListBackupsRequest(backup_name="x"))
    password = cloud.connection()["secret_key"]
    user = {"name": "a", "password": password, "domain": {"name": "d"}}
    auth = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    with httpx.Client(base_url=cloud.url, trust_env=False) as nobody:
        token = nobody.post("/v3/auth/tokens", json=auth)
        refused = nobody.post(f"{project}/backups", content="no json")

    listed, signed_in, last = local.get("/_local/requests").json()
    assert (listed["method"], listed["path"], listed["query"]) == ("GET", f"{project}/backups", "backup_name=x")
    assert (listed["status"], listed["access_key"]) == (200, cloud.connection()["access_key"])
    assert (signed_in["status"], signed_in["body"], signed_in["access_key"]) == (201, None, None)
    assert (last["status"], last["id"], last["body"]) == (401, refused.headers["X-Request-Id"], "no json")
    assert password not in local.get("/_local/requests").text
    assert token.status_code == 201


def test_the_access_key_of_a_request(cloud: LocalCloud, http: httpx.Client) -> None:
    """Calls with a temporary key are logged with that key."""
    auth = {"auth": {"identity": {"methods": ["token"]}}}
    key = http.post("/v3.0/OS-CREDENTIAL/securitytokens", json=auth).json()["credential"]
    client = build(
        DdsClient, cloud, access_key=key["access"], secret_key=key["secret"], security_token=key["securitytoken"]
    )

    client.list_backups(ListBackupsRequest())

    assert cloud.requests()[-1]["access_key"] == key["access"]


def test_clock(local: httpx.Client) -> None:
    """The clock moves forward by seconds, and shows its offset."""
    moved = local.post("/_local/clock", json={"advance": 90.5}).json()

    assert moved["offset"] == 90.5
    assert local.get("/_local/clock").json()["offset"] == 90.5


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "clock", {"advance": -1}, "greater than or equal to 0"),
        ("POST", "clock", {"advance": "soon"}, "valid number"),
        ("POST", "clock", {"forward": 5}, "unknown field: forward. Known fields: advance"),
        ("POST", "clock", {}, "Field required"),
        ("PUT", "faults", {"delay": 1}, "valid list"),
        ("PATCH", "switches", {"job_dealy": 1}, "unknown field: job_dealy. Known fields: unique_names"),
        ("PATCH", "switches", {"backup_rate": 1e-9}, "greater than or equal to 0.001"),
        ("PATCH", f"instances/{ORDERS}", {"mode": "Single"}, "unknown field: mode. Known fields: status"),
    ],
)
def test_invalid_bodies(local: httpx.Client, method: str, path: str, body: Any, message: str) -> None:
    """An invalid body is 422 and says what was expected."""
    response = local.request(method, f"/_local/{path}", json=body)

    assert response.status_code == 422
    assert message in response.json()["detail"][0]["msg"]


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("PATCH", "instances/none", "there is no instance none"),
        ("POST", "subscriptions/none/confirm", "there is no subscription none"),
    ],
)
def test_unknown_resources(local: httpx.Client, method: str, path: str, message: str) -> None:
    """An unknown instance or subscription is 404 with its name."""
    response = local.request(method, f"/_local/{path}", json={})

    assert (response.status_code, response.json()) == (404, {"detail": message})


def test_a_body_without_a_content_type_is_json(local: httpx.Client) -> None:
    """JSON is accepted with any content type, since curl -d sends that of a form."""
    response = local.post(
        "/_local/clock", content='{"advance": 5}', headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert response.json()["offset"] == 5


def test_docs(local: httpx.Client) -> None:
    """The root and /_local redirect to /docs, which has every call and schema, and loads nothing."""
    page = local.get("/", follow_redirects=True)
    assert local.get("/_local", follow_redirects=True).url == page.url
    document = local.get("/openapi.json").json()

    assert (page.status_code, page.url.path) == (200, "/docs")
    for path in document["paths"]:
        assert f"</b> {path}</summary>" in page.text
    assert all(f'id="{name}"' in page.text for name in re.findall(r'href="#(\w+)"', page.text))
    assert set(re.findall(r"https?://[^\s<&]+|<script|<link|<img|<iframe|\bsrc=|@import|url\(", page.text)) <= EXAMPLES
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert {"/v3/auth/tokens", "/v3/{project_id}/backups", "/_local/connection"} <= document["paths"].keys()


def test_the_commands_of_the_page(cloud: LocalCloud, smn: Any, local: httpx.Client) -> None:
    """The curl lines of docs/local_cloud.md do in a shell what they say, and /docs has them, too."""
    connection = cloud.connection()
    body = AddSubscriptionRequestBody(protocol="email", endpoint="new@example.com")
    request = AddSubscriptionRequest(topic_urn=connection["topic_urn"], body=body)
    variables = {
        "TOKEN": connection["token"],
        "URL": cloud.url,
        "SUBSCRIPTION_URN": smn.add_subscription(request).subscription_urn,
        "BACKUP_ID": cloud.backups()[0]["id"],
        "NO_PROXY": "*",
    }

    answers = [
        json.loads(subprocess.run(command, shell=True, check=True, capture_output=True, env=variables).stdout)
        for command in COMMANDS
    ]

    moved, faults, switches, confirmed, fault = answers
    assert moved["offset"] == cloud.clock_offset() == 86_400
    assert [rule["times"] for rule in faults] == [2]
    assert switches["job_delay"] == cloud.switches()["job_delay"] == 5
    assert confirmed == {"status": 1}
    assert fault["lacks_collection"] == "shop.orders"
    page = unescape(local.get("/docs").text)
    assert [command for command in COMMANDS if command not in page] == []


@pytest.mark.parametrize("path", ["/_local/state", "/v3/projects", "/docs", "/nowhere"])
def test_every_response_has_a_request_id(local: httpx.Client, path: str) -> None:
    """Every response has a new X-Request-Id."""
    first, second = local.get(path).headers["X-Request-Id"], local.get(path).headers["X-Request-Id"]

    assert len(first) == 32
    assert first != second


def test_an_unknown_path_outside_the_cloud(local: httpx.Client) -> None:
    """A path of no service is a plain 404."""
    assert local.get("/nowhere").status_code == 404
