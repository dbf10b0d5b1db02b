"""`/_local/faults`: the fault rules."""

from fastapi import APIRouter

from localcloud.cloud import Cloud
from localcloud.faults import FaultRuleState


def routes(cloud: Cloud) -> APIRouter:
    """Show, replace and remove the rules; none of it needs authentication."""
    router = APIRouter(prefix="/_local", tags=["inside the local cloud"])

    @router.get("/faults", response_model_exclude_unset=True)
    async def show_faults() -> list[FaultRuleState]:
        """The fault rules with their counters."""
        return cloud.faults.show()

    @router.put("/faults", response_model_exclude_unset=True)
    async def set_faults(body: list[FaultRuleState]) -> list[FaultRuleState]:
        """Put these fault rules in place of all others. The first rule that acts on a call wins."""
        cloud.faults.set([rule.rule() for rule in body])
        return cloud.faults.show()

    @router.delete("/faults")
    async def delete_faults() -> list[FaultRuleState]:
        """Remove every fault rule."""
        cloud.faults.set([])
        return []

    return router
