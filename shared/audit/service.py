"""Does the audits of an event: lists DDS once for all of them, and publishes what each found."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from shared.audit.audit import Audit, AuditRules, judge
from shared.audit.report import AuditNotifications, AuditResult
from shared.audit.request import AuditRequest
from shared.drills import Verified, read_verified
from shared.errors import CloudError
from shared.model import Backup, Backups, Instance, Instances, Jobs
from shared.notify import Notifier
from shared.retry import Retrying


@dataclass(frozen=True, slots=True)
class DueAudit:
    """An audit that an event asks for.

    Attributes:
        identity: identifies the event; the same at every redelivery.
        time: the moment of the audit. For a timer, it is when the timer was due.
    """

    request: AuditRequest
    identity: Sequence[str]
    time: datetime


@dataclass(frozen=True, slots=True)
class AuditService:
    """Does audits.

    Attributes:
        most_findings: how many findings are published one by one; above that only the report is published.
        concurrency: how many notifications are published at a time.
    """

    instances: Instances
    backups: Backups
    jobs: Jobs
    rules: AuditRules
    most_findings: int
    concurrency: int
    retrying: Retrying
    notifier: Notifier

    def run(self, audits: Sequence[DueAudit]) -> list[AuditResult]:
        """Do each audit and publish what it found, in the given order. Errors of the cloud are not raised."""
        if not audits:
            return []
        try:
            instances, backups = self._list()
        except CloudError as error:
            return [self._fail(due, error) for due in audits]
        asked = any(policy.verified_within for due in audits for policy in due.request.policies)
        verified = self._read_verified() if asked else ()
        return [self._audit(due, instances, backups, verified) for due in audits]

    def _list(self) -> tuple[Sequence[Instance], Sequence[Backup]]:
        # All manual backups: a window would hide whether an instance never had one, and backups of deleted instances.
        # Backups are listed last, so that no backup belongs to an instance that was made after the first list.
        return self.retrying.call(self.instances.list), self.retrying.call(self.backups.list)

    def _read_verified(self) -> Sequence[Verified] | CloudError:
        """Read which backups drills have verified. Without the task list the rest of the audit is done all the same."""
        try:
            return read_verified(self.jobs, self.retrying)
        except CloudError as error:
            return error

    def _audit(
        self,
        due: DueAudit,
        instances: Sequence[Instance],
        backups: Sequence[Backup],
        verified: Sequence[Verified] | CloudError,
    ) -> AuditResult:
        audit = judge(due.request, instances, backups, verified, self.rules, due.time)
        notifications = self._notifications(due)
        findings = len(audit.missed) + len(audit.uncovered) + len(audit.unverified) + len(audit.leaked_drills)
        one_by_one = findings <= self.most_findings
        notification, data = notifications.report(audit, findings_published=one_by_one)
        # The report comes first, so that the verdict is published even if the time is over before the last finding.
        notified = self.notifier.publish(notification)
        published = self._publish_findings(audit, notifications) if one_by_one else 0
        return AuditResult(data, notified=notified, unpublished=findings - published if one_by_one else 0)

    def _publish_findings(self, audit: Audit, build: AuditNotifications) -> int:
        """Publish the findings about instances; return how many notifications SMN accepted."""
        notifications = [build.missed(judgement) for judgement in audit.missed]
        notifications += [build.uncovered(instance, audit.time) for instance in audit.uncovered]
        notifications += [build.unverified(proof) for proof in audit.unverified]
        notifications += [build.leaked(drill) for drill in audit.leaked_drills]
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="announce") as pool:
            return sum(pool.map(self.notifier.publish, notifications))

    def _fail(self, due: DueAudit, error: CloudError) -> AuditResult:
        notification, data = self._notifications(due).failure(error, due.time)
        return AuditResult(data, error=error, notified=self.notifier.publish(notification))

    def _notifications(self, due: DueAudit) -> AuditNotifications:
        return AuditNotifications(due.identity, self.notifier.sender, self.notifier.clock.now())
