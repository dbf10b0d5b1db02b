"""The HTTP side of identity policies."""

from fastapi import APIRouter

from localcloud.clock import text
from localcloud.iam import identity_policy_schemas as schemas
from localcloud.iam.facts import IdentityPolicy
from localcloud.iam.identity_policies import IdentityPolicies


def routes(policies: IdentityPolicies) -> APIRouter:
    """Identity policies, `/v5/policies` and `/v5/agencies/{agency_id}/attached-policies`."""
    router = APIRouter(prefix="/v5", tags=["IAM identity policies"])
    domain_id = policies.region.domain_id

    def urn(policy: IdentityPolicy) -> str:
        return f"iam::{domain_id}:policy:{policy.path}{policy.name}"

    def view(policy: IdentityPolicy) -> schemas.Policy:
        return schemas.Policy(
            policy_name=policy.name,
            policy_id=policy.id,
            urn=urn(policy),
            path=policy.path,
            attachment_count=policies.count(policy.id),
            description=policy.description,
            created_at=text(policy.created),
            updated_at=text(policy.created),
        )

    @router.post("/policies", status_code=201)
    async def create_policy_v5(body: schemas.NewPolicy) -> schemas.PolicyAnswer:
        """Create an identity policy."""
        return schemas.PolicyAnswer(policy=view(policies.create(body)))

    @router.get("/policies")
    async def list_policies_v5() -> schemas.Policies:
        """List identity policies, all in one page."""
        found = [view(policy) for policy in policies.table]
        return schemas.Policies(policies=found, page_info=schemas.PageInfo(current_count=len(found)))

    @router.get("/policies/{policy_id}")
    async def get_policy_v5(policy_id: str) -> schemas.PolicyAnswer:
        """One identity policy."""
        return schemas.PolicyAnswer(policy=view(policies.find(policy_id)))

    @router.delete("/policies/{policy_id}", status_code=204)
    async def delete_policy_v5(policy_id: str) -> None:
        """Delete an identity policy that is attached to nobody."""
        policies.delete(policy_id)

    @router.post("/policies/{policy_id}/attach-agency")
    async def attach_agency_policy_v5(policy_id: str, body: schemas.AgencyReference) -> None:
        """Attach an identity policy to an agency: it counts at once."""
        policies.attach(policy_id, body.agency_id)

    @router.post("/policies/{policy_id}/detach-agency")
    async def detach_agency_policy_v5(policy_id: str, body: schemas.AgencyReference) -> None:
        """Detach an identity policy from an agency."""
        policies.detach(policy_id, body.agency_id)

    @router.get("/agencies/{agency_id}/attached-policies")
    async def list_attached_agency_policies_v5(agency_id: str) -> schemas.AttachedPolicies:
        """List the identity policies attached to an agency, all in one page."""
        found = [
            schemas.AttachedPolicy(
                policy_name=policy.name,
                policy_id=policy.id,
                urn=urn(policy),
                attached_at=text(attachment.attached),
            )
            for attachment, policy in policies.attached(agency_id)
        ]
        return schemas.AttachedPolicies(attached_policies=found, page_info=schemas.PageInfo(current_count=len(found)))

    return router
