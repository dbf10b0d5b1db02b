"""One run: list, plan, brake, delete."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from shared.backups.errors import CloudError
from shared.backups.ports import Backups
from shared.backups.retention.brake import Brake
from shared.backups.retention.deletion import Deletion
from shared.backups.retention.plan import Fate, Plan, Verdict, make_plan
from shared.backups.retention.request import PruneRequest
from shared.backups.retention.results import BackupResult, Failure, PrunedInstance, PruneOutcome, PruneResult
from shared.backups.retention.rules import Retention
from shared.backups.retrying import Retrying


@dataclass(frozen=True, slots=True)
class PrunePolicy:
    """What the operator of the function decides.

    Attributes:
        zone: the time zone in which days, weeks, months and years begin.
        max_deletes: how many backups may be on their way out at a time.
        dry_run: whether nothing is ever deleted.
    """

    retention: Retention
    zone: tzinfo
    max_deletes: int = 20
    dry_run: bool = True


@dataclass(frozen=True, slots=True)
class Pruning:
    """Carries out requests to prune, one after the other; holds nothing of any of them."""

    backups: Backups
    policy: PrunePolicy
    concurrency: int
    retrying: Retrying

    def run(self, request: PruneRequest, identity: tuple[str, ...], now: datetime, *, spent: int = 0) -> PruneResult:
        """Carry out one request; what the cloud does wrong ends up in the result and is not raised.

        `now` is the time to plan for, `spent` how many backups this invocation has deleted for other requests.
        """
        retention = request.retention or self.policy.retention
        result = PruneResult(
            identity=identity,
            time=now,
            retention=str(retention),
            zone=str(self.policy.zone),
            dry_run=self.policy.dry_run or request.dry_run or request.retention is not None,
            force=request.force,
        )
        try:
            listed = self.retrying.call(self.backups.list)
        except CloudError as error:
            return replace(result, failure=Failure.of(error))
        plan = make_plan(listed, retention, now, self.policy.zone, request.instance_ids)
        brake = Brake() if request.force else Brake.for_plan(plan)
        due = [verdict.backup for verdict in plan.of(Fate.DELETE) if not brake.holds(verdict.backup.instance_id)]
        due = due[: max(0, self.policy.max_deletes - max(spent, _being_deleted(plan)))]
        failures: Mapping[str, Failure | None] = {}
        if not result.dry_run:
            failures = Deletion(self.backups, self.retrying, self.concurrency).delete(due)
        done = _Done(brake, frozenset(backup.id for backup in due), failures, dry_run=result.dry_run)
        warnings = (*self._warnings(request), *_nothing_found(plan))
        return replace(result, instances=done.instances(plan), warnings=warnings)

    def _warnings(self, request: PruneRequest) -> list[str]:
        warnings = []
        if self.policy.dry_run and not request.dry_run and "dry_run" in request.model_fields_set:
            warnings.append("dry_run: false changes nothing, since DRY_RUN is on in the function's settings")
        if request.retention:
            warnings.append("a request's own retention is only tried: what is deleted, the function's settings decide")
        return warnings


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done of a plan: which backups were `due`, and of those that were tried why they are still there."""

    brake: Brake
    due: frozenset[str]
    failures: Mapping[str, Failure | None]
    dry_run: bool

    def instances(self, plan: Plan) -> tuple[PrunedInstance, ...]:
        return tuple(
            PrunedInstance(
                instance.instance_id,
                instance.instance_name,
                tuple(self._result(verdict) for verdict in instance.verdicts),
                held_back=self.brake.holds(instance.instance_id)
                and any(verdict.fate is Fate.DELETE for verdict in instance.verdicts),
            )
            for instance in plan.instances
        )

    def _result(self, verdict: Verdict) -> BackupResult:
        failure = self.failures.get(verdict.backup.id)
        return BackupResult(verdict.backup, self._outcome(verdict, failure), verdict.reasons, failure)

    def _outcome(self, verdict: Verdict, failure: Failure | None) -> PruneOutcome:
        if verdict.fate is not Fate.DELETE:
            return PruneOutcome.KEPT if verdict.fate is Fate.KEEP else PruneOutcome.PROTECTED
        if self.brake.holds(verdict.backup.instance_id):
            return PruneOutcome.HELD_BACK
        if verdict.backup.id not in self.due:
            return PruneOutcome.POSTPONED
        if self.dry_run:
            return PruneOutcome.WOULD_BE_DELETED
        if failure:
            return PruneOutcome.LEFT if failure.retryable else PruneOutcome.FAILED
        return PruneOutcome.DELETED


def _nothing_found(plan: Plan) -> list[str]:
    if not plan.instances:
        return ["there is no backup of this application: none has the key of an event at the end of its description"]
    without = [instance.instance_id for instance in plan.instances if not instance.verdicts]
    return [f"no backup of this application is of the instances {', '.join(without)}"] if without else []


def _being_deleted(plan: Plan) -> int:
    """How many backups are on their way out already: an earlier delivery of the event may have begun with them."""
    return sum(verdict.reasons == ("being_deleted",) for verdict in plan.of(Fate.PROTECT))
