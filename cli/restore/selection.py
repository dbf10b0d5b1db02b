"""What is restored: the source, and its backup or its point in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import click

from cli.dds import Dds
from cli.errors import WrongCall, did_you_mean
from shared.format import counted, duration, timestamp
from shared.model import Backup, Instance


@dataclass(frozen=True, slots=True)
class Source:
    """The instance that the data comes from. `instance` is None if it was deleted."""

    id: str
    name: str
    mode: str
    version: str
    instance: Instance | None


@dataclass(frozen=True, slots=True)
class Point:
    """What is restored: a backup, or the state of the source at a time within a period that DDS can restore."""

    backup: Backup | None = None
    time: datetime | None = None
    window: tuple[datetime, datetime] | None = None


def find_source(instances: Sequence[Instance], backups: Sequence[Backup], wanted: str) -> Source:
    """Return the source with a name or id: an instance, or else one that only backups are left of.

    Raises WrongCall if there is none, or more than one.
    """
    found = [Source(i.id, i.name, i.mode, i.version, i) for i in instances if wanted in (i.id, i.name)]
    if not found:
        left = {b.instance_id: b for b in backups if wanted in (b.instance_id, b.instance_name)}
        known = {instance.id for instance in instances}
        found = [
            Source(b.instance_id, b.instance_name, b.mode, b.version, None)
            for b in left.values()
            if b.instance_id not in known
        ]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(source.id for source in found)
        raise WrongCall(f"{len(found)} instances have the name {wanted!r}: give the id of one to --instance: {ids}")
    names = [*(i.name for i in instances), *(b.instance_name for b in backups)]
    raise WrongCall(
        f"no instance and no backup of {wanted!r} is there{did_you_mean(wanted, names)} "
        "ddsbackup backups lists what there is"
    )


def source_of(instances: Sequence[Instance], backup: Backup) -> Source:
    """Return the source of a backup, whether or not it still exists."""
    instance = next((instance for instance in instances if instance.id == backup.instance_id), None)
    name = instance.name if instance else backup.instance_name
    version = backup.version or (instance.version if instance else "")
    return Source(backup.instance_id, name, backup.mode or (instance.mode if instance else ""), version, instance)


def find_backup(backups: Sequence[Backup], wanted: str, source: Source | None) -> Backup:
    """Return the completed backup with a name or id, of *source* if that is given.

    Raises WrongCall if there is none, or more than one, and ClickException if it cannot be restored.
    """
    named = [backup for backup in backups if wanted in (backup.id, backup.name)]
    found = [backup for backup in named if source is None or backup.instance_id == source.id]
    if len(found) > 1:
        ids = ", ".join(backup.id for backup in found)
        raise WrongCall(f"{len(found)} backups have the name {wanted!r}: give the id of one to --backup: {ids}")
    if not found and named:
        raise WrongCall(
            f"the backup {wanted!r} is one of {named[0].instance_name} ({named[0].instance_id}), expected one of "
            f"{source.name if source else ''} ({source.id if source else ''})"
        )
    if not found:
        hint = did_you_mean(wanted, [backup.name for backup in backups])
        raise WrongCall(f"no backup has the name or id {wanted!r}{hint} ddsbackup backups lists what there is")
    if found[0].status != "COMPLETED":
        raise click.ClickException(
            f"the backup {wanted} is {found[0].status}, and only a COMPLETED one can be restored: choose another, or "
            "--latest for the newest"
        )
    return found[0]


def newest_backup(backups: Sequence[Backup], source: Source) -> Backup:
    """Return the newest completed backup of a source. Raises ClickException if it has none."""
    own = [backup for backup in backups if backup.instance_id == source.id]
    good = [backup for backup in own if backup.status == "COMPLETED" and backup.begin_time]
    if not good:
        statuses = ", ".join(sorted({backup.status for backup in own}))
        found = f"{counted(len(own), 'backup')} ({statuses})" if own else "no backup"
        raise click.ClickException(
            f"{source.name} has {found}, expected a COMPLETED one: it can only be restored to a time (--time), if DDS "
            "makes automatic and incremental backups of it"
        )
    return max(good, key=lambda backup: (backup.begin_time, backup.id))


def point_in_time(dds: Dds, source: Source, moment: datetime) -> Point:
    """Return a time that DDS can restore the source to.

    Raises WrongCall if it cannot, with the periods near the time that it can, and Refused.
    """
    if source.instance is None:
        raise WrongCall(
            f"{source.name} was deleted: only its manual backups are left, and a time needs the incremental backups of "
            "an existing instance. Give --backup or --latest"
        )
    now = dds.clock.now()
    if moment > now:
        raise WrongCall(f"--time: found {timestamp(moment)}, which is in the future: it is {timestamp(now)}")
    periods = _periods(dds, source.id, [moment.date()])
    for begin, end in periods:
        if begin <= moment <= end:
            return Point(time=moment, window=(begin, end))
    days = [moment.date() + timedelta(days=shift) for shift in (-1, 1)]
    near = sorted({*periods, *_periods(dds, source.id, [*days, now.date(), now.date() - timedelta(days=1)])})
    if not near:
        raise WrongCall(
            f"{source.name} cannot be restored to a time: DDS lists no period around {timestamp(moment)} and none of "
            "the last two days. That needs automatic backups with incremental backup switched on. Give --backup or "
            "--latest"
        )
    shown = "\n".join(f"  {timestamp(begin)} to {timestamp(end)}" for begin, end in near)
    raise WrongCall(
        f"{source.name} cannot be restored to {timestamp(moment)}, {duration(now - moment)} ago. Near it and of the "
        f"last two days DDS can restore it to any time from\n{shown}"
    )


def _periods(dds: Dds, instance_id: str, days: Sequence[date]) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for day in days:
        found += dds.read(
            partial(dds.restores.windows, instance_id, day),
            f"DDS does not list the periods to which {instance_id} can be restored. --backup and --latest need none",
        )
    return found
