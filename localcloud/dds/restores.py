"""Restoring to a new instance, and over the original one (DDS API, Backup and Restoration; DDS user manual).

During a restore to a new instance the source is busy with RESTORE_TO_NEW_INSTANCE, and its backups cannot be deleted.
"""

from dataclasses import dataclass, replace

from localcloud.dds import instance_schemas as schemas
from localcloud.dds.creation import CREATION_SECONDS, Beginning, begin, check_new, started
from localcloud.dds.errors import dds_error, parameter_error
from localcloud.dds.model import Backup, BackupStatus, Instance, Job, JobKind, Restore
from localcloud.dds.nodes import check_restored
from localcloud.dds.restore_times import check_restorable
from localcloud.dds.specification import Mode
from localcloud.dds.state import DdsState
from localcloud.mongo.content import Content


# "At an average speed of 40 MB/s", and to a point in time 30 MB/s (DDS user manual). The switch restore_rate has the
# first one.
POINT_IN_TIME = 30 / 40

_JOBS: dict[Mode, JobKind] = {
    "Sharding": JobKind.RESTORE_CLUSTER,
    "ReplicaSet": JobKind.RESTORE_REPLICA_SET,
    "Single": JobKind.RESTORE_SINGLE,
}
_TO_TIME_JOBS: dict[Mode, JobKind] = {
    "Sharding": JobKind.RESTORE_TO_TIME,
    "ReplicaSet": JobKind.RESTORE_REPLICA_SET_TO_TIME,
}
_FAIL_REASON = "The restored instance did not start."


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What data is restored from. Of an instance that was deleted, the number of shards is not known."""

    instance_id: str
    mode: Mode
    version: str
    disk_gb: int
    shards: int | None
    backup_id: str | None = None


def restore_new(state: DdsState, new: schemas.RestoreNewInstance) -> schemas.NewInstanceStarted:
    """Start to make an instance from a backup, or from an instance at a point in time.

    Raises DBS.201214 for an unknown backup, 280124 for one that is not COMPLETED, 280404, 200002, 280343 or 280409 for
    an instance or a time that cannot be restored, 200019 while the source is busy, and the errors of `check_restored`
    and `check_new`. A request with tags is refused (DBS.200001), as only "Creating a DB Instance" has them.
    """
    if new.tags is not None:
        raise parameter_error("tags are not accepted for a restore: tag the instance once it exists")
    now = state.present()
    point = new.restore_point
    if point.type == "timestamp":
        if point.instance_id is None or point.restore_time is None:
            raise parameter_error("restore_point: instance_id and restore_time are required with type timestamp")
        instance = state.instance(point.instance_id)
        time = point.restore_time / 1000
        check_restorable(state, instance, time, now)
        return _restore_to_time(state, new, instance, time, now)
    if point.type not in (None, "backup") or point.backup_id is None:
        raise parameter_error("restore_point needs backup_id, or type timestamp with instance_id and restore_time")
    return _restore_backup(state, new, completed_backup(state, point.backup_id, point.instance_id, now), now)


def restore_over(state: DdsState, body: schemas.RestoreInstance) -> Job:
    """Start to restore over the instance that a backup is from (Restoring Data to the Original DB Instance).

    All its data is replaced; its password stays. Raises DBS.280343 for another instance than the source, 201000 if the
    instance is not normal, 200019 while it is busy, and the errors of `restore_new` for a backup or a time.
    """
    now = state.present()
    source, target = state.instance(body.source.instance_id), state.instance(body.target.instance_id)
    if source.id != target.id:
        raise dds_error("DBS.280343")
    if body.source.type == "timestamp":
        if body.source.restore_time is None:
            raise parameter_error("source: restore_time is required with type timestamp")
        kind, size_kb, time = JobKind.RESTORE_OVER_TO_TIME, target.data_kb, body.source.restore_time / 1000
        check_restorable(state, source, time, now)
        content = state.content_at(source.id, time)
    else:
        if body.source.type not in (None, "backup") or body.source.backup_id is None:
            raise parameter_error("source needs backup_id, or type timestamp with restore_time")
        backup = completed_backup(state, body.source.backup_id, source.id, now)
        kind, size_kb = JobKind.RESTORE_OVER, backup.size_kb
        content = state.fault_of(backup.id).of(state.content(backup.id), backup.begin)
    if target.status != "normal":
        raise dds_error("DBS.201000", target.name, "restore")
    state.check_idle(target, now)
    seconds = max(1.0, seconds_of(state, size_kb, to_time=kind is JobKind.RESTORE_OVER_TO_TIME))
    job = state.begin_job(kind, target, now, seconds)
    state.contents.write(target.id, content, now)
    state.instances.put(replace(target, actions=("RESTORING",), busy_until=job.end, data_kb=size_kb))
    return job


def completed_backup(state: DdsState, backup_id: str, instance_id: str | None, now: float) -> Backup:
    """The backup to restore.

    Raises DBS.201214 for an unknown backup or one of another instance, DBS.280124 for one that is not COMPLETED.
    """
    backup = state.backup(backup_id, now)
    if instance_id not in (None, backup.instance_id):
        raise dds_error("DBS.201214")
    if backup.status(now) is not BackupStatus.COMPLETED:
        raise dds_error("DBS.280124")
    return backup


def seconds_of(state: DdsState, size_kb: int, *, to_time: bool = False) -> float:
    """How long the data of a backup takes to be restored."""
    return size_kb / (state.region.switches.restore_rate * 1024 * (POINT_IN_TIME if to_time else 1))


def _restore_backup(
    state: DdsState, new: schemas.RestoreNewInstance, backup: Backup, now: float
) -> schemas.NewInstanceStarted:
    instance = state.instances.get(backup.instance_id)
    if instance is not None:
        state.check_idle(instance, now)
    whole = state.content(backup.id)
    fault = state.fault_of(backup.id)
    content = fault.of(whole, backup.begin)
    beginning = Beginning(
        kind=_JOBS[backup.instance_mode],
        seconds=_seconds(state, backup.instance_mode, backup.size_kb),
        content=content,
        data_kb=int(backup.size_kb * _part(content, whole)),
        becomes=fault.ends_as or "normal",
        fail_reason=_FAIL_REASON if fault.ends_as == "createfail" else None,
        never_ends=fault.never_ends,
    )
    source = Source(
        instance_id=backup.instance_id,
        mode=backup.instance_mode,
        version=backup.version,
        disk_gb=instance.spec.disk_gb if instance else backup.disk_gb,
        shards=_shards(instance),
        backup_id=backup.id,
    )
    return _restore(state, new, source, beginning, now)


def _restore_to_time(
    state: DdsState, new: schemas.RestoreNewInstance, instance: Instance, time: float, now: float
) -> schemas.NewInstanceStarted:
    state.check_idle(instance, now)
    beginning = Beginning(
        kind=_TO_TIME_JOBS[instance.mode],
        seconds=_seconds(state, instance.mode, instance.data_kb, to_time=True),
        content=state.content_at(instance.id, time),
        data_kb=instance.data_kb,
    )
    source = Source(
        instance_id=instance.id,
        mode=instance.mode,
        version=instance.version,
        disk_gb=instance.spec.disk_gb,
        shards=_shards(instance),
    )
    return _restore(state, new, source, beginning, now)


def _restore(
    state: DdsState, new: schemas.RestoreNewInstance, source: Source, beginning: Beginning, now: float
) -> schemas.NewInstanceStarted:
    flavors = check_restored(new.flavor, source.mode, source.disk_gb, source.shards)
    spec = check_new(state, new, source.mode, flavors)
    instance, job = begin(state, new, source.mode, source.version, spec, beginning, now)
    # What takes forever is the new instance: the data has been read by then, and the source is free.
    end = now + max(1.0, beginning.seconds)
    state.restores.put(Restore(job.id, source.instance_id, source.backup_id, instance.id, now, end))
    return started(state, new, instance, job)


def _seconds(state: DdsState, mode: Mode, size_kb: int, *, to_time: bool = False) -> float:
    return CREATION_SECONDS[mode] * state.region.switches.duration_scale + seconds_of(state, size_kb, to_time=to_time)


def _shards(instance: Instance | None) -> int | None:
    shard = instance.spec.flavor("shard") if instance else None
    return shard.num if shard else None


def _part(content: Content, whole: Content) -> float:
    """The part of the documents, by their size, that is left of them."""
    every = whole.statistics().data_size
    return content.statistics().data_size / every if every else 1.0
