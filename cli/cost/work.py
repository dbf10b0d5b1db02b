"""What each function does in a month in which nothing goes wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from cli.cost import calls
from cli.cost.events import Events
from cli.cost.invocations import Invocation
from cli.cost.schedule import MONTH
from shared.create.function import CreateBackupSettings
from shared.prune.function import PruneBackupsSettings
from shared.track.function import TrackBackupsSettings


@dataclass(frozen=True, slots=True)
class Fleet:
    """The instances and their backups.

    Attributes:
        kept: backups that each instance has at a time.
        events: how often a month each of them is backed up.
    """

    instances: int
    kept: int
    events: float

    @property
    def made(self) -> float:
        """Backups a month."""
        return self.instances * self.events

    def begun_within(self, span: timedelta) -> int:
        """Return how many backups begin in such a span."""
        return int(self.made * (span / MONTH))


def create_work(settings: CreateBackupSettings, events: list[Events], instances: int) -> Iterator[Invocation]:
    """Yield the creations, and the invocations that hand them on."""
    for event in events:
        handed_on = calls.portions(instances, settings.FAN_OUT_ABOVE) if _is_handed_on(settings, event) else []
        if handed_on:
            yield Invocation(event.times, calls.hand_on_calls(instances, len(handed_on)))
        each = [calls.create_calls(portion, has_min_interval=event.has_min_interval) for portion in handed_on]
        if not each:
            each = [calls.create_calls(instances, selected=event.selects, has_min_interval=event.has_min_interval)]
        at_once = sum(map(calls.dds_calls, each))
        for made in each:
            spread = settings.START_SPREAD if event.selects and made[calls.CREATE] > 1 else 0.0
            yield Invocation(event.times, made, settings.MAX_CONCURRENCY, spread, at_once - calls.dds_calls(made))


def track_work(settings: TrackBackupsSettings, ticks: float, fleet: Fleet) -> Iterator[Invocation]:
    """Yield the ticks that only list, and those that announce: the ends of one event fall between two ticks."""
    looks = 1 + settings.TRACK_LOOKBACK
    listed = fleet.begun_within(settings.FOLLOW_FOR + settings.TRACK_PERIOD * looks)
    busy = min(ticks, fleet.events * looks)
    announcing = calls.track_calls(listed, fleet.instances, fleet.instances)
    yield Invocation(busy, announcing, settings.MAX_CONCURRENCY)
    yield Invocation(ticks - busy, calls.track_calls(listed, 0, 0))


def prune_work(settings: PruneBackupsSettings, ticks: float, fleet: Fleet) -> Iterator[Invocation]:
    """Yield the runs that find something to delete, and the others: in the long run as many go as come."""
    runs_an_event = ceil(fleet.instances / settings.MAX_DELETES)
    busy = min(ticks, fleet.events * runs_an_event)
    due = round(fleet.made / busy) if busy else 0
    deleted = 0 if settings.DRY_RUN else min(due, settings.MAX_DELETES)
    there = fleet.instances * fleet.kept
    yield Invocation(busy, calls.prune_calls(there + due, deleted), settings.MAX_CONCURRENCY)
    yield Invocation(ticks - busy, calls.prune_calls(there, 0))


def audit_work(ticks: float, fleet: Fleet) -> Iterator[Invocation]:
    """Yield the audits: every instance has its backup, so each publishes its report alone."""
    yield Invocation(ticks, calls.audit_calls(fleet.instances, fleet.instances * fleet.kept))


def _is_handed_on(settings: CreateBackupSettings, event: Events) -> bool:
    return bool(settings.REQUEST_TOPIC_URN) and event.selects
