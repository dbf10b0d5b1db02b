"""create_backup: from an event that names or selects instances to a backup of each."""

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.backups.errors import CloudError, RequestError
from shared.backups.fan_out import FanOut
from shared.backups.fleet import Fleet
from shared.backups.names import name_event
from shared.backups.policy import CreationPolicy, OnBusy
from shared.backups.rejections import Rejection
from shared.backups.reports import EventReport
from shared.backups.requests import BackupRequest
from shared.backups.side_by_side import BackupService, NamedRequest
from shared.runtime.running import Running
from shared.runtime.settings import Patterns, Seconds, Settings, TopicUrn, lower
from shared.triggers.requests import Incoming, Received, receive


class CreateBackupSettings(Settings):
    """The settings of create_backup.

    Attributes:
        ALLOWED_INSTANCES: patterns of the instance ids that may be backed up, separated by commas.
        STRICT_INSTANCE_IDS: refuse an instance id of unusual shape instead of warning of it.
        ON_BUSY: what to do about a busy instance: wait, skip or fail.
        SETTLING_TIME: seconds after which a backup that DDS does not list was not made.
        REQUEST_TOPIC_URN: a topic that triggers create_backup; what is too much for one invocation is handed on there.
        FAN_OUT_ABOVE: how many selected instances are the most that one invocation does itself.
        START_SPREAD: seconds over which the starts of selected instances are spread.
    """

    ALLOWED_INSTANCES: Annotated[Patterns, Field(min_length=1)] = ("*",)
    STRICT_INSTANCE_IDS: bool = False
    ON_BUSY: Annotated[OnBusy, BeforeValidator(lower)] = OnBusy.WAIT
    SETTLING_TIME: Seconds = 10.0
    REQUEST_TOPIC_URN: TopicUrn | None = None
    FAN_OUT_ABOVE: Annotated[int, Field(ge=1, le=1000)] = 50
    START_SPREAD: Annotated[float, Field(ge=0, le=300)] = 10.0


def run(event: object, running: Running[CreateBackupSettings]) -> tuple[Received[BackupRequest], EventReport]:
    """Back up every instance that the event names or selects, and announce what became of each."""
    settings, request_id = running.settings, running.invocation.request_id
    received = receive(event, BackupRequest, request_id=request_id)
    fan_out = _fan_out(running)
    plan = _plan(received, Fleet(running.cloud.instances, running.retrying()), fan_out, settings.NAME_PREFIX)
    service = BackupService(
        backups=running.cloud.backups,
        jobs=running.cloud.jobs,
        policy=_policy(settings),
        concurrency=settings.MAX_CONCURRENCY,
        fan_out=fan_out,
        spread=settings.START_SPREAD,
        clock=running.clock,
        rng=running.rng,
    )
    results, rejections = service.run(
        plan.requests,
        plan.rejected,
        trigger=received.trigger,
        announcer=running.announcer(),
        deadline=running.invocation.deadline,
    )
    report = EventReport(
        received.trigger, request_id, results, rejections, received.ignored, plan.handed_on, plan.not_handed_on
    )
    return received, report


@dataclass(slots=True)
class _Plan:
    """What this invocation does itself, and how much it has handed on."""

    requests: list[NamedRequest]
    rejected: list[Rejection]
    handed_on: int = 0
    not_handed_on: int = 0

    def take(self, named: NamedRequest, fan_out: FanOut | None) -> None:
        """Do it here, or hand on the instances of a selection that is too large for one invocation."""
        if fan_out and named.is_fleet and fan_out.is_needed_for(named.instances):
            taken = fan_out.hand_on(named.request, named.names, named.instances)
            self.handed_on += len(taken)
            self.not_handed_on += len(named.instances) - len(taken)
            named = replace(named, instances=())
        self.requests.append(named)


def _plan(received: Received[BackupRequest], fleet: Fleet, fan_out: FanOut | None, prefix: str) -> _Plan:
    """Name the backups of each request and choose its instances; one for which that fails is rejected."""
    plan = _Plan([], list(received.rejected))
    for incoming in received.requests:
        try:
            plan.take(_name(incoming, fleet, prefix), fan_out)
        except (RequestError, CloudError) as error:
            plan.rejected.append(incoming.reject(error))
    return plan


def _name(incoming: Incoming[BackupRequest], fleet: Fleet, prefix: str) -> NamedRequest:
    request = incoming.request
    names = name_event(request, incoming.identity, incoming.time, prefix=prefix, recurring=incoming.is_recurring)
    if request.select is None:
        return NamedRequest(request, names, request.instances, is_fleet=bool(request.handed_on))
    selection = fleet.select(request.select)
    return NamedRequest(request, names, selection.instances, selection.skipped, is_fleet=True)


def _fan_out(running: Running[CreateBackupSettings]) -> FanOut | None:
    settings = running.settings
    if settings.REQUEST_TOPIC_URN is None:
        return None
    topic = running.cloud.topic_at(settings.REQUEST_TOPIC_URN)
    return FanOut(replace(running.announcer(), topic=topic), settings.FAN_OUT_ABOVE)


def _policy(settings: CreateBackupSettings) -> CreationPolicy:
    return CreationPolicy(
        on_busy=settings.ON_BUSY,
        settling_time=settings.SETTLING_TIME,
        allowed=settings.ALLOWED_INSTANCES,
        strict_instance_ids=settings.STRICT_INSTANCE_IDS,
    )
