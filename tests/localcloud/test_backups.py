"""The life of a backup: created, completed, failed, stopped, downloaded, deleted."""

from typing import Any

from huaweicloudsdkdds.v3 import (
    BatchDeleteBackupRequest,
    BatchDeleteBackupRequestBody,
    DeleteManualBackupRequest,
    ListBackupsRequest,
    ListInstancesRequest,
    ShowBackupDownloadLinkRequest,
    ShowJobDetailRequest,
    StopBackupRequest,
    StopBackupRequestBody,
)

from localcloud import LocalCloud
from tests.localcloud.sdk import new_backup, rejection


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
CUSTOMERS = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
ARCHIVE = "d05b8f3e7a6c4291bc1e94d8f7a3605cin02"
UNKNOWN = "0" * 32 + "br02"


def only(dds: Any, backup_id: str) -> Any:
    """The backup with this id in the list."""
    [found] = dds.list_backups(ListBackupsRequest(backup_id=backup_id)).backups
    return found


def test_a_backup_is_made_and_completes(cloud: LocalCloud, dds: Any) -> None:
    """A backup is BUILDING while its job is Running, and then COMPLETED with a Completed job."""
    created = dds.create_manual_backup(new_backup(ORDERS, description="The first Manual backup"))

    building = only(dds, created.backup_id)
    running = dds.show_job_detail(ShowJobDetailRequest(id=created.job_id)).job
    cloud.advance(600)
    completed = only(dds, created.backup_id)
    done = dds.show_job_detail(ShowJobDetailRequest(id=created.job_id)).job

    assert created.status_code == 200
    assert (building.status, running.status, running.progress) == ("BUILDING", "Running", "0%")
    assert (building.end_time, building.size) == ("", 0)
    assert (completed.status, done.status, done.progress) == ("COMPLETED", "Completed", "")
    assert (completed.type, completed.size) == ("Manual", 4 * 1024**2)
    assert completed.description == "The first Manual backup"
    assert completed.begin_time < completed.end_time


def test_the_instance_shows_its_backup(cloud: LocalCloud, dds: Any) -> None:
    """During a backup the instance is normal with the action BACKUP, and its nodes have the status backup."""
    dds.create_manual_backup(new_backup(ORDERS))
    [during] = dds.list_instances(ListInstancesRequest(id=ORDERS)).instances
    cloud.advance(600)
    [after] = dds.list_instances(ListInstancesRequest(id=ORDERS)).instances

    assert (during.status, during.actions) == ("normal", ["BACKUP"])
    assert {node.status for group in during.groups for node in group.nodes} == {"backup"}
    assert (after.status, after.actions) == ("normal", [])
    assert {node.status for group in after.groups for node in group.nodes} == {"normal"}


def test_progress_grows(cloud: LocalCloud, dds: Any) -> None:
    """The progress of a job grows with time: 4 GB at 60 MB/s take about 68 seconds."""
    created = dds.create_manual_backup(new_backup(ORDERS))
    progress = []
    for _ in range(3):
        cloud.advance(20)
        progress.append(int(dds.show_job_detail(ShowJobDetailRequest(id=created.job_id)).job.progress.rstrip("%")))

    assert progress[0] in range(29, 40)
    assert progress == sorted(set(progress))
    assert progress[2] in range(87, 100)


def test_the_rate_can_be_set(cloud: LocalCloud, dds: Any) -> None:
    """At twice the rate a backup takes half as long."""
    cloud.switch(backup_rate=120)
    created = dds.create_manual_backup(new_backup(ORDERS))
    cloud.advance(35)

    assert only(dds, created.backup_id).status == "COMPLETED"


def test_a_backup_can_fail(cloud: LocalCloud, dds: Any) -> None:
    """Backups of instances with fails_with fail in the end, and so do their jobs, with the reason."""
    cloud.change_instance(ORDERS, fails_with="The disk broke.")
    created = dds.create_manual_backup(new_backup(ORDERS))
    of_the_seed = dds.create_manual_backup(new_backup(ARCHIVE, "another"))
    before = dds.show_job_detail(ShowJobDetailRequest(id=created.job_id)).job
    cloud.advance(600)
    after = dds.show_job_detail(ShowJobDetailRequest(id=created.job_id)).job

    assert {only(dds, one.backup_id).status for one in (created, of_the_seed)} == {"FAILED"}
    assert (before.status, before.fail_reason) == ("Running", None)
    assert (after.status, after.fail_reason) == ("Failed", "The disk broke.")


def test_a_deleted_backup_is_disabled_and_then_gone(cloud: LocalCloud, dds: Any) -> None:
    """A deleted backup is DISABLED at first. Then it is gone, its name is free, and its job is DBS.200543."""
    created = dds.create_manual_backup(new_backup(ORDERS))
    cloud.advance(600)

    deletion = dds.delete_manual_backup(DeleteManualBackupRequest(backup_id=created.backup_id))
    during = only(dds, created.backup_id)
    running = dds.show_job_detail(ShowJobDetailRequest(id=deletion.job_id)).job
    again = rejection(dds.delete_manual_backup, DeleteManualBackupRequest(backup_id=created.backup_id))
    cloud.advance(60)
    left = dds.list_backups(ListBackupsRequest(backup_id=created.backup_id))

    assert (during.status, running.status) == ("DISABLED", "Running")
    assert again == (403, "DBS.201014")
    assert (left.backups, left.total_count) == ([], 0)
    assert rejection(dds.show_job_detail, ShowJobDetailRequest(id=deletion.job_id)) == (400, "DBS.200543")
    assert rejection(dds.delete_manual_backup, DeleteManualBackupRequest(backup_id=created.backup_id)) == (
        400,
        "DBS.201214",
    )
    assert dds.create_manual_backup(new_backup(ORDERS)).status_code == 200


def test_backups_that_cannot_be_deleted(cloud: LocalCloud, dds: Any) -> None:
    """A backup in progress, unknown, automatic or being restored cannot be deleted."""
    created = dds.create_manual_backup(new_backup(ORDERS))
    automatic = dds.list_backups(ListBackupsRequest(backup_type="Auto")).backups[0]
    kept = dds.list_backups(ListBackupsRequest(instance_id=CUSTOMERS)).backups[0]
    cloud.change_instance(CUSTOMERS, actions=["RESTORING"])

    def refusal(backup_id: str) -> tuple[int, str]:
        return rejection(dds.delete_manual_backup, DeleteManualBackupRequest(backup_id=backup_id))

    assert refusal(created.backup_id) == (403, "DBS.200019")
    assert refusal(UNKNOWN) == (400, "DBS.201214")
    assert refusal(automatic.id) == (400, "DBS.212003")
    assert (automatic.deletable, kept.deletable) == (False, True)
    assert refusal(kept.id) == (400, "DBS.201319")
    assert only(dds, kept.id).is_instance_restoring


def test_batch_deletion(cloud: LocalCloud, dds: Any) -> None:
    """A batch deletes all its backups or, if one is unknown, none. More than ten are rejected."""
    known = [one.id for one in dds.list_backups(ListBackupsRequest(instance_id=CUSTOMERS)).backups]

    def batch(ids: list[str]) -> Any:
        return BatchDeleteBackupRequest(body=BatchDeleteBackupRequestBody(backup_ids=ids))

    assert rejection(dds.batch_delete_backup, batch([*known, UNKNOWN])) == (400, "DBS.201214")
    assert {only(dds, one).status for one in known} == {"COMPLETED"}
    assert rejection(dds.batch_delete_backup, batch([UNKNOWN] * 11)) == (400, "DBS.200001")
    assert dds.batch_delete_backup(batch(known)).status_code == 200
    assert {only(dds, one).status for one in known} == {"DISABLED"}


def test_a_backup_can_be_stopped_while_it_is_made(cloud: LocalCloud, dds: Any) -> None:
    """Stopping a backup fails it and its job and frees the instance. Only a backup in progress can be stopped."""
    created = dds.create_manual_backup(new_backup(ORDERS))
    request = StopBackupRequest(backup_id=created.backup_id, body=StopBackupRequestBody(action="stop"))
    cloud.advance(10)
    stopped = dds.stop_backup(request)
    job = dds.show_job_detail(ShowJobDetailRequest(id=created.job_id)).job

    assert stopped.status_code == 202
    assert only(dds, created.backup_id).status == "FAILED"
    assert (job.status, job.fail_reason) == ("Failed", "The backup was stopped.")
    assert dds.show_job_detail(ShowJobDetailRequest(id=stopped.job_id)).job.status == "Running"
    assert rejection(dds.stop_backup, request) == (403, "DBS.201014")
    assert dds.create_manual_backup(new_backup(ORDERS, "another")).status_code == 200
    request.backup_id = UNKNOWN
    assert rejection(dds.stop_backup, request) == (400, "DBS.201214")
    request.body = StopBackupRequestBody(action="pause")
    assert rejection(dds.stop_backup, request) == (400, "DBS.200001")


def test_download_link(cloud: LocalCloud, dds: Any) -> None:
    """A completed backup of the given instance has a download link. A backup in progress has none."""
    [kept, *_] = dds.list_backups(ListBackupsRequest(instance_id=CUSTOMERS)).backups
    created = dds.create_manual_backup(new_backup(ORDERS))

    link = dds.show_backup_download_link(ShowBackupDownloadLinkRequest(instance_id=CUSTOMERS, backup_id=kept.id))

    [file] = link.files
    assert (file.size, file.name in file.download_link, link.bucket in file.download_link) == (kept.size, True, True)
    assert file.link_expired_time.endswith("+0000")
    mine = ShowBackupDownloadLinkRequest(instance_id=ORDERS, backup_id=created.backup_id)
    theirs = ShowBackupDownloadLinkRequest(instance_id=ORDERS, backup_id=kept.id)
    assert rejection(dds.show_backup_download_link, mine) == (403, "DBS.201014")
    assert rejection(dds.show_backup_download_link, theirs) == (400, "DBS.201214")


def test_a_manual_backup_outlives_its_instance(dds: Any) -> None:
    """A backup whose instance was deleted can be listed and deleted."""
    [orphan] = dds.list_backups(ListBackupsRequest(backup_name="warehouse-final")).backups

    assert (orphan.instance_name, orphan.instance_status) == ("warehouse", "deleted")
    assert dds.delete_manual_backup(DeleteManualBackupRequest(backup_id=orphan.id)).status_code == 200
