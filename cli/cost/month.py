"""A month of the application, function by function."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from cli.cost.assumptions import Assumptions
from cli.cost.calls import Calls
from cli.cost.events import Events, events_of, in_all
from cli.cost.invocations import Invocation, calls_a_month
from cli.cost.kept import kept_backups
from cli.cost.schedule import MONTH
from cli.cost.settings import read_settings
from cli.cost.work import Fleet, audit_work, create_work, prune_work, track_work
from cli.template.model import Function, Template
from shared.create.function import CreateBackupSettings
from shared.prune.function import PruneBackupsSettings
from shared.track.function import TrackBackupsSettings


@dataclass(frozen=True, slots=True)
class FunctionMonth:
    """A month of one function.

    Attributes:
        memory: MB.
        seconds: billed, in all.
        is_known: whether its calls are known: it is one of this application's four functions.
        at_once: calls of DDS that its largest event makes in one go.
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
        """Memory by time (FunctionGraph, Billing, Billing Items)."""
        return self.memory / 1024 * self.seconds


@dataclass(frozen=True, slots=True)
class Month:
    """A month of all functions."""

    functions: tuple[FunctionMonth, ...]
    fleet: Fleet

    @property
    def invocations(self) -> float:
        """Requests, as FunctionGraph bills them."""
        return sum(function.invocations for function in self.functions)

    @property
    def gb_seconds(self) -> float:
        """Of all functions."""
        return sum(function.gb_seconds for function in self.functions)

    @property
    def calls(self) -> dict[str, float]:
        """Of all functions, by operation."""
        names = sorted({name for function in self.functions for name in function.calls})
        return {name: sum(function.calls.get(name, 0.0) for function in self.functions) for name in names}


def kind_of(function: Function) -> str:
    """Return which of this application's functions it is, whatever name it is deployed under: that of its folder."""
    return function.code_uri.name


def plan_month(template: Template, assumptions: Assumptions) -> Month:
    """Compute the month. Raises WrongCall for settings and schedules that cannot be read."""
    events = {function.name: events_of(function, assumptions.events) for function in template.functions}
    creating = [f for f in template.functions if kind_of(f) == "create_backup"]
    made = sum(in_all(events[function.name]) for function in creating)
    fleet = Fleet(assumptions.instances, _kept(template, made, assumptions), made)
    functions = (
        _function_month(function, events[function.name], fleet, assumptions) for function in template.functions
    )
    return Month(tuple(functions), fleet)


def _kept(template: Template, made: float, assumptions: Assumptions) -> int:
    """What retention keeps; without it, the backups of a month."""
    if assumptions.kept is not None:
        return assumptions.kept
    if not made:
        return 0
    pruning = [read_settings(PruneBackupsSettings, f) for f in template.functions if kind_of(f) == "prune_backups"]
    if not pruning:
        return ceil(made)
    return max(kept_backups(settings.RETENTION, MONTH / made, assumptions.now) for settings in pruning)


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
    ticks = in_all(events)
    match kind_of(function):
        case "create_backup":
            return create_work(read_settings(CreateBackupSettings, function), events, fleet.instances)
        case "track_backups":
            return track_work(read_settings(TrackBackupsSettings, function), ticks, fleet)
        case "prune_backups":
            return prune_work(read_settings(PruneBackupsSettings, function), ticks, fleet)
        case "audit_backups":
            return audit_work(ticks, fleet)
        case _:
            return [Invocation(ticks, Calls())]
