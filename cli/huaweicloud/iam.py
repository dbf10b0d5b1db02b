"""IAM: custom policies, agencies, and the policies that agencies are granted on the project."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from huaweicloudsdkiam.v3 import (
    AssociateAgencyWithProjectPermissionRequest,
    AssociateRoleToAgencyOnEnterpriseProjectRequest,
    CreateAgencyRequest,
    CreateCloudServiceCustomPolicyRequest,
    DeleteAgencyRequest,
    DeleteCustomPolicyRequest,
    KeystoneListProjectsRequest,
    ListAgenciesRequest,
    ListAllProjectsPermissionsForAgencyRequest,
    ListCustomPoliciesRequest,
    ListProjectPermissionsForAgencyRequest,
    RemoveProjectPermissionFromAgencyRequest,
    RevokeRoleFromAgencyOnEnterpriseProjectRequest,
    ShowDomainRoleAssignmentsRequest,
    UpdateAgencyRequest,
    UpdateCloudServiceCustomPolicyRequest,
)

from cli.huaweicloud.access import Access
from cli.huaweicloud.client import ServiceError
from cli.huaweicloud.resources import Found, Kind, Resource, marked, named_or_own, read_mark
from cli.json_value import Json


POLICIES_PAGE, AGENCIES_PAGE, ASSIGNMENTS_PAGE = 300, 500, 50
IN_PROJECTS = "XA"
"""The ``type`` of a policy that is granted on projects."""
FOREVER = "FOREVER"


class Policies:
    """The custom policies of the account, by their display names (IAM API, Custom Policy Management)."""

    def __init__(self, access: Access, stack: str) -> None:
        self._access = access
        self._stack = stack
        self._made: dict[str, str] = {}  # lists may lag behind

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 a policy has no parent
        """Return the policies with one of *names* or with the mark of *stack*."""
        return named_or_own(map(self._found, self._roles()), names, stack)

    def id_of(self, name: str) -> str:
        """Return the id of the policy *name*. Raises ServiceError if there is none."""
        if name in self._made:
            return self._made[name]
        for role in self._roles():
            if role["display_name"] == name:
                return str(role["id"])
        raise ServiceError("IAM.ListCustomPolicies", None, None, f"there is no custom policy {name}")

    def create(self, wanted: Resource) -> None:
        """POST the policy."""
        request = CreateCloudServiceCustomPolicyRequest(body=self._body(wanted))
        answer = self._access.iam.call("create_cloud_service_custom_policy", request, "role")
        self._made[wanted.name] = answer["role"]["id"]

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:  # noqa: ARG002 it is replaced as a whole
        """PATCH the whole policy."""
        request = UpdateCloudServiceCustomPolicyRequest(role_id=found.id, body=self._body(wanted))
        self._access.iam.call("update_cloud_service_custom_policy", request)

    def delete(self, found: Found) -> None:
        """DELETE the policy."""
        self._access.iam.delete("delete_custom_policy", DeleteCustomPolicyRequest(role_id=found.id))

    def _roles(self) -> Iterator[dict[str, Any]]:
        request = ListCustomPoliciesRequest()
        return self._access.iam.numbered_pages("list_custom_policies", request, "roles", POLICIES_PAGE)

    def _body(self, wanted: Resource) -> dict[str, Any]:
        description = marked(str(wanted.fields["description"]), self._stack, self._access.project_id)
        return {
            "role": {
                "display_name": wanted.name,
                "type": IN_PROJECTS,
                "description": description,
                "policy": wanted.fields["policy"],
            }
        }

    def _found(self, role: dict[str, Any]) -> Found:
        description, stack = read_mark(role.get("description"), self._access.project_id)
        fields = {"policy": _normalized(role["policy"]), "description": description}
        return Found(Resource(Kind.POLICY, role["display_name"], fields), role["id"], stack)


def _normalized(policy: dict[str, Any]) -> Json:
    """Return a policy document without empty parts and with sorted actions, so that only real differences remain."""
    statements: list[Json] = [
        {key: sorted(value) if key == "Action" else value for key, value in statement.items() if value}
        for statement in policy.get("Statement") or []
    ]
    return {"Version": policy.get("Version"), "Statement": statements}


class Agencies:
    """The agencies of the account (IAM API, Agency Management)."""

    def __init__(self, access: Access, stack: str) -> None:
        self._access = access
        self._stack = stack
        self._made: dict[str, str] = {}  # lists may lag behind

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 an agency has no parent
        """Return the agencies with one of *names* or with the mark of *stack*."""
        return named_or_own(map(self._found, self._all()), names, stack)

    def id_of(self, name: str) -> str:
        """Return the id of the agency *name*. Raises ServiceError if there is none."""
        if name in self._made:
            return self._made[name]
        for agency in self._all(name=name):
            if agency["name"] == name:
                return str(agency["id"])
        raise ServiceError("IAM.ListAgencies", None, None, f"there is no agency {name}")

    def create(self, wanted: Resource) -> None:
        """POST the agency."""
        body = {"name": wanted.name, "domain_id": self._access.domain_id, **self._body(wanted)}
        answer = self._access.iam.call("create_agency", CreateAgencyRequest(body={"agency": body}), "agency")
        self._made[wanted.name] = answer["agency"]["id"]

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:  # noqa: ARG002 all are sent
        """PUT the trusted account, the duration and the description."""
        request = UpdateAgencyRequest(agency_id=found.id, body={"agency": self._body(wanted)})
        self._access.iam.call("update_agency", request)

    def delete(self, found: Found) -> None:
        """DELETE the agency."""
        self._access.iam.delete("delete_agency", DeleteAgencyRequest(agency_id=found.id))

    def _all(self, **query: str) -> Iterator[dict[str, Any]]:
        request = ListAgenciesRequest(domain_id=self._access.domain_id, **query)
        return self._access.iam.numbered_pages("list_agencies", request, "agencies", AGENCIES_PAGE)

    def _body(self, wanted: Resource) -> dict[str, Any]:
        description = marked(str(wanted.fields["description"]), self._stack, self._access.project_id)
        fields = wanted.fields
        return {"trust_domain_name": fields["trusts"], "duration": fields["duration"], "description": description}

    def _found(self, agency: dict[str, Any]) -> Found:
        description, stack = read_mark(agency.get("description"), self._access.project_id)
        fields = {
            "trusts": agency.get("trust_domain_name"),
            "duration": _duration(agency.get("duration")),
            "description": description,
        }
        return Found(Resource(Kind.AGENCY, agency["name"], fields), agency["id"], stack)


def _duration(answered: object) -> str:
    """Return FOREVER for any of its three spellings (IAM API, Querying an Agency List, duration), or the hours."""
    return FOREVER if answered in (None, "null", FOREVER) else str(answered)


class Grants:
    """The policies that agencies are granted on the project or on an enterprise project, by agency and policy."""

    def __init__(self, access: Access, agencies: Agencies, policies: Policies) -> None:
        self._access = access
        self._agencies = agencies
        self._policies = policies

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 a grant is part of an agency
        """Return the grants of the agencies in *found*; on enterprise projects, only those of policies in *found*."""
        policies = {item.id: item.resource.name for item in found if item.resource.kind is Kind.POLICY}
        grants = []
        for agency in found:
            if agency.resource.kind is not Kind.AGENCY:
                continue
            name = agency.resource.name
            for role in self._on_project(agency.id):
                policy = role.get("display_name") or role["name"]
                fields = {"agency": name, "policy": policy, "document": role.get("policy")}
                parents = (agency.resource.key, (Kind.POLICY, policy))
                grant = Resource(Kind.GRANT, f"{policy} to {name}", fields, parents)
                grants.append(Found(grant, f"{agency.id}/{role['id']}", agency.stack))
            # Deploying grants only policies whose name begins with that of the agency.
            if any(policy.startswith(f"{name}-") for policy in policies.values()):
                for place, role_id in self._on_enterprise_projects(agency.id):
                    if role_id in policies:
                        grant = grant_on_enterprise_project(name, policies[role_id], place)
                        grants.append(Found(grant, f"{agency.id}/{role_id}/{place}", agency.stack))
        return grants

    def create(self, wanted: Resource) -> None:
        """PUT the policy on the agency."""
        agency_id = self._agencies.id_of(str(wanted.fields["agency"]))
        role_id = self._policies.id_of(str(wanted.fields["policy"]))
        if place := wanted.fields.get("enterprise_project"):
            body = _assignment(agency_id, role_id, str(place))
            request = AssociateRoleToAgencyOnEnterpriseProjectRequest(body=body)
            self._access.iam.call("associate_role_to_agency_on_enterprise_project", request)
            return
        self._access.iam.call(
            "associate_agency_with_project_permission",
            AssociateAgencyWithProjectPermissionRequest(
                project_id=self._access.project_id, agency_id=agency_id, role_id=role_id
            ),
        )

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:
        """Do nothing: a grant has no field to change, and it belongs to its agency's stack."""

    def delete(self, found: Found) -> None:
        """DELETE the policy from the agency."""
        agency_id, role_id, *place = found.id.split("/")
        if place:
            body = _assignment(agency_id, role_id, place[0])
            request = RevokeRoleFromAgencyOnEnterpriseProjectRequest(body=body)
            self._access.iam.delete("revoke_role_from_agency_on_enterprise_project", request)
            return
        self._access.iam.delete(
            "remove_project_permission_from_agency",
            RemoveProjectPermissionFromAgencyRequest(
                project_id=self._access.project_id, agency_id=agency_id, role_id=role_id
            ),
        )

    def _on_project(self, agency_id: str) -> list[dict[str, Any]]:
        request = ListProjectPermissionsForAgencyRequest(project_id=self._access.project_id, agency_id=agency_id)
        roles: list[dict[str, Any]] = self._access.iam.call("list_project_permissions_for_agency", request, "roles")[
            "roles"
        ]
        return roles

    def _on_enterprise_projects(self, agency_id: str) -> Iterator[tuple[str, str]]:
        """Yield the enterprise project and the policy of each grant (IAM API, iam_10_0014)."""
        request = ShowDomainRoleAssignmentsRequest(
            domain_id=self._access.domain_id, subject_agency_id=agency_id, scope="enterprise_project"
        )
        item: Any
        for item in self._access.iam.numbered_pages(
            "show_domain_role_assignments", request, "role_assignments", ASSIGNMENTS_PAGE
        ):
            yield item["scope"]["enterprise_project"]["id"], item["role"]["id"]


def grant_on_enterprise_project(agency: str, policy: str, place: str) -> Resource:
    """Return the grant of *policy* to *agency* on the enterprise project *place*, an id."""
    fields: dict[str, Json] = {"agency": agency, "policy": policy, "enterprise_project": place}
    parents = ((Kind.AGENCY, agency), (Kind.POLICY, policy))
    return Resource(Kind.GRANT, f"{policy} to {agency} in the enterprise project {place}", fields, parents)


def _assignment(agency_id: str, role_id: str, place: str) -> dict[str, Any]:
    """Return the body of a grant on an enterprise project and of its revocation (IAM API, iam_02_0633)."""
    return {"role_assignments": [{"agency_id": agency_id, "enterprise_project_id": place, "role_id": role_id}]}


def list_projects(access: Access) -> list[dict[str, Any]]:
    """Return the projects of the account (IAM API, Querying Project Information)."""
    request = KeystoneListProjectsRequest()
    projects: list[dict[str, Any]] = access.iam.call("keystone_list_projects", request, "projects")["projects"]
    return projects


def list_policies(access: Access, agency_id: str) -> list[dict[str, Any]]:
    """Return the documents of the policies that an agency has, on the project and on all projects."""
    request = ListProjectPermissionsForAgencyRequest(project_id=access.project_id, agency_id=agency_id)
    on_project = access.iam.call("list_project_permissions_for_agency", request, "roles")["roles"]
    roles = (*on_project, *list_inherited_policies(access, agency_id))
    return [role["policy"] for role in roles if role.get("policy")]


def list_inherited_policies(access: Access, agency_id: str) -> list[dict[str, Any]]:
    """Return the policies that an agency has on all projects (IAM API, Querying All Permissions of an Agency)."""
    request = ListAllProjectsPermissionsForAgencyRequest(domain_id=access.domain_id, agency_id=agency_id)
    roles: list[dict[str, Any]] = access.iam.call("list_all_projects_permissions_for_agency", request, "roles")["roles"]
    return roles
