"""With ``enforce_policies`` an agency can make only the calls that its policies allow."""

import json
from typing import Any

import httpx
import huaweicloudsdkiam.v3 as sdk
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkdds.v3 import DdsClient, ListBackupsRequest, ListInstancesRequest, ListProjectTagsRequest
from huaweicloudsdksmn.v2 import PublishMessageRequest, PublishMessageRequestBody, SmnClient

from localcloud import LocalCloud
from localcloud.auth.authorization import Action, action_of, is_allowed
from tests.localcloud.iam_sdk import (
    DOMAIN_ID,
    attach,
    grant,
    iam_client,
    identity_document,
    make_agency,
    make_identity_policy,
    make_policy,
    temporary_key,
)
from tests.localcloud.sdk import build, new_backup


LIST = Action("dds:backup:list", "dds:backup:listAll")
pytestmark = pytest.mark.filterwarnings("ignore:Unable to convert string to datetime")  # the SDK of IAM's new edition


def statement(effect: str, *actions: str) -> dict[str, Any]:
    """A statement of a policy."""
    return {"Effect": effect, "Action": [*actions]}


def policy(*statements: dict[str, Any], version: str = "1.1") -> dict[str, Any]:
    """A policy document."""
    return {"Version": version, "Statement": [*statements]}


@pytest.fixture
def agency(cloud: LocalCloud, iam: Any) -> str:
    """The id of an agency without policies, in a cloud that enforces policies."""
    cloud.switch(enforce_policies=True)
    return make_agency(iam)


def as_agency(cloud: LocalCloud, iam: Any, client: Any) -> Any:
    """An SDK client with a temporary key of the agency."""
    key = temporary_key(iam)
    return build(client, cloud, access_key=key.access, secret_key=key.secret, security_token=key.securitytoken)


def refusal(call: Any) -> tuple[int, str, str]:
    """The status, code and message of the error that a call raises."""
    with pytest.raises(ClientRequestException) as caught:
        call()
    error = caught.value
    return error.status_code, str(error.error_code), error.error_msg


@pytest.mark.parametrize(
    ("documents", "allowed"),
    [
        ([], False),
        ([policy(statement("Allow", "dds:backup:list"))], True),
        ([policy(statement("Allow", "dds:backup:*"))], True),
        ([policy(statement("Allow", "dds:*:list"))], True),
        ([policy(statement("Allow", "dds:Backup:List"))], True),
        ([policy(statement("Allow", "dds:backup:lis"))], False),
        ([policy(statement("Allow", "dds:backup:delete"))], False),
        ([policy(statement("Allow", "dds:backup:listAll"))], False),
        ([policy(statement("Allow", "dds:backup:*"), statement("Deny", "dds:backup:list"))], False),
        ([policy(statement("Deny", "dds:*:*")), policy(statement("Allow", "dds:backup:list"))], False),
        ([policy(statement("Deny", "dds:backup:delete")), policy(statement("Allow", "dds:backup:list"))], True),
        ([policy(statement("Deny", "dds:backup:list"))], False),
        ([policy(statement("Allow", "dds:backup:listAll"), version="5.0")], True),
        ([policy(statement("Allow", "dds:backup:list"), version="5.0")], True),
        ([policy(statement("Allow", "dds:instance:listAll"), version="5.0")], False),
        (
            [policy(statement("Allow", "dds:backup:list")), policy(statement("Deny", "dds:*:listAll"), version="5.0")],
            False,
        ),
    ],
)
def test_policy_evaluation(documents: list[dict[str, Any]], allowed: bool) -> None:
    """An action requires an Allow and no Deny. ``*`` matches anything. Identity policies accept older names too."""
    assert is_allowed(LIST, documents) is allowed


def test_a_user_is_allowed_everything(cloud: LocalCloud, agency: str, dds: Any) -> None:
    """The connection's credentials are those of an administrator."""
    assert dds.list_instances(ListInstancesRequest()).status_code == 200


def test_an_agency_without_policies_is_allowed_nothing(cloud: LocalCloud, agency: str, iam: Any, project: str) -> None:
    """Without policies each service rejects the call with its own error and names the missing action."""
    dds, smn = as_agency(cloud, iam, DdsClient), as_agency(cloud, iam, SmnClient)
    body = PublishMessageRequestBody(message="hello")
    publish = PublishMessageRequest(topic_urn=cloud.connection()["topic_urn"], body=body)

    assert refusal(lambda: dds.list_backups(ListBackupsRequest())) == (
        403,
        "DBS.280032",
        "You do not have permission to perform this operation: dds:backup:list",
    )
    assert refusal(lambda: smn.publish_message(publish)) == (
        403,
        "SMN.0001",
        "You do not have the permission to perform this operation: smn:topic:publish",
    )
    assert cloud.messages() == []


def test_a_granted_policy_allows_its_actions_and_no_others(cloud: LocalCloud, agency: str, iam: Any) -> None:
    """Granting and deleting a policy take effect at once, and only for its actions."""
    policy_id = make_policy(iam, "dds:backup:list")
    dds = as_agency(cloud, iam, DdsClient)
    grant(iam, cloud, agency, policy_id)

    listed = dds.list_backups(ListBackupsRequest())
    created = refusal(lambda: dds.create_manual_backup(new_backup(cloud.connection()["instance_ids"][0])))
    iam.delete_custom_policy(sdk.DeleteCustomPolicyRequest(role_id=policy_id))

    assert listed.status_code == 200
    assert created[:2] == (403, "DBS.280032")
    assert refusal(lambda: dds.list_backups(ListBackupsRequest()))[0] == 403


def test_a_denial_wins(cloud: LocalCloud, agency: str, iam: Any) -> None:
    """A Deny in one policy overrides an Allow in another."""
    grant(iam, cloud, agency, make_policy(iam, "dds:*:*"), make_policy(iam, "dds:backup:*", name="not", effect="Deny"))
    dds = as_agency(cloud, iam, DdsClient)

    assert dds.list_instances(ListInstancesRequest()).status_code == 200
    assert refusal(lambda: dds.list_backups(ListBackupsRequest()))[0] == 403


def test_a_grant_on_the_account_allows_nothing_of_a_project(cloud: LocalCloud, agency: str, iam: Any) -> None:
    """DDS is a project-level service: a policy must be granted on the project or on all projects."""
    role = {"domain_id": DOMAIN_ID, "agency_id": agency, "role_id": make_policy(iam, "dds:backup:list")}
    dds = as_agency(cloud, iam, DdsClient)
    iam.associate_agency_with_domain_permission(sdk.AssociateAgencyWithDomainPermissionRequest(**role))
    on_domain = refusal(lambda: dds.list_backups(ListBackupsRequest()))[0]

    iam.associate_agency_with_all_projects_permission(sdk.AssociateAgencyWithAllProjectsPermissionRequest(**role))

    assert (on_domain, dds.list_backups(ListBackupsRequest()).status_code) == (403, 200)


def test_an_identity_policy_allows_too(cloud: LocalCloud, agency: str, iam: Any, iam5: Any) -> None:
    """An attached identity policy allows actions by their names in that model."""
    policy_id = make_identity_policy(iam5, identity_document("dds:backup:listAll"))
    dds = as_agency(cloud, iam, DdsClient)
    before = refusal(lambda: dds.list_backups(ListBackupsRequest()))[0]

    attach(iam5, agency, policy_id)

    assert (before, dds.list_backups(ListBackupsRequest()).status_code) == (403, 200)


@pytest.mark.parametrize(
    ("resource", "allowed"),
    [
        ("*", True),
        ("smn:*:*:topic:*", True),
        ("smn:*:*:topic:dds-backups", True),
        ("smn:*:*:topic:*dds-backups", True),
        ("smn:cn-north-4:*:topic:urn:smn:cn-north-4:*:dds-backups", True),
        ("smn:eu-west-101:*:topic:dds-backups", False),
        ("smn:*:another-account:topic:dds-backups", False),
        ("smn:*:*:topic:dds-backups-2", False),
        ("smn:*:*:subscription:dds-backups", False),
    ],
)
def test_an_identity_policy_names_its_topics(
    cloud: LocalCloud, agency: str, iam: Any, iam5: Any, resource: str, allowed: bool
) -> None:
    """Publishing is allowed to the topics that the policy names, by their names or their URNs."""
    statement = {"Effect": "Allow", "Action": ["smn:topic:publish"], "Resource": [resource]}
    document = json.dumps({"Version": "5.0", "Statement": [statement]})
    attach(iam5, agency, make_identity_policy(iam5, document))
    body = PublishMessageRequestBody(message="hello")
    publish = PublishMessageRequest(topic_urn=cloud.connection()["topic_urn"], body=body)
    smn = as_agency(cloud, iam, SmnClient)

    if allowed:
        assert smn.publish_message(publish).status_code == 200
    else:
        assert refusal(lambda: smn.publish_message(publish))[:2] == (403, "SMN.0001")


def test_an_action_without_resources_needs_all_of_them(cloud: LocalCloud, agency: str, iam: Any, iam5: Any) -> None:
    """A statement about topics allows no call that is not about a topic."""
    statement = {"Effect": "Allow", "Action": ["dds:backup:listAll"], "Resource": ["smn:*:*:topic:*"]}
    attach(iam5, agency, make_identity_policy(iam5, json.dumps({"Version": "5.0", "Statement": [statement]})))

    assert refusal(lambda: as_agency(cloud, iam, DdsClient).list_backups(ListBackupsRequest()))[0] == 403


def test_an_attached_identity_policy_stays(agency: str, iam5: Any, http: httpx.Client) -> None:
    """An attached identity policy cannot be deleted, and deleting the agency detaches it."""
    policy_id = make_identity_policy(iam5, identity_document("dds:backup:listAll"))
    attach(iam5, agency, policy_id)

    while_attached = http.delete(f"/v5/policies/{policy_id}").status_code
    http.delete(f"/v3.0/OS-AGENCY/agencies/{agency}").raise_for_status()

    assert (while_attached, http.delete(f"/v5/policies/{policy_id}").status_code) == (409, 204)


@pytest.mark.parametrize(
    "document",
    ["{", '{"Version":"1.1","Statement":[]}', '{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["dds"]}]}'],
    ids=["no JSON", "version", "action"],
)
def test_a_malformed_identity_policy_is_refused(http: httpx.Client, document: str) -> None:
    """The document of an identity policy is validated."""
    answer = http.post("/v5/policies", json={"policy_name": "p", "policy_document": document})

    assert (answer.status_code, answer.json()["error_code"]) == (400, "PAP5.0011")


def test_calls_without_a_documented_action_are_forbidden(cloud: LocalCloud, agency: str, iam: Any) -> None:
    """No policy allows a call without a documented action, nor an agency's call to IAM."""
    grant(iam, cloud, agency, make_policy(iam, "dds:*:*"))
    dds = as_agency(cloud, iam, DdsClient)
    key = temporary_key(iam)
    connection = {"access_key": key.access, "secret_key": key.secret, "security_token": key.securitytoken}
    intruder = iam_client(cloud, **connection)

    assert refusal(lambda: dds.list_project_tags(ListProjectTagsRequest()))[:2] == (403, "DBS.280032")
    assert refusal(lambda: intruder.list_custom_policies(sdk.ListCustomPoliciesRequest()))[0] == 403


def test_without_the_switch_an_agency_is_allowed_everything(cloud: LocalCloud, iam: Any) -> None:
    """Without the switch an agency needs no policies."""
    make_agency(iam)

    assert as_agency(cloud, iam, DdsClient).list_backups(ListBackupsRequest()).status_code == 200


def test_tokens_of_an_agency_are_restricted_too(cloud: LocalCloud, agency: str, http: httpx.Client) -> None:
    """A token for an agency, and a key obtained with that token, have only the permissions of the agency."""
    role = {"domain_id": DOMAIN_ID, "agency_name": "dds-backup"}
    identity = {"methods": ["assume_role"], "assume_role": role}
    token = http.post("/v3/auth/tokens", json={"auth": {"identity": identity}}).headers["X-Subject-Token"]
    with httpx.Client(base_url=cloud.url, trust_env=False) as nobody:
        path = f"/v3/{cloud.connection()['project_id']}/backups"
        with_token = nobody.get(path, headers={"X-Auth-Token": token}).status_code
        asked = {"auth": {"identity": {"methods": ["token"], "token": {"id": token}}}}
        key = nobody.post("/v3.0/OS-CREDENTIAL/securitytokens", json=asked).json()["credential"]
    dds = build(
        DdsClient, cloud, access_key=key["access"], secret_key=key["secret"], security_token=key["securitytoken"]
    )

    assert with_token == 403
    assert refusal(lambda: dds.list_backups(ListBackupsRequest()))[0] == 403


def test_an_agency_cannot_assume_another(cloud: LocalCloud, agency: str, iam: Any, http: httpx.Client) -> None:
    """An agency cannot assume another one, with its token in the header or in the body."""
    make_agency(iam, "powerful")
    role = {"domain_id": DOMAIN_ID, "agency_name": "dds-backup"}
    identity = {"methods": ["assume_role"], "assume_role": role}
    token = http.post("/v3/auth/tokens", json={"auth": {"identity": identity}}).headers["X-Subject-Token"]
    asked = identity | {"assume_role": role | {"agency_name": "powerful"}, "token": {"id": token}}
    path = "/v3.0/OS-CREDENTIAL/securitytokens"
    with httpx.Client(base_url=cloud.url, trust_env=False) as nobody:
        with_body = nobody.post(path, json={"auth": {"identity": asked}})
        with_header = nobody.post(path, json={"auth": {"identity": asked}}, headers={"X-Auth-Token": token})

    assert (with_body.status_code, with_header.status_code) == (403, 403)


def test_calls_and_their_actions() -> None:
    """The version, the path and the method of a call determine its action."""
    assert action_of("GET", "/v3/p/jobs") == Action("dds:task:list", "dds:task:getDetail")
    assert action_of("GET", "/v3.1/p/jobs") == Action("dds:task:list", "dds:task:listAll")
    assert action_of("GET", "/v3/p/backups/download-file") == Action("dds:backup:download", "dds:backup:download")
    assert action_of("DELETE", "/v3/p/backups/b") == Action("dds:backup:delete", "dds:backup:delete")
    assert action_of("PUT", "/v3/p/backups/b") is None
