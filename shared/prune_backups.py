"""prune_backups: deletes the backups of this application that no rule of retention keeps."""

from dataclasses import replace
from datetime import timezone, tzinfo
from typing import Annotated

from pydantic import Field, PlainValidator

from shared.backups.retention.pruning import PrunePolicy, Pruning
from shared.backups.retention.report import PruneReport, announce_run
from shared.backups.retention.request import PruneRequest, RetentionText
from shared.backups.retention.results import PruneOutcome, PruneResult
from shared.backups.retention.rules import read_retention
from shared.backups.retention.zones import read_zone
from shared.runtime.running import Running
from shared.runtime.settings import Settings
from shared.triggers.requests import Received, receive


class PruneBackupsSettings(Settings):
    """The settings of prune_backups.

    Attributes:
        RETENTION: which backups of each instance are kept, such as "last=3 daily=7 weekly=4 max_age=400d".
        RETENTION_TIME_ZONE: the IANA name of the zone in which days, weeks, months and years begin.
        MAX_DELETES: how many backups a run deletes at most, the oldest first.
        DRY_RUN: say only what would be deleted.
    """

    RETENTION: RetentionText = read_retention("last=3 daily=7 weekly=4 monthly=12")
    RETENTION_TIME_ZONE: Annotated[tzinfo, PlainValidator(read_zone)] = timezone.utc
    MAX_DELETES: Annotated[int, Field(ge=1, le=10_000)] = 20
    DRY_RUN: bool = True


def run(event: object, running: Running[PruneBackupsSettings]) -> tuple[Received[PruneRequest], PruneReport]:
    """Prune what each request of the event means, and announce each run."""
    request_id = running.invocation.request_id
    received = receive(event, PruneRequest, request_id=request_id)
    announcer = running.announcer()
    rejected = [announcer.reject(rejection, received.trigger) for rejection in received.rejected]
    pruning = _pruning(running)
    runs: list[PruneResult] = []
    for incoming in received.requests:
        clock_time = running.clock.now()
        # Never later than the clock: a slip in an event's time must not make backups older than they are.
        now = min(incoming.time or clock_time, clock_time)
        spent = sum(len(run.results(PruneOutcome.DELETED)) for run in runs)
        result = pruning.run(incoming.request, incoming.identity, now, spent=spent)
        notification = announce_run(result, running.sender, running.clock.now())
        runs.append(replace(result, notified=announcer.announce(notification)))
    return received, PruneReport(received.trigger, request_id, runs, rejected, received.ignored)


def _pruning(running: Running[PruneBackupsSettings]) -> Pruning:
    settings = running.settings
    policy = PrunePolicy(
        retention=settings.RETENTION,
        zone=settings.RETENTION_TIME_ZONE,
        max_deletes=settings.MAX_DELETES,
        dry_run=settings.DRY_RUN,
    )
    return Pruning(running.cloud.backups, policy, settings.MAX_CONCURRENCY, running.retrying())
