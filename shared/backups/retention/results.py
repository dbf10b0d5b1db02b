"""What became of the backups of one run of prune_backups."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from shared.backups.errors import BackupError, CloudError
from shared.backups.ports import Backup
from shared.backups.reports import Status


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
class Failure:
    """Why something was not done.

    Attributes:
        code: stable, for programs.
        retryable: whether another run can succeed without anybody changing anything.
    """

    code: str
    message: str
    retryable: bool
    cloud_code: str | None = None

    @classmethod
    def of(cls, error: BackupError) -> "Failure":
        """From an error of the tree."""
        return cls(error.code, str(error), error.retryable, error.cloud_code if isinstance(error, CloudError) else None)

    def document(self) -> dict[str, Any]:
        """The failure as JSON."""
        facts = {"code": self.code, "message": self.message, "retryable": self.retryable}
        return facts | ({"cloud_code": self.cloud_code} if self.cloud_code else {})


@dataclass(frozen=True, slots=True)
class BackupResult:
    """What became of one backup; `reasons` as in the plan's verdict, `failure` if it should have been deleted."""

    backup: Backup
    outcome: PruneOutcome
    reasons: tuple[str, ...]
    failure: Failure | None = None

    def document(self) -> dict[str, Any]:
        """The result as JSON."""
        begin = self.backup.begin_time
        return {
            "backup_id": self.backup.id,
            "name": self.backup.name,
            "begin_time": begin.isoformat().replace("+00:00", "Z") if begin else None,
            "size": self.backup.size,
            "outcome": self.outcome.value,
            "reasons": list(self.reasons),
            **({"failure": self.failure.document()} if self.failure else {}),
        }


@dataclass(frozen=True, slots=True)
class PrunedInstance:
    """What became of the backups of one instance, the newest first; `held_back` if the brake holds for it."""

    instance_id: str
    instance_name: str
    results: tuple[BackupResult, ...]
    held_back: bool = False

    def counts(self) -> "Counter[PruneOutcome]":
        """How many backups had each outcome."""
        return Counter(result.outcome for result in self.results)


@dataclass(frozen=True, slots=True)
class PruneResult:
    """What became of one run.

    Attributes:
        identity: what identifies the request; the same at a redelivery.
        time: the time for which the plan was made.
        retention: the rules, as they are written.
        zone: the time zone of their periods.
        warnings: what is odd but stopped nothing.
        failure: why the backups could not even be listed.
    """

    identity: tuple[str, ...]
    time: datetime
    retention: str
    zone: str
    dry_run: bool = True
    force: bool = False
    instances: tuple[PrunedInstance, ...] = ()
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None
    notified: bool = False

    def results(self, *outcomes: PruneOutcome) -> list[BackupResult]:
        """The backups with any of these outcomes, the oldest first."""
        found = (result for instance in self.instances for result in instance.results if result.outcome in outcomes)
        return sorted(found, key=lambda result: (str(result.backup.begin_time or ""), result.backup.id))

    def counts(self) -> "Counter[PruneOutcome]":
        """How many backups had each outcome, over all instances."""
        return sum((instance.counts() for instance in self.instances), Counter())

    def failures(self) -> Iterator[Failure]:
        """Everything that was not done although it should have been."""
        if self.failure:
            yield self.failure
        for result in self.results(PruneOutcome.LEFT, PruneOutcome.FAILED):
            if result.failure:
                yield result.failure

    @property
    def holds_back(self) -> bool:
        """Whether the brake held anything."""
        return any(instance.held_back for instance in self.instances)

    @property
    def outcome(self) -> RunOutcome:
        """The worst of what is true."""
        failures = list(self.failures())
        if any(not failure.retryable for failure in failures):
            return RunOutcome.FAILED
        if failures:
            return RunOutcome.UNFINISHED
        if self.dry_run:
            return RunOutcome.DRY_RUN
        return RunOutcome.HELD_BACK if self.holds_back else RunOutcome.PRUNED

    @property
    def comes_again(self) -> bool:
        """Whether something is left that a redelivery can do."""
        return any(failure.retryable for failure in self.failures())

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to do, be it only to tell."""
        return self.comes_again or not self.notified

    @property
    def codes(self) -> list[str]:
        """The codes of what went wrong; one that was only not announced has its own."""
        found = dict.fromkeys(failure.code for failure in self.failures())
        braked = ["needs_force"] * (self.holds_back and not self.dry_run)
        return [*found, *braked, *["not_notified"] * (not self.notified)]

    @property
    def status(self) -> Status:
        """FAILED if nothing of what should have been deleted was, or nobody was told."""
        if not self.codes:
            return Status.SUCCEEDED
        return Status.PARTIALLY_FAILED if self.notified and self.results(PruneOutcome.DELETED) else Status.FAILED
