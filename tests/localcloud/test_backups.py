"""Manual backups: the rules of the API page and what becomes of a backup, through the official SDK."""

from typing import Any

import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkdds.v3 import DeleteManualBackupRequest, ListBackupsRequest, ShowJobDetailRequest

from localcloud import LocalCloud
from tests.localcloud.sdk import new_backup


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"


def test_a_backup_is_made_and_completes(cloud: LocalCloud, dds: Any) -> None:
    """A created backup is BUILDING with a Running job, and COMPLETED with a Completed job once its time is over."""
    created = dds.create_manual_backup(new_backup(ORDERS, description="The first Manual backup"))

    [building] = dds.list_backups(ListBackupsRequest(backup_id=created.backup_id)).backups
    running = dds.show_job_detail(ShowJobDetailRequest(id=created.job_id)).job
    cloud.advance(600)
    [completed] = dds.list_backups(ListBackupsRequest(backup_id=created.backup_id)).backups
    done = dds.show_job_detail(ShowJobDetailRequest(id=created.job_id)).job

    assert created.status_code == 200
    assert (building.status, running.status, running.progress) == ("BUILDING", "Running", "0%")
    assert (completed.status, done.status, done.progress) == ("COMPLETED", "Completed", "")
    assert (completed.type, completed.size) == ("Manual", 4 * 1024**2)
    assert completed.description == "The first Manual backup"


def test_a_deleted_backup_is_disabled_and_then_gone(cloud: LocalCloud, dds: Any) -> None:
    """Deleting shows DISABLED first; later the backup is gone and its job answers DBS.200543."""
    created = dds.create_manual_backup(new_backup(ORDERS))
    cloud.advance(600)

    deletion = dds.delete_manual_backup(DeleteManualBackupRequest(backup_id=created.backup_id))
    [disabled] = dds.list_backups(ListBackupsRequest(backup_id=created.backup_id)).backups
    cloud.advance(60)
    left = dds.list_backups(ListBackupsRequest(backup_id=created.backup_id))
    with pytest.raises(ClientRequestException) as finished:
        dds.show_job_detail(ShowJobDetailRequest(id=deletion.job_id))

    assert disabled.status == "DISABLED"
    assert (left.backups, left.total_count) == ([], 0)
    assert finished.value.error_code == "DBS.200543"
