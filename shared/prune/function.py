"""prune_backups: deletes the backups of this application that no retention rule keeps."""

from datetime import timezone, tzinfo
from typing import Annotated

from pydantic import Field, PlainValidator

from shared.errors import NotAllowedError
from shared.limits import MAX_FAULTS
from shared.prune.daily_limit import DailyLimit
from shared.prune.report import PruneItem, PruneReport, run_notification
from shared.prune.request import PruneRequest, RetentionText
from shared.prune.retention import read_retention, read_zone
from shared.prune.run import PrunePolicy, Pruner, VerifiedBackups
from shared.runtime.invocation import InvocationScope
from shared.runtime.settings import Settings
from shared.triggers.receive import Received, receive


class PruneBackupsSettings(Settings):
    """The settings of prune_backups.

    Attributes:
        RETENTION: which backups of each instance are kept, such as "last=3 daily=7 weekly=4 max_age=400d".
        RETENTION_TIME_ZONE: the IANA name of the zone in which days, weeks, months and years begin.
        MAX_DELETES: how many backups are deleted a day at most, the oldest first.
        DRY_RUN: only report what would be deleted.
    """

    RETENTION: RetentionText = read_retention("last=3 daily=7 weekly=4 monthly=12")
    RETENTION_TIME_ZONE: Annotated[tzinfo, PlainValidator(read_zone)] = timezone.utc
    MAX_DELETES: Annotated[int, Field(ge=1, le=10_000)] = 20
    DRY_RUN: bool = True


def run(event: object, scope: InvocationScope[PruneBackupsSettings]) -> tuple[Received[PruneRequest], PruneReport]:
    """Carry out each request of the event, and publish each run."""
    received = receive(event, PruneRequest, request_id=scope.request_id).distinct()
    fence, pruner = scope.settings.fence, _pruner(scope)
    rejected = list(received.rejected)
    items: list[PruneItem] = []
    for incoming in received.requests:
        if outside := [i for i in incoming.request.instance_ids or () if not fence.allows(i)]:
            faults = [f"ALLOWED_INSTANCES does not include {instance_id}" for instance_id in outside[:MAX_FAULTS]]
            rejected.append(incoming.reject(NotAllowedError(faults)))
            continue
        clock_time = scope.clock.now()
        # Never later than the clock: a wrong time in an event must not make backups older than they are.
        now = min(incoming.time or clock_time, clock_time)
        pruned = pruner.prune(incoming.request, incoming.identity, now)
        notification = run_notification(pruned, scope.sender, scope.clock.now())
        items.append(PruneItem(pruned, notified=scope.notifier.publish(notification)))
    rejected = [scope.notifier.publish_rejection(rejection, received.trigger) for rejection in rejected]
    return received, PruneReport(received.trigger, scope.request_id, rejected, received.ignored, runs=items)


def _pruner(scope: InvocationScope[PruneBackupsSettings]) -> Pruner:
    settings, fence = scope.settings, scope.settings.fence
    policy = PrunePolicy(
        retention=settings.RETENTION,
        zone=settings.RETENTION_TIME_ZONE,
        dry_run=settings.DRY_RUN,
    )
    limit = DailyLimit(settings.MAX_DELETES, scope.cloud.jobs, scope.dds, fence.allows)
    verified = VerifiedBackups(scope.cloud.jobs, scope.dds)
    return Pruner(fence.backups(scope.cloud.backups), policy, limit, verified, settings.MAX_CONCURRENCY, scope.dds)
