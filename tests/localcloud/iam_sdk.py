"""Helpers that manage agencies and policies of both models in a local cloud with the official IAM SDK."""

import json
from typing import Any

import huaweicloudsdkiam.v3 as sdk
import huaweicloudsdkiam.v5 as sdk5
from huaweicloudsdkcore.auth.credentials import GlobalCredentials
from huaweicloudsdkcore.http.http_config import HttpConfig

from localcloud import LocalCloud


DOMAIN_ID = "0f3d2f0c1c7f118d2f7a542a4e5c589a"
FUNCTIONGRAPH = "op_svc_cff"


def iam_client(cloud: LocalCloud, client: Any = sdk.IamClient, **given: Any) -> Any:
    """An IAM client of the SDK class `client`, with the connection's credentials unless others are given."""
    given = cloud.connection() | given
    credentials = GlobalCredentials(given["access_key"], given["secret_key"], DOMAIN_ID)
    builder = client.new_builder().with_http_config(HttpConfig(timeout=(3, 10)))
    credentials = credentials.with_security_token(given["security_token"])
    return builder.with_credentials(credentials).with_endpoints([cloud.url]).build()


def make_agency(iam: Any, name: str = "dds-backup", **options: Any) -> str:
    """Create an agency for FunctionGraph and return its id."""
    option = sdk.CreateAgencyOption(
        **{"name": name, "domain_id": DOMAIN_ID, "trust_domain_name": FUNCTIONGRAPH, **options}
    )
    answer = iam.create_agency(sdk.CreateAgencyRequest(body=sdk.CreateAgencyRequestBody(agency=option)))
    return str(answer.agency.id)


def policy_body(body: Any, *actions: str, name: str = "backups", effect: str = "Allow") -> Any:
    """The SDK's request body (`body` is its class) for a custom policy that allows or denies these actions."""
    statement = sdk.ServiceStatement(action=[*actions], effect=effect)
    policy = sdk.ServicePolicy(version="1.1", statement=[statement])
    option = sdk.ServicePolicyRoleOption(display_name=name, type="XA", description="What it calls.", policy=policy)
    return body(role=option)


def make_policy(iam: Any, *actions: str, name: str = "backups", effect: str = "Allow") -> str:
    """Create a custom policy and return its id."""
    body = policy_body(sdk.CreateCloudServiceCustomPolicyRequestBody, *actions, name=name, effect=effect)
    request = sdk.CreateCloudServiceCustomPolicyRequest(body=body)
    return str(iam.create_cloud_service_custom_policy(request).role.id)


def grant(iam: Any, cloud: LocalCloud, agency_id: str, *policy_ids: str) -> None:
    """Grant policies to an agency on the project."""
    for policy_id in policy_ids:
        iam.associate_agency_with_project_permission(
            sdk.AssociateAgencyWithProjectPermissionRequest(
                project_id=cloud.connection()["project_id"], agency_id=agency_id, role_id=policy_id
            )
        )


def identity_document(*actions: str, effect: str = "Allow") -> str:
    """The document of an identity policy that allows or denies these actions."""
    statement = {"Effect": effect, "Action": [*actions], "Resource": ["*"]}
    return json.dumps({"Version": "5.0", "Statement": [statement]})


def make_identity_policy(iam5: Any, document: str, name: str = "backups") -> str:
    """Create an identity policy and return its id."""
    body = sdk5.CreatePolicyReqBody(policy_name=name, policy_document=document)
    return str(iam5.create_policy_v5(sdk5.CreatePolicyV5Request(body=body)).policy.policy_id)


def attach(iam5: Any, agency_id: str, policy_id: str) -> None:
    """Attach an identity policy to an agency."""
    body = sdk5.AttachAgencyPolicyReqBody(agency_id=agency_id)
    iam5.attach_agency_policy_v5(sdk5.AttachAgencyPolicyV5Request(policy_id=policy_id, body=body))


def temporary_key(iam: Any, agency: str = "dds-backup", seconds: int = 900) -> Any:
    """A temporary access key of an agency: access, secret, securitytoken, expires_at."""
    role = sdk.IdentityAssumerole(agency_name=agency, domain_id=DOMAIN_ID, duration_seconds=seconds)
    identity = sdk.AgencyAuthIdentity(methods=["assume_role"], assume_role=role)
    body = sdk.CreateTemporaryAccessKeyByAgencyRequestBody(auth=sdk.AgencyAuth(identity=identity))
    request = sdk.CreateTemporaryAccessKeyByAgencyRequest(body=body)
    return iam.create_temporary_access_key_by_agency(request).credential


def call_every_iam5(iam5: Any, agency_id: str) -> None:
    """Make every call of IAM's new edition once. All succeed."""
    policy_id = make_identity_policy(iam5, identity_document("dds:backup:listAll"))
    iam5.list_policies_v5(sdk5.ListPoliciesV5Request())
    iam5.get_policy_v5(sdk5.GetPolicyV5Request(policy_id=policy_id))
    attach(iam5, agency_id, policy_id)
    iam5.list_attached_agency_policies_v5(sdk5.ListAttachedAgencyPoliciesV5Request(agency_id=agency_id))
    body = sdk5.DetachAgencyPolicyReqBody(agency_id=agency_id)
    iam5.detach_agency_policy_v5(sdk5.DetachAgencyPolicyV5Request(policy_id=policy_id, body=body))
    iam5.delete_policy_v5(sdk5.DeletePolicyV5Request(policy_id=policy_id))


def call_every_iam(cloud: LocalCloud, iam: Any, iam5: Any) -> None:
    """Make every IAM call once. All succeed."""
    iam.keystone_list_auth_domains(sdk.KeystoneListAuthDomainsRequest())
    iam.keystone_list_projects(sdk.KeystoneListProjectsRequest())
    agency_id = make_agency(iam)
    temporary_key(iam)
    token = sdk.AgencyTokenIdentity(
        methods=["assume_role"],
        assume_role=sdk.AgencyTokenAssumerole(domain_id=DOMAIN_ID, agency_name="dds-backup"),
    )
    auth = sdk.AgencyTokenAuth(identity=token, scope=sdk.AgencyTokenScope())
    body = sdk.KeystoneCreateAgencyTokenRequestBody(auth=auth)
    iam.keystone_create_agency_token(sdk.KeystoneCreateAgencyTokenRequest(body=body))
    iam.list_agencies(sdk.ListAgenciesRequest(domain_id=DOMAIN_ID))
    iam.show_agency(sdk.ShowAgencyRequest(agency_id=agency_id))
    update = sdk.UpdateAgencyRequestBody(agency=sdk.UpdateAgencyOption(description="nightly"))
    iam.update_agency(sdk.UpdateAgencyRequest(agency_id=agency_id, body=update))
    policy_id = make_policy(iam, "dds:backup:list")
    iam.list_custom_policies(sdk.ListCustomPoliciesRequest())
    iam.show_custom_policy(sdk.ShowCustomPolicyRequest(role_id=policy_id))
    change = policy_body(sdk.UpdateCloudServiceCustomPolicyRequestBody, "dds:*:*")
    iam.update_cloud_service_custom_policy(sdk.UpdateCloudServiceCustomPolicyRequest(role_id=policy_id, body=change))
    _call_every_grant(cloud, iam, agency_id, policy_id)
    call_every_iam5(iam5, agency_id)
    iam.delete_custom_policy(sdk.DeleteCustomPolicyRequest(role_id=policy_id))
    iam.delete_agency(sdk.DeleteAgencyRequest(agency_id=agency_id))


def _call_every_grant(cloud: LocalCloud, iam: Any, agency_id: str, policy_id: str) -> None:
    project = {"project_id": cloud.connection()["project_id"], "agency_id": agency_id}
    domain = {"domain_id": DOMAIN_ID, "agency_id": agency_id}
    role = {"role_id": policy_id}
    iam.associate_agency_with_project_permission(sdk.AssociateAgencyWithProjectPermissionRequest(**project, **role))
    iam.check_project_permission_for_agency(sdk.CheckProjectPermissionForAgencyRequest(**project, **role))
    iam.list_project_permissions_for_agency(sdk.ListProjectPermissionsForAgencyRequest(**project))
    iam.remove_project_permission_from_agency(sdk.RemoveProjectPermissionFromAgencyRequest(**project, **role))
    iam.associate_agency_with_domain_permission(sdk.AssociateAgencyWithDomainPermissionRequest(**domain, **role))
    iam.check_domain_permission_for_agency(sdk.CheckDomainPermissionForAgencyRequest(**domain, **role))
    iam.list_domain_permissions_for_agency(sdk.ListDomainPermissionsForAgencyRequest(**domain))
    iam.remove_domain_permission_from_agency(sdk.RemoveDomainPermissionFromAgencyRequest(**domain, **role))
    one = sdk.CreateAgencyEpPolicyAssignmentReqBodyRoleAssignments(
        agency_id=agency_id, enterprise_project_id="ep", role_id=policy_id
    )
    granting = sdk.CreateAgencyEpPolicyAssignmentReqBody(role_assignments=[one])
    iam.associate_role_to_agency_on_enterprise_project(
        sdk.AssociateRoleToAgencyOnEnterpriseProjectRequest(body=granting)
    )
    iam.show_domain_role_assignments(
        sdk.ShowDomainRoleAssignmentsRequest(domain_id=DOMAIN_ID, scope="enterprise_project")
    )
    revoking = sdk.CreateOrDelAgencyEpPolicyAssignmentReqBody(role_assignments=[one])
    iam.revoke_role_from_agency_on_enterprise_project(sdk.RevokeRoleFromAgencyOnEnterpriseProjectRequest(body=revoking))
    iam.associate_agency_with_all_projects_permission(
        sdk.AssociateAgencyWithAllProjectsPermissionRequest(**domain, **role)
    )
    iam.check_all_projects_permission_for_agency(sdk.CheckAllProjectsPermissionForAgencyRequest(**domain, **role))
    iam.list_all_projects_permissions_for_agency(sdk.ListAllProjectsPermissionsForAgencyRequest(**domain))
    iam.remove_all_projects_permission_from_agency(sdk.RemoveAllProjectsPermissionFromAgencyRequest(**domain, **role))
