"""create_backup: makes a backup of every instance that an event names or selects."""

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.create.creation import CreationPolicy, OnBusy
from shared.create.hand_off import HandOff
from shared.create.report import CreateReport, InstanceResult, Outcome
from shared.create.request import BackupRequest
from shared.create.service import BackupService, NamedRequest
from shared.errors import CloudError, RequestError
from shared.fleet import Fleet
from shared.identity import EventNames, name_event
from shared.model import Instance
from shared.notify import Rejection
from shared.runtime.invocation import InvocationScope
from shared.runtime.settings import Patterns, Seconds, Settings, TopicUrn, lower
from shared.triggers.receive import Incoming, Received, receive


class CreateBackupSettings(Settings):
    """The settings of create_backup.

    Attributes:
        ALLOWED_INSTANCES: patterns of the instance ids that may be backed up, separated by commas.
        STRICT_INSTANCE_IDS: refuse an instance id of unusual shape instead of warning about it.
        ON_BUSY: what to do about a busy instance: wait, skip or fail.
        SETTLING_TIME: seconds after which a backup that DDS does not list was not made.
        REQUEST_TOPIC_URN: a topic that triggers create_backup; work that is too much for one invocation is handed off
            there.
        FAN_OUT_ABOVE: how many selected instances one invocation backs up itself at most.
        START_SPREAD: seconds over which the starts of selected instances are spread.
    """

    ALLOWED_INSTANCES: Annotated[Patterns, Field(min_length=1)] = ("*",)
    STRICT_INSTANCE_IDS: bool = False
    ON_BUSY: Annotated[OnBusy, BeforeValidator(lower)] = OnBusy.WAIT
    SETTLING_TIME: Seconds = 10.0
    REQUEST_TOPIC_URN: TopicUrn | None = None
    FAN_OUT_ABOVE: Annotated[int, Field(ge=1, le=1000)] = 50
    START_SPREAD: Annotated[float, Field(ge=0, le=300)] = 10.0


def run(event: object, scope: InvocationScope[CreateBackupSettings]) -> tuple[Received[BackupRequest], CreateReport]:
    """Back up every instance that the event names or selects, and publish each outcome."""
    settings = scope.settings
    received = receive(event, BackupRequest, request_id=scope.request_id)
    hand_off = _hand_off(scope)
    plan = _plan(received, Fleet(scope.cloud.instances, scope.dds), hand_off, settings.NAME_PREFIX)
    service = BackupService(
        backups=scope.cloud.backups,
        jobs=scope.cloud.jobs,
        policy=CreationPolicy(
            on_busy=settings.ON_BUSY,
            settling_time=settings.SETTLING_TIME,
            allowed=settings.ALLOWED_INSTANCES,
            strict_instance_ids=settings.STRICT_INSTANCE_IDS,
        ),
        concurrency=settings.MAX_CONCURRENCY,
        hand_off=hand_off,
        spread=settings.START_SPREAD,
        retrying=scope.dds,
        notifier=scope.notifier,
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
            accepted = set(hand_off.publish(named.request, named.names, named.instances))
            self.handed_on += len(accepted)
            named = replace(named, instances=tuple(i for i in named.instances if i not in accepted))
        self.requests.append(named)


def _plan(received: Received[BackupRequest], fleet: Fleet, hand_off: HandOff | None, prefix: str) -> _Plan:
    """Name the backups of each request and select its instances. A request for which that fails is rejected."""
    plan = _Plan([], list(received.rejected))
    for incoming in received.requests:
        try:
            plan.add(_name(incoming, fleet, prefix), hand_off)
        except (RequestError, CloudError) as error:
            plan.rejected.append(incoming.reject(error))
    return plan


def _name(incoming: Incoming[BackupRequest], fleet: Fleet, prefix: str) -> NamedRequest:
    request = incoming.request
    if handed_on := request.handed_on:
        names = EventNames(handed_on.stem, handed_on.key, handed_on.exact)
    else:
        names = name_event(
            incoming.identity,
            incoming.time,
            prefix=prefix,
            wanted=request.wanted_name,
            single=len(request.instances) == 1,
            recurring=incoming.is_recurring,
        )
    if request.select is None:
        return NamedRequest(request, names, request.instances, is_fleet=bool(request.handed_on))
    selected = fleet.select(request.select)
    return NamedRequest(
        request,
        names,
        tuple(instance.id for instance in selected if _is_ready(instance)),
        tuple(_skip(instance) for instance in selected if not _is_ready(instance)),
        is_fleet=True,
    )


def _is_ready(instance: Instance) -> bool:
    """Whether an instance can be backed up (DDS API, Creating a Manual Backup; user guide, prerequisites)."""
    return instance.status == "normal"


def _skip(instance: Instance) -> InstanceResult:
    message = f"the instance {instance.name} is {instance.status}; only a normal one can be backed up"
    return InstanceResult(instance.id, Outcome.SKIPPED, code="instance_status", message=message)


def _hand_off(scope: InvocationScope[CreateBackupSettings]) -> HandOff | None:
    settings = scope.settings
    if settings.REQUEST_TOPIC_URN is None:
        return None
    topic = scope.cloud.topic_at(settings.REQUEST_TOPIC_URN)
    return HandOff(scope.notifier.to(topic), settings.FAN_OUT_ABOVE)
