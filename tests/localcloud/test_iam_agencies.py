"""IAM: agencies, custom policies and grants, with the official SDK."""

from pathlib import Path
from typing import Any

import httpx
import huaweicloudsdkiam.v3 as sdk
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from localcloud import LocalCloud
from tests.localcloud.iam_sdk import (
    DOMAIN_ID,
    FUNCTIONGRAPH,
    grant,
    make_agency,
    make_policy,
    policy_body,
    temporary_key,
)


DAY = 86_400


def agencies(iam: Any, **query: Any) -> list[Any]:
    """List agencies."""
    return list(iam.list_agencies(sdk.ListAgenciesRequest(**({"domain_id": DOMAIN_ID} | query))).agencies)


def refusal(call: Any) -> tuple[int, str]:
    """The status and message of the error that a call raises."""
    with pytest.raises(ClientRequestException) as caught:
        call()
    return caught.value.status_code, caught.value.error_msg


def test_an_agency_is_created_for_functiongraph_and_found(iam: Any) -> None:
    """A created agency is found with its documented fields. Without a duration it does not expire."""
    agency_id = make_agency(iam, description="For the nightly backup")

    (found,) = agencies(iam, name="dds-backup")

    assert (found.id, found.name, found.trust_domain_name) == (agency_id, "dds-backup", FUNCTIONGRAPH)
    assert (found.domain_id, found.description, found.duration) == (DOMAIN_ID, "For the nightly backup", "FOREVER")
    assert found.expire_time is None
    assert iam.show_agency(sdk.ShowAgencyRequest(agency_id=agency_id)).agency.name == "dds-backup"
    assert agencies(iam, name="other") == agencies(iam, domain_id="0" * 32) == []


def test_agencies_are_listed_in_pages(iam: Any) -> None:
    """Pages are counted from 1, and `page` requires `per_page`."""
    for number in range(3):
        make_agency(iam, f"agency-{number}")

    assert [agency.name for agency in agencies(iam, page=2, per_page=2)] == ["agency-2"]
    assert refusal(lambda: agencies(iam, page=2))[0] == 400


def test_an_agency_is_changed_and_deleted(iam: Any) -> None:
    """An update keeps the fields that are not given, and a deleted agency is gone."""
    agency_id = make_agency(iam, description="before")
    update = sdk.UpdateAgencyOption(trust_domain_name="op_svc_ecs", duration="ONEDAY")
    body = sdk.UpdateAgencyRequestBody(agency=update)
    iam.update_agency(sdk.UpdateAgencyRequest(agency_id=agency_id, body=body))

    (found,) = agencies(iam)
    iam.delete_agency(sdk.DeleteAgencyRequest(agency_id=agency_id))

    assert (found.trust_domain_name, found.duration, found.description) == ("op_svc_ecs", "24", "before")
    assert agencies(iam) == []
    assert refusal(lambda: iam.show_agency(sdk.ShowAgencyRequest(agency_id=agency_id)))[0] == 404


def test_an_expired_agency_cannot_be_assumed(cloud: LocalCloud, iam: Any) -> None:
    """An agency for two days cannot be assumed on the third."""
    make_agency(iam, duration="2")
    cloud.advance(2 * DAY - 60)
    temporary_key(iam)
    cloud.advance(60)

    assert refusal(lambda: temporary_key(iam)) == (404, "Could not find agency: dds-backup")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"name": "n" * 65}, 400),
        ({"name": ""}, 400),
        ({"domain_id": "0" * 32}, 404),
        ({"trust_domain_name": None}, 400),
        ({"duration": "SOMETIMES"}, 400),
        ({"duration": 0}, 400),
        ({"duration": 99_999_999}, 400),
        ({"duration": "99999999"}, 400),
        ({"description": "d" * 256}, 400),
    ],
)
def test_wrong_agencies_are_refused(iam: Any, changes: dict[str, Any], status: int) -> None:
    """An agency requires a name, this account and a trusted account."""
    assert refusal(lambda: make_agency(iam, **changes))[0] == status


def test_a_name_is_taken_once(iam: Any) -> None:
    """A second agency or policy of the same name is a conflict."""
    make_agency(iam)
    make_policy(iam, "dds:backup:list")

    assert refusal(lambda: make_agency(iam))[0] == 409
    assert refusal(lambda: make_policy(iam, "dds:backup:list"))[0] == 409


def test_a_custom_policy_is_kept_as_it_was_given(iam: Any) -> None:
    """A custom policy is returned unchanged, with the number of its grants."""
    policy_id = make_policy(iam, "dds:backup:list", "smn:topic:publish")
    (listed,) = iam.list_custom_policies(sdk.ListCustomPoliciesRequest()).roles

    shown = iam.show_custom_policy(sdk.ShowCustomPolicyRequest(role_id=policy_id)).role

    assert (listed.id, shown.display_name, shown.type, shown.references) == (policy_id, "backups", "XA", 0)
    (statement,) = shown.policy.statement
    assert (shown.policy.version, statement.effect) == ("1.1", "Allow")
    assert statement.action == ["dds:backup:list", "smn:topic:publish"]


@pytest.mark.parametrize(
    "policy",
    [
        {"Version": "1.0", "Statement": [{"Effect": "Allow", "Action": ["dds:backup:list"]}]},
        {"Version": "1.1", "Statement": []},
        {"Version": "1.1", "Statement": [{"Effect": "allow", "Action": ["dds:backup:list"]}]},
        {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["dds:backup"]}]},
        {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": []}]},
        {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["dds:*:*"], "Resource": ["dds:*:*:x:*"]}]},
        {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["dds:*:*"], "Condition": {}}]},
    ],
    ids=["version", "nothing", "effect", "action", "no actions", "resource", "condition"],
)
def test_invalid_policies_are_rejected(http: httpx.Client, policy: dict[str, Any]) -> None:
    """Invalid policies are rejected, and so are those that the local cloud would evaluate too broadly."""
    role = {"display_name": "p", "type": "XA", "description": "", "policy": policy}

    assert http.post("/v3.0/OS-ROLE/roles", json={"role": role}).status_code == 400


def test_an_agency_custom_policy_is_taken(http: httpx.Client) -> None:
    """An agency custom policy has agencies as its resource."""
    statement = {"Effect": "Allow", "Action": ["iam:agencies:assume"], "Resource": {"uri": ["/iam/agencies/1"]}}
    policy = {"Version": "1.1", "Statement": [statement]}
    role = {"display_name": "p", "type": "AX", "description": "", "policy": policy}

    assert http.post("/v3.0/OS-ROLE/roles", json={"role": role}).json()["role"]["policy"] == policy


def test_a_grant_is_checked_listed_and_taken_back(cloud: LocalCloud, iam: Any) -> None:
    """A policy granted on a project is granted only there, until it is revoked."""
    agency_id, policy_id = make_agency(iam), make_policy(iam, "dds:backup:list")
    place = {"project_id": cloud.connection()["project_id"], "agency_id": agency_id}
    check = sdk.CheckProjectPermissionForAgencyRequest(**place, role_id=policy_id)
    on_domain = sdk.ListDomainPermissionsForAgencyRequest(domain_id=DOMAIN_ID, agency_id=agency_id)

    before = refusal(lambda: iam.check_project_permission_for_agency(check))[0]
    grant(iam, cloud, agency_id, policy_id)
    grant(iam, cloud, agency_id, policy_id)
    found = iam.list_project_permissions_for_agency(sdk.ListProjectPermissionsForAgencyRequest(**place)).roles

    assert (before, iam.check_project_permission_for_agency(check).status_code) == (404, 204)
    assert [role.id for role in found] == [policy_id]
    assert iam.list_domain_permissions_for_agency(on_domain).roles == []
    request = sdk.RemoveProjectPermissionFromAgencyRequest(**place, role_id=policy_id)
    iam.remove_project_permission_from_agency(request)
    assert refusal(lambda: iam.remove_project_permission_from_agency(request))[0] == 404


@pytest.mark.parametrize("unknown", ["project_id", "agency_id", "role_id"])
def test_unknown_grants_are_rejected(cloud: LocalCloud, iam: Any, unknown: str) -> None:
    """The project, the agency and the policy of a grant must exist."""
    place = {
        "project_id": cloud.connection()["project_id"],
        "agency_id": make_agency(iam),
        "role_id": make_policy(iam, "dds:backup:list"),
    } | {unknown: "0" * 32}
    request = sdk.AssociateAgencyWithProjectPermissionRequest(**place)

    status, message = refusal(lambda: iam.associate_agency_with_project_permission(request))

    assert (status, message) == (404, f"Could not find {unknown.removesuffix('_id')}: {'0' * 32}")


def test_a_deleted_policy_is_taken_from_its_agencies(cloud: LocalCloud, iam: Any) -> None:
    """Deleting a policy revokes it and frees its name."""
    agency_id, policy_id = make_agency(iam), make_policy(iam, "dds:backup:list")
    grant(iam, cloud, agency_id, policy_id)
    place = {"project_id": cloud.connection()["project_id"], "agency_id": agency_id}

    iam.delete_custom_policy(sdk.DeleteCustomPolicyRequest(role_id=policy_id))

    assert iam.list_project_permissions_for_agency(sdk.ListProjectPermissionsForAgencyRequest(**place)).roles == []
    make_policy(iam, "dds:backup:list")


def test_a_changed_policy_keeps_its_grants(cloud: LocalCloud, iam: Any) -> None:
    """Updating a policy, as a deployment does, keeps its grants."""
    agency_id, policy_id = make_agency(iam), make_policy(iam, "dds:backup:list")
    grant(iam, cloud, agency_id, policy_id)
    body = policy_body(sdk.UpdateCloudServiceCustomPolicyRequestBody, "dds:instance:list", name="renamed")

    request = sdk.UpdateCloudServiceCustomPolicyRequest(role_id=policy_id, body=body)
    iam.update_cloud_service_custom_policy(request)

    shown = iam.show_custom_policy(sdk.ShowCustomPolicyRequest(role_id=policy_id)).role
    assert (shown.display_name, shown.references) == ("renamed", 1)
    assert shown.policy.statement[0].action == ["dds:instance:list"]


def test_agencies_survive_a_restart(tmp_path: Path) -> None:
    """A state file preserves agencies."""
    file = tmp_path / "state.db"
    with LocalCloud(state_file=file) as first:
        token = {"X-Auth-Token": first.connection()["token"]}
        agency = {"name": "dds-backup", "domain_id": DOMAIN_ID, "trust_domain_name": FUNCTIONGRAPH}
        made = httpx.post(
            f"{first.url}/v3.0/OS-AGENCY/agencies", json={"agency": agency}, headers=token, trust_env=False
        ).json()

    with LocalCloud(state_file=file) as second:
        token = {"X-Auth-Token": second.connection()["token"]}
        url = f"{second.url}/v3.0/OS-AGENCY/agencies/{made['agency']['id']}"
        found = httpx.get(url, headers=token, trust_env=False).json()

    assert found["agency"]["name"] == "dds-backup"


def test_a_policy_is_granted_in_an_enterprise_project_and_revoked(iam: Any) -> None:
    """The records name agency, policy and enterprise project. Another agency and another account have none."""
    agency_id, role_id = make_agency(iam), make_policy(iam, "dds:instance:deleteInstance")
    one = sdk.CreateAgencyEpPolicyAssignmentReqBodyRoleAssignments(
        agency_id=agency_id, enterprise_project_id="ep", role_id=role_id
    )

    def records(agency: str, domain_id: str = DOMAIN_ID) -> list[tuple[str, str, str]]:
        request = sdk.ShowDomainRoleAssignmentsRequest(
            domain_id=domain_id, subject_agency_id=agency, scope="enterprise_project"
        )
        found = iam.show_domain_role_assignments(request).role_assignments
        return [(one.agency.id, one.role.id, one.scope.enterprise_project.id) for one in found]

    iam.associate_role_to_agency_on_enterprise_project(
        sdk.AssociateRoleToAgencyOnEnterpriseProjectRequest(
            body=sdk.CreateAgencyEpPolicyAssignmentReqBody(role_assignments=[one])
        )
    )

    assert records(agency_id) == [(agency_id, role_id, "ep")]
    assert records("other") == records(agency_id, "0" * 32) == []

    iam.revoke_role_from_agency_on_enterprise_project(
        sdk.RevokeRoleFromAgencyOnEnterpriseProjectRequest(
            body=sdk.CreateOrDelAgencyEpPolicyAssignmentReqBody(role_assignments=[one])
        )
    )
    assert records(agency_id) == []
