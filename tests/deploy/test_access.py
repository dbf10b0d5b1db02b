"""Access to a cloud, and the results of calls."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkdds.v3 import CreateManualBackupRequest, DdsClient, ListInstancesRequest

from cli.errors import WrongCall
from cli.huaweicloud.access import Access, Keys, find_keys, open_access
from cli.huaweicloud.client import PAUSES, Client, ServiceError
from cli.huaweicloud.resources import marked, read_mark
from localcloud import LocalCloud


VARIABLES = ("AK", "SK", "SECURITY_TOKEN", "PROJECT_ID", "DOMAIN_ID", "CREDENTIALS_FILE")


@pytest.fixture
def keys_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Set exactly these variables of the SDK."""

    def put(**values: str) -> None:
        for name in VARIABLES:
            monkeypatch.delenv(f"HUAWEICLOUD_SDK_{name}", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        for name, value in values.items():
            monkeypatch.setenv(f"HUAWEICLOUD_SDK_{name}", value)

    return put


@pytest.fixture
def client(access: Access) -> Client:
    return access.dds


def instances() -> Any:
    return ListInstancesRequest(offset=0, limit=100)


def test_keys_come_from_the_sdks_variables(keys_at: Callable[..., None]) -> None:
    """The SDK has five."""
    keys_at(AK="ak", SK="sk", SECURITY_TOKEN="st", PROJECT_ID="p", DOMAIN_ID="d")

    assert find_keys() == Keys("ak", "sk", "st", "p", "d")


def test_keys_come_from_the_sdks_file(keys_at: Callable[..., None], tmp_path: Path) -> None:
    """The file is read if the environment has no keys."""
    folder = tmp_path / ".huaweicloud"
    folder.mkdir()
    (folder / "credentials").write_text("[basic]\nak=ak\nsk=sk\n[global]\nak=ak\nsk=sk\ndomain_id=d\n")
    keys_at()

    assert find_keys() == Keys("ak", "sk", domain_id="d")


def test_missing_keys_and_regions_are_wrong_calls(keys_at: Callable[..., None]) -> None:
    """The message says where keys are read from."""
    keys_at()

    with pytest.raises(WrongCall, match="Set HUAWEICLOUD_SDK_AK"):
        open_access(None, "cn-north-4")
    with pytest.raises(WrongCall, match="give --region"):
        open_access(None, None)
    with pytest.raises(WrongCall, match="either --cloud"):
        open_access("local", "cn-north-4")


def test_keys_are_not_shown() -> None:
    """The representation of keys has only the access key."""
    assert "secret" not in repr(Keys("ak", "secret-key", "secret-token"))


def test_a_real_region_has_an_endpoint_for_each_service(keys_at: Callable[..., None]) -> None:
    """The endpoints are those of the page Regions and Endpoints."""
    keys_at(AK="ak", SK="sk", PROJECT_ID="p")

    access = open_access(None, "cn-north-4")

    assert access.endpoint("functiongraph") == "https://functiongraph.cn-north-4.myhuaweicloud.com"
    assert access.topic_urn("t") == "urn:smn:cn-north-4:p:t"
    assert access.function_urn("f") == "urn:fss:cn-north-4:p:function:default:f"


def test_project_and_account_are_looked_up(access: Access, cloud: LocalCloud) -> None:
    """The project by the region, the account by the keys."""
    found = Access(access.region, _without_project(access.keys), access.endpoint)

    assert found.project_id == cloud.connection()["project_id"]
    assert found.domain_id == access.domain_id


def test_a_region_without_a_project_is_a_wrong_call(access: Access) -> None:
    """Most likely the region is misspelt."""
    with pytest.raises(WrongCall, match="found 0 projects called 'cn-nowhere-1'"):
        _ = Access("cn-nowhere-1", _without_project(access.keys), access.endpoint).project_id


def _without_project(keys: Keys) -> Keys:
    return Keys(keys.access_key, keys.secret_key, keys.security_token)


def test_a_local_cloud_gives_its_own_keys(cloud: LocalCloud) -> None:
    """No variable has to be set."""
    access = open_access(cloud.url, None)

    assert (access.region, access.project_id) == ("cn-north-4", cloud.connection()["project_id"])
    assert len(list(access.dds.pages("list_instances", ListInstancesRequest(), "instances", 4))) == 15


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"answer": {"status": 400}}, r"DDS.ListInstances: DBS.200001 \(HTTP 400\).*\[request "),
        ({"answer": {"status": 403}}, "ask an administrator to grant it"),
        ({"answer": {"status": 302, "body": {}}}, "HTTP 302, which is not a response"),
        ({"garble": True}, "no usable response|without JSON"),
        ({"truncate": 5}, "no usable response"),
        ({"drop": "before"}, "no usable response"),
        ({"answer": {"status": 429}}, "too many calls"),
        ({"answer": {"status": 503}}, "run again in a while"),
    ],
    ids=["invalid", "denied", "redirect", "garbled", "truncated", "dropped", "throttled", "unavailable"],
)
def test_every_failed_call_is_a_service_error(
    client: Client, cloud: LocalCloud, fault: dict[str, Any], message: str
) -> None:
    """The message says what to do."""
    cloud.set_faults([{"path": "instances$", **fault}])

    with pytest.raises(ServiceError, match=f"(?s){message}"):
        client.call("list_instances", instances())


@pytest.mark.parametrize(
    ("body", "needs"),
    [
        ({}, "instances"),
        ([], "instances"),
        (None, "instances"),
        ({"login": "please"}, "instances"),
        ("<html>", "instances"),
        (None, list),
        ({"instances": []}, list),
    ],
    ids=str,
)
def test_a_response_without_the_needed_field_is_a_service_error(
    client: Client, cloud: LocalCloud, body: Any, needs: Any
) -> None:
    """It may come from a proxy or a login page."""
    cloud.set_faults([{"path": "instances$", "answer": {"status": 200, "body": body}}])

    with pytest.raises(ServiceError, match="which is not a response of the service"):
        client.call("list_instances", instances(), needs)


@pytest.mark.parametrize("fault", [{"answer": {"status": 429}}, {"answer": {"status": 502}}, {"drop": "before"}])
def test_reads_are_retried(client: Client, cloud: LocalCloud, fault: dict[str, Any]) -> None:
    """There is a retry after each pause."""
    cloud.set_faults([{"path": "instances$", "times": len(PAUSES), **fault}])

    assert client.call("list_instances", instances())["total_count"] == 15


@pytest.mark.parametrize(("status", "calls"), [(429, 2), (500, 1)], ids=["throttled", "broken"])
def test_writes_are_retried_only_if_they_were_throttled(
    client: Client, cloud: LocalCloud, status: int, calls: int
) -> None:
    """A throttled call did nothing."""
    cloud.set_faults([{"method": "POST", "times": 1, "answer": {"status": status}}])
    request = CreateManualBackupRequest(body={"backup": {"instance_id": "x", "name": "n"}})

    with pytest.raises(ServiceError):
        client.call("create_manual_backup", request)

    assert len([call for call in cloud.requests() if call["method"] == "POST"]) == calls


def test_every_response_has_the_time(access: Access, cloud: LocalCloud) -> None:
    """So does a refusal, whose cause may be a wrong clock."""
    fresh = Access(access.region, access.keys, access.endpoint, lambda _: None)
    assert fresh.clock_skew is None
    cloud.set_faults([{"path": "instances$", "answer": {"status": 401}}])

    with pytest.raises(ServiceError):
        fresh.dds.call("list_instances", instances())

    assert fresh.clock_skew is not None
    assert abs(fresh.clock_skew) < 60


def test_secrets_in_an_error_are_hidden(cloud: LocalCloud, access: Access) -> None:
    """A service may repeat them in its message."""
    said = f"your key {access.keys.secret_key} and token {access.keys.security_token}"
    cloud.set_faults([{"path": "instances$", "answer": {"status": 400, "code": "DBS.1", "message": said}}])

    with pytest.raises(ServiceError, match=r"your key \*\*\* and token \*\*\*"):
        access.dds.call("list_instances", instances())


def test_an_unreachable_service_is_a_service_error() -> None:
    """The region may not exist."""
    client = Client("DDS", DdsClient, "http://127.0.0.1:9", BasicCredentials("a", "b", "c"), lambda _: None)

    with pytest.raises(ServiceError, match="check the network, a proxy, and --region"):
        client.call("list_instances", instances())


@pytest.mark.parametrize("text", ["", "Makes backups.", "(in parentheses)"])
def test_a_mark_is_read_as_it_was_written(text: str) -> None:
    """The description comes back unchanged."""
    assert read_mark(marked(text, "dds-backup", "p1"), "p1") == (text, "dds-backup")
    assert read_mark(marked(text, "dds-backup", "p2"), "p1") == (text, "dds-backup in the project p2")
    assert read_mark(text, "p1") == (text, None)
    assert read_mark(None, "p1") == ("", None)


def test_advice_depends_on_the_code_before_the_status() -> None:
    """The permissions of a new agency take a while to take effect, which is not a fault of the user's keys."""
    error = ServiceError("FunctionGraph.CreateFunction", 403, "FSS.1121", "Forbidden")

    assert error.advice.startswith("the function's agency lacks a permission, or was granted it moments ago: wait")
    assert "the user of the keys" in ServiceError("FunctionGraph.CreateFunction", 403, "FSS.0403", "Forbidden").advice


@pytest.mark.parametrize("secret", ["access-key-id", "secret-key", "a-token"])
def test_errors_do_not_repeat_keys(secret: str) -> None:
    """The access key, the secret key and the security token are masked in every message."""
    credentials = BasicCredentials("access-key-id", "secret-key", "p").with_security_token("a-token")
    client = Client("DDS", DdsClient, "http://127.0.0.1:9", credentials)

    assert client._redact(f"wrong signature of {secret}.") == "wrong signature of ***."


def test_a_netrc_does_not_replace_the_signature(
    access: Access, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """requests would send the password of ~/.netrc in the header Authorization."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login l password p\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    assert access.dds.call("list_instances", instances(), "instances")["instances"] is not None


def test_proxies_and_the_ca_bundle_of_the_environment_apply(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """HTTPS_PROXY and REQUESTS_CA_BUNDLE are read once, when the client is made."""
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))

    client = Client("DDS", DdsClient, "https://dds.example.com", BasicCredentials("a", "s", "p"))

    http = client._sdk._http_client
    assert http._session.proxies["https"] == "http://proxy.example.com:3128"
    assert http._verify == str(bundle)
