"""Authentication: tokens, signatures, temporary keys, projects."""

from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkdds.v3 import DdsClient, ListBackupsRequest, ListInstancesRequest, ShowQuotasRequest

from localcloud import LocalCloud
from localcloud.auth.authentication import canonical_request, sign
from tests.localcloud.sdk import build, rejection


def signed(cloud: LocalCloud, when: datetime, path: str | None = None, **headers: str) -> httpx.Response:
    """The response to a call signed by hand at `when`."""
    connection = cloud.connection()
    path = path or f"/v3/{connection['project_id']}/quotas"
    sent = {
        "host": cloud.url.removeprefix("http://"),
        "x-sdk-date": when.strftime("%Y%m%dT%H%M%SZ"),
        "x-security-token": str(connection["security_token"]),
    } | headers
    names = sorted(sent)
    signature = sign(connection["secret_key"], sent["x-sdk-date"], canonical_request("GET", path, sent, names, b""))
    sent["authorization"] = (
        f"SDK-HMAC-SHA256 Access={connection['access_key']}, SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    return httpx.get(cloud.url + path, headers=sent, trust_env=False)


def refusal(response: httpx.Response) -> tuple[int, str]:
    """The status and message of a gateway error. Checks its body."""
    body = response.json()
    assert body.keys() == {"error_msg", "error_code", "request_id"}
    assert body["error_code"] == "APIGW.0301"
    assert body["request_id"] == response.headers["X-Request-Id"]
    return response.status_code, body["error_msg"]


def now() -> datetime:
    """The current time by the wall clock."""
    return datetime.now(timezone.utc)


def test_sdk_signatures_are_verified(dds: Any) -> None:
    """A query with spaces, special characters and other scripts is signed as the SDK does."""
    found = dds.list_backups(
        ListBackupsRequest(
            backup_name="a b*~+é中/?&=%", begin_time="2018-08-06 10:41:14", end_time="2018-08-06 10:42:14"
        )
    )

    assert found.total_count == 0


def test_token(cloud: LocalCloud, http: httpx.Client, project: str) -> None:
    """The connection's token is accepted. Without a token, or with a wrong one, a call is 401."""
    assert http.get(f"{project}/quotas").status_code == 200
    bare = httpx.get(f"{cloud.url}{project}/quotas", trust_env=False)
    wrong = http.get(f"{project}/quotas", headers={"X-Auth-Token": "wrong"})

    assert refusal(bare) == (401, "Incorrect IAM authentication information: x-auth-token not found")
    assert refusal(wrong) == (401, "Incorrect IAM authentication information: decrypt token fail")


@pytest.mark.parametrize(("minutes", "status"), [(0, 200), (-14.9, 200), (14.9, 200), (-15.1, 401), (15.1, 401)])
def test_fifteen_minutes_of_skew(cloud: LocalCloud, minutes: float, status: int) -> None:
    """A signature is valid for 15 minutes before and after the wall clock, even if the local clock has been moved."""
    cloud.advance(7200)

    response = signed(cloud, now() + timedelta(minutes=minutes))

    assert response.status_code == status
    if status == 401:
        assert "calc aksk signature fail:signature expired, signature time:" in refusal(response)[1]


def test_a_changed_header_breaks_the_signature(cloud: LocalCloud) -> None:
    """A wrong signature is rejected with the gateway's canonical request, in which the security token is masked."""
    connection = cloud.connection()
    client = build(DdsClient, cloud, secret_key="another")

    with pytest.raises(ClientRequestException) as refused:
        client.show_quotas(ShowQuotasRequest())

    assert (refused.value.status_code, refused.value.error_code) == (401, "APIGW.0301")
    assert f"canonicalRequest:GET|/v3/{connection['project_id']}/quotas/||" in refused.value.error_msg
    assert connection["security_token"] not in refused.value.error_msg
    assert "x-security-token:***" in refused.value.error_msg


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({"access_key": "UNKNOWN"}, "ak UNKNOWN not exist"),
        ({"security_token": None}, "is temporary: X-Security-Token not found"),
        ({"security_token": "of another"}, "the security token does not belong to ak"),
    ],
)
def test_key_and_security_token_belong_together(cloud: LocalCloud, credentials: dict[str, Any], message: str) -> None:
    """An unknown key and a missing or wrong security token are rejected."""
    client = build(DdsClient, cloud, **credentials)

    with pytest.raises(ClientRequestException) as refused:
        client.show_quotas(ShowQuotasRequest())

    assert refused.value.status_code == 401
    assert message in refused.value.error_msg


def test_a_date_is_needed(cloud: LocalCloud) -> None:
    """X-Sdk-Date must be a valid time."""
    garbage = signed(cloud, now(), **{"x-sdk-date": "yesterday"})

    assert "X-Sdk-Date must be in the form 20191115T033655Z, not 'yesterday'" in refusal(garbage)[1]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ("host", "X-Sdk-Date is not among the signed headers"),
        ("x-missing;x-sdk-date", "signed header x-missing not found"),
    ],
)
def test_signed_headers_must_be_there(cloud: LocalCloud, headers: str, message: str) -> None:
    """X-Sdk-Date must be signed, and every signed header must be sent."""
    connection = cloud.connection()
    sent = {
        "Authorization": f"SDK-HMAC-SHA256 Access={connection['access_key']}, SignedHeaders={headers}, Signature=00",
        "X-Sdk-Date": now().strftime("%Y%m%dT%H%M%SZ"),
        "X-Security-Token": str(connection["security_token"]),
    }

    response = httpx.get(f"{cloud.url}/v3/projects", headers=sent, trust_env=False)

    assert message in refusal(response)[1]


def test_headers_in_latin_1(http: httpx.Client, project: str) -> None:
    """A header that is not UTF-8 is decoded as Latin-1."""
    assert http.get(f"{project}/quotas", headers={b"X-Name": b"Andr\xe9"}).status_code == 200


def test_another_algorithm_is_rejected(http: httpx.Client, project: str) -> None:
    """An Authorization header of another algorithm is rejected even with a valid token."""
    response = http.get(f"{project}/quotas", headers={"Authorization": "Bearer abc"})

    assert "not SDK-HMAC-SHA256" in refusal(response)[1]


@pytest.mark.parametrize(
    ("version", "path", "status", "code"),
    [
        ("v3", "quotas", 400, "DBS.280408"),
        ("v3.1", "jobs", 400, "DBS.280408"),
        ("v2", "notifications/topics", 403, "SMN.0001"),
    ],
)
def test_another_project_is_refused(http: httpx.Client, version: str, path: str, status: int, code: str) -> None:
    """A path with another project is rejected by the service."""
    response = http.get(f"/{version}/{'0' * 32}/{path}")

    assert response.status_code == status
    assert code in response.json().values()


def test_the_unreplaced_project_id_of_the_sdk_is_refused(cloud: LocalCloud) -> None:
    """Without a project id the SDK sends /v3/%7Bproject_id%7D, which is rejected."""
    client = build(DdsClient, cloud, project_id=None)

    assert rejection(client.list_instances, ListInstancesRequest()) == (400, "DBS.280408")


def test_another_project_in_the_header_is_refused(cloud: LocalCloud) -> None:
    """An X-Project-Id of another project is rejected."""
    response = signed(cloud, now(), **{"x-project-id": "0" * 32})

    assert (response.status_code, response.json()["error_code"]) == (403, "APIGW.0310")


def test_an_unknown_path_is_an_unknown_api(http: httpx.Client, project: str) -> None:
    """An unknown path or method is rejected with the gateway's 404."""
    iam = [http.get(path) for path in ("/v3/roles", "/v3/projects/p", "/v3.0/OS-AGENCY/agencies/")]
    for response in (http.get(f"{project}/nothing"), http.patch(f"{project}/backups"), *iam):
        assert (response.status_code, response.json()["error_code"]) == (404, "APIGW.0101")


def test_too_large_a_body_is_refused(http: httpx.Client, project: str) -> None:
    """A body of more than 12 MB is rejected by the gateway."""
    response = http.post(f"{project}/backups", content=b"x" * (12 * 1024**2 + 1))

    assert (response.status_code, response.json()["error_code"]) == (413, "APIGW.0201")
