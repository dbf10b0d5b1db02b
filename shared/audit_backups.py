"""audit_backups: from what is expected and what DDS lists to the backups that did not happen."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from shared.backups.coverage.auditing import AuditService, DueAudit
from shared.backups.coverage.judging import AuditRules
from shared.backups.coverage.report import AuditReport
from shared.backups.coverage.request import AuditRequest
from shared.backups.requests import Interval
from shared.runtime.running import Running
from shared.runtime.settings import Settings
from shared.triggers.requests import Received, receive


class AuditBackupsSettings(Settings):
    """The settings of audit_backups.

    Attributes:
        STUCK_AFTER: how long a backup may be BUILDING: "90m", "6h", "1d" or ISO 8601.
        BACKUP_TAG: the key of the tag that says that an instance is to be backed up.
        MAX_FINDINGS_PUBLISHED: how many instances are announced each by itself; of more only the report is published.
    """

    STUCK_AFTER: Interval = timedelta(hours=6)
    BACKUP_TAG: Annotated[str, Field(min_length=1, max_length=36)] = "backup"
    MAX_FINDINGS_PUBLISHED: Annotated[int, Field(ge=0, le=1000)] = 50


def run(event: object, running: Running[AuditBackupsSettings]) -> tuple[Received[AuditRequest], AuditReport]:
    """Do every audit that the event asks for, and announce what each found."""
    settings, request_id = running.settings, running.invocation.request_id
    received = receive(event, AuditRequest, request_id=request_id)
    service = AuditService(
        running.cloud.instances,
        running.cloud.backups,
        AuditRules(settings.STUCK_AFTER, settings.BACKUP_TAG),
        settings.MAX_FINDINGS_PUBLISHED,
        settings.MAX_CONCURRENCY,
        running.retrying(),
    )
    now = running.clock.now()
    audits = [DueAudit(found.request, found.identity, found.time or now) for found in received.requests]
    announcer = running.announcer()
    results = service.run(audits, announcer)
    rejected = [announcer.reject(rejection, received.trigger) for rejection in received.rejected]
    return received, AuditReport(received.trigger, request_id, results, rejected, received.ignored)
