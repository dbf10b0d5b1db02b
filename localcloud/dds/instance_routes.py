"""The routes of DDS that create, restore, operate and delete instances."""

from typing import Annotated

from fastapi import APIRouter, Body, Query

from localcloud.dds import creation, databases, instance_schemas, lifecycle, offers, restore_times, restores, schemas
from localcloud.dds.routes import Limit, Offset
from localcloud.dds.state import DdsState


RestoreTime = Annotated[int, Query(ge=0, le=2**53, description="In milliseconds since 1970 (UTC).")]
EngineName = Annotated[str | None, Query(examples=["DDS-Community"])]


def routers(state: DdsState) -> list[APIRouter]:
    """The calls of DDS that change instances, and those of offers and of restores."""
    return [part(state) for part in (_life, _recycle_bin, _offers, _newer_offers, _restores)]


def _life(state: DdsState) -> APIRouter:
    router = APIRouter(prefix="/v3/{project_id}", tags=["DDS instances"])

    @router.post("/instances", status_code=202, response_model_exclude_none=True)
    async def create_instance(
        body: Annotated[instance_schemas.NewInstanceBody, Body()],
    ) -> instance_schemas.NewInstanceStarted:
        """Create an empty instance or, with `restore_point`, one with the data of a backup or of a point in time.

        Without `backup_strategy` it has automatic backups, of which the first begins at once.
        """
        if isinstance(body, instance_schemas.RestoreNewInstance):
            return restores.restore_new(state, body)
        return creation.create(state, body)

    @router.get("/instances/{instance_id}/databases")
    async def list_databases(instance_id: str, offset: Offset = 0, limit: Limit = 100) -> instance_schemas.Databases:
        """List the databases of a normal instance, without admin and config."""
        return databases.list_databases(state, instance_id, offset, limit)

    @router.delete("/instances/{instance_id}")
    async def delete_instance(instance_id: str) -> schemas.JobStarted:
        """Start to delete an instance, into the recycle bin unless that is full."""
        return schemas.JobStarted(job_id=lifecycle.delete(state, instance_id).id)

    @router.post("/instances/{instance_id}/restart")
    async def restart_instance(instance_id: str, body: instance_schemas.RestartInstance) -> schemas.JobStarted:
        """Start to restart an instance, or a group or node of a cluster."""
        return schemas.JobStarted(job_id=lifecycle.restart(state, instance_id, body).id)

    @router.put("/instances/{instance_id}/modify-name")
    async def update_instance_name(instance_id: str, body: instance_schemas.NewName) -> schemas.Nothing:
        """Change the name of an instance."""
        lifecycle.rename(state, instance_id, body.new_instance_name)
        return schemas.Nothing()

    @router.put("/instances/{instance_id}/reset-password")
    async def reset_password(instance_id: str, body: instance_schemas.NewPassword) -> schemas.Nothing:
        """Change the password of the administrator rwuser."""
        lifecycle.reset_password(state, instance_id, body)
        return schemas.Nothing()

    return router


def _recycle_bin(state: DdsState) -> APIRouter:
    router = APIRouter(prefix="/v3/{project_id}", tags=["DDS recycle bin"])

    @router.get("/recycle-instances")
    async def list_recycle_instances(offset: Offset = 0, limit: Limit = 100) -> instance_schemas.RecycleInstances:
        """List the instances in the recycle bin, the last deleted first."""
        return lifecycle.recycled(state, offset, limit)

    @router.get("/instances/recycle-policy")
    async def show_recycle_policy() -> instance_schemas.RecyclePolicyBody:
        """Show for how many days deleted instances are kept."""
        policy = instance_schemas.RecyclePolicy(enabled=True, retention_period_in_days=state.recycle_bin.days)
        return instance_schemas.RecyclePolicyBody(recycle_policy=policy)

    @router.put("/instances/recycle-policy")
    async def set_recycle_policy(body: instance_schemas.RecyclePolicyBody) -> schemas.Nothing:
        """Change for how many days instances are kept that are deleted from now on."""
        state.present()
        state.recycle_bin.keep_for(body.recycle_policy.retention_period_in_days)
        return schemas.Nothing()

    return router


def _offers(state: DdsState) -> APIRouter:
    router = APIRouter(prefix="/v3/{project_id}", tags=["DDS specifications"])

    @router.get("/flavors")
    async def list_flavors(region: str | None = None, engine_name: EngineName = None) -> instance_schemas.Flavors:
        """List the specifications on offer."""
        return offers.flavors(state, region, engine_name)

    @router.get("/datastores/{datastore_name}/versions")
    async def list_datastore_versions(datastore_name: str) -> instance_schemas.Versions:
        """List the versions that a new instance can have."""
        return offers.versions(datastore_name)

    return router


def _newer_offers(state: DdsState) -> APIRouter:
    router = APIRouter(prefix="/v3.1/{project_id}", tags=["DDS specifications"])

    @router.get("/flavors")
    async def list_flavor_infos(
        engine_name: EngineName = None, engine_version: str | None = None, offset: Offset = 0, limit: Limit = 100
    ) -> instance_schemas.FlavorInfos:
        """List the specifications on offer, with the versions of each."""
        return offers.flavor_infos(state, engine_name, engine_version, offset, limit)

    return router


def _restores(state: DdsState) -> APIRouter:
    router = APIRouter(prefix="/v3/{project_id}", tags=["DDS restores"])

    @router.get("/instances/{instance_id}/restore-time")
    async def list_restore_times(
        instance_id: str, date: Annotated[str, Query(examples=["2020-12-12"])]
    ) -> instance_schemas.RestoreTimes:
        """List the periods of a day to whose times an instance can be restored."""
        return restore_times.restore_times(state, instance_id, date)

    @router.get("/instances/{instance_id}/restore-database")
    async def list_restore_databases(
        instance_id: str, restore_time: RestoreTime, offset: Offset = 0, limit: Limit = 100
    ) -> instance_schemas.RestoreDatabases:
        """List the databases that a replica set had at a time."""
        return databases.restore_databases(state, instance_id, restore_time, offset, limit)

    @router.get("/instances/{instance_id}/restore-collection")
    async def list_restore_collections(
        instance_id: str, db_name: str, restore_time: RestoreTime, offset: Offset = 0, limit: Limit = 100
    ) -> instance_schemas.RestoreCollections:
        """List the collections that a database of a replica set had at a time."""
        return databases.restore_collections(state, instance_id, db_name, restore_time, offset, limit)

    @router.post("/instances/recovery")
    async def restore_instance(body: instance_schemas.RestoreInstance) -> schemas.JobStarted:
        """Start to restore over an instance that exists: its data is replaced."""
        return schemas.JobStarted(job_id=restores.restore_over(state, body).id)

    return router
