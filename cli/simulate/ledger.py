"""What happened in a simulation: invocations, backups, deletions, messages, and the end of each day."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cli.simulate.faults import DAY
from cli.simulate.world import World
from localcloud.dds.model import Backup
from localcloud.smn.state import Message
from shared.create.report import CreateReport, InstanceResult
from shared.prune.report import PruneReport
from shared.prune.run import PruneOutcome
from shared.report import Report


@dataclass(frozen=True, slots=True)
class Invocation:
    """An invocation. Times are seconds since the epoch."""

    function: str
    kind: str
    began: float
    ended: float
    attempt: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """A notification that SMN accepted: a CloudEvent of this application.

    Attributes:
        mails: how many e-mails it became.
    """

    moment: float
    id: str
    kind: str
    severity: str
    instance_id: str
    backup_id: str
    code: str
    mails: int


@dataclass(slots=True)
class Attempt:
    """What create_backup did for one event and instance, in all deliveries.

    Attributes:
        began: when the first delivery began.
        result: the result of the last one.
    """

    began: float
    instance_id: str
    result: InstanceResult
    deliveries: int = 1


@dataclass(frozen=True, slots=True)
class Day:
    """What exists at the end of a day. Sizes are GB."""

    manual: int
    automatic: int
    manual_gb: float
    automatic_gb: float
    by_instance: Mapping[str, int]
    gb_by_instance: Mapping[str, float]


@dataclass
class Ledger:
    """Everything that the output is computed from.

    Attributes:
        slots: when the timers of create_backup were due.
        backups: every backup that ever was, as it was last seen.
        reasons: why prune_backups deleted a backup, by its id.
        kept: the rules and protections that keep backups, from the last run of prune_backups.
        would_delete: the backups that it would have deleted with DRY_RUN off, in the last run.
        lost_failures: how often FunctionGraph could not tell the topic of failures.
        given_up: events that were given up after their last attempt, by function.
    """

    start: float
    slots: list[float] = field(default_factory=list)
    backups: dict[str, Backup] = field(default_factory=dict)
    attempts: dict[tuple[str, str], Attempt] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    kept: "Counter[str]" = field(default_factory=Counter)
    would_delete: int = 0
    told: list[Told] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    invocations: "Counter[tuple[int, str]]" = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[Invocation] = field(default_factory=list)
    given_up: "Counter[str]" = field(default_factory=Counter)
    failure_mails: int = 0
    lost_failures: int = 0

    def invocation(self, made: Invocation, report: Report | None, *, is_final: bool) -> None:
        """Note an invocation and what its report says."""
        self.invocations[int((made.began - self.start) // DAY), made.function] += 1
        self.seconds[made.function] = self.seconds.get(made.function, 0.0) + made.ended - made.began
        if made.error:
            self.failed.append(made)
            self.given_up[made.function] += is_final
        if isinstance(report, CreateReport):
            for result in report.results:
                self._attempt(made.began, result)
        elif isinstance(report, PruneReport):
            for item in report.runs:
                results = [result for instance in item.run.instances for result in instance.results]
                deleted = [one for one in results if one.outcome is PruneOutcome.DELETED]
                self.reasons.update((one.backup.id, "+".join(one.reasons)) for one in deleted)
                kept = {PruneOutcome.KEPT, PruneOutcome.PROTECTED}
                self.kept = Counter(reason for one in results if one.outcome in kept for reason in one.reasons)
                self.would_delete = sum(one.outcome is PruneOutcome.WOULD_BE_DELETED for one in results)

    def _attempt(self, began: float, result: InstanceResult) -> None:
        key = result.event_key or "", result.instance_id
        earlier = self.attempts.get(key)
        if earlier is None:
            self.attempts[key] = Attempt(began, result.instance_id, result)
        else:
            earlier.deliveries += 1
            earlier.result = result if result.backup_id or not earlier.result.backup_id else earlier.result

    def message(self, message: Message, moment: float) -> None:
        """Note a message that SMN accepted."""
        mails = sum(one.protocol == "email" for one in message.deliveries)
        event = _event(message.message)
        if event is None:
            self.failure_mails += mails
            return
        data: Mapping[str, Any] = event.get("data", {})
        severity = next((one["value"] for one in message.message_attributes if one["name"] == "severity"), "")
        self.told.append(
            Told(
                moment,
                str(event["id"]),
                str(event["type"]),
                str(severity),
                str(data.get("instance_id") or ""),
                str(data.get("backup_id") or ""),
                str(data.get("code") or ""),
                mails,
            )
        )

    def end_day(self, world: World) -> None:
        """Note what exists."""
        now = world.clock.now()
        self.see(world)
        existing = [one for one in self.backups.values() if one.status(now) is not None]
        manual = [one for one in existing if one.type == "Manual"]
        automatic = [one for one in existing if one.type == "Auto"]
        sizes: dict[str, float] = {}
        for one in existing:
            sizes[one.instance_id] = sizes.get(one.instance_id, 0.0) + one.size_kb / 1024**2
        self.days.append(
            Day(
                len(manual),
                len(automatic),
                sum(one.size_kb for one in manual) / 1024**2,
                sum(one.size_kb for one in automatic) / 1024**2,
                Counter(one.instance_id for one in manual),
                sizes,
            )
        )

    def see(self, world: World) -> None:
        """Note every backup as it is now. One that expires is noted as gone at that time."""
        for backup in world.dds.stored_backups:
            gone = backup.gone_at if backup.expires_at is None else min(backup.expires_at, backup.gone_at or 1e18)
            self.backups[backup.id] = replace(backup, gone_at=gone) if gone != backup.gone_at else backup


def _event(text: str) -> dict[str, Any] | None:
    try:
        event = json.loads(text)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "specversion" in event else None
