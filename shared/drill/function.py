"""drill_backups: restores backups to new instances, checks what came back, and deletes the instances again."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Literal, Protocol, cast

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, field_validator

from shared.drill.checks import Inspector
from shared.drill.databases import DrillInspector, Tolerance
from shared.drill.interlocks import DrillRules
from shared.drill.messages import DrillMessages
from shared.drill.report import DrillReport
from shared.drill.request import DrillRequest
from shared.drill.running import Runner
from shared.drill.schedule import Hours, Schedule, Window, read_hours
from shared.drill.service import AT_SLOT, Asked, DrillService
from shared.drill.starting import Placement, Starter
from shared.errors import InvalidRequestError, NotAllowedError, RequestError
from shared.fields import Interval
from shared.limits import MAX_FAULTS
from shared.model import Restores
from shared.runtime.invocation import Cloud, InvocationScope
from shared.runtime.settings import Settings, lower
from shared.triggers.receive import Incoming, Received, receive


_LONGEST_PERIOD = timedelta(minutes=30)
_CLOCK_SKEW = timedelta(minutes=1)


def _check_days(value: timedelta) -> timedelta:
    if value < timedelta(days=1) or value % timedelta(days=1):
        raise ValueError(f"must be a whole number of days, from 1d to 366d; found {value}")
    return value


def _check_period(value: timedelta) -> timedelta:
    if value > _LONGEST_PERIOD:
        raise ValueError(f"must be at most 30m, since a slot may be as short as an hour; found {value}")
    return value


Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Percent = Annotated[float, Field(ge=0, le=100)]


class DrillBackupsSettings(Settings):
    """The settings of drill_backups. Durations look like "30m", "6h", "30d".

    Attributes:
        DRY_RUN: only report which drills would begin. Changes nothing.
        DRILL_INTERVAL: every instance is drilled once in this time: whole days.
        DRILL_HOURS: when drills may begin, as "HH:MM-HH:MM" in UTC, at least two hours; may cross midnight.
        DRILL_PERIOD: from one run of the timer to the next; has to be the timer's rate.
        DRILL_MAX_AGE: how old the instance of a drill becomes at most; then it is deleted in whatever state it is.
        DRILL_PICK: which backup is drilled: the newest good one, or any good one.
        DRILL_RTO: how long a restore may take. A longer one is published as a warning.
        MAX_DRILL_GB: how much disk the instance of a drill may have, all shards together.
        MAX_DRILLS_PER_WEEK: how many drills may begin in seven days, of the whole project.
        DRILL_ENTERPRISE_PROJECT_ID: the enterprise project of the instances of drills. Nothing else may lie in it.
        DRILL_VPC_ID, DRILL_SUBNET_ID, DRILL_SECURITY_GROUP_ID: replace those of the source.
        DRILL_SPEC: replaces the specification of the source's nodes, unless it is a cluster.
        DRILL_CONNECT: also read the documents of the copy, for which the function needs a way into its VPC.
        DRILL_CANARY: the field, as database.collection.field, that has the time of the application's last write.
        DRILL_CA: the certificate authority of DDS for instances with TLS: the path of a PEM file, or its text.
        DRILL_TOLERANCE: percent that a healthy source may grow in a day, by which its copy may lag behind it.
        DRILL_RPO: how much older than the begin of the backup the newest data in the copy may be.
    """

    DRY_RUN: bool = True
    DRILL_INTERVAL: Annotated[Interval, AfterValidator(_check_days)] = timedelta(days=30)
    DRILL_HOURS: Annotated[Hours, PlainValidator(read_hours)] = read_hours("10:00-22:00")
    DRILL_PERIOD: Annotated[Interval, AfterValidator(_check_period)] = timedelta(minutes=5)
    DRILL_MAX_AGE: Interval = timedelta(hours=6)
    DRILL_PICK: Annotated[Literal["newest", "random"], BeforeValidator(lower)] = "newest"
    DRILL_RTO: Interval | None = None
    MAX_DRILL_GB: Annotated[int, Field(ge=10, le=100_000)] = 200
    MAX_DRILLS_PER_WEEK: Annotated[int, Field(ge=1, le=500)] = 7
    DRILL_ENTERPRISE_PROJECT_ID: Annotated[Id | None, Field(validate_default=True)] = None
    DRILL_VPC_ID: Id | None = None
    DRILL_SUBNET_ID: Id | None = None
    DRILL_SECURITY_GROUP_ID: Id | None = None
    DRILL_SPEC: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    DRILL_CONNECT: bool = False
    DRILL_CANARY: Annotated[str, Field(pattern=r"^[^.\s]{1,64}\.[^\s]{1,120}\.[^.\s]{1,64}$")] | None = None
    DRILL_CA: Annotated[str, Field(min_length=1, max_length=3000)] | None = None
    DRILL_TOLERANCE: Percent = 20.0
    DRILL_RPO: Interval | None = None

    @field_validator("DRILL_ENTERPRISE_PROJECT_ID")
    @classmethod
    def _is_known_before_anything_is_made(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("DRY_RUN") is False:
            raise ValueError("required when DRY_RUN is false: drills need an enterprise project of their own")
        return value


class DrillCloud(Cloud, Protocol):
    """Huawei Cloud for this function, which alone restores backups."""

    @property
    def restores(self) -> Restores:
        """Restoring backups to new instances, and looking after these."""


Inspect = Callable[[InvocationScope[DrillBackupsSettings], Restores], Inspector]
"""Makes the inspector of an invocation."""


def make_inspector(scope: InvocationScope[DrillBackupsSettings], restores: Restores) -> Inspector:
    """Make the inspector of an invocation by the settings. Without DRILL_CONNECT nothing of level 2 is imported."""
    settings = scope.settings
    documents = None
    if settings.DRILL_CONNECT:
        from shared.drill.connect import connector
        from shared.drill.documents import DocumentChecks, DocumentRules

        rules = DocumentRules(settings.DRILL_RPO, settings.DRILL_CANARY)
        documents = DocumentChecks(rules, scope.clock, connector(settings.DRILL_CA))
    return DrillInspector(restores.databases, scope.clock, Tolerance(settings.DRILL_TOLERANCE), documents)


def run(
    event: object, scope: InvocationScope[DrillBackupsSettings], inspect: Inspect
) -> tuple[Received[DrillRequest], DrillReport]:
    """Go on with the drills that run, begin one that is due, and publish what has to be told."""
    settings = scope.settings
    received = receive(event, DrillRequest, request_id=scope.request_id).distinct()
    rejected = list(received.rejected)
    asked: list[Asked] = []
    for incoming in received.requests:
        try:
            _check(incoming, scope)
        except RequestError as error:
            rejected.append(incoming.reject(error))
        else:
            asked.append(Asked(incoming.request, _window(incoming, settings)))
    dry_run = settings.DRY_RUN or (bool(asked) and all(one.request.dry_run for one in asked))
    # An event of the timer whose message is wrong still has to go on with the drills that run.
    needed = asked or received.trigger == "timer"
    found = _service(scope, asked, inspect).run(asked, scope.clock.now(), dry_run=dry_run) if needed else []
    rejected = [scope.notifier.publish_rejection(rejection, received.trigger) for rejection in rejected]
    report = DrillReport(received.trigger, scope.request_id, rejected, received.ignored, dry_run=dry_run, found=found)
    return received, report


def _check(incoming: Incoming[DrillRequest], scope: InvocationScope[DrillBackupsSettings]) -> None:
    """Raise RequestError for a request that can never be carried out."""
    request, fence, now = incoming.request, scope.settings.fence, scope.clock.now()
    if outside := [i for i in request.instance_ids or () if not fence.allows(i)]:
        raise NotAllowedError([f"ALLOWED_INSTANCES does not include {i}" for i in outside[:MAX_FAULTS]])
    if request.at and incoming.is_recurring:
        raise InvalidRequestError(["at: a timer drills by the schedule; send at in another event"])
    if request.at and not now - AT_SLOT < request.at <= now + _CLOCK_SKEW:
        raise InvalidRequestError([f"at: must be in the last hour; found {request.at}, and it is {now}"])


def _window(incoming: Incoming[DrillRequest], settings: DrillBackupsSettings) -> Window | None:
    is_timed = incoming.is_recurring and incoming.time
    return Window.of(incoming.time, settings.DRILL_PERIOD) if is_timed and incoming.time else None


def _service(scope: InvocationScope[DrillBackupsSettings], asked: list[Asked], inspect: Inspect) -> DrillService:
    settings, cloud = scope.settings, cast("DrillCloud", scope.cloud)
    rules = DrillRules(
        hours=settings.DRILL_HOURS,
        max_age=settings.DRILL_MAX_AGE,
        max_gb=settings.MAX_DRILL_GB,
        max_per_week=settings.MAX_DRILLS_PER_WEEK,
        enterprise_project_id=settings.DRILL_ENTERPRISE_PROJECT_ID,
        subnet_id=settings.DRILL_SUBNET_ID,
        pick=settings.DRILL_PICK,
    )
    messages = DrillMessages(scope.sender, settings.DRILL_RTO)
    runner = Runner(
        restores=cloud.restores,
        instances=cloud.instances,
        rules=rules,
        inspector=inspect(scope, cloud.restores),
        connects=settings.DRILL_CONNECT,
        new_password=_password,
        retrying=scope.dds,
        notifier=scope.notifier,
        messages=messages,
        deadline=scope.invocation.work,
        expect={source: expected for one in asked for source, expected in one.request.expect.items()},
        windows=[one.window for one in asked if one.window],
    )
    placement = Placement(
        settings.DRILL_ENTERPRISE_PROJECT_ID,
        settings.DRILL_VPC_ID,
        settings.DRILL_SUBNET_ID,
        settings.DRILL_SECURITY_GROUP_ID,
        settings.DRILL_SPEC,
    )
    starter = Starter(
        restores=cloud.restores,
        instances=cloud.instances,
        backups=cloud.backups,
        fence=settings.fence,
        schedule=Schedule(settings.DRILL_INTERVAL, settings.DRILL_HOURS),
        rules=rules,
        placement=placement,
        retrying=scope.dds,
    )
    return DrillService(
        instances=cloud.instances,
        jobs=cloud.jobs,
        backups=cloud.backups,
        fence=settings.fence,
        runner=runner,
        starter=starter,
        messages=messages,
        retrying=scope.dds,
        notifier=scope.notifier,
    )


def _password() -> str:
    """Make a password by the rules of DDS: 8 to 32 letters, digits and special characters, of each kind at least one
    (DDS API, Resetting a Password)."""
    return f"aA1-{secrets.token_urlsafe(18)}"
