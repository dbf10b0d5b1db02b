"""The API calls of each function when nothing goes wrong: of one event, and of all its invocations in a month.

The ``*_calls`` functions are the formulas in the tables of docs/, and the tests check the functions against them. Each
returns how often an operation is called, by the operation names that ``Permissions`` has in the template.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from cli.cost.inputs import MONTH, Assumptions, Events
from shared.cloud import operations
from shared.create.function import CreateBackupSettings
from shared.model import JOBS_KEPT
from shared.prune.function import PruneBackupsSettings
from shared.track.function import TrackBackupsSettings


Calls = Counter[str]

CREATE = operations.CREATE_MANUAL_BACKUP.name
DELETE = operations.DELETE_MANUAL_BACKUP.name
LIST_BACKUPS = operations.LIST_BACKUPS.name
LIST_INSTANCES = operations.LIST_INSTANCES.name
LIST_TASKS = operations.LIST_TASKS.name
PUBLISH = operations.PUBLISH_MESSAGE.name

PAGE = 100
"""The most items that DDS returns in a page (DDS API, Querying the Backup List, limit)."""


_DAY = timedelta(days=1)


def pages(items: int) -> int:
    """Return the calls that read a list to its end. A full page is followed by another call."""
    return items // PAGE + 1


def create_calls(instances: int, *, selected: bool = False, has_min_interval: bool = False) -> Calls:
    """An invocation of create_backup that backs up *instances* itself, which the event names or selects.

    No backup is younger than *min_interval*.
    """
    return Counter(
        {
            LIST_INSTANCES: pages(instances) if selected else 0,
            LIST_BACKUPS: 2 if has_min_interval else 1,
            CREATE: instances,
            PUBLISH: instances,
        }
    )


def portions(instances: int, fan_out_above: int) -> list[int]:
    """Return the number of instances in each message of a fan-out. Empty if one invocation backs up all of them."""
    if instances <= fan_out_above:
        return []
    return [min(fan_out_above, instances - start) for start in range(0, instances, fan_out_above)]


def hand_on_calls(instances: int, messages: int) -> Calls:
    """The invocation of create_backup that selects *instances* and only publishes them in *messages*."""
    return Counter({LIST_INSTANCES: pages(instances), PUBLISH: messages})


def fleet_calls(instances: int, fan_out_above: int) -> Calls:
    """An event that selects *instances*, in all its invocations."""
    handed_on = portions(instances, fan_out_above)
    if not handed_on:
        return create_calls(instances, selected=True)
    return sum(map(create_calls, handed_on), start=hand_on_calls(instances, len(handed_on)))


def track_calls(listed: int, happened: int, tasks: int) -> Calls:
    """An invocation of track_backups.

    *listed* backups began in the window that it follows, *happened* of them have something to announce, and DDS ran
    *tasks* in the time in which those began.
    """
    return Counter(
        {LIST_BACKUPS: pages(listed), LIST_TASKS: pages(tasks) if happened else 0, PUBLISH: happened},
    )


DRILL_TASKS = 9
"""The names of the tasks that show which backups drills have verified. DDS lists the tasks of one name in a call."""


def verified_calls(tasks: int) -> int:
    """Return the calls that read what drills have verified, if DDS has run *tasks* in the last 30 days."""
    return pages(tasks) if tasks <= PAGE * DRILL_TASKS else 1 + DRILL_TASKS


def prune_calls(backups: int, deleted: int, tasks: int = 0, month: int | None = None) -> Calls:
    """An invocation of prune_backups in a project with *backups* manual backups of any origin.

    DDS has run *tasks* in the last 24 hours and *month* in the last 30 days. The latter are not read (None) if no
    completed backup is due.
    """
    lists = pages(tasks) + (0 if month is None else verified_calls(month))
    return Counter({LIST_BACKUPS: pages(backups), LIST_TASKS: lists, DELETE: deleted, PUBLISH: 1})


def audit_calls(instances: int, backups: int, findings: int = 0, month: int | None = None) -> Calls:
    """An invocation of audit_backups in a project with *instances* and manual *backups*. Each finding is published.

    DDS has run *month* tasks in the last 30 days. They are not read (None) if no policy has `verified_within`.
    """
    return Counter(
        {
            LIST_INSTANCES: pages(instances),
            LIST_BACKUPS: pages(backups),
            LIST_TASKS: 0 if month is None else verified_calls(month),
            PUBLISH: 1 + findings,
        }
    )


def dds_calls(calls: Calls) -> int:
    """Return how many of the calls go to DDS, which limits their rate."""
    return sum(count for operation, count in calls.items() if operation.startswith("DDS."))


@dataclass(frozen=True, slots=True)
class Invocation:
    """Invocations of one kind.

    Attributes:
        times: how many a month.
        calls: API calls of one of them.
        concurrency: how many calls other than lists run at a time. Lists are read page by page.
        waits: seconds that it waits on purpose.
        shares: DDS calls that other invocations for the same event make at the same time, under the same rate limit.
    """

    times: float
    calls: Calls
    concurrency: int = 1
    waits: float = 0.0
    shares: int = 0

    @property
    def dds_at_once(self) -> int:
        """Its DDS calls and those that share its rate limit."""
        return dds_calls(self.calls) + self.shares

    def seconds(self, timeout: int, assumptions: Assumptions) -> float:
        """Return the duration of one invocation, cold start included. It ends at the *timeout*, in seconds."""
        rounds = sum(
            count if ".List" in operation else ceil(count / self.concurrency) for operation, count in self.calls.items()
        )
        working = rounds * assumptions.call_seconds + self.waits
        minutes = self.dds_at_once / assumptions.calls_a_minute
        if minutes > 1:
            working = max(working, 60 * minutes)
        return assumptions.cold_start + min(working, timeout)


def calls_a_month(invocations: Iterable[Invocation]) -> dict[str, float]:
    """Return the calls of a month by operation."""
    month: dict[str, float] = {}
    for invocation in invocations:
        for operation, count in invocation.calls.items():
            if count:
                month[operation] = month.get(operation, 0.0) + count * invocation.times
    return month


@dataclass(frozen=True, slots=True)
class Fleet:
    """The instances and their backups.

    Attributes:
        kept: backups that each instance has at a time.
        events: how often a month each instance is backed up.
    """

    instances: int
    kept: int
    events: float

    @property
    def made(self) -> float:
        """Backups created a month."""
        return self.instances * self.events

    def begun_within(self, span: timedelta) -> int:
        """Return how many backups begin in *span*."""
        return int(self.made * (span / MONTH))


def create_work(settings: CreateBackupSettings, events: list[Events], instances: int) -> Iterator[Invocation]:
    """Yield the invocations of create_backup: those that fan out, and those that create backups."""
    for event in events:
        fans_out = bool(settings.REQUEST_TOPIC_URN) and event.selects
        handed_on = portions(instances, settings.FAN_OUT_ABOVE) if fans_out else []
        if handed_on:
            yield Invocation(event.times, hand_on_calls(instances, len(handed_on)))
        each = [create_calls(portion, has_min_interval=event.has_min_interval) for portion in handed_on]
        if not each:
            each = [create_calls(instances, selected=event.selects, has_min_interval=event.has_min_interval)]
        at_once = sum(map(dds_calls, each))
        for calls in each:
            spread = settings.START_SPREAD if event.selects and calls[CREATE] > 1 else 0.0
            yield Invocation(event.times, calls, settings.MAX_CONCURRENCY, spread, at_once - dds_calls(calls))


def track_work(settings: TrackBackupsSettings, times: float, fleet: Fleet) -> Iterator[Invocation]:
    """Yield the invocations of track_backups: those that announce, and those that only list.

    The backups of one event end between the same two invocations.
    """
    looks = 1 + settings.TRACK_LOOKBACK
    listed = fleet.begun_within(settings.FOLLOW_FOR + settings.TRACK_PERIOD * looks)
    busy = min(times, fleet.events * looks)
    yield Invocation(busy, track_calls(listed, fleet.instances, fleet.instances), settings.MAX_CONCURRENCY)
    yield Invocation(times - busy, track_calls(listed, 0, 0))


def prune_work(settings: PruneBackupsSettings, times: float, fleet: Fleet) -> Iterator[Invocation]:
    """Yield the invocations of prune_backups: those that delete, and those that only list.

    In the long run, as many backups are deleted as created.
    """
    runs_an_event = ceil(fleet.instances / settings.MAX_DELETES)
    busy = min(times, fleet.events * runs_an_event)
    due = round(fleet.made / busy) if busy else 0
    a_run = settings.MAX_DELETES * min(1.0, MONTH / _DAY / busy) if busy else 0.0  # the runs of a day share the limit
    deleted = 0 if settings.DRY_RUN else min(due, round(a_run))
    kept, tasks = fleet.instances * fleet.kept, fleet.begun_within(_DAY)
    month = fleet.begun_within(JOBS_KEPT) if due else None
    yield Invocation(busy, prune_calls(kept + due, deleted, tasks, month), settings.MAX_CONCURRENCY)
    yield Invocation(times - busy, prune_calls(kept, 0, tasks))


def audit_work(times: float, fleet: Fleet) -> Iterator[Invocation]:
    """Yield the invocations of audit_backups. No instance lacks a backup, so each publishes only its report."""
    yield Invocation(times, audit_calls(fleet.instances, fleet.instances * fleet.kept))
