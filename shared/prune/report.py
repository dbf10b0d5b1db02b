"""What prune_backups returns, publishes and mails of each run."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.format import counted, size, timestamp
from shared.model import Notification
from shared.notify import PRUNED, Sender, build_notification
from shared.prune.daily_limit import Allowance
from shared.prune.plan import FAILED_KEPT_FOR, FEW
from shared.prune.run import BackupResult, PrunedInstance, PruneOutcome, PruneRun
from shared.report import Item, LogEvent, Report, Status


def run_notification(run: PruneRun, sender: Sender, now: datetime) -> Notification:
    """Build the notification of a run."""
    return build_notification(
        PRUNED,
        identity=run.identity,
        subject=sender.project_id,
        data=serialize_run(run),
        lines=list(email_lines(run)),
        outcome=run.outcome.value,
        sender=sender,
        now=now,
        retryable=run.retryable,
        summary=summary_line(run),
    )


@dataclass(frozen=True, slots=True)
class PruneItem(Item):
    """A run and whether SMN accepted its notification."""

    run: PruneRun
    notified: bool

    @property
    def status(self) -> Status:
        """FAILED if nothing of what should have been deleted was, or if nothing was published."""
        if not self.codes:
            return Status.SUCCEEDED
        return Status.PARTIALLY_FAILED if self.notified and self.run.results(PruneOutcome.DELETED) else Status.FAILED

    @property
    def unfinished(self) -> bool:
        """Whether a redelivery has something to delete or to publish."""
        return self.run.retryable or not self.notified

    @property
    def codes(self) -> list[str]:
        """The codes of the failures, of held-back deletions, and of a notification that was not published."""
        found = dict.fromkeys(failure.code for failure in self.run.failures())
        held_back = ["needs_force"] * (self.run.holds_back and not self.run.dry_run)
        return [*found, *held_back, *["not_notified"] * (not self.notified)]

    def pending(self) -> list[str]:
        """What a redelivery would do, in words."""
        return [f"{summary_line(self.run)} ({', '.join(self.codes)})"]

    def log_events(self) -> list[LogEvent]:
        """Return errors for final failures, warnings for those that may still succeed and for unusual requests."""
        events: list[LogEvent] = []
        if failure := self.run.failure:
            events.append((_level(failure.retryable), "backups not listed", failure.document()))
        for result in self.run.results(PruneOutcome.FAILED, PruneOutcome.LEFT):
            retryable = bool(result.failure and result.failure.retryable)
            events.append((_level(retryable), f"backup {result.outcome.value}", _serialize_backup(result)))
        if self.run.holds_back:
            ids = [instance.instance_id for instance in self.run.instances if instance.held_back]
            events.append((logging.WARNING, "backups held back", {"code": "needs_force", "instance_ids": ids[:100]}))
        return events + [(logging.WARNING, "odd request", {"error": warning}) for warning in self.run.warnings]

    def document(self) -> dict[str, Any]:
        """Serialize the run; long lists are cut as in the notification."""
        return {**serialize_run(self.run), "notified": self.notified}


def _level(retryable: bool) -> int:
    return logging.WARNING if retryable else logging.ERROR


@dataclass(frozen=True)
class PruneReport(Report):
    """What became of an event of prune_backups.

    Attributes:
        runs: one for each request in the event.
    """

    runs: Sequence[PruneItem] = ()

    @property
    def items(self) -> Sequence[PruneItem]:
        """The runs."""
        return self.runs

    def body(self) -> dict[str, Any]:
        """Serialize the runs."""
        return {"runs": [item.document() for item in self.runs]}

    def log_facts(self) -> dict[str, Any]:
        """The outcomes of the runs, counted."""
        return {"outcomes": dict(Counter(item.run.outcome.value for item in self.runs))}

    def log_items(self) -> dict[str, Sequence[dict[str, Any]]]:
        """The totals of each run, and the ids of the deleted backups."""
        runs = [
            {
                "outcome": item.run.outcome.value,
                "totals": {outcome.value.lower(): number for outcome, number in item.run.counts().items()},
                "notified": item.notified,
            }
            for item in self.runs
        ]
        deleted = [
            {"backup_id": result.backup.id, "instance_id": result.backup.instance_id}
            for item in self.runs
            for result in item.run.results(PruneOutcome.DELETED)
        ]
        return {"runs": runs, "deleted": deleted}


# A run as JSON, cut where it does not fit a notification: lists are shortened, counts are complete.

MAX_BYTES = 150_000
"""Bytes of a run, as text within the JSON text that SMN takes. SMN takes 256 KB (SMN API, Publishing a Message)."""

_FIRST_LISTED = (
    PruneOutcome.FAILED,
    PruneOutcome.LEFT,
    PruneOutcome.DELETED,
    PruneOutcome.WOULD_BE_DELETED,
    PruneOutcome.HELD_BACK,
    PruneOutcome.POSTPONED,
    PruneOutcome.PROTECTED,
    PruneOutcome.KEPT,
)


def serialize_run(run: PruneRun, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Serialize a run within `max_bytes`, if the totals alone leave any room.

    Instances and backups that something happens to come first and are left out last. `left_out` counts the rest.
    """
    deleted = run.results(PruneOutcome.DELETED, PruneOutcome.WOULD_BE_DELETED)
    facts: dict[str, Any] = {
        "outcome": run.outcome.value,
        "time": timestamp(run.time),
        "retention": run.retention,
        "time_zone": run.zone,
        "dry_run": run.dry_run,
        "force": run.force,
        "held_back": run.holds_back,
        "totals": {"instances": len(run.instances), **_serialize_counts(run.counts())},
        "deleted_kb": sum(result.backup.size or 0 for result in deleted),
    }
    if run.allowance:
        facts["daily_limit"] = _serialize_allowance(run.allowance)
    if run.failure:
        facts["failure"] = run.failure.document()
    if run.warnings:
        facts["warnings"] = list(run.warnings)
    instances, left_out = _serialize_instances(run, max_bytes - _size(facts))
    return {**facts, "instances": instances, "left_out": left_out}


def _serialize_instances(run: PruneRun, room: int) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Serialize as many instances as fit into half the room, and as many backups as fit into the rest."""
    shown: list[tuple[PrunedInstance, dict[str, Any]]] = []
    left = room
    for instance in sorted(run.instances, key=lambda i: (not _is_touched(i), i.instance_id)):
        head = {
            "instance_id": instance.instance_id,
            "instance_name": instance.instance_name,
            "held_back": instance.held_back,
            "totals": _serialize_counts(instance.counts()),
            "backups": [],
        }
        if left - _size(head) < room // 2:
            break
        left -= _size(head)
        shown.append((instance, head))
    listed: set[int] = set()
    for result in sorted((r for i, _ in shown for r in i.results), key=lambda r: _FIRST_LISTED.index(r.outcome)):
        left -= _size(_serialize_backup(result))
        if left < 0:
            break
        listed.add(id(result))
    for instance, head in shown:
        head["backups"] = [_serialize_backup(result) for result in instance.results if id(result) in listed]
    backups = sum(len(instance.results) for instance in run.instances)
    left_out = {"instances": len(run.instances) - len(shown), "backups": backups - len(listed)}
    return [head for _, head in shown], left_out


def _serialize_backup(result: BackupResult) -> dict[str, Any]:
    return {
        "backup_id": result.backup.id,
        "name": result.backup.name,
        "begin_time": timestamp(result.backup.begin_time),
        "size": result.backup.size,
        "outcome": result.outcome.value,
        "reasons": list(result.reasons),
        **({"failure": result.failure.document()} if result.failure else {}),
    }


def _serialize_allowance(allowance: Allowance) -> dict[str, int | None]:
    return {
        "max_deletes": allowance.max_deletes,
        "being_deleted": allowance.being_deleted,
        "in_task_list": allowance.in_task_list,
        "in_invocation": allowance.in_invocation,
        "allowed": allowance.allowed,
    }


def _serialize_counts(counts: "Counter[PruneOutcome]") -> dict[str, int]:
    return {outcome.value.lower(): counts[outcome] for outcome in PruneOutcome}


def _is_touched(instance: PrunedInstance) -> bool:
    return any(result.outcome not in {PruneOutcome.KEPT, PruneOutcome.PROTECTED} for result in instance.results)


def _size(facts: dict[str, Any]) -> int:
    """Return the bytes of an item as JSON within a JSON text, with its separator."""
    return len(json.dumps(json.dumps(facts)))


# A run as people read it.

REASONS = {
    "no_rule": "no rule keeps it",
    "max_age": "older than max_age",
    "failed": f"failed more than {FAILED_KEPT_FOR.days} days ago",
    "newest": "the newest completed one of its instance",
    "newest_day_old": "the newest completed one that is older than a day",
    "newest_verified": "the newest one of its instance that a drill has verified",
    "building": "being made",
    "being_deleted": "being deleted already",
    "restoring": "its instance is being restored",
    "begun_later": "begun after the time of this run",
    "no_begin_time": "DDS does not say when it began",
    "recently_failed": f"failed less than {FAILED_KEPT_FOR.days} days ago",
    "recent": "begun less than a day ago",
    "unknown_status": "in a status that the documents do not name",
}
_SECTIONS = {
    PruneOutcome.FAILED: "Could not be deleted",
    PruneOutcome.LEFT: "Not deleted yet, tried again when the event is delivered again",
    PruneOutcome.DELETED: "Deleted",
    PruneOutcome.WOULD_BE_DELETED: "Would be deleted",
    PruneOutcome.HELD_BACK: "Held back, since more than half would be deleted",
    PruneOutcome.POSTPONED: "Left for the next run, since MAX_DELETES is reached",
    PruneOutcome.PROTECTED: "Protected",
    PruneOutcome.KEPT: "Kept",
}
_MOST_LINES = 100
_MAX_EMAIL_BYTES = 60_000  # of JSON text: what the event leaves of SMN's 256 KB, and more than anybody reads


def summary_line(run: PruneRun) -> str:
    """Summarize a run in one line, such as "3 deleted, 12 kept, 1 failed"."""
    counts = run.counts()
    if run.failure:
        return "nothing deleted, the backups could not be listed"
    if run.dry_run:
        parts = [f"dry run, {counts[PruneOutcome.WOULD_BE_DELETED]} would be deleted"]
    else:
        parts = [f"{counts[PruneOutcome.DELETED]} deleted"]
    parts.append(f"{counts[PruneOutcome.KEPT] + counts[PruneOutcome.PROTECTED]} kept")
    words = {
        PruneOutcome.FAILED: "failed",
        PruneOutcome.LEFT: "not yet deleted",
        PruneOutcome.HELD_BACK: "held back",
        PruneOutcome.POSTPONED: "left for later",
    }
    return ", ".join([*parts, *(f"{counts[outcome]} {word}" for outcome, word in words.items() if counts[outcome])])


def email_lines(run: PruneRun) -> Iterator[str]:
    """Yield the lines of an e-mail: the verdict, a table of the instances, then the backups by outcome.

    A text that is too long for a notification ends early and says so.
    """
    room = _MAX_EMAIL_BYTES
    for line in _all_lines(run):
        room -= len(json.dumps(line))
        if room < 0:
            yield "... This is not all: the event has more, and the totals."
            return
        yield line


def _all_lines(run: PruneRun) -> Iterator[str]:
    yield from _verdict(run)
    yield f"Rules: {run.retention} (time zone {run.zone})"
    yield f"Time: {timestamp(run.time)}"
    if run.allowance:
        yield _limit(run.allowance)
    if run.failure:
        return
    yield ""
    yield from _table(run)
    for outcome, heading in _SECTIONS.items():
        if found := run.results(outcome):
            yield ""
            yield f"{heading} ({len(found)}):"
            yield from (f"  {_line(result)}" for result in found[:_MOST_LINES])
            if len(found) > _MOST_LINES:
                yield f"  ... and {len(found) - _MOST_LINES} more"


def _verdict(run: PruneRun) -> Iterator[str]:
    if run.failure:
        yield f"Nothing was deleted, since the backups could not be listed: {run.failure.message}"
    elif run.dry_run:
        yield "This was a dry run: nothing was deleted. To delete, set DRY_RUN to false and do not ask for a dry run."
    elif found := run.results(PruneOutcome.DELETED):
        freed = size(sum(result.backup.size or 0 for result in found))
        yield f"{counted(len(found), 'backup')} deleted, {freed} freed."
    else:
        yield "Nothing was deleted."
    if run.holds_back:
        yield (
            f"Backups of the instances marked * are held back: more than {FEW}, and more than half, of the completed "
            'ones of an instance or of all would be deleted. If that is right, send {"force": true}; else change '
            "RETENTION."
        )
    yield from run.warnings


def _limit(allowance: Allowance) -> str:
    """Say how many deletions the run may make, and which it counted."""
    told = {None: "the task list could not be read", 0: "the task list of the last 24 hours tells of none"}
    tasks = f"{allowance.in_task_list} in the task list of the last 24 hours"
    counts = [f"{allowance.being_deleted} being deleted now", told.get(allowance.in_task_list, tasks)]
    if allowance.in_invocation:
        counts.append(f"{allowance.in_invocation} by earlier requests of this event")
    return f"Limit: {allowance.max_deletes} deletions a day, {allowance.allowed} of them now; {', '.join(counts)}"


def _table(run: PruneRun) -> Iterator[str]:
    counts = run.counts()
    shown = [outcome for outcome in PruneOutcome if counts[outcome] or outcome is PruneOutcome.KEPT]
    rows = [(_label(instance), instance.counts()) for instance in run.instances[:_MOST_LINES]]
    width = max(len(label) for label, _ in [("Instance", counts), *rows])

    def row(label: str, numbers: "Counter[PruneOutcome]") -> str:
        return "  ".join([label.ljust(width), *(f"{numbers[outcome]:>{len(outcome.value)}}" for outcome in shown)])

    yield "  ".join(["Instance".ljust(width), *(outcome.value for outcome in shown)])
    yield from (row(label, numbers) for label, numbers in rows)
    if len(run.instances) > _MOST_LINES:
        yield f"... and {len(run.instances) - _MOST_LINES} more instances"
    yield row("All", counts)


def _label(instance: PrunedInstance) -> str:
    return f"{'* ' * instance.held_back}{instance.instance_name or '-'} ({instance.instance_id})"


def _line(result: BackupResult) -> str:
    when = timestamp(result.backup.begin_time) or "unknown time        "
    why = ", ".join(REASONS.get(reason, reason) for reason in result.reasons)
    trouble = f"; {result.failure.code}: {result.failure.message}" if result.failure else ""
    instance = result.backup.instance_name or result.backup.instance_id
    return f"{when}  {result.backup.name}  ({instance}, {result.backup.id}): {why}{trouble}"
