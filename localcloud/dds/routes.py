"""The routes of DDS: backups, jobs, instances."""

from typing import Annotated

from fastapi import APIRouter, Body, Query

from localcloud.dds import backup_list, backups, instances, jobs, schemas
from localcloud.dds.specification import Mode
from localcloud.dds.state import DdsState


Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=2**31 - 1)]
Time = Annotated[str | None, Query(examples=["2018-08-06 10:41:14"])]
# The service checks these itself: it ignores case, or has an error code of its own.
BackupType = Annotated[str | None, Query(json_schema_extra={"enum": ["Auto", "Manual", "Incremental"]})]
JobStatus = Annotated[str | None, Query(json_schema_extra={"enum": ["Running", "Completed", "Failed"]})]
Newer = Annotated[str | None, Query(description="Newer regions only (switch newer_filters).")]


def routers(state: DdsState) -> list[APIRouter]:
    """The calls of DDS that look at instances, and those of backups and jobs."""
    return [part(state) for part in (_backups, _job_detail, _tasks, _instances)]


def _backups(state: DdsState) -> APIRouter:
    router = APIRouter(prefix="/v3/{project_id}", tags=["DDS backups"])

    @router.post("/backups", response_model_exclude_none=True)
    async def create_manual_backup(body: schemas.CreateBackup) -> schemas.CreatedBackup:
        """Start a manual backup. An instance allows one operation at a time, and names are unique in the project."""
        new = body.backup
        backup = backups.create(state, new.instance_id, new.name, new.description or "")
        job_id = backup.job_id if state.region.switches.job_id_in_answer else None
        return schemas.CreatedBackup(job_id=job_id, backup_id=backup.id)

    @router.get("/backups")
    async def list_backups(
        instance_id: str | None = None,
        backup_id: str | None = None,
        backup_type: BackupType = None,
        offset: Offset = 0,
        limit: Limit = 100,
        begin_time: Time = None,
        end_time: Time = None,
        mode: Mode | None = None,
        order_field: Newer = None,
        order_rule: Newer = None,
        backup_status: Newer = None,
        backup_name: Newer = None,
        backup_description: Newer = None,
        instance_name: Newer = None,
    ) -> schemas.Backups:
        """List full backups, automatic and manual, newest first."""
        query = backup_list.BackupQuery(
            instance_id=instance_id,
            backup_id=backup_id,
            backup_type=backup_type,
            offset=offset,
            limit=limit,
            begin_time=begin_time,
            end_time=end_time,
            mode=mode,
            order_field=order_field,
            order_rule=order_rule,
            backup_status=backup_status,
            backup_name=backup_name,
            backup_description=backup_description,
            instance_name=instance_name,
        )
        return backup_list.list_backups(state, query)

    @router.get("/backups/download-file")
    async def show_backup_download_link(instance_id: str, backup_id: str) -> schemas.DownloadLink:
        """Show the links to the files of a completed backup. They are valid for 15 minutes."""
        return backups.download_link(state, instance_id, backup_id)

    @router.delete("/backups/{backup_id}")
    async def delete_manual_backup(backup_id: str) -> schemas.JobStarted:
        """Start to delete a backup. It is DISABLED at first and then disappears."""
        return schemas.JobStarted(job_id=backups.delete(state, [backup_id])[0].id)

    @router.put("/backups/{backup_id}", status_code=202)
    async def stop_backup(backup_id: str, _body: Annotated[schemas.StopBackup, Body()]) -> schemas.JobStarted:
        """Stop a backup in progress."""
        return schemas.JobStarted(job_id=backups.stop(state, backup_id).id)

    @router.delete("/instances/backups")
    async def batch_delete_backup(body: schemas.BackupIds) -> schemas.Nothing:
        """Start to delete up to ten backups, either all of them or none."""
        backups.delete(state, body.backup_ids)
        return schemas.Nothing()

    @router.get("/instances/{instance_id}/backups/policy", response_model_exclude_none=True)
    async def show_backup_policy(instance_id: str) -> schemas.ShownPolicyResponse:
        """Show the automatic backup policy of an instance."""
        return schemas.ShownPolicyResponse(backup_policy=backups.show_policy(state, instance_id))

    @router.put("/instances/{instance_id}/backups/policy")
    async def set_backup_policy(instance_id: str, body: schemas.SetPolicy) -> schemas.Nothing:
        """Enable, change or disable automatic backups. Enabling them starts a backup at once."""
        backups.set_policy(state, instance_id, body.backup_policy)
        return schemas.Nothing()

    return router


def _job_detail(state: DdsState) -> APIRouter:
    router = APIRouter(prefix="/v3/{project_id}", tags=["DDS jobs"])

    @router.get("/jobs")
    async def show_job_detail(job_id: Annotated[str, Query(alias="id")]) -> schemas.JobResponse:
        """Show a job of the last month. A finished deletion is DBS.200543."""
        return jobs.show(state, job_id)

    return router


def _tasks(state: DdsState) -> APIRouter:
    router = APIRouter(prefix="/v3.1/{project_id}", tags=["DDS jobs"])

    @router.get("/jobs")
    async def list_tasks(
        start_time: Annotated[str, Query(examples=["2024-01-01T00:00:00+0000"])],
        end_time: Annotated[str, Query(examples=["2024-01-02T00:00:00+0000"])],
        status: JobStatus = None,
        job_id: Annotated[str | None, Query(alias="id")] = None,
        name: str | None = None,
        offset: Offset = 0,
        limit: Limit = 100,
    ) -> schemas.Tasks:
        """List the jobs of a window of at most 30 days, newest first."""
        return jobs.tasks(
            state, start_time, end_time, status=status, job_id=job_id, name=name, offset=offset, limit=limit
        )

    return router


def _instances(state: DdsState) -> APIRouter:
    router = APIRouter(prefix="/v3/{project_id}", tags=["DDS instances"])

    @router.get("/instances")
    async def list_instances(
        instance_id: Annotated[str | None, Query(alias="id")] = None,
        name: Annotated[str | None, Query(description="Exact, or `*part` for names that contain it.")] = None,
        mode: Mode | None = None,
        datastore_type: str | None = None,
        vpc_id: str | None = None,
        subnet_id: str | None = None,
        offset: Offset = 0,
        limit: Limit = 100,
        tags: Annotated[str | None, Query(description="key=value pairs separated by commas.")] = None,
    ) -> schemas.Instances:
        """List instances, newest first."""
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
        """List or count the instances that have every tag key with any of its values."""
        return instances.list_by_tags(state, body)

    @router.post("/instances/{instance_id}/tags/action")
    async def batch_tag_action(instance_id: str, body: schemas.TagAction) -> schemas.Nothing:
        """Create or delete up to 20 tags of an instance."""
        instances.change_tags(state, instance_id, body.action, body.tags)
        return schemas.Nothing()

    @router.get("/instances/{instance_id}/tags")
    async def list_instance_tags(instance_id: str) -> schemas.Tags:
        """List the tags of an instance."""
        return schemas.Tags(tags=instances.show_tags(state.instance(instance_id)))

    @router.get("/tags")
    async def list_project_tags() -> schemas.ProjectTags:
        """List the tags of all instances, each with all its values."""
        return schemas.ProjectTags(tags=instances.project_tags(state))

    @router.get("/quotas")
    async def show_quotas() -> schemas.Quotas:
        """Show the quotas and the number of instances."""
        return instances.quotas(state)

    return router
