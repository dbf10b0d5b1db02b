"""create_backup: makes a backup of every instance that an event names or selects."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.create.creation import CreationPolicy, OnBusy
from shared.create.hand_off import HandOff
from shared.create.report import CreateReport, InstanceResult, Outcome
from shared.create.request import BackupRequest, HandedOn
from shared.create.service import BackupService, NamedRequest
from shared.errors import CloudError, InvalidRequestError, RequestError, TooManyInstancesError
from shared.fields import Interval
from shared.fleet import Fleet
from shared.format import timestamp
from shared.identity import name_event
from shared.model import Instance
from shared.notify import Rejection
from shared.runtime.invocation import InvocationScope
from shared.runtime.settings import Seconds, Settings, TopicUrn, lower
from shared.triggers.receive import Incoming, Received, receive


_CLOCK_SKEW = timedelta(minutes=5)  # how far an event's time may be ahead of the clock


class CreateBackupSettings(Settings):
    """The settings of create_backup.

    Attributes:
        STRICT_INSTANCE_IDS: refuse an instance id of unusual shape instead of warning about it.
        ON_BUSY: what to do about a busy instance: wait, skip or fail.
        SETTLING_TIME: seconds after which a backup that DDS does not list was not made.
        REQUEST_TOPIC_URN: a topic that triggers create_backup; work that is too much for one invocation is handed off
            there.
        FAN_OUT_ABOVE: how many selected instances one invocation backs up itself at most.
        START_SPREAD: seconds over which the starts of selected instances are spread.
        MIN_INTERVAL: skip instances that have a younger good backup, whatever a request says.
        MAX_INSTANCES: how many instances an event may name and select in all.
    """

    STRICT_INSTANCE_IDS: bool = False
    ON_BUSY: Annotated[OnBusy, BeforeValidator(lower)] = OnBusy.WAIT
    SETTLING_TIME: Seconds = 10.0
    REQUEST_TOPIC_URN: TopicUrn | None = None
    FAN_OUT_ABOVE: Annotated[int, Field(ge=1, le=1000)] = 50
    START_SPREAD: Annotated[float, Field(ge=0, le=300)] = 10.0
    MIN_INTERVAL: Interval | None = None
    MAX_INSTANCES: Annotated[int, Field(ge=1, le=10_000)] = 10_000


def run(event: object, scope: InvocationScope[CreateBackupSettings]) -> tuple[Received[BackupRequest], CreateReport]:
    """Back up every instance that the event names or selects, and publish each outcome."""
    settings = scope.settings
    received = receive(event, BackupRequest, request_id=scope.request_id)
    hand_off = _hand_off(scope)
    plan = _plan(received, scope, hand_off)
    service = BackupService(
        backups=scope.cloud.backups,
        jobs=scope.cloud.jobs,
        policy=CreationPolicy(
            on_busy=settings.ON_BUSY,
            settling_time=settings.SETTLING_TIME,
            fence=settings.fence,
            min_interval=settings.MIN_INTERVAL,
            strict_instance_ids=settings.STRICT_INSTANCE_IDS,
        ),
        concurrency=settings.MAX_CONCURRENCY,
        hand_off=hand_off,
        spread=settings.START_SPREAD,
        retrying=scope.dds,
        notifier=scope.notifier,
        workers=scope.workers,
    )
    results, rejections = service.run(plan.requests, plan.rejected, trigger=received.trigger)
    report = CreateReport(
        received.trigger,
        scope.request_id,
        rejections,
        received.ignored,
        results=results,
        handed_on=plan.handed_on,
    )
    return received, report


@dataclass(slots=True)
class _Plan:
    """What this invocation does itself, and how many instances it has handed off."""

    requests: list[NamedRequest]
    rejected: list[Rejection]
    handed_on: int = 0

    def add(self, named: NamedRequest, hand_off: HandOff | None) -> None:
        """Add a request. A selection that is too large for one invocation is handed off, if the topic accepts it."""
        if hand_off and named.is_fleet and hand_off.is_needed_for(named.instances):
            accepted = set(hand_off.publish(named.request, named.event, named.instances))
            self.handed_on += len(accepted)
            named = replace(named, instances=tuple(i for i in named.instances if i not in accepted))
        self.requests.append(named)


def _plan(
    received: Received[BackupRequest], scope: InvocationScope[CreateBackupSettings], hand_off: HandOff | None
) -> _Plan:
    """Name the backups of each request and select its instances. A request for which that fails is rejected."""
    fleet = Fleet(scope.settings.fence.instances(scope.cloud.instances), scope.dds)
    plan = _Plan([], list(received.rejected))
    left = scope.settings.MAX_INSTANCES
    for incoming in received.requests:
        try:
            named = _name(incoming, fleet, scope)
            left -= _count(named, left)
            plan.add(named, hand_off)
        except (RequestError, CloudError) as error:
            plan.rejected.append(incoming.reject(error))
    drills = fleet.drills()
    plan.requests = [_without_drills(named, drills) for named in plan.requests]
    return plan


def _count(named: NamedRequest, left: int) -> int:
    """Count the instances of a request.

    Raises:
        TooManyInstancesError: the event has more than MAX_INSTANCES.
    """
    count = len(named.instances) + len(named.skipped)
    if count > left:
        raise TooManyInstancesError([f"{count:,} instances are more than the {left:,} that MAX_INSTANCES leaves"])
    return count


def _name(
    incoming: Incoming[BackupRequest], fleet: Fleet, scope: InvocationScope[CreateBackupSettings]
) -> NamedRequest:
    request, event = incoming.request, _event(incoming, scope.settings)
    if event.time and event.time > scope.clock.now() + _CLOCK_SKEW:
        raise InvalidRequestError([f"the event's time is in the future: {timestamp(event.time)}"])
    names = name_event(
        event.identity,
        event.time,
        prefix=scope.settings.NAME_PREFIX,
        wanted=request.wanted_name,
        single=event.single,
        recurring=event.recurring,
        stack=scope.settings.STACK,
    )
    if request.select is None:
        return NamedRequest(request, event, names, request.instances, is_fleet=bool(request.handed_on))
    selected = fleet.select(request.select)
    return NamedRequest(
        request,
        event,
        names,
        tuple(instance.id for instance in selected if _is_ready(instance)),
        tuple(_skip(instance) for instance in selected if not _is_ready(instance)),
        is_fleet=True,
        instance_names={instance.id: instance.name for instance in selected},
    )


def _event(incoming: Incoming[BackupRequest], settings: CreateBackupSettings) -> HandedOn:
    """Return what identifies the event of a request, also of one whose instances were handed off.

    Raises:
        InvalidRequestError: instances were handed off on another way than the request topic.
    """
    request = incoming.request
    if request.handed_on is None:
        single = len(request.instances) == 1
        return HandedOn(identity=incoming.identity, time=incoming.time, recurring=incoming.is_recurring, single=single)
    if settings.REQUEST_TOPIC_URN is None or incoming.topic_urn != settings.REQUEST_TOPIC_URN:
        raise InvalidRequestError(["handed_on: only messages of the topic REQUEST_TOPIC_URN may have it"])
    return request.handed_on


def _is_ready(instance: Instance) -> bool:
    """Whether an instance can be backed up (DDS API, Creating a Manual Backup; user guide, prerequisites)."""
    return instance.status == "normal"


def _skip(instance: Instance) -> InstanceResult:
    message = f"the instance {instance.name} is {instance.status}; only a normal one can be backed up"
    return InstanceResult(instance.id, Outcome.SKIPPED, code="instance_status", message=message)


def _without_drills(named: NamedRequest, drills: Mapping[str, Instance]) -> NamedRequest:
    """Skip the named instances that are known to be of restore drills. A selector selects none of them."""
    found = [drills[instance_id] for instance_id in named.instances if instance_id in drills]
    if not found:
        return named
    return replace(
        named,
        instances=tuple(instance_id for instance_id in named.instances if instance_id not in drills),
        skipped=(*named.skipped, *map(_skip_drill, found)),
        instance_names={**named.instance_names, **{instance.id: instance.name for instance in found}},
    )


def _skip_drill(instance: Instance) -> InstanceResult:
    message = f"the instance {instance.name} is a restore drill's copy of another one and is deleted after the drill"
    return InstanceResult(instance.id, Outcome.SKIPPED, code="drill", message=message)


def _hand_off(scope: InvocationScope[CreateBackupSettings]) -> HandOff | None:
    settings = scope.settings
    if settings.REQUEST_TOPIC_URN is None:
        return None
    topic = scope.cloud.topic_at(settings.REQUEST_TOPIC_URN)
    return HandOff(scope.notifier.to(topic), settings.FAN_OUT_ABOVE)
