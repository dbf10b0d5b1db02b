"""Audits asked for by an event: DDS is listed once for all of them, and each is announced."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from shared.backups.announcing import Announcer
from shared.backups.coverage.announcements import Occasion
from shared.backups.coverage.findings import Audit
from shared.backups.coverage.judging import AuditRules, judge
from shared.backups.coverage.report import AuditResult
from shared.backups.coverage.request import AuditRequest
from shared.backups.errors import CloudError
from shared.backups.ports import Backup, Backups, Instance, Instances
from shared.backups.retrying import Retrying


@dataclass(frozen=True, slots=True)
class DueAudit:
    """An audit that an event asks for.

    Attributes:
        identity: of the event, the same at every redelivery.
        time: as of when; a timer's tick says it.
    """

    request: AuditRequest
    identity: Sequence[str]
    time: datetime


@dataclass(frozen=True, slots=True)
class AuditService:
    """Audits whole events; holds nothing of any of them.

    Attributes:
        most_findings: how many instances are announced each by itself; of more only the report is published.
        concurrency: how many notifications are published at a time.
    """

    instances: Instances
    backups: Backups
    rules: AuditRules
    most_findings: int
    concurrency: int
    retrying: Retrying

    def run(self, audits: Sequence[DueAudit], announcer: Announcer) -> list[AuditResult]:
        """Do each audit and announce what it found; in the order given. What the cloud does wrong is not raised."""
        if not audits:
            return []
        try:
            instances, backups = self._list()
        except CloudError as error:
            return [_fail(due, error, announcer) for due in audits]
        return [self._audit(due, instances, backups, announcer) for due in audits]

    def _list(self) -> tuple[Sequence[Instance], Sequence[Backup]]:
        # All manual backups, not those of a window: only so are "never had one" and "the newest is of last spring" told
        # apart, and backups of deleted instances found. The backups last: of an instance made meanwhile none is listed.
        return self.retrying.call(self.instances.list), self.retrying.call(self.backups.list)

    def _audit(
        self, due: DueAudit, instances: Sequence[Instance], backups: Sequence[Backup], announcer: Announcer
    ) -> AuditResult:
        audit = judge(due.request, instances, backups, self.rules, due.time)
        occasion = _occasion(due, announcer)
        findings = len(audit.missed) + len(audit.uncovered)
        each = findings <= self.most_findings
        notification, data = occasion.report(audit, findings_published=each)
        # The report first: if the time is over before the last finding, the verdict is out.
        notified = announcer.announce(notification)
        published = self._announce_each(audit, occasion, announcer) if each else 0
        return AuditResult(data, notified=notified, unpublished=findings - published if each else 0)

    def _announce_each(self, audit: Audit, occasion: Occasion, announcer: Announcer) -> int:
        """How many notifications about instances SMN took."""
        notifications = [occasion.missed(judgement) for judgement in audit.missed]
        notifications += [occasion.uncovered(instance, audit.time) for instance in audit.uncovered]
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="announce") as pool:
            return sum(pool.map(announcer.announce, notifications))


def _fail(due: DueAudit, error: CloudError, announcer: Announcer) -> AuditResult:
    notification, data = _occasion(due, announcer).failure(error, due.time)
    return AuditResult(data, error=error, notified=announcer.announce(notification))


def _occasion(due: DueAudit, announcer: Announcer) -> Occasion:
    return Occasion(due.identity, announcer.sender, announcer.clock.now())
