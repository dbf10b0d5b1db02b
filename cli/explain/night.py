"""What happens after one night's backup: each function's turn, the runs that come too early, and drills."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from cli.explain.timers import YEAR, Timer
from localcloud.functiongraph.schedule import Every
from shared.drill.function import DrillBackupsSettings
from shared.drill.schedule import Schedule, Slot


CREATE = "create_backup"
FOLLOWERS = ("track_backups", "audit_backups", "prune_backups", "drill_backups")
"""The functions that have their turn after a backup, in the order of their work."""

_MOST_RUNS = 10_000

CONSEQUENCES = {
    CREATE: "finds the instances busy with the backups of the run before",
    "audit_backups": "may not see the end of these backups",
    "prune_backups": "cannot delete backups of an instance that is being backed up",
}
"""What it means that a function runs while backups may still run. The others are made for it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """When a function has had its turn.

    Attributes:
        at: the beginning of its first run after the end of the backups; None if no timer of it is due within a year.
        is_latest: whether `at` is the latest possible time, since the runs of a rate count from the deployment.
    """

    timer: Timer
    at: datetime | None
    is_latest: bool = False


@dataclass(frozen=True, slots=True)
class Overlap:
    """Runs of a timer that begin while the backups of another one may still run.

    Attributes:
        first: the first of these runs, and `created` the run of create_backup before it.
        count: how many of the timer's `runs` within the period looked at.
    """

    timer: Timer
    first: datetime
    created: datetime
    count: int
    runs: int


@dataclass(frozen=True, slots=True)
class Night:
    """One run of create_backup and what follows it.

    Attributes:
        duration: how long the backups take, which is an assumption.
        missing: the functions that have no enabled timer.
    """

    timer: Timer
    created: datetime
    duration: timedelta
    turns: tuple[Turn, ...]
    missing: tuple[str, ...]
    overlaps: tuple[Overlap, ...]

    @property
    def ended(self) -> datetime:
        """When the backups are over."""
        return self.created + self.duration

    @property
    def all_done(self) -> datetime | None:
        """When all functions with a timer have had their turn; None if one of them never has."""
        ends = [turn.at for turn in self.turns]
        return max([self.ended, *(end for end in ends if end)]) if all(ends) else None


def follow_night(timers: Sequence[Timer], now: datetime, duration: timedelta) -> list[Night]:
    """Return the next night of each enabled timer of create_backup, if the backups take *duration*."""
    enabled = [timer for timer in timers if timer.is_enabled]
    nights = []
    for create in enabled:
        if create.kind != CREATE or not (runs := create.next_runs(now, 1)):
            continue
        created, others = runs[0], [timer for timer in enabled if timer.kind in FOLLOWERS]
        turns = [_turn([t for t in others if t.kind == kind], created + duration) for kind in FOLLOWERS]
        missing = tuple(kind for kind in FOLLOWERS[:3] if not any(timer.kind == kind for timer in others))
        overlaps = [_overlap(timer, create, now, duration) for timer in (create, *others) if timer.kind in CONSEQUENCES]
        found = tuple(turn for turn in turns if turn)
        nights.append(Night(create, created, duration, found, missing, tuple(o for o in overlaps if o)))
    return nights


def _turn(timers: Sequence[Timer], ended: datetime) -> Turn | None:
    """Return the first turn of a function after the end of the backups, or None if it has no timer."""
    turns = [_turn_of(timer, ended) for timer in timers]
    return min(turns, key=lambda turn: turn.at.timestamp() if turn.at else float("inf"), default=None)


def _turn_of(timer: Timer, ended: datetime) -> Turn:
    if isinstance(timer.schedule, Every):
        return Turn(timer, ended + timedelta(seconds=timer.schedule.seconds), is_latest=True)
    # A run at the very moment of the end counts.
    return Turn(timer, next(timer.runs(ended - timedelta(microseconds=1), ended + YEAR), None))


def _overlap(timer: Timer, create: Timer, now: datetime, duration: timedelta) -> Overlap | None:
    """Return the runs of a timer, within a year, that begin while the backups of *create* may still run."""
    begun = list(islice(create.runs(now - duration, now + YEAR), _MOST_RUNS))
    until = begun[-1] + duration if begun else now
    runs = [run for run in islice(timer.runs(now, now + YEAR), _MOST_RUNS) if run <= until]
    moments = [run.timestamp() for run in begun]
    found = []
    for run in runs:
        before = bisect_right(moments, run.timestamp()) - (2 if timer is create else 1)
        if before >= 0 and run - begun[before] < duration:
            found.append((run, begun[before]))
    return Overlap(timer, *found[0], len(found), len(runs)) if found else None


@dataclass(frozen=True, slots=True)
class Drills:
    """How often instances are drilled, by the settings of drill_backups.

    Attributes:
        instance_id: the instance whose slots are wanted, if any.
        slot: the slot of the instance that is open now; None if there is none.
        upcoming: its next slot.
    """

    settings: DrillBackupsSettings
    instance_id: str | None = None
    slot: Slot | None = None
    upcoming: Slot | None = None


def follow_drills(settings: DrillBackupsSettings, instance_id: str | None, now: datetime) -> Drills:
    """Return how often instances are drilled, and the slots of an instance in which its drills begin."""
    if instance_id is None:
        return Drills(settings)
    schedule = Schedule(settings.DRILL_INTERVAL, settings.DRILL_HOURS)
    last, upcoming = (schedule.slot(instance_id, moment) for moment in (now, now + settings.DRILL_INTERVAL))
    return Drills(settings, instance_id, last if now < last.end else None, upcoming)
