"""The times that an instance can be restored to (DDS API, Querying the Restoration Time Ranges).

"Data can be restored to a specified time point only after the automated backup policy is enabled"; then the changes are
backed up every five minutes (DDS user manual). So it is possible from the end of the oldest automatic backup that is
kept, to the last five minutes. Replica sets can be restored, and clusters of version 4.0: on other versions the
documents contradict each other.
"""

from localcloud.clock import parse
from localcloud.dds import instance_schemas as schemas
from localcloud.dds.errors import dds_error
from localcloud.dds.model import DAY, BackupStatus, Instance
from localcloud.dds.state import DdsState


INCREMENT = 300.0


def restore_times(state: DdsState, instance_id: str, date: str) -> schemas.RestoreTimes:
    """The period of a day (UTC) to whose times an instance can be restored.

    Raises DBS.280409 for an invalid date, 280404 or 200002 for an unknown instance, 280343 for one that cannot be
    restored to a time.
    """
    try:
        day = parse(date, "%Y-%m-%d")
    except ValueError as error:
        raise dds_error("DBS.280409") from error
    now = state.present()
    instance = state.instance(instance_id)
    _check_mode(instance)
    found = _window(state, instance, now)
    if found is None or found[0] >= day + DAY or found[1] < day:
        return schemas.RestoreTimes(restore_time=[])
    start, end = max(found[0], day), min(found[1], day + DAY - 1)
    return schemas.RestoreTimes(
        restore_time=[schemas.RestoreTime(start_time=int(start * 1000), end_time=int(end * 1000))]
    )


def check_restorable(state: DdsState, instance: Instance, time: float, now: float) -> None:
    """Raise DBS.280343 for an instance that cannot be restored to a time, DBS.280409 for a time out of reach."""
    _check_mode(instance)
    found = _window(state, instance, now)
    # The documents give times in milliseconds, so the ends of the period as answered are part of it.
    if found is None or not int(found[0] * 1000) <= round(time * 1000) <= int(found[1] * 1000):
        raise dds_error("DBS.280409")


def _check_mode(instance: Instance) -> None:
    if instance.mode != "ReplicaSet" and (instance.mode, instance.version) != ("Sharding", "4.0"):
        raise dds_error("DBS.280343")


def _window(state: DdsState, instance: Instance, now: float) -> tuple[float, float] | None:
    if instance.policy is None or not instance.policy.incremental:
        return None
    ends = [
        backup.end
        for backup in state.backups(now)
        if backup.instance_id == instance.id and backup.type == "Auto" and backup.status(now) is BackupStatus.COMPLETED
    ]
    last = now - now % INCREMENT
    return (min(ends), last) if ends and min(ends) <= last else None
