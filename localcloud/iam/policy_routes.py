"""The HTTP side of custom policies."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from localcloud.iam import policy_schemas as schemas
from localcloud.iam.facts import CustomPolicy
from localcloud.iam.pages import Page, page_of
from localcloud.iam.policies import Policies


PATH = "/v3.0/OS-ROLE/roles"
PerPage = Annotated[int | None, Query(ge=1, le=300)]


def routes(policies: Policies) -> APIRouter:
    """Custom policies, `/v3.0/OS-ROLE/roles`."""
    router = APIRouter(prefix=PATH, tags=["IAM custom policies"])

    @router.post("", status_code=201)
    async def create_custom_policy(body: schemas.Role, request: Request) -> schemas.CustomPolicyAnswer:
        """Create a custom policy, for cloud services or for agencies."""
        policy = policies.create(body.role)
        return schemas.CustomPolicyAnswer(role=view(policies, policy, str(request.base_url)))

    @router.get("")
    async def list_custom_policies(
        request: Request, page: Page = None, per_page: PerPage = None
    ) -> schemas.CustomPolicies:
        """List custom policies."""
        url = str(request.base_url)
        shown = page_of(list(policies.table), page, per_page)
        return schemas.CustomPolicies(
            roles=[view(policies, policy, url) for policy in shown],
            links=schemas.Links(self=url.rstrip("/") + PATH),
            total_number=len(policies.table),
        )

    @router.get("/{role_id}")
    async def show_custom_policy(role_id: str, request: Request) -> schemas.CustomPolicyAnswer:
        """One custom policy."""
        return schemas.CustomPolicyAnswer(role=view(policies, policies.find(role_id), str(request.base_url)))

    @router.patch("/{role_id}")
    async def update_custom_policy(role_id: str, body: schemas.Role, request: Request) -> schemas.CustomPolicyAnswer:
        """Put another content in a custom policy: it counts at once."""
        policy = policies.update(role_id, body.role)
        return schemas.CustomPolicyAnswer(role=view(policies, policy, str(request.base_url)))

    @router.delete("/{role_id}")
    async def delete_custom_policy(role_id: str) -> None:
        """Delete a custom policy and take it from every agency."""
        policies.delete(role_id)

    return router


def view(policies: Policies, policy: CustomPolicy, url: str) -> schemas.CustomPolicy:
    """A custom policy as IAM answers it, with links at the base URL `url`."""
    return schemas.CustomPolicy(
        id=policy.id,
        name=policy.name,
        display_name=policy.display_name,
        type=policy.type,
        description=policy.description,
        description_cn=policy.description_cn,
        catalog="CUSTOMED",
        domain_id=policies.region.domain_id,
        policy=policy.document,
        references=sum(grant.policy_id == policy.id for grant in policies.grants),
        created_time=str(int(policy.created * 1000)),
        updated_time=str(int(policy.updated * 1000)),
        links=schemas.Link(self=f"{url.rstrip('/')}/v3/roles/{policy.id}"),
    )
