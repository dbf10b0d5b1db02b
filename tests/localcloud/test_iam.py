"""IAM: projects, tokens, temporary access keys."""

from typing import Any

import httpx
import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkdds.v3 import DdsClient, ShowQuotasRequest

from localcloud import LocalCloud
from tests.localcloud.iam_sdk import make_agency
from tests.localcloud.sdk import build


PASSWORD: dict[str, Any] = {
    "methods": ["password"],
    "password": {"user": {"domain": {"name": "somebody"}, "name": "dba"}},
}
AGENCY = {"methods": ["assume_role"], "assume_role": {"domain_name": "local-cloud", "agency_name": "dds-backup"}}


def token(http: httpx.Client, identity: dict[str, Any], scope: Any = None, **headers: str) -> httpx.Response:
    """Request a token."""
    auth = {"identity": identity} | ({"scope": scope} if scope else {})
    return http.post("/v3/auth/tokens", json={"auth": auth}, headers=headers)


@pytest.fixture(autouse=True)
def _password(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign in with the password of the cloud, which is its secret key."""
    monkeypatch.setitem(PASSWORD["password"]["user"], "password", cloud.connection()["secret_key"])


@pytest.fixture
def nobody(cloud: LocalCloud) -> Any:
    """An HTTP client without credentials."""
    with httpx.Client(base_url=cloud.url, trust_env=False) as client:
        yield client


def test_a_password_yields_a_token(cloud: LocalCloud, nobody: httpx.Client) -> None:
    """The token is in X-Subject-Token, the project and the catalog are in the body, and DDS accepts the token."""
    connection = cloud.connection()
    response = token(nobody, PASSWORD, {"project": {"name": connection["region"]}})
    body = response.json()["token"]
    quotas = nobody.get(
        f"/v3/{connection['project_id']}/quotas", headers={"X-Auth-Token": response.headers["X-Subject-Token"]}
    )

    assert response.status_code == 201
    assert body["project"]["id"] == connection["project_id"]
    assert body["user"]["name"] == "dba"
    assert {entry["type"] for entry in body["catalog"]} == {"identity", "ddsv3", "smn"}
    assert all(entry["endpoints"][0]["url"].startswith(cloud.url) for entry in body["catalog"])
    assert quotas.status_code == 200


def test_an_agency_token_requires_authentication(http: httpx.Client, nobody: httpx.Client, iam: Any) -> None:
    """The method assume_role requires an authenticated call."""
    make_agency(iam)

    allowed = token(http, AGENCY)
    refused = token(nobody, AGENCY)

    assert (allowed.status_code, refused.status_code) == (201, 401)
    assert allowed.json()["token"]["methods"] == ["assume_role"]
    assert refused.json() == {
        "error": {
            "code": 401,
            "message": "The request you have made requires authentication.",
            "title": "Unauthorized",
        }
    }


def test_a_token_expires(cloud: LocalCloud, nobody: httpx.Client, project: str) -> None:
    """A token expires after a day by the local clock."""
    subject = token(nobody, PASSWORD).headers["X-Subject-Token"]
    cloud.advance(86_400)

    response = nobody.get(f"{project}/quotas", headers={"X-Auth-Token": subject})

    assert response.status_code == 401
    assert response.json()["error_msg"] == "Incorrect IAM authentication information: token expires"


@pytest.mark.parametrize(
    ("identity", "scope", "status"),
    [
        ({"methods": ["password"]}, None, 400),
        ({"methods": ["magic"]}, None, 400),
        ({"methods": []}, None, 400),
        (PASSWORD, {"project": {"name": "eu-west-0"}}, 401),
        (PASSWORD, {"project": {"id": "0" * 32}}, 401),
        (PASSWORD, {"project": {}}, 400),
        (AGENCY | {"assume_role": {"agency_name": "a"}}, None, 400),
        (AGENCY | {"assume_role": {"domain_name": "a"}}, None, 400),
        ({"methods": ["assume_role"]}, None, 400),
    ],
)
def test_wrong_requests_for_tokens(http: httpx.Client, identity: dict[str, Any], scope: Any, status: int) -> None:
    """Missing and unknown values are rejected with IAM's error body."""
    response = token(http, identity, scope)

    assert response.status_code == status
    assert response.json()["error"]["code"] == status


def test_a_domain_scope_has_no_project(http: httpx.Client) -> None:
    """A token for the account contains the account instead of a project."""
    body = token(http, PASSWORD, {"domain": {"name": "local-cloud"}}).json()["token"]

    assert "project" not in body
    assert body["domain"]["name"] == "local-cloud"


@pytest.mark.parametrize(
    ("identity", "seconds"),
    [
        ({"methods": ["token"]}, 900),
        ({"methods": ["token"], "token": {"duration_seconds": 3600}}, 3600),
        (AGENCY | {"assume_role": AGENCY["assume_role"] | {"duration_seconds": 1800}}, 1800),  # type: ignore[operator]
    ],
)
def test_temporary_access_keys_expire(
    cloud: LocalCloud, http: httpx.Client, iam: Any, identity: dict[str, Any], seconds: int
) -> None:
    """Calls signed with a temporary key are accepted until it expires by the local clock."""
    make_agency(iam)
    response = http.post("/v3.0/OS-CREDENTIAL/securitytokens", json={"auth": {"identity": identity}})
    key = response.json()["credential"]
    client = build(
        DdsClient, cloud, access_key=key["access"], secret_key=key["secret"], security_token=key["securitytoken"]
    )

    assert response.status_code == 201
    assert key.keys() == {"access", "secret", "securitytoken", "expires_at"}
    cloud.advance(seconds - 60)
    assert client.show_quotas(ShowQuotasRequest()).status_code == 200
    cloud.advance(60)
    with pytest.raises(ClientRequestException) as expired:
        client.show_quotas(ShowQuotasRequest())
    assert (expired.value.status_code, expired.value.error_code) == (401, "APIGW.0301")
    assert "expired" in expired.value.error_msg


@pytest.mark.parametrize("seconds", [899, 86_401, "long"])
def test_durations_have_limits(http: httpx.Client, seconds: Any) -> None:
    """A temporary key is valid for 15 minutes to a day."""
    identity = {"methods": ["token"], "token": {"duration_seconds": seconds}}

    response = http.post("/v3.0/OS-CREDENTIAL/securitytokens", json={"auth": {"identity": identity}})

    assert response.status_code == 400


def test_a_temporary_key_requires_a_token(cloud: LocalCloud, nobody: httpx.Client) -> None:
    """The token can be in the body instead of X-Auth-Token. Without a token or with a wrong one the call is 401."""

    def status(**token: str) -> int:
        identity = {"methods": ["token"]} | ({"token": token} if token else {})
        return nobody.post("/v3.0/OS-CREDENTIAL/securitytokens", json={"auth": {"identity": identity}}).status_code

    assert (status(id=cloud.connection()["token"]), status(id="wrong"), status()) == (201, 401, 401)


def test_the_sdk_finds_its_project(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a project id the SDK gets the project of the region from IAM."""
    connection = cloud.connection()
    monkeypatch.setattr(BasicCredentials, "_CACHE", {}, raising=False)
    credentials = BasicCredentials(connection["access_key"], connection["secret_key"])
    credentials = credentials.with_security_token(connection["security_token"]).with_iam_endpoint(cloud.url)

    client = DdsClient.new_builder().with_credentials(credentials).with_region(Region("cn-north-4", cloud.url)).build()

    assert client.show_quotas(ShowQuotasRequest()).status_code == 200
    assert cloud.requests()[0]["path"] == "/v3/projects"
    assert cloud.requests()[0]["query"] == "name=cn-north-4"


def test_projects(http: httpx.Client) -> None:
    """The project is listed under its name only."""
    every = http.get("/v3/projects").json()["projects"]
    other = http.get("/v3/projects", params={"name": "eu-west-0"}).json()["projects"]

    assert [project["name"] for project in every] == ["cn-north-4"]
    assert other == []
