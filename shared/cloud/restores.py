"""DDS through its SDK: restoring backups to new instances, and looking after these."""

from collections.abc import Sequence
from datetime import date, datetime, timezone
from typing import Any

from huaweicloudsdkdds.v3 import (
    BackupStrategy,
    BatchOperateInstanceTagRequestBody,
    BatchTagActionRequest,
    DeleteInstanceRequest,
    ListDatabasesRequest,
    ListRecycleInstancesRequest,
    ListRestoreTimesRequest,
    ResetPasswordRequest,
    ResetPasswordRequestBody,
    RestartInstanceRequest,
    RestartInstanceRequestBody,
    RestoreNewInstanceFlavorOption,
    RestoreNewInstanceRequest,
    RestoreNewInstanceRequestBody,
    RestorePoint,
    ShowQuotasRequest,
    TagItem,
)

from shared.cloud import operations
from shared.cloud.dds import PAGE
from shared.cloud.sdk import SdkService
from shared.errors import AmbiguousError, TransientError
from shared.model import Database, Flavor, NewInstance, Quota, StartedRestore


# Without a strategy DDS switches automatic backups on and makes a full backup at once. A start time is required.
_NO_AUTOMATIC_BACKUPS = BackupStrategy(start_time="00:00-01:00", keep_days="0")


class DdsRestores:
    """Implements `shared.model.Restores`."""

    def __init__(self, service: SdkService) -> None:
        self._service = service

    def restore(self, new: NewInstance) -> StartedRestore:
        """POST /v3/{project_id}/instances with a restore point (DDS API, Restoring Data to a New DB Instance).

        An answer without an id counts as no answer, since the SDK treats a 302 and an empty 202 as success.
        """
        body = RestoreNewInstanceRequestBody(
            name=new.name,
            availability_zone=new.availability_zone,
            vpc_id=new.vpc_id,
            subnet_id=new.subnet_id,
            security_group_id=new.security_group_id,
            password=new.password,
            disk_encryption_id=new.disk_encryption_id or None,
            flavor=[_flavor(flavor) for flavor in new.flavors],
            backup_strategy=_NO_AUTOMATIC_BACKUPS,
            enterprise_project_id=new.enterprise_project_id or None,
            ssl_option="1" if new.has_tls else "0",
            restore_point=_restore_point(new),
        )
        answer = self._service.call(operations.RESTORE_NEW_INSTANCE, RestoreNewInstanceRequest(body=body))
        if not answer.id:
            raise AmbiguousError(f"HTTP {answer.status_code} without an id", status=answer.status_code)
        return StartedRestore(answer.id, answer.job_id or None)

    def databases(self, instance_id: str) -> Sequence[Database]:
        """GET /v3/{project_id}/instances/{instance_id}/databases (DDS API, Querying Databases), all pages."""
        found: list[Database] = []
        while True:
            request = ListDatabasesRequest(instance_id=instance_id, offset=len(found), limit=PAGE)
            answer = self._service.call(operations.LIST_DATABASES, request)
            if answer.databases is None:
                raise TransientError(f"HTTP {answer.status_code} without databases", status=answer.status_code)
            found += [_database(item) for item in answer.databases]
            if not answer.databases or len(found) >= (answer.total_count or 0):
                return found

    def windows(self, instance_id: str, day: date) -> Sequence[tuple[datetime, datetime]]:
        """GET /v3/{project_id}/instances/{instance_id}/restore-time (DDS API, Querying the Restorable Time Periods)."""
        request = ListRestoreTimesRequest(instance_id=instance_id, date=day.isoformat())
        answer = self._service.call(operations.LIST_RESTORE_TIMES, request)
        return [(_moment(window.start_time), _moment(window.end_time)) for window in answer.restore_time or ()]

    def recycled(self) -> int:
        """GET /v3/{project_id}/recycle-instances (DDS API, Querying the Recycle Bin), only the total."""
        request = ListRecycleInstancesRequest(offset=0, limit=1)
        answer = self._service.call(operations.LIST_RECYCLE_INSTANCES, request)
        if answer.total_count is None:
            raise TransientError(f"HTTP {answer.status_code} without total_count", status=answer.status_code)
        return int(answer.total_count)

    def quotas(self) -> dict[str, Quota]:
        """GET /v3/{project_id}/quotas (DDS API, Querying Quotas)."""
        answer = self._service.call(operations.SHOW_QUOTAS, ShowQuotasRequest())
        if answer.quotas is None or answer.quotas.resources is None:
            raise TransientError(f"HTTP {answer.status_code} without quotas", status=answer.status_code)
        return {item.mode: Quota(item.quota or 0, item.used or 0) for item in answer.quotas.resources if item.mode}

    def tag(self, instance_id: str, key: str, value: str) -> None:
        """POST /v3/{project_id}/instances/{instance_id}/tags/action (DDS API, Batch Tag Action)."""
        body = BatchOperateInstanceTagRequestBody(action="create", tags=[TagItem(key=key, value=value)])
        self._service.call(operations.BATCH_TAG_ACTION, BatchTagActionRequest(instance_id=instance_id, body=body))

    def reset_password(self, instance_id: str, password: str) -> None:
        """PUT /v3/{project_id}/instances/{instance_id}/reset-password (DDS API, Resetting a Password)."""
        body = ResetPasswordRequestBody(user_pwd=password)
        self._service.call(operations.RESET_PASSWORD, ResetPasswordRequest(instance_id=instance_id, body=body))

    def restart(self, instance_id: str) -> None:
        """POST /v3/{project_id}/instances/{instance_id}/restart (DDS API, Restarting a DB Instance)."""
        body = RestartInstanceRequestBody(target_id=instance_id)
        self._expect_job(operations.RESTART_INSTANCE, RestartInstanceRequest(instance_id=instance_id, body=body))

    def delete(self, instance_id: str) -> None:
        """DELETE /v3/{project_id}/instances/{instance_id} (DDS API, Deleting a DB Instance)."""
        self._expect_job(operations.DELETE_INSTANCE, DeleteInstanceRequest(instance_id=instance_id))

    def _expect_job(self, operation: operations.Operation, request: Any) -> None:
        answer = self._service.call(operation, request)
        if not answer.job_id:
            raise AmbiguousError(f"HTTP {answer.status_code} without a job_id", status=answer.status_code)


def _flavor(flavor: Flavor) -> RestoreNewInstanceFlavorOption:
    size = None if flavor.size is None else str(flavor.size)
    return RestoreNewInstanceFlavorOption(
        type=flavor.kind, num=str(flavor.number), size=size, spec_code=flavor.spec_code
    )


def _restore_point(new: NewInstance) -> RestorePoint:
    if new.restore_time is None:
        return RestorePoint(backup_id=new.backup_id)
    milliseconds = str(round(new.restore_time.timestamp() * 1000))
    return RestorePoint(instance_id=new.source_id, type="timestamp", restore_time=milliseconds)


def _database(item: Any) -> Database:
    return Database(
        item.name or "", item.collection_num or 0, float(item.data_size or 0), float(item.storage_size or 0)
    )


def _moment(milliseconds: Any) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, timezone.utc)
