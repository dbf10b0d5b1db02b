"""Backups and the automatic backup policy (DDS API, Backup and Restoration)."""

from dataclasses import replace

from localcloud.clock import text
from localcloud.dds import schemas
from localcloud.dds.errors import dds_error
from localcloud.dds.model import Backup, BackupStatus, Instance, Job, JobKind, Policy
from localcloud.dds.state import DdsState, automatic_name


# How long a deleted backup stays DISABLED, and how long stopping a backup takes. Neither is documented.
DELETION_SECONDS = 5.0
STOP_SECONDS = 2.0

LINK_SECONDS = 15 * 60
BUCKET = "dds-backup-localcloud"

EVERY_DAY = "1,2,3,4,5,6,7"
WEEK = 7


def create(state: DdsState, instance_id: str, name: str, description: str) -> Backup:
    """Start a manual backup (Creating a Manual Backup).

    Raises DBS.280404 or DBS.200002 for an unknown instance, DBS.201201 if the name is taken, DBS.201000, 201014 or
    200018 if the instance is not in a state to be backed up, DBS.200019 if another operation is in progress.
    """
    now = state.present()
    instance = state.instance(instance_id)
    if state.region.switches.unique_names and any(backup.name == name for backup in state.backups(now)):
        raise dds_error("DBS.201201")
    _check_ready(state, instance, now)
    return state.begin_backup(instance, now, name, description=description)


def stop(state: DdsState, backup_id: str) -> Job:
    """Stop a backup in progress. The backup and its job end as failed (Stopping a Backup).

    Raises DBS.201214 for an unknown backup, DBS.201014 for one that is not in progress.
    """
    now = state.present()
    backup = state.backup(backup_id, now)
    if not backup.running(now):
        raise dds_error("DBS.201014")
    state.keep(replace(backup, duration=now - backup.begin, fail_reason="The backup was stopped."))
    return state.begin_job(JobKind.STOP, backup, now, STOP_SECONDS)


def delete(state: DdsState, backup_ids: list[str]) -> list[Job]:
    """Start to delete backups, either all of them or none (Deleting a Manual Backup).

    Raises DBS.201214 for an unknown backup, DBS.212003 for an automatic backup while the policy is enabled,
    DBS.201014 for a backup that is being deleted already, DBS.201319 while its instance is being restored, DBS.200019
    while the backup is in progress or its instance is busy.
    """
    now = state.present()
    backups = [_check_deletable(state, backup_id, now) for backup_id in dict.fromkeys(backup_ids)]
    jobs = []
    for backup in backups:
        job = state.begin_job(JobKind.DELETE, backup, now, DELETION_SECONDS)
        state.stored_backups.put(replace(backup, deleted_at=now, gone_at=job.end))
        jobs.append(job)
    return jobs


def deletable(state: DdsState, backup: Backup) -> bool:
    """Whether the policy allows a backup to be deleted: automatic backups are protected while it is enabled."""
    instance = state.instances.get(backup.instance_id)
    return backup.type == "Manual" or instance is None or instance.policy is None


def download_link(state: DdsState, instance_id: str, backup_id: str) -> schemas.DownloadLink:
    """The link to a completed backup of an instance, valid for 15 minutes (Obtaining a Backup Download Link).

    There is no file behind the link. Raises DBS.201214 for a backup that is unknown or belongs to another instance,
    DBS.201014 for one that is not COMPLETED.
    """
    now = state.present()
    backup = state.backup(backup_id, now)
    if backup.instance_id != instance_id:
        raise dds_error("DBS.201214")
    if backup.status(now) is not BackupStatus.COMPLETED:
        raise dds_error("DBS.201014")
    name = f"{backup.id}.tar.gz"
    return schemas.DownloadLink(
        files=[
            schemas.DownloadFile(
                name=name,
                size=backup.size_kb,
                download_link=f"https://{BUCKET}.obs.{state.region.id}.myhuaweicloud.com/{name}",
                link_expired_time=text(now + LINK_SECONDS, "%Y-%m-%dT%H:%M:%S+0000"),
            )
        ],
        bucket=BUCKET,
    )


def show_policy(state: DdsState, instance_id: str) -> schemas.ShownPolicy:
    """The policy of an instance. Raises DBS.280404 or DBS.200002 for an unknown instance."""
    policy = state.instance(instance_id).policy
    if policy is None:
        return schemas.ShownPolicy(keep_days=0)
    return schemas.ShownPolicy(
        keep_days=policy.keep_days,
        start_time=policy.start_time,
        period=policy.period,
        enable_incremental_backup=policy.incremental,
    )


def set_policy(state: DdsState, instance_id: str, new: schemas.NewPolicy) -> None:
    """Change the policy of an instance (Setting an Automated Backup Policy). Enabling it starts a backup at once.

    Raises DBS.280216 for an invalid window, DBS.280215 for an invalid period, and, when it is enabled, the errors of
    an instance that cannot be backed up now (see `create`).
    """
    now = state.present()
    instance = state.instance(instance_id)
    if new.keep_days == 0:
        state.instances.put(replace(instance, policy=None))
        return
    period = _check_schedule(new)
    before = instance.policy
    if before is None:
        _check_ready(state, instance, now)
    incremental = new.enable_incremental_backup
    if incremental is None:
        incremental = before.incremental if before else False
    policy = Policy(new.keep_days, new.start_time or "", period, incremental, since=now)
    instance = replace(instance, policy=policy)
    state.instances.put(instance)
    if before is None:
        name = automatic_name(instance, now)
        state.begin_backup(instance, now, name, automatic=True, keep_days=policy.keep_days)


def check_window(window: str) -> None:
    """Raise DBS.280216 unless a window hh:mm-HH:MM is one hour."""
    begin, _, end = window.partition("-")
    if not begin or begin[3:] != end[3:] or (int(begin[:2]) + 1) % 24 != int(end[:2]):
        raise dds_error("DBS.280216")


def _check_ready(state: DdsState, instance: Instance, now: float) -> None:
    """Raise DBS.201000, 201014, 200018 or 200019 unless a backup of the instance can start at `now`."""
    # "Only normal instances can be backed up; the hidden node must be normal, and a full disk can prevent the task
    # from being issued" (DDS user manual, Creating a Manual Backup).
    if instance.status == "data_disk_full":
        raise dds_error("DBS.201014")
    if instance.status != "normal":
        raise dds_error("DBS.201000", instance.name, "backup")
    if instance.mode != "Single" and instance.hidden_node != "normal":
        raise dds_error("DBS.200018")
    state.check_idle(instance, now)


def _check_deletable(state: DdsState, backup_id: str, now: float) -> Backup:
    backup = state.backup(backup_id, now)
    if not deletable(state, backup):
        raise dds_error("DBS.212003")
    if backup.status(now) is BackupStatus.DISABLED:
        raise dds_error("DBS.201014")
    if state.is_restoring(backup, now):
        raise dds_error("DBS.201319")
    instance = state.instances.get(backup.instance_id)
    if instance is not None:
        state.check_idle(instance, now)
    return backup


def _check_schedule(new: schemas.NewPolicy) -> str:
    """Raise DBS.280216 unless the window is one hour, DBS.280215 unless the period is allowed; return it in order.

    Fewer than 7 days to keep need a backup on every day.
    """
    check_window(new.start_time or "")
    period = ",".join(sorted(set((new.period or "").split(","))))
    if not period or (new.keep_days < WEEK and period != EVERY_DAY):
        raise dds_error("DBS.280215")
    return period
