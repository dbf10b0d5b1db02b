"""Manual backups: create, stop, delete (DDS API, Backup and Restoration)."""

import uuid
from dataclasses import replace
from typing import Literal

from localcloud.dds.errors import dds_error
from localcloud.dds.facts import DAY, Backup, BackupStatus, Instance, Job, JobKind
from localcloud.dds.state import DdsState


# How long a backup stays DISABLED before it is gone, and how long stopping one takes. Not documented.
DELETION_SECONDS = 5.0
STOP_SECONDS = 2.0


def create(state: DdsState, instance_id: str, name: str, description: str) -> Backup:
    """Begin a manual backup (Creating a Manual Backup).

    Raises DBS.280404 or DBS.200002 for an unknown instance, DBS.201201 when the name is taken, DBS.201000, 201014 or
    200018 when the instance is not well, DBS.200019 while another operation is under way.
    """
    now = state.present()
    instance = state.instance(instance_id)
    if state.region.switches.unique_names and any(backup.name == name for backup in state.backups(now)):
        raise dds_error("DBS.201201")
    check_ready(state, instance, now)
    return begin(state, instance, now, name=name, description=description)


def begin(
    state: DdsState,
    instance: Instance,
    now: float,
    *,
    name: str,
    description: str = "",
    kind: Literal["Auto", "Manual"] = "Manual",
    keep_days: int | None = None,
) -> Backup:
    """Begin a backup at `now` of an instance that is ready for one, to be kept for ever unless `keep_days` is given."""
    backup = Backup(
        id=f"{uuid.uuid4().hex}br02",
        name=name,
        type=kind,
        instance_id=instance.id,
        instance_name=instance.name,
        instance_mode=instance.mode,
        version=instance.version,
        description=description,
        job_id=str(uuid.uuid4()),
        begin=now,
        duration=max(1.0, instance.data_kb / state.rate_kb),
        size_kb=instance.data_kb,
        fail_reason=instance.fails_with,
        expires_at=None if keep_days is None else now + keep_days * DAY,
    )
    state.keep(backup)
    return backup


def delete(state: DdsState, backup_ids: list[str]) -> list[Job]:
    """Begin to delete manual backups, all of them or none (Deleting a Manual Backup).

    Raises DBS.201214 for an unknown one, DBS.212003 for an automatic one whose policy is on, DBS.200019 for one that
    is being made or whose instance is busy, DBS.201319 while the instance is restored, DBS.201014 for one that is
    being deleted already.
    """
    now = state.present()
    doomed = [_deletable(state, backup_id, now) for backup_id in dict.fromkeys(backup_ids)]
    jobs = []
    for backup in doomed:
        job = _job(JobKind.DELETE, backup, now, DELETION_SECONDS)
        state.stored_backups.put(replace(backup, deleted_at=now, gone_at=job.end))
        state.jobs.put(job)
        jobs.append(job)
    return jobs


def stop(state: DdsState, backup_id: str) -> Job:
    """Stop a backup that is being made; it ends as FAILED, and so does its job (Stopping a Backup).

    Raises DBS.201214 for an unknown one, DBS.201014 for one that is not being made.
    """
    now = state.present()
    backup = state.backup(backup_id, now)
    if not backup.running(now):
        raise dds_error("DBS.201014")
    stopped = replace(backup, duration=now - backup.begin, fail_reason="The backup was stopped.")
    state.keep(stopped)
    job = _job(JobKind.STOP, backup, now, STOP_SECONDS)
    state.jobs.put(job)
    return job


def deletable(state: DdsState, backup: Backup) -> bool:
    """Whether a backup may be deleted: an automatic one may not while the policy is on."""
    instance = state.instances.get(backup.instance_id)
    return backup.type == "Manual" or instance is None or instance.policy is None


def check_ready(state: DdsState, instance: Instance, now: float) -> None:
    """Raise DBS.201000, 201014, 200018 or 200019 unless a backup of the instance may begin at `now`."""
    # "Only normal instances can be backed up; the hidden node must be normal, and a full disk can prevent the task
    # from being issued" (DDS user manual, Creating a Manual Backup).
    if instance.status == "data_disk_full":
        raise dds_error("DBS.201014")
    if instance.status != "normal":
        raise dds_error("DBS.201000", instance.name, "backup")
    if instance.mode != "Single" and instance.hidden_node != "normal":
        raise dds_error("DBS.200018")
    if state.operations(instance, now):
        raise dds_error("DBS.200019")


def _deletable(state: DdsState, backup_id: str, now: float) -> Backup:
    backup = state.backup(backup_id, now)
    if not deletable(state, backup):
        raise dds_error("DBS.212003")
    if backup.status(now) is BackupStatus.DISABLED:
        raise dds_error("DBS.201014")
    instance = state.instances.get(backup.instance_id)
    if instance is not None and "RESTORING" in instance.actions_at(now):
        raise dds_error("DBS.201319")
    if instance is not None and state.operations(instance, now):
        raise dds_error("DBS.200019")
    return backup


def _job(kind: JobKind, backup: Backup, now: float, seconds: float) -> Job:
    return Job(
        id=str(uuid.uuid4()),
        kind=kind,
        instance_id=backup.instance_id,
        instance_name=backup.instance_name,
        begin=now,
        duration=seconds,
    )
