"""create_backup: from an event that names instances to a backup of each."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.backups.errors import RequestError
from shared.backups.names import name_event
from shared.backups.outcomes import EventReport, Rejection
from shared.backups.policy import CreationPolicy, OnBusy
from shared.backups.requests import BackupRequest
from shared.backups.side_by_side import BackupService, NamedRequest
from shared.runtime.running import Running
from shared.runtime.settings import Patterns, Seconds, Settings, lower
from shared.triggers.requests import Received, receive


class CreateBackupSettings(Settings):
    """The settings of create_backup.

    Attributes:
        ALLOWED_INSTANCES: patterns of the instance ids that may be backed up, separated by commas.
        STRICT_INSTANCE_IDS: refuse an instance id of unusual shape instead of warning of it.
        ON_BUSY: what to do about a busy instance: wait, skip or fail.
        SETTLING_TIME: seconds after which a backup that DDS does not list was not made.
    """

    ALLOWED_INSTANCES: Annotated[Patterns, Field(min_length=1)] = ("*",)
    STRICT_INSTANCE_IDS: bool = False
    ON_BUSY: Annotated[OnBusy, BeforeValidator(lower)] = OnBusy.WAIT
    SETTLING_TIME: Seconds = 10.0


def run(event: object, running: Running[CreateBackupSettings]) -> tuple[Received[BackupRequest], EventReport]:
    """Back up every instance that the event names, and announce what became of each."""
    settings, request_id = running.settings, running.invocation.request_id
    received = receive(event, BackupRequest, request_id=request_id)
    requests, rejected = _name(received, settings.NAME_PREFIX)
    service = BackupService(
        running.cloud.backups,
        running.cloud.jobs,
        _policy(settings),
        settings.MAX_CONCURRENCY,
        running.clock,
        running.rng,
    )
    results, rejections = service.run(
        requests,
        rejected,
        trigger=received.trigger,
        announcer=running.announcer(),
        deadline=running.invocation.deadline,
    )
    return received, EventReport(received.trigger, request_id, results, rejections, received.ignored)


def _name(received: Received[BackupRequest], prefix: str) -> tuple[list[NamedRequest], list[Rejection]]:
    """Name the backups of each request; one whose names cannot be made is rejected."""
    named: list[NamedRequest] = []
    rejected = list(received.rejected)
    for incoming in received.requests:
        try:
            names = name_event(
                incoming.request, incoming.identity, incoming.time, prefix=prefix, recurring=incoming.is_recurring
            )
        except RequestError as error:
            rejected.append(incoming.reject(error))
        else:
            named.append(NamedRequest(incoming.request, names))
    return named, rejected


def _policy(settings: CreateBackupSettings) -> CreationPolicy:
    return CreationPolicy(
        on_busy=settings.ON_BUSY,
        settling_time=settings.SETTLING_TIME,
        allowed=settings.ALLOWED_INSTANCES,
        strict_instance_ids=settings.STRICT_INSTANCE_IDS,
    )
