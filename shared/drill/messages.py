"""What drill_backups publishes: the CloudEvents and the texts for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.drill.checks import Inspection
from shared.drill.interlocks import Interlock
from shared.drill.lifecycle import Decision, Drill, Outcome, Step
from shared.drill.report import DrillItem, Results, SlotItem, results_of, serialize_checks
from shared.drills import DrillName
from shared.format import duration, timestamp
from shared.model import Backup, Instance, InstanceTask, Notification
from shared.notify import (
    DRILL_FAILED,
    DRILL_INCONCLUSIVE,
    DRILL_LEAKED,
    DRILL_OVERDUE,
    DRILL_STARTED,
    DRILL_VERIFIED,
    Sender,
    build_notification,
)


_KINDS = {
    Outcome.VERIFIED: DRILL_VERIFIED,
    Outcome.FAILED: DRILL_FAILED,
    Outcome.INCONCLUSIVE: DRILL_INCONCLUSIVE,
    Outcome.OVERDUE: DRILL_OVERDUE,
}
_ADVICE = {
    DRILL_FAILED: "What to do: do not rely on this backup. Make another one, and look at the checks below.",
    DRILL_INCONCLUSIVE: "Nothing is known of the backup. The next drill of this instance begins in its next slot.",
    DRILL_OVERDUE: "Nothing is known of the backup: the drill was stopped, since its instance had become too old.",
    DRILL_LEAKED: "What to do: look at the instance in the DDS console, and delete it there. It costs money meanwhile.",
}
_MOST_CHECKS = 100
_RETENTION = "DDS keeps a copy of the deleted instance in its recycle bin for up to 7 days."


@dataclass(frozen=True, slots=True)
class DrillMessages:
    """Builds the notifications of drills.

    The CloudEvents ``id`` follows from the type and the name of the drill alone, which has the slot and the backup; for
    a slot without a drill, from the type, the instance and the slot. A fact that is published again is the same event.

    Attributes:
        rto: how long a restore may take.
    """

    sender: Sender
    rto: timedelta | None

    def verdict(self, outcome: Outcome, inspection: Inspection | None) -> tuple[str, str]:
        """Return the code and the reason of an outcome of the checks."""
        if inspection is None:
            return "backup_gone", "DDS does not list the backup any more, so nothing is known of what to expect"
        if outcome is Outcome.VERIFIED:
            return "verified", "all checks have passed"
        passed = False if outcome is Outcome.FAILED else None
        names = [check.name for check in inspection.checks if check.passed is passed]
        if outcome is Outcome.FAILED:
            return "checks_failed", f"the copy is not what was backed up: {', '.join(names)}"
        return "checks_not_made", f"could not be checked: {', '.join(names) or 'anything'}"

    def started(self, name: DrillName, task: InstanceTask, backup: Backup | None) -> Notification:
        """Build the notification of a restore that DDS has begun."""
        data = _data(name, task, backup, task.instance_id, Results("unknown", "pending", "pending"))
        return self._build(DRILL_STARTED, "STARTED", data, task.created_at)

    def lost(self, name: DrillName, task: InstanceTask, backup: Backup | None) -> Notification:
        """Build the notification of a restore that failed and whose instance is not there."""
        drill = Drill(name, Instance(task.instance_id, str(name)), task, None, backup, None)
        reason = task.fail_reason or "DDS could not restore the backup, and gives no reason"
        item = DrillItem(drill, Decision(Step.DELETE, "restore_failed", reason, Outcome.FAILED))
        return self.outcome(item, task.ended_at or task.created_at, cleaned_up="yes")

    def outcome(self, item: DrillItem, now: datetime, *, cleaned_up: str = "pending") -> Notification:
        """Build the notification of the outcome that a decision has."""
        drill, decision = item.drill, item.decision
        outcome = decision.outcome or Outcome.INCONCLUSIVE
        results = results_of(drill, outcome, cleaned_up=cleaned_up)
        data = _data(drill.name, drill.restore, drill.backup, drill.instance.id, results)
        data |= {"rto": self._rto(drill, item.checks_took), "rpo": _rpo(drill, item.inspection)}
        data["checks"] = serialize_checks(item.inspection)[:_MOST_CHECKS] if item.inspection else []
        is_late = outcome is Outcome.VERIFIED and data["rto"]["met"] is False
        data |= _why("rto_missed" if is_late else decision.code, decision.message, _stage(drill, decision))
        return self._build(_KINDS[outcome], outcome.value, data, now)

    def not_begun(self, item: SlotItem) -> Notification:
        """Build the notification of a slot that has ended without a drill."""
        data = {
            "instance_id": item.instance_id,
            "instance_name": item.instance_name or None,
            "slot": timestamp(item.slot.begin),
            **dict.fromkeys(("drill", "drill_instance_id"), None),
            "backup_id": item.backup_id,
            **dict.fromkeys(("backup_name", "backup_begin_time", "restore_began", "restore_ended"), None),
            **Results("no", "inconclusive", "yes").document(),
            "rto": dict.fromkeys(("queue", "restore", "checks", "target", "met"), None),
            "rpo": dict.fromkeys(("backup_age", "newest_data"), None),
            "checks": [],
            **_why(item.code or "not_begun", item.message or "", "begin"),
        }
        return self._build(DRILL_INCONCLUSIVE, "INCONCLUSIVE", data, item.slot.end)

    def leaked(self, drill: Drill, why: Interlock, day: int, moment: datetime) -> Notification:
        """Build the notification of an instance that should be gone; one a day, each with an id of its own."""
        results = results_of(drill, drill.outcome or Outcome.OVERDUE, cleaned_up="no")
        data = _data(drill.name, drill.restore, drill.backup, drill.instance.id, results)
        data |= {"instance_status": drill.instance.status, "created": timestamp(drill.instance.created), "day": day}
        data |= _why(why.code, why.message, "clean_up")
        return self._build(DRILL_LEAKED, "LEAKED", data, moment, drill.instance.id, str(day))

    def _rto(self, drill: Drill, checks: float | None) -> dict[str, Any]:
        """Return the times in seconds: waiting in the slot, the restore with making the instance, and the checks."""
        task = drill.restore
        queue = max(0, round((task.created_at - drill.name.slot).total_seconds())) if task else None
        restore = round((task.ended_at - task.created_at).total_seconds()) if task and task.ended_at else None
        target = round(self.rto.total_seconds()) if self.rto else None
        met = restore <= target if target is not None and restore is not None else None
        took = None if checks is None else round(checks, 1)
        return {"queue": queue, "restore": restore, "checks": took, "target": target, "met": met}

    def _build(self, kind: str, outcome: str, data: dict[str, Any], moment: datetime, *more: str) -> Notification:
        subject = data["instance_id"] or data["drill"] or ""
        return build_notification(
            kind,
            identity=(data["drill"] or data["instance_id"], data["slot"], *more),
            subject=subject,
            data={"outcome": outcome, **data},
            lines=list(_lines(kind, data)),
            outcome=outcome,
            sender=self.sender,
            now=moment,
            summary=_summary(kind, data),
        )


def _data(
    name: DrillName, task: InstanceTask | None, backup: Backup | None, instance_id: str, results: Results
) -> dict[str, Any]:
    return {
        "instance_id": backup.instance_id if backup else None,
        "instance_name": (backup.instance_name or None) if backup else None,
        "slot": timestamp(name.slot),
        "drill": str(name),
        "drill_instance_id": instance_id or None,
        "backup_id": backup.id if backup else None,
        "backup_name": backup.name if backup else None,
        "backup_begin_time": timestamp(backup.begin_time) if backup else None,
        "restore_began": timestamp(task.created_at) if task else None,
        "restore_ended": timestamp(task.ended_at) if task else None,
        **results.document(),
    }


def _rpo(drill: Drill, inspection: Inspection | None) -> dict[str, Any]:
    """Return how much would be lost, in seconds: the age of the backup when its restore began, and what it lacks."""
    began = drill.backup.begin_time if drill.backup else None
    age = round((drill.restore.created_at - began).total_seconds()) if drill.restore and began else None
    return {"backup_age": age, "newest_data": inspection.rpo if inspection else None}


def _why(code: str, message: str, stage: str) -> dict[str, Any]:
    return {"code": code, "message": message, "stage": stage}


def _stage(drill: Drill, decision: Decision) -> str:
    if decision.step is Step.CHECK:
        return "checks"
    return {"restore_failed": "restore", "not_restarted": "restart"}.get(
        decision.code, "checks" if drill.is_restored else "restore"
    )


def _summary(kind: str, data: dict[str, Any]) -> str:
    name = data["instance_name"] or ""
    instance = name if name and name.isascii() else data["instance_id"] or data["drill"] or "unknown instance"
    if kind == DRILL_VERIFIED and data["rto"]["restore"] is not None:
        late = ", longer than DRILL_RTO" if data["rto"]["met"] is False else ""
        return f"{instance}, restored in {duration(data['rto']['restore'])}{late}"
    if kind == DRILL_STARTED:
        return instance
    return f"{instance}, {data['message']}"


_LABELS = {
    "instance_name": "Instance name",
    "instance_id": "Instance",
    "backup_name": "Backup",
    "backup_id": "Backup ID",
    "backup_begin_time": "Backup began",
    "slot": "Slot",
    "drill": "Instance of the drill",
    "drill_instance_id": "Its ID",
    "restore_began": "Restore began",
    "restore_ended": "Restore ended",
}


def _lines(kind: str, data: dict[str, Any]) -> Sequence[str]:
    lines = [f"{label}: {data[name]}" for name, label in _LABELS.items() if data.get(name)]
    lines.append(f"Restored: {data['restored']}. Valid: {data['valid']}. Cleaned up: {data['cleaned_up']}.")
    for name, label in (("restore", "Restore took"), ("checks", "Checks took"), ("target", "DRILL_RTO")):
        if data.get("rto", {}).get(name) is not None:
            lines.append(f"{label}: {duration(data['rto'][name])}")
    if data.get("rpo", {}).get("backup_age") is not None:
        lines.append(f"Age of the backup: {duration(data['rpo']['backup_age'])}")
    if data.get("rpo", {}).get("newest_data") is not None:
        lines.append(f"Newest data: {duration(data['rpo']['newest_data'])} before the backup began")
    if data.get("message"):
        lines.append(f"Details: {data['message']}")
    lines += [advice] if (advice := _ADVICE.get(kind)) else []
    lines += _check_lines(data.get("checks") or [])
    return [*lines, _RETENTION] if data["drill"] and kind != DRILL_STARTED else lines


def _check_lines(checks: Sequence[dict[str, Any]]) -> list[str]:
    words = {True: "passed", False: "FAILED", None: "could not be made"}
    return ["", "Checks:"] * bool(checks) + [
        f"  {check['name']}: {words[check['passed']]}; expected {check['expected']}, found {check['found']}"
        + (f" ({check['reason']})" if check["reason"] else "")
        for check in checks
    ]
