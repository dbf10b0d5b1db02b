"""Restore drills as all functions see them: by the names and tags of instances, and by DDS's task list."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from shared.model import JOBS_KEPT, Backup, Instance, InstanceTask, Jobs
from shared.retry import Retrying


TAG = "ddsbackup-drill"
"""The key of the tag that every instance of a drill gets."""

GRACE = timedelta(minutes=15)
"""How long after its greatest age the instance of a drill may be there before it counts as leaked."""

_PATIENCE = 30.0  # seconds; a run has more to do than to read what is verified

_TIME = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"drill-(?P<slot>\d{8}T\d{6}Z)-(?P<backup>[0-9a-f]{32})")


def short_id(backup_id: str) -> str:
    """Return the part of a backup's id that is in the name of a drill: its first 32 characters, which are unique."""
    return backup_id[:32]


@dataclass(frozen=True, slots=True)
class DrillName:
    """The name of a drill's instance, which tells what is drilled and when.

    Attributes:
        slot: when the drill is due, in UTC and whole seconds.
        backup: the backup's `short_id`.
    """

    slot: datetime
    backup: str

    @classmethod
    def of(cls, slot: datetime, backup_id: str) -> "DrillName":
        """Return the name of the drill of a backup in a slot."""
        return cls(slot.astimezone(timezone.utc).replace(microsecond=0), short_id(backup_id))

    @classmethod
    def parse(cls, name: str) -> "DrillName | None":
        """Read the name of an instance; None if it is not exactly that of a drill."""
        if not (match := _NAME.fullmatch(name)):
            return None
        try:
            slot = datetime.strptime(match["slot"], _TIME).replace(tzinfo=timezone.utc)
        except ValueError:
            return None
        return cls(slot, match["backup"])

    def __str__(self) -> str:
        return f"drill-{self.slot.strftime(_TIME)}-{self.backup}"


def is_drill(instance: Instance) -> bool:
    """Whether an instance is a drill's, by its name or its tag. The other functions leave such instances alone."""
    return TAG in instance.tags or DrillName.parse(instance.name) is not None


def is_of_drill(backup: Backup) -> bool:
    """Whether a backup is one of a drill's instance, by the name of the instance in the list of backups."""
    return DrillName.parse(backup.instance_name) is not None


@dataclass(frozen=True, slots=True)
class Verified:
    """A backup that a drill has restored and found valid.

    Attributes:
        time: when the drill ended, in UTC.
        restored_in: seconds that the restore took, with making the instance.
    """

    name: DrillName
    time: datetime
    restored_in: float


def verified(tasks: Iterable[InstanceTask]) -> Iterator[Verified]:
    """Yield the verified backups that the tasks of the last 30 days tell of, in no order.

    When all checks of a drill have passed, drill_backups restarts the instance. A completed restore with the name of a
    drill, followed by a completed restart of the same instance, is the mark: DDS keeps it for 30 days and lists no
    deletion of an instance.
    """
    tasks = list(tasks)
    restarts = {task.instance_id: task for task in tasks if task.is_restart and task.status == "Completed"}
    for task in tasks:
        name, restart = DrillName.parse(task.instance_name), restarts.get(task.instance_id)
        if task.is_restart or task.status != "Completed" or name is None or restart is None or task.ended_at is None:
            continue
        if restart.created_at >= task.ended_at:
            restored_in = (task.ended_at - task.created_at).total_seconds()
            yield Verified(name, restart.ended_at or restart.created_at, restored_in)


def read_verified(jobs: Jobs, retrying: Retrying) -> list[Verified]:
    """Read which backups drills have verified in the last 30 days, in no order, within 30 seconds.

    Raises:
        CloudError: the task list cannot be read, so that it is not known which backups are verified.
    """
    retrying = retrying.within(_PATIENCE)
    now = retrying.deadline.clock.now()
    tasks = retrying.call(lambda: jobs.restoring_between(now - JOBS_KEPT, now, patience=retrying.deadline.left()))
    return list(verified(tasks))
