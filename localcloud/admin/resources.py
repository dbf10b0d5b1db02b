"""`/_local`: what happens to instances and subscriptions without anybody calling an API."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import Field

from localcloud.cloud import Cloud
from localcloud.dds.snapshot import snapshot
from localcloud.errors import CloudError
from localcloud.smn.service import confirm
from localcloud.strict import Strict


class InstanceChange(Strict):
    """What to change of an instance; what is left out stays."""

    status: str = "normal"
    actions: Annotated[tuple[str, ...], Field(strict=False)] = ()
    busy_for: Annotated[float | None, Field(ge=0, description="Seconds until the actions are over.")] = None
    hidden_node: str = "normal"
    fails_with: Annotated[str | None, Field(description="Why its next backups fail; null for never.")] = None


def routes(cloud: Cloud) -> APIRouter:
    """Change instances, confirm subscriptions; none of it needs authentication."""
    router = APIRouter(prefix="/_local", tags=["inside the local cloud"])

    @router.patch("/instances/{instance_id}", responses={404: {"description": "No such instance."}})
    async def change_instance(instance_id: str, body: InstanceChange) -> dict[str, Any]:
        """Make an instance ill, busy, or its backups fail; what is left out stays."""
        changes = body.model_dump(exclude_unset=True)
        if "busy_for" in changes:
            seconds = changes.pop("busy_for")
            changes["busy_until"] = None if seconds is None else cloud.dds.present() + seconds
        try:
            cloud.change_instance(instance_id, changes)
        except CloudError as error:
            raise HTTPException(404, f"there is no instance {instance_id}") from error
        return next(found for found in snapshot(cloud.dds)["instances"] if found["id"] == instance_id)

    @router.post("/subscriptions/{subscription_urn}/confirm", responses={404: {"description": "No such one."}})
    async def confirm_subscription(subscription_urn: str) -> dict[str, int]:
        """Do what the owner of the endpoint does with the confirmation message."""
        try:
            return {"status": confirm(cloud.smn, subscription_urn).status}
        except CloudError as error:
            raise HTTPException(404, f"there is no subscription {subscription_urn}") from error

    return router
