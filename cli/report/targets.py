"""What is expected of the instances, from a template: targets, rules of retention, and what comes next."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from cli.cost.inputs import read_settings
from cli.explain.timers import Timer, template_timers
from cli.preflight.timers import receive_user_event
from cli.report.strip import Pruning
from cli.template.document import REFERENCE
from cli.template.load import load_template
from cli.template.model import Function, Template
from shared.audit.audit import AuditRules
from shared.audit.function import AuditBackupsSettings
from shared.audit.request import AuditRequest, Policy
from shared.create.request import BackupRequest
from shared.drill.function import DrillBackupsSettings
from shared.drill.request import DrillRequest
from shared.drill.schedule import Schedule
from shared.drills import is_drill
from shared.fleet import Fence, Selector
from shared.format import duration
from shared.model import Instance
from shared.prune.function import PruneBackupsSettings


RequestT = TypeVar("RequestT", bound=BaseModel)

DEFAULT = Policy(name="default", select=Selector(name="*"), expected_interval=timedelta(days=1))
"""What is expected of every instance if no policy says it: a backup a day, two hours of grace."""


@dataclass(frozen=True, slots=True)
class CreateTimer:
    """A timer of create_backup. `request` is None if it depends on a parameter without a value."""

    timer: Timer
    request: BackupRequest | None

    def backs_up(self, instance: Instance) -> bool:
        """Whether its events ask for a backup of an instance."""
        if self.request is None or is_drill(instance):
            return False
        if self.request.select:
            return self.request.select.matches(instance)
        return instance.id in self.request.instances


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """Which instances are drilled, and when."""

    schedule: Schedule
    requests: tuple[DrillRequest, ...]
    is_dry_run: bool

    def next_slot(self, instance: Instance, now: datetime) -> datetime | None:
        """Return when the next slot of an instance begins; None if it is not drilled."""
        if self.is_dry_run or not any(request.choose([instance]) for request in self.requests):
            return None
        return self.schedule.slot(instance.id, now).begin + self.schedule.interval


@dataclass(frozen=True, slots=True)
class Targets:
    """What is expected.

    Attributes:
        request: the policies of all enabled timers of audit_backups together, or else `DEFAULT`.
        fence: the backups that count; None for those of every deployment of this application.
        remarks: where the targets come from, and what could not be read.
    """

    request: AuditRequest
    rules: AuditRules
    fence: Fence | None = None
    pruning: Pruning = field(default_factory=Pruning)
    timers: tuple[Timer, ...] = ()
    creating: tuple[CreateTimer, ...] = ()
    drilling: DrillPlan | None = None
    remarks: tuple[str, ...] = ()

    def next_backups(self, instances: Iterable[Instance], now: datetime) -> dict[str, datetime]:
        """Return when a timer next asks for a backup of each instance, by its id, of those that one asks for."""
        runs = sorted((run, n) for n, one in enumerate(self.creating) for run in one.timer.next_runs(now, 1))
        found: dict[str, datetime] = {}
        for run, number in runs:
            for instance in filter(self.creating[number].backs_up, instances):
                found.setdefault(instance.id, run)
        return found


def read_targets(file: Path, values: dict[str, str], now: datetime) -> Targets:
    """Return what the template *file* expects, with the *values* of its parameters.

    Raises WrongCall for settings and schedules that are not valid, and TemplateError.
    """
    template = load_template(file, values)
    timers = {(one.function, one.name): one for one in template_timers(template, now) if one.is_enabled}
    audits = list(_functions(template, "audit_backups"))
    settings = [read_settings(AuditBackupsSettings, function) for function in audits]
    defaults = AuditBackupsSettings(NOTIFY_TOPIC_URN="urn:smn:region:project:topic")
    first = settings[0] if settings else defaults
    request, remarks = _policies(audits, file)
    prune = [read_settings(PruneBackupsSettings, function) for function in _functions(template, "prune_backups")]
    pruning = Pruning(prune[0].RETENTION, prune[0].RETENTION_TIME_ZONE) if prune and not prune[0].DRY_RUN else Pruning()
    creating = tuple(
        CreateTimer(timers[function.name, name], next(iter(requests), None))
        for function in _functions(template, "create_backup")
        for name, requests, _ in _timer_requests(function, BackupRequest)
        if (function.name, name) in timers
    )
    if any(one.request is None for one in creating):
        remarks.append(f"A timer of create_backup in {file.name} names its instances by a parameter without a value.")
    drills = next(_functions(template, "drill_backups"), None)
    return Targets(
        request,
        AuditRules(first.STUCK_AFTER, first.BACKUP_TAG, first.DRILL_MAX_AGE),
        first.fence if settings else None,
        pruning,
        tuple(timers.values()),
        creating,
        _drill_plan(drills) if drills else None,
        tuple(remarks),
    )


def _functions(template: Template, kind: str) -> Iterator[Function]:
    return (function for function in template.functions if function.code_uri.name == kind)


def _timer_requests(function: Function, model: type[RequestT]) -> Iterator[tuple[str, list[RequestT], bool]]:
    """Yield each enabled timer with its requests, and whether a parameter without a value hides them."""
    for event in function.events:
        if event.type == "TIMER" and event.status != "DISABLED":
            text = str(event.properties.get("user_event") or "")
            if REFERENCE.search(text):
                yield event.name, [], True
                continue
            received = receive_user_event(model, text).requests
            yield event.name, [one.request for one in received if isinstance(one.request, model)], False


def _policies(audits: Sequence[Function], file: Path) -> tuple[AuditRequest, list[str]]:
    """Return the policies of all timers as one request, and where they come from."""
    policies: dict[str, Policy] = {}
    elsewhere: list[Selector] = []
    hidden = []
    for function in audits:
        for name, requests, is_hidden in _timer_requests(function, AuditRequest):
            hidden += [f"{function.name} {name}"] if is_hidden else []
            for request in requests:
                elsewhere += request.covered_elsewhere
                for policy in request.policies:
                    unique = policy.name if policy.name not in policies else f"{policy.name} ({name})"
                    policies[unique] = policy.model_copy(update={"name": unique})
    remarks = [
        f"The policies of {one} in {file.name} depend on a parameter without a value: give --parameter."
        for one in hidden
    ]
    if not policies:
        target = f"{duration(DEFAULT.expected_interval)}, with {duration(DEFAULT.grace)} of grace"
        remarks.append(
            f"{file.name} has no policy that can be read: every instance should have a backup every {target}."
        )
        return AuditRequest(policies=(DEFAULT,)), remarks
    remarks.append(f"The targets are the policies of audit_backups in {file.name}.")
    chosen = tuple(policies.values())
    return AuditRequest.model_construct(policies=chosen, covered_elsewhere=tuple(elsewhere)), remarks


def _drill_plan(function: Function) -> DrillPlan:
    settings = read_settings(DrillBackupsSettings, function)
    requests = [one for _, found, _ in _timer_requests(function, DrillRequest) for one in found]
    return DrillPlan(Schedule(settings.DRILL_INTERVAL, settings.DRILL_HOURS), tuple(requests), settings.DRY_RUN)


def asked_of_all(policies: Iterable[Policy], within: timedelta) -> list[Policy]:
    """Return the policies, each asking for a verified backup, so that the last drill of every instance is looked up."""
    return [policy.model_copy(update={"verified_within": policy.verified_within or within}) for policy in policies]
