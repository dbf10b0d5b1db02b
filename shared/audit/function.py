"""audit_backups: finds the backups that should have happened and did not."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from shared.audit.audit import AuditRules
from shared.audit.report import AuditReport
from shared.audit.request import AuditRequest
from shared.audit.service import AuditService, DueAudit
from shared.fields import Interval
from shared.runtime.invocation import InvocationScope
from shared.runtime.settings import Settings
from shared.triggers.receive import Incoming, Received, receive


_MOST_EVENT_AGE = timedelta(days=1)  # FunctionGraph API, Configuring Asynchronous Invocation: the event's maximum age


class AuditBackupsSettings(Settings):
    """The settings of audit_backups.

    Attributes:
        STUCK_AFTER: how long a backup may be BUILDING: "90m", "6h", "1d" or ISO 8601.
        BACKUP_TAG: the key of the tag that marks an instance for backup.
        MAX_FINDINGS_PUBLISHED: how many findings are published one by one; above that only the report is published.
        DRILL_MAX_AGE: how old the instance of a restore drill becomes at most, as in the settings of drill_backups.
    """

    STUCK_AFTER: Interval = timedelta(hours=6)
    BACKUP_TAG: Annotated[str, Field(min_length=1, max_length=36)] = "backup"
    MAX_FINDINGS_PUBLISHED: Annotated[int, Field(ge=0, le=1000)] = 50
    DRILL_MAX_AGE: Interval = timedelta(hours=6)


def run(event: object, scope: InvocationScope[AuditBackupsSettings]) -> tuple[Received[AuditRequest], AuditReport]:
    """Do every audit that the event asks for, and publish what each found."""
    settings, fence = scope.settings, scope.settings.fence
    received = receive(event, AuditRequest, request_id=scope.request_id).distinct()
    service = AuditService(
        fence.instances(scope.cloud.instances),
        fence.backups(scope.cloud.backups),
        scope.cloud.jobs,
        AuditRules(settings.STUCK_AFTER, settings.BACKUP_TAG, settings.DRILL_MAX_AGE),
        settings.MAX_FINDINGS_PUBLISHED,
        settings.MAX_CONCURRENCY,
        scope.dds,
        scope.notifier,
    )
    now = scope.clock.now()
    results = service.run([DueAudit(one.request, one.identity, _audit_time(one, now)) for one in received.requests])
    rejected = [scope.notifier.publish_rejection(rejection, received.trigger) for rejection in received.rejected]
    return received, AuditReport(received.trigger, scope.request_id, rejected, received.ignored, audits=results)


def _audit_time(incoming: Incoming[AuditRequest], now: datetime) -> datetime:
    """Return the time for which to audit: when a timer was due, otherwise `now`.

    A time more than a day from the clock is not believed, nor one that the sender of a message chose: as of last year
    all may have been well. A time ahead of the clock is replaced by the clock.
    """
    if not incoming.is_recurring or incoming.time is None or abs(now - incoming.time) > _MOST_EVENT_AGE:
        return now
    return min(incoming.time, now)
