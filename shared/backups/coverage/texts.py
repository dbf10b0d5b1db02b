"""An audit as people read it at 3 a.m.: the verdict, then what is wrong and what to do about it."""

from collections.abc import Iterator, Sequence

from shared.backups.coverage.documents import missed_message, totals
from shared.backups.coverage.findings import Audit, Verdict
from shared.backups.coverage.wording import at, counted, gigabytes, in_words


_MOST_LINES = 20

MISSED_ADVICE = "Look at the log of create_backup and at its timer, then back the instance up by hand."
UNCOVERED_ADVICE = (
    "Add a policy for it to the timer of audit_backups, and have create_backup back it up; or remove the tag."
)


def verdict_line(audit: Audit) -> str:
    """The verdict in a line, such as "2 missed, 1 not covered; 12 of 14 covered instances are fine"."""
    counts = totals(audit)
    covered = f"{counts['fine']:,} of {counts['covered']:,} covered instances are fine"
    if audit.verdict is Verdict.ALL_WELL:
        return f"all well, {covered}" if audit.policies else "nothing found, but no policy says what to expect"
    words = {
        "missed": ("missed", "missed"),
        "uncovered": ("not covered", "not covered"),
        "failed_backups": ("failed backup", "failed backups"),
        "stuck_backups": ("stuck backup", "stuck backups"),
        "empty_policies": ("empty policy", "empty policies"),
        "unknown_instances": ("unknown instance", "unknown instances"),
    }
    found = ", ".join(f"{counts[name]:,} {word[counts[name] != 1]}" for name, word in words.items() if counts[name])
    return f"{found}; {covered}"


def email_lines(audit: Audit, *, most: int, findings_published: bool) -> list[str]:
    """What follows the headline: a paragraph for each kind of finding, with `most` lines each, and never over 20."""
    lines = [f"As of {at(audit.time)}; {counted(audit.instances, 'instance')} in the project."]
    for heading, advice, items in _paragraphs(audit):
        if items:
            shown = items[: min(most, _MOST_LINES)]
            lines += ["", f"{heading} ({len(items):,}). {advice}", *(f"  - {item}" for item in shown)]
            if len(items) > len(shown):
                lines.append(f"  ... and {len(items) - len(shown):,} more")
    if not findings_published:
        lines += ["", "They are too many to announce each by itself (MAX_FINDINGS_PUBLISHED)."]
    return lines


def _paragraphs(audit: Audit) -> Iterator[tuple[str, str, Sequence[str]]]:
    yield (
        "MISSED",
        MISSED_ADVICE,
        [f"{j.instance.name} ({j.instance.id}): {missed_message(j)}" for j in audit.missed],
    )
    yield (
        "NOT COVERED by any policy, though tagged for backup",
        UNCOVERED_ADVICE,
        [f"{instance.name} ({instance.id})" for instance in audit.uncovered],
    )
    yield (
        "FAILED, with no good backup since",
        "The job of the backup says why, in the task list of DDS.",
        [
            f"{failed.newest.instance_name} ({failed.newest.instance_id}): {counted(failed.count, 'backup')}, the last "
            f"{failed.newest.name} at {at(failed.newest.begin_time)}"
            for failed in audit.failed
        ],
    )
    yield (
        "STUCK",
        "Stop the backup in the console of DDS: while it lasts, the instance takes no other.",
        [
            f"{b.instance_name} ({b.instance_id}): {b.name}, BUILDING for {in_words(audit.time - b.begin_time)}"
            for b in audit.stuck
            if b.begin_time
        ],
    )
    yield (
        "POLICIES THAT COVER NO INSTANCE",
        "Correct or remove them: they guard nothing.",
        audit.empty_policies,
    )
    yield (
        "INSTANCES THAT DO NOT EXIST, but a policy names them",
        "Remove them from the policy, or look for who deleted them.",
        [f"{instance_id} (policy {name})" for name, instance_id in audit.unknown_instances],
    )
    yield (
        "DELETED INSTANCES WHOSE BACKUPS STILL COST",
        "Delete the backups if nobody needs them any more. This alone is no finding.",
        [
            f"{gone.name or 'unnamed'} ({gone.id}): {counted(gone.backups, 'backup')}, {gigabytes(gone.size):,.2f} GB"
            for gone in audit.deleted_instances
        ],
    )
