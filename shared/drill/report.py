"""What drill_backups returns of each run: the drills that run, the slots that are due, and what was told of."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from shared.drill.checks import Inspection
from shared.drill.interlocks import Interlock
from shared.drill.lifecycle import Decision, Drill, Outcome
from shared.drill.schedule import Slot
from shared.errors import BackupError
from shared.format import timestamp
from shared.report import Item, LogEvent, Report, Status


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error of the cloud that kept a step from being taken.

    Attributes:
        code: stable reason for programs.
        retryable: whether the next run can succeed without anybody changing anything.
    """

    code: str
    message: str
    retryable: bool

    @classmethod
    def of(cls, error: BackupError) -> "Trouble":
        """From an error of the tree."""
        return cls(error.code, str(error), error.retryable)

    def document(self) -> dict[str, Any]:
        """Serialize the trouble."""
        return {"code": self.code, "message": self.message, "retryable": self.retryable}


@dataclass(frozen=True, slots=True)
class Results:
    """The three results of a drill, which are kept apart.

    Attributes:
        restored: yes, no or unknown.
        valid: verified, failed, inconclusive or pending.
        cleaned_up: yes, no or pending.
    """

    restored: str
    valid: str
    cleaned_up: str

    def document(self) -> dict[str, str]:
        """Serialize the results."""
        return {"restored": self.restored, "valid": self.valid, "cleaned_up": self.cleaned_up}


def results_of(drill: Drill, outcome: Outcome | None, *, cleaned_up: str = "pending") -> Results:
    """Return the results of a drill with an outcome; None while it runs."""
    restored = {True: "yes", False: "no", None: "unknown"}[drill.is_restored]
    if outcome is Outcome.FAILED and (drill.is_broken or not drill.is_restored):
        return Results("no", "inconclusive", cleaned_up)
    valid = {Outcome.VERIFIED: "verified", Outcome.FAILED: "failed", None: "pending"}.get(outcome, "inconclusive")
    return Results(restored, valid, cleaned_up)


@dataclass(frozen=True, slots=True)
class DrillItem(Item):
    """What a run did about one drill.

    Attributes:
        decision: the step; its outcome was published before, if it has one.
        interlocks: why the step was not taken.
        trouble: the error that kept it from being taken.
        done: whether DDS accepted the last call of the step.
        is_deleting: whether that call deletes the instance.
        is_gone: whether the instance was gone already.
        notified: whether SMN accepted the outcome; None if there was none to publish.
        checks_took: seconds.
    """

    drill: Drill
    decision: Decision
    interlocks: tuple[Interlock, ...] = ()
    trouble: Trouble | None = None
    inspection: Inspection | None = None
    done: bool = False
    is_deleting: bool = False
    is_gone: bool = False
    notified: bool | None = None
    checks_took: float | None = None
    leak_notified: bool | None = None

    @property
    def status(self) -> Status:
        """FAILED if something kept the step from being taken, or what had to be published was not."""
        return Status.FAILED if self.codes else Status.SUCCEEDED

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to publish. Everything else the next run does."""
        return self.notified is False or self.leak_notified is False

    @property
    def codes(self) -> list[str]:
        """The codes of the interlocks and of the trouble."""
        found = [interlock.code for interlock in self.interlocks]
        found += [self.trouble.code] if self.trouble else []
        return found + ["not_notified"] * self.unfinished

    def pending(self) -> list[str]:
        """What a redelivery would do, in words."""
        return [f"{self.drill.instance.name} ({', '.join(self.codes)})"]

    def log_events(self) -> list[LogEvent]:
        """Return an error for each interlock, a warning for trouble that may pass."""
        facts = {"instance_id": self.drill.instance.id, "name": self.drill.instance.name}
        events: list[LogEvent] = [
            (logging.ERROR, "drill not touched", {**facts, "code": one.code, "message": one.message})
            for one in self.interlocks
        ]
        if self.trouble:
            level = logging.WARNING if self.trouble.retryable else logging.ERROR
            events.append((level, "drill step not taken", {**facts, **self.trouble.document()}))
        return events

    def document(self) -> dict[str, Any]:
        """Serialize the drill and the step."""
        drill, decision = self.drill, self.decision
        outcome = decision.outcome or drill.outcome
        cleaned_up = "yes" if self.is_gone else "pending"
        facts: dict[str, Any] = {
            "instance_id": drill.instance.id,
            "name": drill.instance.name,
            "instance_status": drill.instance.status,
            "slot": timestamp(drill.name.slot),
            "source_id": drill.source_id or None,
            "backup_id": drill.backup.id if drill.backup else None,
            "step": decision.step.value,
            "code": decision.code,
            "message": decision.message,
            "done": self.done,
            "outcome": outcome.value if outcome else None,
            **results_of(drill, outcome, cleaned_up=cleaned_up).document(),
        }
        if self.notified is not None:
            facts["notified"] = self.notified
        if self.inspection:
            facts["checks"] = serialize_checks(self.inspection)
        if self.interlocks:
            facts["interlocks"] = [{"code": one.code, "message": one.message} for one in self.interlocks]
        return facts | ({"trouble": self.trouble.document()} if self.trouble else {})


def serialize_checks(inspection: Inspection) -> list[dict[str, Any]]:
    """Serialize the checks; `passed` is null for one that could not be made."""
    return [
        {
            "name": check.name,
            "level": check.level,
            "expected": check.expected,
            "found": check.found,
            "passed": check.passed,
            "tolerance": check.tolerance,
            "reason": check.reason,
        }
        for check in inspection.checks
    ]


class SlotState(str, Enum):
    """What became of a slot in which no drill has begun before."""

    BEGUN = "BEGUN"
    UNCLEAR = "UNCLEAR"
    WOULD_BEGIN = "WOULD_BEGIN"
    BLOCKED = "BLOCKED"
    FAILED = "FAILED"
    NOT_BEGUN = "NOT_BEGUN"


@dataclass(frozen=True, slots=True)
class SlotItem(Item):
    """A slot that is due, or that has ended without a drill.

    Attributes:
        code: why no drill has begun.
        drill: the name of the instance that was, or would be, made.
        notified: whether SMN accepted that no drill has begun; None if that is not to be said.
        is_asked: whether a request asked for the drill, outside the schedule.
    """

    instance_id: str
    instance_name: str
    slot: Slot
    state: SlotState
    code: str | None = None
    message: str | None = None
    drill: str | None = None
    backup_id: str | None = None
    gigabytes: int | None = None
    notified: bool | None = None
    is_asked: bool = False

    @property
    def status(self) -> Status:
        """FAILED if DDS refused the drill, or what had to be published was not."""
        return Status.FAILED if self.codes else Status.SUCCEEDED

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to publish, or has to see whether the drill that was asked for began."""
        return self.notified is False or (self.is_asked and self.state is SlotState.UNCLEAR)

    @property
    def codes(self) -> list[str]:
        """The code of DDS's refusal. A slot that an interlock blocks is no failure."""
        found = [self.code or "error"] if self.state is SlotState.FAILED else []
        return found + ["not_notified"] * (self.notified is False)

    def pending(self) -> list[str]:
        """What a redelivery would do, in words."""
        if self.notified is not False:
            return [f"{self.instance_id}: whether the drill has begun ({self.code})"]
        return [f"{self.instance_id}: no drill has begun (notification not published)"]

    def log_events(self) -> list[LogEvent]:
        """Return an error if DDS refused the drill, a warning if no drill has begun in the slot."""
        level = {SlotState.FAILED: logging.ERROR, SlotState.NOT_BEGUN: logging.WARNING}.get(self.state)
        return [(level, "drill not begun", self.document())] if level else []

    def document(self) -> dict[str, Any]:
        """Serialize the slot."""
        facts: dict[str, Any] = {
            "instance_id": self.instance_id,
            "instance_name": self.instance_name or None,
            "slot": timestamp(self.slot.begin),
            "until": timestamp(self.slot.end),
            "state": self.state.value,
            "code": self.code,
            "message": self.message,
            "name": self.drill,
            "backup_id": self.backup_id,
            "gigabytes": self.gigabytes,
        }
        return facts | ({"notified": self.notified} if self.notified is not None else {})


@dataclass(frozen=True, slots=True)
class Told(Item):
    """An occurrence in the task list that was published: a restore that has begun, or one that failed without a trace.

    Attributes:
        kind: the CloudEvents type.
        moment: when it happened.
    """

    kind: str
    name: str
    moment: datetime
    notified: bool

    @property
    def status(self) -> Status:
        """SUCCEEDED if SMN accepted it."""
        return Status.SUCCEEDED if self.notified else Status.FAILED

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to publish."""
        return not self.notified

    @property
    def codes(self) -> list[str]:
        """The code for what was not published."""
        return ["not_notified"] * self.unfinished

    def pending(self) -> list[str]:
        """What a redelivery would publish, in words."""
        return [f"{self.name} {self.kind} (notification not published)"]

    def document(self) -> dict[str, Any]:
        """Serialize the occurrence."""
        return {"type": self.kind, "name": self.name, "time": timestamp(self.moment), "notified": self.notified}


@dataclass(frozen=True, slots=True)
class Unlisted(Item):
    """DDS could not be listed, so nothing was done."""

    trouble: Trouble

    @property
    def status(self) -> Status:
        """Always FAILED."""
        return Status.FAILED

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery can do better."""
        return self.trouble.retryable

    @property
    def codes(self) -> list[str]:
        """The code of the error."""
        return [self.trouble.code]

    def pending(self) -> list[str]:
        """What a redelivery would do, in words."""
        return [f"DDS not listed ({self.trouble.code})"]

    def log_events(self) -> list[LogEvent]:
        """Return a warning if it may pass, otherwise an error."""
        level = logging.WARNING if self.trouble.retryable else logging.ERROR
        return [(level, "DDS not listed", self.trouble.document())]

    def document(self) -> dict[str, Any]:
        """Serialize the failure."""
        return self.trouble.document()


@dataclass(frozen=True)
class DrillReport(Report):
    """What became of an event of drill_backups.

    Attributes:
        dry_run: whether nothing was changed.
        found: one for each drill that runs, each slot that is due or has ended, and what was published besides.
    """

    dry_run: bool = True
    found: Sequence[Item] = ()

    @property
    def items(self) -> Sequence[Item]:
        """The drills, the slots, and the rest."""
        return self.found

    def body(self) -> dict[str, Any]:
        """Serialize the drills and the slots."""
        facts: dict[str, Any] = {"dry_run": self.dry_run}
        for name, kind in (("drills", DrillItem), ("slots", SlotItem), ("announced", Told), ("failures", Unlisted)):
            if found := [item.document() for item in self.found if isinstance(item, kind)]:
                facts[name] = found
        return {"drills": [], "slots": [], **facts}

    def log_facts(self) -> dict[str, Any]:
        """The steps and the states of slots, counted."""
        steps = Counter(item.decision.step.value for item in self.found if isinstance(item, DrillItem))
        states = Counter(item.state.value for item in self.found if isinstance(item, SlotItem))
        return {"dry_run": self.dry_run, "steps": dict(steps), "slots": dict(states)}

    def log_items(self) -> dict[str, Sequence[dict[str, Any]]]:
        """The drills, and the slots in which one has begun."""
        drills = [item.document() for item in self.found if isinstance(item, DrillItem)]
        begun = {SlotState.BEGUN, SlotState.UNCLEAR}
        slots = [item.document() for item in self.found if isinstance(item, SlotItem) and item.state in begun]
        return {"drills": drills, "begun": slots}
