"""A run in words, for people who read mail."""

from collections.abc import Iterator

from shared.backups.retention.brake import FEW
from shared.backups.retention.interlocks import FAILED_KEPT_FOR
from shared.backups.retention.results import BackupResult, PruneOutcome, PruneResult


_MOST_LINES = 100
_KB_IN_GB = 1024**2
_REASONS = {
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
    """The run for an e-mail: the verdict, a table of the instances, then the backups by what became of them."""
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
        yield "This was a dry run: nothing was deleted. If the list is right, set DRY_RUN to false."
    elif found := result.results(PruneOutcome.DELETED):
        yield f"{len(found)} backups deleted, {_gigabytes(found)} freed."
    else:
        yield "Nothing was deleted."
    if result.holds_back:
        what = "all instances" if result.held_back else "the instances marked * below"
        yield (
            f"Backups of {what} are held back: more than {FEW}, and more than half of the completed ones, would go. "
            'If that is right, send {"force": true}; else change RETENTION.'
        )
    yield from result.warnings


def _table(result: PruneResult) -> Iterator[str]:
    counts = result.counts()
    shown = [outcome for outcome in PruneOutcome if counts[outcome] or outcome is PruneOutcome.KEPT]
    yield "  ".join([f"{'Instance':<40}", *(outcome.value for outcome in shown)])
    for instance in result.instances[:_MOST_LINES]:
        name = f"{instance.instance_name or '-'} ({instance.instance_id})"
        found = instance.counts()
        numbers = [f"{found[outcome]:>{len(outcome.value)}}" for outcome in shown]
        yield "  ".join([f"{'* ' * instance.held_back}{name:<40}", *numbers])
    if len(result.instances) > _MOST_LINES:
        yield f"... and {len(result.instances) - _MOST_LINES} more instances"
    yield "  ".join([f"{'All':<40}", *(f"{counts[outcome]:>{len(outcome.value)}}" for outcome in shown)])


def _line(found: BackupResult) -> str:
    began = found.backup.begin_time
    when = f"{began:%Y-%m-%d %H:%M}" if began else "unknown time    "
    why = ", ".join(_REASONS.get(reason, reason) for reason in found.reasons)
    trouble = f"; {found.failure.code}: {found.failure.message}" if found.failure else ""
    instance = found.backup.instance_name or found.backup.instance_id
    return f"{when}  {found.backup.name}  ({instance}, {found.backup.id}): {why}{trouble}"


def _gigabytes(found: list[BackupResult]) -> str:
    return f"{sum(one.backup.size or 0 for one in found) / _KB_IN_GB:,.1f} GB"
