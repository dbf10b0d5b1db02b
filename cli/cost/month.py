"""A month of the application: its invocations, GB-seconds, API calls and backups, and what they cost.

Prices differ by region, and none is known here: the user gives them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from math import ceil

from cli.cost.calls import (
    Calls,
    Fleet,
    Invocation,
    audit_work,
    calls_a_month,
    create_work,
    prune_work,
    track_work,
)
from cli.cost.drills import Drills, drill_work, drills_of
from cli.cost.inputs import MONTH, Assumptions, Events, events_of, read_settings, total
from cli.template.model import Function, Template
from shared.create.function import CreateBackupSettings
from shared.drill.function import DrillBackupsSettings
from shared.model import Backup
from shared.prune.function import PruneBackupsSettings
from shared.prune.retention import Retention, Tier
from shared.track.function import TrackBackupsSettings


FREE_REQUESTS = 1_000_000
FREE_GB_SECONDS = 400_000
"""Free each month (FunctionGraph, Billing, Billing Items, international site). The European site lists none."""


@dataclass(frozen=True, slots=True)
class FunctionMonth:
    """A month of one function.

    Attributes:
        memory: MB.
        seconds: billed in the month.
        is_known: whether its calls are known, which they are for the functions of this application.
        at_once: DDS calls that its largest event makes at a time.
    """

    function: Function
    memory: float
    invocations: float
    seconds: float
    calls: dict[str, float]
    is_known: bool
    at_once: int

    @property
    def gb_seconds(self) -> float:
        """Memory multiplied by time (FunctionGraph, Billing, Billing Items)."""
        return self.memory / 1024 * self.seconds


@dataclass(frozen=True, slots=True)
class Month:
    """A month of all functions."""

    functions: tuple[FunctionMonth, ...]
    fleet: Fleet
    drills: Drills | None = None
    """The restore drills. None without drill_backups."""

    @property
    def invocations(self) -> float:
        """The requests that FunctionGraph bills."""
        return sum(function.invocations for function in self.functions)

    @property
    def gb_seconds(self) -> float:
        """The GB-seconds of all functions."""
        return sum(function.gb_seconds for function in self.functions)

    @property
    def calls(self) -> dict[str, float]:
        """The calls of all functions, by operation."""
        names = sorted({name for function in self.functions for name in function.calls})
        return {name: sum(function.calls.get(name, 0.0) for function in self.functions) for name in names}


def kind_of(function: Function) -> str:
    """Return which of this application's functions it is: the name of its folder, whatever its deployed name."""
    return function.code_uri.name


def plan_month(template: Template, assumptions: Assumptions) -> Month:
    """Compute the month. Raises WrongCall for invalid settings and schedules."""
    events = {function.name: events_of(function, assumptions.events) for function in template.functions}
    creating = [f for f in template.functions if kind_of(f) == "create_backup"]
    made = sum(total(events[function.name]) for function in creating)
    fleet = Fleet(assumptions.instances, _kept(template, made, assumptions), made)
    functions = (
        _function_month(function, events[function.name], fleet, assumptions) for function in template.functions
    )
    drilling = next((f for f in template.functions if kind_of(f) == "drill_backups"), None)
    settings = read_settings(DrillBackupsSettings, drilling) if drilling else None
    drills = drills_of(settings, assumptions.instances, assumptions.backup_gb) if settings else None
    if drills and assumptions.drill_hours is not None:
        drills = replace(drills, hours=assumptions.drill_hours)
    return Month(tuple(functions), fleet, drills)


def _function_month(function: Function, events: list[Events], fleet: Fleet, assumptions: Assumptions) -> FunctionMonth:
    invocations = list(_work(function, events, fleet))
    times = sum(invocation.times for invocation in invocations)
    seconds = sum(one.times * one.seconds(function.timeout, assumptions) for one in invocations)
    measured = assumptions.given(assumptions.duration, function.name)
    return FunctionMonth(
        function=function,
        memory=assumptions.given(assumptions.memory, function.name) or function.memory_size,
        invocations=times,
        seconds=seconds if measured is None else times * measured,
        calls=calls_a_month(invocations),
        is_known=any(one.calls for one in invocations) or not invocations,
        at_once=max((one.dds_at_once for one in invocations if one.times), default=0),
    )


def _work(function: Function, events: list[Events], fleet: Fleet) -> Iterable[Invocation]:
    times = total(events)
    match kind_of(function):
        case "create_backup":
            return create_work(read_settings(CreateBackupSettings, function), events, fleet.instances)
        case "track_backups":
            return track_work(read_settings(TrackBackupsSettings, function), times, fleet)
        case "prune_backups":
            return prune_work(read_settings(PruneBackupsSettings, function), times, fleet)
        case "audit_backups":
            return audit_work(times, fleet)
        case "drill_backups":
            return drill_work(read_settings(DrillBackupsSettings, function), times, fleet)
        case _:
            return [Invocation(times, Calls())]


def _kept(template: Template, made: float, assumptions: Assumptions) -> int:
    """Return how many backups of each instance retention keeps, or those of a month if nothing prunes."""
    if assumptions.kept is not None:
        return assumptions.kept
    if not made:
        return 0
    pruning = [read_settings(PruneBackupsSettings, f) for f in template.functions if kind_of(f) == "prune_backups"]
    if not pruning:
        return ceil(made)
    return max(kept_backups(settings.RETENTION, MONTH / made, assumptions.now) for settings in pruning)


_LENGTHS = {
    Tier.HOURLY: timedelta(hours=1),
    Tier.DAILY: timedelta(days=1),
    Tier.WEEKLY: timedelta(weeks=1),
    Tier.MONTHLY: timedelta(days=31),
    Tier.YEARLY: timedelta(days=366),
}


def kept_backups(retention: Retention, every: timedelta, now: datetime) -> int:
    """Return how many backups of an instance *retention* keeps in the long run, if one is created *every* so often."""
    reach = max([every * (retention.last + 1), *(_LENGTHS[t] * n for t, n in retention.tiers.items())])
    if retention.max_age:
        reach = max(reach, retention.max_age)
    made = [
        Backup(id=f"{number}", name="", instance_id="", status="COMPLETED", begin_time=now - every * number)
        for number in range(int(reach / every) + 1)
    ]
    return len(retention.rules_that_keep(made, now, timezone.utc))


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in any currency. None leaves an item out of the bill.

    Attributes:
        million_requests: per 1,000,000 invocations.
        gb_second: per GB-second.
        backup_gb: per GB of backup storage and month.
        drill_hour: per hour of the instance of a drill, with its storage.
        is_free_left: whether this application can use the free requests and GB-seconds, which an account has once.
    """

    million_requests: float | None = None
    gb_second: float | None = None
    backup_gb: float | None = None
    drill_hour: float | None = None
    is_free_left: bool = True


@dataclass(frozen=True, slots=True)
class Storage:
    """Sizes in GB: of one backup, and of the storage of one instance."""

    backup: float
    instance: float

    def beyond_free(self, month: Month) -> float:
        """Return the billed GB. Backups are free up to the size of their instance's storage.

        Source: DDS User Guide, Creating a Manual Backup. Automated backups, which share it, are not counted.
        """
        return month.fleet.instances * max(0.0, month.fleet.kept * self.backup - self.instance)


def bill(month: Month, prices: Prices, storage: Storage | None) -> dict[str, float]:
    """Return the amount of each item that has a price: requests, gb_seconds, backup_storage, drills."""
    free = int(prices.is_free_left)
    amounts = {}
    if prices.million_requests is not None:
        amounts["requests"] = max(0.0, month.invocations - free * FREE_REQUESTS) / 1e6 * prices.million_requests
    if prices.gb_second is not None:
        amounts["gb_seconds"] = max(0.0, month.gb_seconds - free * FREE_GB_SECONDS) * prices.gb_second
    if prices.backup_gb is not None and storage:
        amounts["backup_storage"] = storage.beyond_free(month) * prices.backup_gb
    if prices.drill_hour is not None and month.drills:
        amounts["drills"] = month.drills.instance_hours * prices.drill_hour
    return amounts
