"""Agencies of IAM, and the policies that they are granted on the project (IAM API, Agency Management)."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from huaweicloudsdkiam.v3 import (
    AssociateAgencyWithProjectPermissionRequest,
    CreateAgencyRequest,
    DeleteAgencyRequest,
    ListAgenciesRequest,
    ListProjectPermissionsForAgencyRequest,
    RemoveProjectPermissionFromAgencyRequest,
    UpdateAgencyRequest,
)

from cli.huaweicloud.access import Access
from cli.huaweicloud.errors import ServiceError
from cli.huaweicloud.mark import marked, read_mark
from cli.huaweicloud.policies import Policies
from cli.huaweicloud.resources import Found, Kind, Resource, named_or_own


PAGE = 500
FOREVER = "FOREVER"


class Agencies:
    """The agencies of the account."""

    def __init__(self, access: Access, stack: str) -> None:
        self._access = access
        self._stack = stack
        self._made: dict[str, str] = {}  # a list may lag behind

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 an agency is part of nothing
        """Return the agencies with one of *names* or with the mark of *stack*."""
        return named_or_own(map(self._found, self._all()), names, stack)

    def id_of(self, name: str) -> str:
        """Return the id of the agency *name*. Raises ServiceError when there is none."""
        if name in self._made:
            return self._made[name]
        for agency in self._all(name=name):
            if agency["name"] == name:
                return str(agency["id"])
        raise ServiceError("IAM.ListAgencies", None, None, f"there is no agency {name}")

    def create(self, wanted: Resource) -> None:
        """POST it."""
        body = {"name": wanted.name, "domain_id": self._access.domain_id, **self._body(wanted)}
        answer = self._access.iam.call("create_agency", CreateAgencyRequest(body={"agency": body}), "agency")
        self._made[wanted.name] = answer["agency"]["id"]

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:  # noqa: ARG002 both are sent
        """PUT whom it trusts, for how long, and its description."""
        request = UpdateAgencyRequest(agency_id=found.id, body={"agency": self._body(wanted)})
        self._access.iam.call("update_agency", request)

    def delete(self, found: Found) -> None:
        """DELETE it."""
        self._access.iam.delete("delete_agency", DeleteAgencyRequest(agency_id=found.id))

    def _all(self, **query: str) -> Iterator[dict[str, Any]]:
        request = ListAgenciesRequest(domain_id=self._access.domain_id, **query)
        return self._access.iam.numbered_pages("list_agencies", request, "agencies", PAGE)

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
    """For ever, for which IAM has three words (IAM API, Querying an Agency List, duration), or a number of hours."""
    return FOREVER if answered in (None, "null", FOREVER) else str(answered)


class Grants:
    """The policies that agencies have on the project: told apart by agency and policy."""

    def __init__(self, access: Access, agencies: Agencies, policies: Policies) -> None:
        self._access = access
        self._agencies = agencies
        self._policies = policies

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 those of the agencies
        """Return what the agencies in *found* are granted."""
        grants = []
        for agency in found:
            if agency.resource.kind is not Kind.AGENCY:
                continue
            request = ListProjectPermissionsForAgencyRequest(project_id=self._access.project_id, agency_id=agency.id)
            for role in self._access.iam.call("list_project_permissions_for_agency", request, "roles")["roles"]:
                policy = role.get("display_name") or role["name"]
                grant = Resource(
                    Kind.GRANT,
                    f"{policy} to {agency.resource.name}",
                    {"agency": agency.resource.name, "policy": policy, "document": role.get("policy")},
                    parents=(agency.resource.key, (Kind.POLICY, policy)),
                )
                grants.append(Found(grant, f"{agency.id}/{role['id']}", agency.stack))
        return grants

    def create(self, wanted: Resource) -> None:
        """PUT the policy on the agency."""
        request = AssociateAgencyWithProjectPermissionRequest(
            project_id=self._access.project_id,
            agency_id=self._agencies.id_of(str(wanted.fields["agency"])),
            role_id=self._policies.id_of(str(wanted.fields["policy"])),
        )
        self._access.iam.call("associate_agency_with_project_permission", request)

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:
        """Do nothing: a grant has nothing to change, it is its agency's."""

    def delete(self, found: Found) -> None:
        """DELETE the policy from the agency."""
        agency_id, _, role_id = found.id.partition("/")
        request = RemoveProjectPermissionFromAgencyRequest(
            project_id=self._access.project_id, agency_id=agency_id, role_id=role_id
        )
        self._access.iam.delete("remove_project_permission_from_agency", request)
