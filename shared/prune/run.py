"""One run: list, plan, guard, delete, and what became of each backup."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from enum import Enum
from functools import cached_property

from shared.drills import is_of_drill, read_verified
from shared.errors import CloudError
from shared.model import Backup, Backups, Jobs
from shared.prune.daily_limit import Allowance, DailyLimit
from shared.prune.deletion import Deletion, Failure
from shared.prune.plan import Fate, MassDeletionGuard, Plan, Verdict, make_plan
from shared.prune.request import PruneRequest
from shared.prune.retention import Retention
from shared.retry import Retrying


class PruneOutcome(str, Enum):
    """What became of one backup."""

    KEPT = "KEPT"
    PROTECTED = "PROTECTED"
    DELETED = "DELETED"
    WOULD_BE_DELETED = "WOULD_BE_DELETED"
    POSTPONED = "POSTPONED"
    HELD_BACK = "HELD_BACK"
    LEFT = "LEFT"
    FAILED = "FAILED"


class RunOutcome(str, Enum):
    """What became of a whole run, the worst first."""

    FAILED = "FAILED"
    UNFINISHED = "UNFINISHED"
    DRY_RUN = "DRY_RUN"
    HELD_BACK = "HELD_BACK"
    PRUNED = "PRUNED"


@dataclass(frozen=True, slots=True)
class BackupResult:
    """What became of one backup.

    Attributes:
        reasons: as in the plan's verdict.
        failure: why a backup that should have been deleted was not.
    """

    backup: Backup
    outcome: PruneOutcome
    reasons: tuple[str, ...]
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class PrunedInstance:
    """What became of the backups of one instance, the newest first.

    Attributes:
        held_back: whether the mass-deletion guard holds back any of them.
    """

    instance_id: str
    instance_name: str
    results: tuple[BackupResult, ...]
    held_back: bool = False

    def counts(self) -> "Counter[PruneOutcome]":
        """Count the backups by outcome."""
        return Counter(result.outcome for result in self.results)


@dataclass(frozen=True, slots=True)
class PruneRun:
    """What became of one run.

    Attributes:
        identity: identifies the request; the same at a redelivery.
        time: the time for which the plan was made.
        retention: the rules as they are written.
        zone: the time zone of their periods.
        allowance: how many backups the run may delete; None if the backups could not be listed.
        warnings: what is unusual but stopped nothing.
        failure: why the backups could not even be listed.
    """

    identity: tuple[str, ...]
    time: datetime
    retention: str
    zone: str
    dry_run: bool = True
    force: bool = False
    instances: tuple[PrunedInstance, ...] = ()
    allowance: Allowance | None = None
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None

    def results(self, *outcomes: PruneOutcome) -> list[BackupResult]:
        """Return the backups with any of these outcomes, the oldest first."""
        found = (result for instance in self.instances for result in instance.results if result.outcome in outcomes)
        return sorted(found, key=lambda result: (str(result.backup.begin_time or ""), result.backup.id))

    def counts(self) -> "Counter[PruneOutcome]":
        """Count the backups of all instances by outcome."""
        return sum((instance.counts() for instance in self.instances), Counter())

    def failures(self) -> Iterator[Failure]:
        """Yield why things were not done that should have been."""
        if self.failure:
            yield self.failure
        for result in self.results(PruneOutcome.LEFT, PruneOutcome.FAILED):
            if result.failure:
                yield result.failure

    @property
    def holds_back(self) -> bool:
        """Whether the mass-deletion guard holds back anything."""
        return any(instance.held_back for instance in self.instances)

    @property
    def retryable(self) -> bool:
        """Whether a redelivery can do what is left."""
        return any(failure.retryable for failure in self.failures())

    @property
    def outcome(self) -> RunOutcome:
        """The worst outcome that applies."""
        failures = list(self.failures())
        if any(not failure.retryable for failure in failures):
            return RunOutcome.FAILED
        if failures:
            return RunOutcome.UNFINISHED
        if self.dry_run:
            return RunOutcome.DRY_RUN
        return RunOutcome.HELD_BACK if self.holds_back else RunOutcome.PRUNED


@dataclass(frozen=True, slots=True)
class PrunePolicy:
    """What the operator of the function decides.

    Attributes:
        zone: the time zone in which days, weeks, months and years begin.
        dry_run: whether nothing is ever deleted.
    """

    retention: Retention
    zone: tzinfo
    dry_run: bool = True


class VerifiedBackups:
    """The backups that drills have verified, for all requests of one invocation: the task list is read at most once."""

    def __init__(self, jobs: Jobs, retrying: Retrying) -> None:
        self._jobs = jobs
        self._retrying = retrying

    @cached_property
    def ids(self) -> "frozenset[str] | Failure":
        """Their short ids; why they are not known if the task list cannot be read."""
        try:
            found = read_verified(self._jobs, self._retrying)
        except CloudError as error:
            what = "the task list cannot be read, so it is not known which backups drills have verified"
            return replace(Failure.of(error), message=f"{what}: {error}")
        return frozenset(verified.name.backup for verified in found)


@dataclass(frozen=True, slots=True)
class Pruner:
    """Carries out requests to prune, one after the other."""

    backups: Backups
    policy: PrunePolicy
    limit: DailyLimit
    verified: VerifiedBackups
    concurrency: int
    retrying: Retrying

    def prune(self, request: PruneRequest, identity: tuple[str, ...], now: datetime) -> PruneRun:
        """Carry out one request as of `now`. Errors of the cloud become part of the result and are not raised."""
        retention = request.retention or self.policy.retention
        run = PruneRun(
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
            return replace(run, failure=Failure.of(error))
        plan, doubt = self._plan(listed, retention, request, now)
        guard = MassDeletionGuard() if request.force else MassDeletionGuard.for_plan(plan)
        due = [verdict.backup for verdict in plan.of(Fate.DELETE) if not guard.holds_back(verdict.backup.instance_id)]
        allowance = self.limit.allowance(listed)
        due = due[: allowance.allowed]
        failures: dict[str, Failure | None] = {}
        if not run.dry_run:
            failures = {backup.id: doubt for backup in due if doubt and _may_be_verified(backup)}
            sure = [backup for backup in due if backup.id not in failures]
            failures.update(Deletion(self.backups, self.retrying, self.concurrency).delete(sure))
        done = _Done(guard, frozenset(backup.id for backup in due), failures, dry_run=run.dry_run)
        warnings = (*self._warnings(request), *_missing(plan), *_of_drills(request, listed))
        warnings += (f"nothing completed is deleted: {doubt.message}",) if doubt else ()
        run = replace(run, instances=done.instances(plan), allowance=allowance, warnings=warnings)
        self.limit.spend(allowance, run.counts()[PruneOutcome.DELETED])
        return run

    def _plan(
        self, listed: Sequence[Backup], retention: Retention, request: PruneRequest, now: datetime
    ) -> tuple[Plan, Failure | None]:
        """Return the plan, and why it is not known which backups are verified, if it matters and is not known.

        The task list is read only if a backup that may be verified would be deleted.
        """
        plan = make_plan(listed, retention, now, self.policy.zone, request.instance_ids)
        if not any(_may_be_verified(verdict.backup) for verdict in plan.of(Fate.DELETE)):
            return plan, None
        verified = self.verified.ids
        if isinstance(verified, Failure):
            return plan, verified
        return make_plan(listed, retention, now, self.policy.zone, request.instance_ids, verified), None

    def _warnings(self, request: PruneRequest) -> list[str]:
        warnings = []
        if self.policy.dry_run and not request.dry_run and "dry_run" in request.model_fields_set:
            warnings.append("dry_run: false has no effect, since DRY_RUN is on in the function's settings")
        if request.retention:
            warnings.append("the retention of a request is only tried; the function's settings decide what is deleted")
        return warnings


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done of a plan.

    Attributes:
        due: the ids of the backups that this run deletes, or would delete.
        failures: for each backup that was tried, why it was not deleted.
    """

    guard: MassDeletionGuard
    due: frozenset[str]
    failures: Mapping[str, Failure | None]
    dry_run: bool

    def instances(self, plan: Plan) -> tuple[PrunedInstance, ...]:
        return tuple(
            PrunedInstance(
                instance.instance_id,
                instance.instance_name,
                tuple(self._result(verdict) for verdict in instance.verdicts),
                held_back=self.guard.holds_back(instance.instance_id)
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
        if self.guard.holds_back(verdict.backup.instance_id):
            return PruneOutcome.HELD_BACK
        if verdict.backup.id not in self.due:
            return PruneOutcome.POSTPONED
        if self.dry_run:
            return PruneOutcome.WOULD_BE_DELETED
        if failure:
            return PruneOutcome.LEFT if failure.retryable else PruneOutcome.FAILED
        return PruneOutcome.DELETED


def _may_be_verified(backup: Backup) -> bool:
    """Whether a drill can have restored a backup."""
    return backup.status == "COMPLETED"


def _of_drills(request: PruneRequest, listed: Sequence[Backup]) -> list[str]:
    drills = {backup.instance_id for backup in listed if is_of_drill(backup)}
    named = [instance_id for instance_id in request.instance_ids or () if instance_id in drills]
    return [f"the backups of a restore drill's instance are left alone: {', '.join(named)}"] if named else []


def _missing(plan: Plan) -> list[str]:
    if not plan.instances:
        return ["there is no backup of this application: none has the key of an event at the end of its description"]
    without = [instance.instance_id for instance in plan.instances if not instance.verdicts]
    return [f"there is no backup of this application of the instances {', '.join(without)}"] if without else []
