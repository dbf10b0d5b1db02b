"""The routes of IAM: tokens and temporary access keys, projects, agencies, policies of both models."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response

from localcloud.iam import agencies, policies, policy_schemas, schemas, tokens
from localcloud.iam.errors import bad_request, not_found
from localcloud.iam.state import ALL_PROJECTS, ENTERPRISE_PROJECTS, IamState


T = TypeVar("T")
Page = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
CUSTOM_POLICIES = "/v3.0/OS-ROLE/roles"


def routers(state: IamState) -> list[APIRouter]:
    """The calls of IAM."""
    parts = (_credentials, _agencies, _custom_policies, _grants, _enterprise_project_grants)
    return [part(state) for part in parts]


def identity_routers(state: IamState) -> list[APIRouter]:
    """The calls of the new edition of IAM."""
    return [_identity_policies(state)]


def _credentials(state: IamState) -> APIRouter:
    router = APIRouter(tags=["IAM"])

    @router.post("/v3/auth/tokens", status_code=201, response_model_exclude_none=True)
    async def create_token(body: schemas.CreateToken, request: Request, response: Response) -> schemas.TokenResponse:
        """Create a token for X-Auth-Token and return it in the header X-Subject-Token.

        With fixed credentials, any user and password work. Otherwise the password is the secret key.
        """
        token, created = tokens.create_token(
            state, body.auth, authenticated=request.state.authenticated, url=_url(request)
        )
        response.headers["X-Subject-Token"] = token.id
        return created

    @router.post("/v3.0/OS-CREDENTIAL/securitytokens", status_code=201)
    async def create_temporary_access_key(
        body: schemas.CreateTemporaryKey, request: Request
    ) -> schemas.TemporaryKeyResponse:
        """Create a temporary access key with its security token."""
        return tokens.create_temporary_key(
            state, body.auth, caller=request.state.agency_id, authenticated=request.state.authenticated
        )

    @router.get("/v3/projects")
    async def list_projects(request: Request, name: str | None = None) -> schemas.Projects:
        """List the project, unless `name` is that of another one."""
        region, url = state.region, f"{_url(request)}/v3/projects"
        project = schemas.Project(
            id=region.project_id,
            name=region.id,
            description="",
            domain_id=region.domain_id,
            parent_id=region.domain_id,
            enabled=True,
            is_domain=False,
            links=schemas.Links(self=f"{url}/{region.project_id}"),
        )
        projects = [project] if name in (None, project.name) else []
        return schemas.Projects(projects=projects, links=schemas.Links(self=url))

    @router.get("/v3/auth/domains")
    async def list_auth_domains(request: Request) -> schemas.Domains:
        """List the account."""
        region, url = state.region, _url(request)
        account = schemas.Account(
            id=region.domain_id,
            name=region.domain_name,
            enabled=True,
            description="",
            links=schemas.Links(self=f"{url}/v3/domains/{region.domain_id}"),
        )
        return schemas.Domains(domains=[account], links=schemas.Links(self=f"{url}/v3/auth/domains"))

    return router


def _agencies(state: IamState) -> APIRouter:
    router = APIRouter(prefix="/v3.0/OS-AGENCY/agencies", tags=["IAM agencies"])

    @router.post("", status_code=201)
    async def create_agency(body: schemas.CreateAgency) -> schemas.ChangedAgencyResponse:
        """Create an agency: let another account, or a service (FunctionGraph is op_svc_cff), act for this account."""
        agency = agencies.view(state, agencies.create(state, body.agency))
        return schemas.ChangedAgencyResponse(agency=schemas.ChangedAgency(**agency.model_dump()))

    @router.get("")
    async def list_agencies(
        domain_id: str,
        name: str | None = None,
        trust_domain_id: str | None = None,
        page: Page = None,
        per_page: Annotated[int | None, Query(ge=1, le=500)] = None,
    ) -> schemas.Agencies:
        """List agencies."""
        found = [
            agency
            for agency in state.agencies
            if domain_id == state.region.domain_id
            and name in (None, agency.name)
            and trust_domain_id in (None, agency.trust_domain_id)
        ]
        return schemas.Agencies(agencies=[agencies.view(state, agency) for agency in _page_of(found, page, per_page)])

    @router.get("/{agency_id}")
    async def show_agency(agency_id: str) -> schemas.AgencyResponse:
        """Show an agency."""
        return schemas.AgencyResponse(agency=agencies.view(state, state.agency(agency_id)))

    @router.put("/{agency_id}")
    async def update_agency(agency_id: str, body: schemas.UpdateAgency) -> schemas.ChangedAgencyResponse:
        """Change the trusted account, the duration, or the description of an agency."""
        agency = agencies.view(state, agencies.update(state, agency_id, body.agency))
        return schemas.ChangedAgencyResponse(agency=schemas.ChangedAgency(**agency.model_dump()))

    @router.delete("/{agency_id}", status_code=204)
    async def delete_agency(agency_id: str) -> None:
        """Delete an agency and its permissions. Its credentials no longer allow anything."""
        agencies.delete(state, agency_id)

    return router


def _custom_policies(state: IamState) -> APIRouter:
    router = APIRouter(prefix=CUSTOM_POLICIES, tags=["IAM custom policies"])

    @router.post("", status_code=201)
    async def create_custom_policy(body: policy_schemas.Role, request: Request) -> policy_schemas.CustomPolicyResponse:
        """Create a custom policy, for cloud services or for agencies."""
        policy = policies.create(state, body.role)
        return policy_schemas.CustomPolicyResponse(role=policies.view(state, policy, _url(request)))

    @router.get("")
    async def list_custom_policies(
        request: Request, page: Page = None, per_page: Annotated[int | None, Query(ge=1, le=300)] = None
    ) -> policy_schemas.CustomPolicies:
        """List custom policies."""
        url = _url(request)
        shown = _page_of(list(state.policies), page, per_page)
        return policy_schemas.CustomPolicies(
            roles=[policies.view(state, policy, url) for policy in shown],
            links=schemas.Links(self=url + CUSTOM_POLICIES),
            total_number=len(state.policies),
        )

    @router.get("/{role_id}")
    async def show_custom_policy(role_id: str, request: Request) -> policy_schemas.CustomPolicyResponse:
        """Show a custom policy."""
        policy = state.policy(role_id)
        return policy_schemas.CustomPolicyResponse(role=policies.view(state, policy, _url(request)))

    @router.patch("/{role_id}")
    async def update_custom_policy(
        role_id: str, body: policy_schemas.Role, request: Request
    ) -> policy_schemas.CustomPolicyResponse:
        """Replace the content of a custom policy. It takes effect at once."""
        policy = policies.update(state, role_id, body.role)
        return policy_schemas.CustomPolicyResponse(role=policies.view(state, policy, _url(request)))

    @router.delete("/{role_id}")
    async def delete_custom_policy(role_id: str) -> None:
        """Delete a custom policy and revoke it from every agency."""
        policies.delete(state, role_id)

    return router


def _grants(state: IamState) -> APIRouter:
    router = APIRouter(prefix="/v3.0", tags=["IAM permissions of agencies"])
    project, domain = f"projects/{state.region.project_id}", f"domains/{state.region.domain_id}"
    _add_grants(router, state, "project", "OS-AGENCY/projects/{project_id}", project, scope=project)
    _add_grants(router, state, "domain", "OS-AGENCY/domains/{domain_id}", domain, scope=domain)
    _add_grants(router, state, "all_projects", "OS-INHERIT/domains/{domain_id}", domain, scope=ALL_PROJECTS)
    return router


def _add_grants(router: APIRouter, state: IamState, name: str, place: str, known: str, *, scope: str) -> None:
    """Add the four routes of one scope. Their paths begin with `place`, and `known` is the only place that exists."""
    kind, _, parameter = place.split("/", 1)[1].partition("/")
    Place = Annotated[str, Path(alias=parameter.strip("{}"))]  # noqa: N806 a type
    end = "/inherited_to_projects" if scope == ALL_PROJECTS else ""
    roles = f"/{place}/agencies/{{agency_id}}/roles"
    role = f"{roles}/{{role_id}}{end}"

    def check_place(place_id: str) -> None:
        if f"{kind}/{place_id}" != known:
            raise not_found(kind.removesuffix("s"), place_id)

    @router.get(roles + end, name=f"list_{name}_permissions_for_agency")
    async def list_permissions(place_id: Place, agency_id: str, request: Request) -> policy_schemas.GrantedPolicies:
        """List the custom policies that an agency has here."""
        check_place(place_id)
        granted = policies.granted(state, scope, agency_id)
        return policy_schemas.GrantedPolicies(roles=[policies.view(state, policy, _url(request)) for policy in granted])

    @router.put(role, status_code=204, name=f"associate_agency_with_{name}_permission")
    async def associate(place_id: Place, agency_id: str, role_id: str) -> None:
        """Grant a custom policy to an agency."""
        check_place(place_id)
        policies.grant_to(state, scope, agency_id, role_id)

    @router.head(role, status_code=204, name=f"check_{name}_permission_for_agency")
    async def check(place_id: Place, agency_id: str, role_id: str) -> None:
        """Check whether an agency has a custom policy: 204 if it does, else 404."""
        check_place(place_id)
        policies.find_grant(state, scope, agency_id, role_id)

    @router.delete(role, status_code=204, name=f"remove_{name}_permission_from_agency")
    async def remove(place_id: Place, agency_id: str, role_id: str) -> None:
        """Revoke a custom policy from an agency."""
        check_place(place_id)
        policies.revoke(state, scope, agency_id, role_id)


def _enterprise_project_grants(state: IamState) -> APIRouter:
    router = APIRouter(prefix="/v3.0/OS-PERMISSION", tags=["IAM permissions of agencies"])
    role_assignments = "/subjects/agency/scopes/enterprise-project/role-assignments"

    @router.put(role_assignments, status_code=204)
    async def associate_role_to_agency_on_enterprise_project(body: policy_schemas.EnterpriseProjectGrants) -> None:
        """Grant custom policies to agencies in enterprise projects."""
        for one in body.role_assignments:
            policies.grant_to(state, f"{ENTERPRISE_PROJECTS}{one.enterprise_project_id}", one.agency_id, one.role_id)

    @router.delete(role_assignments, status_code=204)
    async def revoke_role_from_agency_on_enterprise_project(body: policy_schemas.EnterpriseProjectGrants) -> None:
        """Revoke custom policies from agencies in enterprise projects."""
        for one in body.role_assignments:
            policies.revoke(state, f"{ENTERPRISE_PROJECTS}{one.enterprise_project_id}", one.agency_id, one.role_id)

    @router.get("/role-assignments")
    async def show_domain_role_assignments(
        domain_id: str,
        scope: Literal["enterprise_project"],  # noqa: ARG001 only these grants are listed here
        agency_id: Annotated[str | None, Query(alias="subject.agency_id")] = None,
        page: Page = None,
        per_page: Annotated[int | None, Query(ge=1, le=50)] = None,
    ) -> policy_schemas.RoleAssignments:
        """List the grants in enterprise projects. Those of other scopes are not listed here."""
        found = [
            policies.assignment(grant)
            for grant in policies.grants_on_enterprise_projects(state, agency_id)
            if domain_id == state.region.domain_id
        ]
        listed = [*_page_of(found, page, per_page)]
        return policy_schemas.RoleAssignments(role_assignments=listed, total_num=len(found))

    return router


def _identity_policies(state: IamState) -> APIRouter:
    router = APIRouter(prefix="/v5", tags=["IAM identity policies"])

    @router.post("/policies", status_code=201)
    async def create_policy_v5(body: policy_schemas.NewIdentityPolicy) -> policy_schemas.IdentityPolicyResponse:
        """Create an identity policy."""
        policy = policies.create_identity_policy(state, body)
        return policy_schemas.IdentityPolicyResponse(policy=policies.identity_view(state, policy))

    @router.get("/policies")
    async def list_policies_v5() -> policy_schemas.IdentityPolicies:
        """List identity policies, all on one page."""
        found = [policies.identity_view(state, policy) for policy in state.identity_policies]
        page_info = policy_schemas.PageInfo(current_count=len(found))
        return policy_schemas.IdentityPolicies(policies=found, page_info=page_info)

    @router.get("/policies/{policy_id}")
    async def get_policy_v5(policy_id: str) -> policy_schemas.IdentityPolicyResponse:
        """Show an identity policy."""
        policy = state.identity_policy(policy_id)
        return policy_schemas.IdentityPolicyResponse(policy=policies.identity_view(state, policy))

    @router.delete("/policies/{policy_id}", status_code=204)
    async def delete_policy_v5(policy_id: str) -> None:
        """Delete an identity policy that is not attached."""
        policies.delete_identity_policy(state, policy_id)

    @router.post("/policies/{policy_id}/attach-agency")
    async def attach_agency_policy_v5(policy_id: str, body: policy_schemas.AgencyReference) -> None:
        """Attach an identity policy to an agency. It takes effect at once."""
        policies.attach(state, policy_id, body.agency_id)

    @router.post("/policies/{policy_id}/detach-agency")
    async def detach_agency_policy_v5(policy_id: str, body: policy_schemas.AgencyReference) -> None:
        """Detach an identity policy from an agency."""
        policies.detach(state, policy_id, body.agency_id)

    @router.get("/agencies/{agency_id}/attached-policies")
    async def list_attached_agency_policies_v5(agency_id: str) -> policy_schemas.AttachedPolicies:
        """List the identity policies attached to an agency, all on one page."""
        found = policies.attached(state, agency_id)
        page_info = policy_schemas.PageInfo(current_count=len(found))
        return policy_schemas.AttachedPolicies(attached_policies=found, page_info=page_info)

    return router


def _page_of(items: Sequence[T], page: int | None, per_page: int | None) -> Sequence[T]:
    """A page of `items`, counted from 1, or all of them. Raises 400 for `page` without `per_page` or vice versa."""
    if (page is None) != (per_page is None):
        raise bad_request("page and per_page must be given together")
    if page is None or per_page is None:
        return items
    return items[(page - 1) * per_page : page * per_page]


def _url(request: Request) -> str:
    return str(request.base_url).rstrip("/")
