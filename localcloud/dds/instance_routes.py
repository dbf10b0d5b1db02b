"""The HTTP side of instances, tags, quotas and backup policies."""

from typing import Annotated

from fastapi import APIRouter, Query

from localcloud.dds import instance_schemas as schemas
from localcloud.dds import instances, policy, tags
from localcloud.dds.facts import Mode
from localcloud.dds.schemas import Nothing
from localcloud.dds.state import DdsState


def routes(state: DdsState) -> APIRouter:
    """Instances of `/v3/{project_id}`."""
    router = APIRouter(prefix="/v3/{project_id}", tags=["DDS instances"])

    @router.get("/instances")
    async def list_instances(
        instance_id: Annotated[str | None, Query(alias="id")] = None,
        name: Annotated[str | None, Query(description="Exact, or `*part` for names that contain it.")] = None,
        mode: Mode | None = None,
        datastore_type: str | None = None,
        vpc_id: str | None = None,
        subnet_id: str | None = None,
        offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
        limit: Annotated[int, Query(ge=1, le=100)] = 100,
        tags: Annotated[str | None, Query(description="key=value pairs between commas.")] = None,
    ) -> schemas.Instances:
        """List instances, the newest first."""
        query = instances.InstanceQuery(
            id=instance_id,
            name=name,
            mode=mode,
            datastore_type=datastore_type,
            vpc_id=vpc_id,
            subnet_id=subnet_id,
            offset=offset,
            limit=limit,
            tags=tags,
        )
        return instances.list_instances(state, query)

    @router.post("/instances/action", response_model_exclude_none=True)
    async def list_instances_by_tags(body: schemas.ListByTags) -> schemas.TaggedInstances:
        """Find or count instances by tags: every key, any of its values."""
        return instances.list_by_tags(state, body)

    @router.post("/instances/{instance_id}/tags/action")
    async def batch_tag_action(instance_id: str, body: schemas.TagAction) -> Nothing:
        """Create or delete up to 20 tags of an instance."""
        tags.change(state, instance_id, body.action, body.tags)
        return Nothing()

    @router.get("/instances/{instance_id}/tags")
    async def list_instance_tags(instance_id: str) -> schemas.Tags:
        """The tags of an instance."""
        found = state.instance(instance_id).tags
        return schemas.Tags(tags=[schemas.Tag(key=key, value=value) for key, value in found.items()])

    @router.get("/tags")
    async def list_project_tags() -> schemas.ProjectTags:
        """The tags of all instances, with every value."""
        return schemas.ProjectTags(tags=tags.of_project(state))

    @router.get("/quotas")
    async def show_quotas() -> schemas.Quotas:
        """How many instances there may be and are."""
        return instances.quotas(state)

    @router.get("/instances/{instance_id}/backups/policy", response_model_exclude_none=True)
    async def show_backup_policy(instance_id: str) -> schemas.ShownPolicyAnswer:
        """The automatic backup policy of an instance."""
        return schemas.ShownPolicyAnswer(backup_policy=policy.show(state, instance_id))

    @router.put("/instances/{instance_id}/backups/policy")
    async def set_backup_policy(instance_id: str, body: schemas.SetPolicy) -> Nothing:
        """Turn automatic backups on (which makes one at once), off, or to another time."""
        policy.change(state, instance_id, body.backup_policy)
        return Nothing()

    return router
