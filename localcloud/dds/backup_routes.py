"""The HTTP side of backups."""

from typing import Annotated

from fastapi import APIRouter, Body, Query

from localcloud.dds import backup_list, backups, download, schemas
from localcloud.dds.facts import Mode
from localcloud.dds.state import DdsState


Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=2**31 - 1)]
Time = Annotated[str | None, Query(examples=["2018-08-06 10:41:14"])]

_NEWER = Query(description="Newer regions only (switch newer_filters).")
# Checked by the service, which does not care for capitals.
BackupType = Annotated[str | None, Query(json_schema_extra={"enum": ["Auto", "Manual", "Incremental"]})]


def routes(state: DdsState) -> APIRouter:
    """Backups of `/v3/{project_id}`."""
    router = APIRouter(prefix="/v3/{project_id}", tags=["DDS backups"])

    @router.post("/backups", response_model_exclude_none=True)
    async def create_manual_backup(body: schemas.CreateBackup) -> schemas.CreatedBackup:
        """Begin a manual backup. One operation at a time an instance; names are unique in the project."""
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
        order_field: Annotated[str | None, _NEWER] = None,
        order_rule: Annotated[str | None, _NEWER] = None,
        backup_status: Annotated[str | None, _NEWER] = None,
        backup_name: Annotated[str | None, _NEWER] = None,
        backup_description: Annotated[str | None, _NEWER] = None,
        instance_name: Annotated[str | None, _NEWER] = None,
    ) -> schemas.Backups:
        """List full backups, automatic and manual, the newest first."""
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
        """Links to the files of a completed backup, good for 15 minutes."""
        return download.link(state, instance_id, backup_id)

    @router.delete("/backups/{backup_id}")
    async def delete_manual_backup(backup_id: str) -> schemas.JobStarted:
        """Begin to delete a backup: it is DISABLED, then gone."""
        return schemas.JobStarted(job_id=backups.delete(state, [backup_id])[0].id)

    @router.put("/backups/{backup_id}", status_code=202)
    async def stop_backup(backup_id: str, _body: Annotated[schemas.StopBackup, Body()]) -> schemas.JobStarted:
        """Stop a backup that is being made."""
        return schemas.JobStarted(job_id=backups.stop(state, backup_id).id)

    @router.delete("/instances/backups")
    async def batch_delete_backup(body: schemas.BackupIds) -> schemas.Nothing:
        """Begin to delete up to ten backups, all or none."""
        backups.delete(state, body.backup_ids)
        return schemas.Nothing()

    return router
