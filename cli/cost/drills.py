"""Restore drills in a month: how many, how long their instances live, and the calls of drill_backups."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from cli.cost.calls import LIST_BACKUPS, LIST_INSTANCES, LIST_TASKS, PUBLISH, Calls, Fleet, Invocation, pages
from cli.cost.inputs import MONTH
from shared.cloud import operations
from shared.drill.function import DrillBackupsSettings


WEEK = timedelta(weeks=1)
_HOUR = timedelta(hours=1)

MB_A_SECOND = 40
"""The speed of a restore (DDS User Guide, Restoring Data to a New Instance)."""

LIFE_WITHOUT_DATA = timedelta(minutes=30)
"""How long the instance of a drill lives besides the restore of the data: making it takes 6 to 13 minutes in published
logs, and the next runs of the timer check, restart and delete it."""


@dataclass(frozen=True, slots=True)
class Drills:
    """The drills of a month.

    Attributes:
        number: as DRILL_INTERVAL and MAX_DRILLS_PER_WEEK say, also while DRY_RUN is on.
        hours: how long the instance of one lives.
        is_dry: whether DRY_RUN is on, so that none is made.
    """

    number: float
    hours: float
    is_dry: bool

    @property
    def instance_hours(self) -> float:
        """The hours of all instances together, which DDS bills by use."""
        return self.number * self.hours


def drills_of(settings: DrillBackupsSettings, instances: int, backup_gb: float) -> Drills:
    """Return the drills of *instances* whose backups have *backup_gb* each."""
    due = instances * (MONTH / settings.DRILL_INTERVAL)
    number = min(due, settings.MAX_DRILLS_PER_WEEK * (MONTH / WEEK))
    restoring = timedelta(seconds=backup_gb * 1024 / MB_A_SECOND)
    life = min(LIFE_WITHOUT_DATA + restoring, settings.DRILL_MAX_AGE)
    return Drills(number, life / _HOUR, settings.DRY_RUN)


def drill_work(settings: DrillBackupsSettings, times: float, fleet: Fleet) -> Iterator[Invocation]:
    """Yield the invocations of drill_backups: those that have nothing to do, and those of a drill from begin to end.

    Each lists tasks and instances. While the instance of a drill lives, each lists the backups as well.
    """
    drills = drills_of(settings, fleet.instances, 0.0)
    begun, followed = (
        (0.0, 0.0) if drills.is_dry else (drills.number, drills.instance_hours * (_HOUR / settings.DRILL_PERIOD))
    )
    looking = Counter({LIST_TASKS: 1, LIST_INSTANCES: pages(fleet.instances)})
    asking = looking + Counter(
        {LIST_BACKUPS: 1, operations.SHOW_QUOTAS.name: 1, operations.LIST_RECYCLE_INSTANCES.name: 1}
    )
    following = looking + Counter({LIST_BACKUPS: pages(fleet.instances * fleet.kept)})
    yield Invocation(max(0.0, times - drills.number - followed), looking)
    if drills.is_dry:
        yield Invocation(drills.number, asking + Counter({PUBLISH: 1}))
        return
    yield Invocation(begun, asking + Counter({operations.RESTORE_NEW_INSTANCE.name: 1, PUBLISH: 1}))
    yield Invocation(max(0.0, followed - 2 * begun), following)
    yield Invocation(begun, following + _checks())
    yield Invocation(begun, following + Counter({operations.DELETE_INSTANCE.name: 1, LIST_INSTANCES: 1}))


def _checks() -> Calls:
    """The run that takes the instance over, checks it, tells of it and restarts it."""
    return Counter(
        {
            operations.BATCH_TAG_ACTION.name: 1,
            operations.RESET_PASSWORD.name: 1,
            operations.LIST_DATABASES.name: 2,
            operations.RESTART_INSTANCE.name: 1,
            PUBLISH: 1,
        }
    )
