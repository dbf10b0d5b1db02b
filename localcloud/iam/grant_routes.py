"""The HTTP side of what agencies may do: custom policies granted on a project, on all projects, on the account."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from localcloud.iam import policy_schemas as schemas
from localcloud.iam.errors import not_found
from localcloud.iam.policies import ALL_PROJECTS, Policies
from localcloud.iam.policy_routes import view


def routes(policies: Policies) -> APIRouter:
    """Grants, `/v3.0/OS-AGENCY/projects`, `/v3.0/OS-AGENCY/domains` and `/v3.0/OS-INHERIT/domains`."""
    router = APIRouter(prefix="/v3.0", tags=["IAM permissions of agencies"])
    region = policies.region
    project, domain = f"projects/{region.project_id}", f"domains/{region.domain_id}"
    _add(router, policies, "project", "OS-AGENCY/projects/{project_id}", project, scope=project)
    _add(router, policies, "domain", "OS-AGENCY/domains/{domain_id}", domain, scope=domain)
    _add(router, policies, "all_projects", "OS-INHERIT/domains/{domain_id}", domain, scope=ALL_PROJECTS)
    return router


def _add(router: APIRouter, policies: Policies, name: str, place: str, known: str, *, scope: str) -> None:
    """Add the four calls for one scope, whose path begins with `place`; `known` is the place that exists."""
    kind, _, parameter = place.split("/", 1)[1].partition("/")
    Place = Annotated[str, Path(alias=parameter.strip("{}"))]  # noqa: N806 a type
    end = "/inherited_to_projects" if scope == ALL_PROJECTS else ""
    roles = f"/{place}/agencies/{{agency_id}}/roles"
    role = f"{roles}/{{role_id}}{end}"

    def check_place(place_id: str) -> None:
        if f"{kind}/{place_id}" != known:
            raise not_found(kind.removesuffix("s"), place_id)

    @router.get(roles + end, name=f"list_{name}_permissions_for_agency")
    async def list_permissions(place_id: Place, agency_id: str, request: Request) -> schemas.GrantedPolicies:
        """List what an agency has been granted here."""
        check_place(place_id)
        url = str(request.base_url)
        return schemas.GrantedPolicies(
            roles=[view(policies, policy, url) for policy in policies.granted(scope, agency_id)]
        )

    @router.put(role, status_code=204, name=f"associate_agency_with_{name}_permission")
    async def associate(place_id: Place, agency_id: str, role_id: str) -> None:
        """Grant a custom policy to an agency."""
        check_place(place_id)
        policies.grant(scope, agency_id, role_id)

    @router.head(role, status_code=204, name=f"check_{name}_permission_for_agency")
    async def check(place_id: Place, agency_id: str, role_id: str) -> None:
        """Whether an agency has been granted a custom policy: 204, else 404."""
        check_place(place_id)
        policies.check(scope, agency_id, role_id)

    @router.delete(role, status_code=204, name=f"remove_{name}_permission_from_agency")
    async def remove(place_id: Place, agency_id: str, role_id: str) -> None:
        """Take a custom policy from an agency."""
        check_place(place_id)
        policies.revoke(scope, agency_id, role_id)
