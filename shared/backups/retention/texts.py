"""A run in words, for people who read mail."""

import json
from collections import Counter
from collections.abc import Iterator

from shared.backups.retention.brake import FEW
from shared.backups.retention.interlocks import FAILED_KEPT_FOR
from shared.backups.retention.results import BackupResult, PrunedInstance, PruneOutcome, PruneResult


_MOST_LINES = 100
_ROOM = 60_000  # bytes of JSON text: what the event leaves of SMN's 256 KB, and more than anybody reads
_KB_IN_GB = 1024**2
REASONS = {
    "no_rule": "no rule keeps it",
    "max_age": "older than max_age",
    "failed": f"failed more than {FAILED_KEPT_FOR.days} days ago",
    "newest": "the newest completed one of its instance",
    "building": "being made",
    "being_deleted": "being deleted already",
    "restoring": "its instance is being restored",
    "begun_later": "begun after the time of this run",
    "no_begin_time": "DDS does not tell when it began",
    "recently_failed": f"failed, but not {FAILED_KEPT_FOR.days} days ago",
    "recent": "begun less than a day ago",
    "unknown_status": "in a state that the documents do not name",
}
_SECTIONS = {
    PruneOutcome.FAILED: "Could not be deleted",
    PruneOutcome.LEFT: "Not deleted yet, tried again when the event is delivered again",
    PruneOutcome.DELETED: "Deleted",
    PruneOutcome.WOULD_BE_DELETED: "Would be deleted",
    PruneOutcome.HELD_BACK: "Held back, since more than half would go",
    PruneOutcome.POSTPONED: "Left for the next run, since MAX_DELETES is reached",
    PruneOutcome.PROTECTED: "Protected",
    PruneOutcome.KEPT: "Kept",
}


def summary(result: PruneResult) -> str:
    """The run in one line."""
    counts = result.counts()
    if result.failure:
        return "nothing deleted, the backups could not be listed"
    if result.dry_run:
        parts = [f"dry run, {counts[PruneOutcome.WOULD_BE_DELETED]} would be deleted"]
    else:
        parts = [f"{counts[PruneOutcome.DELETED]} deleted"]
    parts.append(f"{counts[PruneOutcome.KEPT] + counts[PruneOutcome.PROTECTED]} kept")
    words = {"FAILED": "failed", "LEFT": "not yet deleted", "HELD_BACK": "held back", "POSTPONED": "left for later"}
    return ", ".join(
        [
            *parts,
            *(f"{counts[PruneOutcome(name)]} {word}" for name, word in words.items() if counts[PruneOutcome(name)]),
        ]
    )


def lines(result: PruneResult) -> Iterator[str]:
    """The run for an e-mail: the verdict, a table of the instances, then the backups by what became of them.

    It ends early if it gets too long for a notification.
    """
    room = _ROOM
    for line in _lines(result):
        room -= len(json.dumps(line))
        if room < 0:
            yield "... This is not all: the event has more, and the totals."
            return
        yield line


def _lines(result: PruneResult) -> Iterator[str]:
    yield from _verdict(result)
    yield f"Rules: {result.retention} (time zone {result.zone})"
    yield f"Time: {result.time:%Y-%m-%d %H:%M:%S} UTC"
    if result.failure:
        return
    yield ""
    yield from _table(result)
    for outcome, heading in _SECTIONS.items():
        if found := result.results(outcome):
            yield ""
            yield f"{heading} ({len(found)}):"
            yield from (f"  {_line(one)}" for one in found[:_MOST_LINES])
            if len(found) > _MOST_LINES:
                yield f"  ... and {len(found) - _MOST_LINES} more"


def _verdict(result: PruneResult) -> Iterator[str]:
    if result.failure:
        yield f"Nothing was deleted, since the backups could not be listed: {result.failure.message}"
    elif result.dry_run:
        yield "This was a dry run: nothing was deleted. To delete, set DRY_RUN to false and ask for no trial."
    elif found := result.results(PruneOutcome.DELETED):
        yield f"{len(found)} {'backup' if len(found) == 1 else 'backups'} deleted, {_gigabytes(found)} freed."
    else:
        yield "Nothing was deleted."
    if result.holds_back:
        yield (
            f"Backups of the instances marked * are held back: more than {FEW}, and more than half, of the completed "
            'ones of an instance or of all would go. If that is right, send {"force": true}; else change RETENTION.'
        )
    yield from result.warnings


def _table(result: PruneResult) -> Iterator[str]:
    counts = result.counts()
    shown = [outcome for outcome in PruneOutcome if counts[outcome] or outcome is PruneOutcome.KEPT]
    rows = [(_label(instance), instance.counts()) for instance in result.instances[:_MOST_LINES]]
    width = max(len(label) for label, _ in [("Instance", counts), *rows])

    def row(label: str, numbers: "Counter[PruneOutcome]") -> str:
        return "  ".join([label.ljust(width), *(f"{numbers[outcome]:>{len(outcome.value)}}" for outcome in shown)])

    yield "  ".join(["Instance".ljust(width), *(outcome.value for outcome in shown)])
    yield from (row(label, numbers) for label, numbers in rows)
    if len(result.instances) > _MOST_LINES:
        yield f"... and {len(result.instances) - _MOST_LINES} more instances"
    yield row("All", counts)


def _label(instance: PrunedInstance) -> str:
    return f"{'* ' * instance.held_back}{instance.instance_name or '-'} ({instance.instance_id})"


def _line(found: BackupResult) -> str:
    began = found.backup.begin_time
    when = f"{began:%Y-%m-%d %H:%M}" if began else "unknown time    "
    why = ", ".join(REASONS.get(reason, reason) for reason in found.reasons)
    trouble = f"; {found.failure.code}: {found.failure.message}" if found.failure else ""
    instance = found.backup.instance_name or found.backup.instance_id
    return f"{when}  {found.backup.name}  ({instance}, {found.backup.id}): {why}{trouble}"


def _gigabytes(found: list[BackupResult]) -> str:
    return f"{sum(one.backup.size or 0 for one in found) / _KB_IN_GB:,.1f} GB"
