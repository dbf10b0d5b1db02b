"""Reads what a report needs from DDS. Nothing is changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from cli.dds import Dds
from cli.report.model import Facts
from shared.drills import is_drill
from shared.errors import CloudError
from shared.jobs import NEAR
from shared.model import JOBS_KEPT, Backup, Instance


MAX_WINDOWS = 20
"""How many instances may have automatic backups for DDS to be asked, instance by instance, for the window of each."""

_PATIENCE = 30.0  # seconds; a report without a window or without drills is better than none


def read_facts(dds: Dds, now: datetime) -> Facts:
    """Read the instances, all backups, the tasks of 30 days, and the windows of at most MAX_WINDOWS instances.

    Raises Refused if the instances or the backups cannot be listed. The rest is then not known.
    """
    instances = dds.list_instances()
    backups = dds.list_backups()
    windows = _windows(dds, instances, backups, now)
    until = now + NEAR  # as in Dds.list_restores
    since = until - JOBS_KEPT
    retrying = dds.retrying.within(_PATIENCE)
    try:
        jobs = retrying.call(lambda: dds.jobs.created_between(since, until))
        restores = retrying.call(lambda: dds.jobs.restoring_between(since, until))
    except CloudError as error:
        return Facts(instances, backups, unknown_tasks=error, windows=windows)
    return Facts(instances, backups, jobs, restores, windows=windows)


def _windows(
    dds: Dds, instances: Sequence[Instance], backups: Sequence[Backup], now: datetime
) -> dict[str, tuple[datetime, datetime] | None]:
    automatic = [one for one in instances if one.backup_days and not is_drill(one)]
    if len(automatic) > MAX_WINDOWS:
        return {}
    begins: dict[str, datetime] = {}
    for backup in backups:
        if backup.is_automatic and backup.begin_time:
            begins[backup.instance_id] = min(backup.begin_time, begins.get(backup.instance_id, backup.begin_time))
    return {one.id: _window(dds, one, begins.get(one.id, now), now) for one in automatic}


def _window(dds: Dds, instance: Instance, oldest: datetime, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the earliest and the latest moment that DDS names; None if it names none or does not answer.

    DDS is asked for the last two days, and for two days from that of the *oldest* automatic backup, since none can be
    restored to earlier.
    """
    day = timedelta(days=1)
    found: list[tuple[datetime, datetime]] = []
    for date in sorted({now.date(), (now - day).date(), oldest.date(), min(oldest + day, now).date()}):
        try:
            found += dds.retrying.within(_PATIENCE).call(partial(dds.restores.windows, instance.id, date))
        except CloudError:
            return None
    return (min(begin for begin, _ in found), max(end for _, end in found)) if found else None
