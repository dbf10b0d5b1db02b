"""The report in words, for the terminal and the page alike: questions with answers, and facts with names."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from cli.report.model import Finding, InstanceReport, Report
from shared.format import counted, duration, gigabytes, plain, size


@dataclass(frozen=True, slots=True)
class Answer:
    """A question and its answer.

    Attributes:
        is_well: whether the answer is a good one; None for one that is neither good nor bad.
        sentences: the answer, the most important first.
    """

    question: str
    is_well: bool | None
    sentences: tuple[str, ...]


def answers(report: Report) -> list[Answer]:
    """Return the answers in the order in which they are asked."""
    return [
        _recent(report),
        Answer("What is wrong, and since when?", report.is_well, tuple(_wrong(report))),
        Answer("What comes next?", None, tuple(_next(report))),
        _restorable(report),
        Answer("What does it cost?", None, tuple(_cost(report))),
    ]


def _recent(report: Report) -> Answer:
    question = "Is everything recent enough?"
    expected, late = len(report.expected), len(report.late)
    if not expected:
        return Answer(question, None, ("Not known: no instance has a target.",))
    if not late:
        text = f"Yes. {counted(expected, 'instance')} with a target, each with a backup that is young enough."
        return Answer(question, True, (text,))
    text = f"No. Without a backup that is young enough: {late} of {counted(expected, 'instance')} with a target."
    return Answer(question, False, (text,))


def _wrong(report: Report) -> Iterator[str]:
    for one in report.instances:
        for finding in one.findings:
            yield f"{title(one)}: {finding_text(finding)}"
    yield from (_capitalized(finding_text(finding)) for finding in report.findings)
    if report.is_well:
        yield "Nothing."


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def title(one: InstanceReport) -> str:
    """Return what an instance is called."""
    return plain(one.name) or one.id


def finding_text(finding: Finding) -> str:
    """Return a finding with its code and since when it is so."""
    since = f", since {moment(finding.since)}" if finding.since else ""
    return f"{plain(finding.text)}{since} ({finding.code})."


def moment(time: datetime | None) -> str:
    """Return a time in UTC to the minute."""
    return f"{time.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC" if time else "-"


def _next(report: Report) -> Iterator[str]:
    for run in report.next_runs:
        when = moment(run.time) if run.time else f"every {run.schedule}, counted from the deployment"
        yield f"{run.function} {run.timer}: {when}."
    if not report.next_runs:
        yield "No timer is enabled."
    slots = [(one.next_drill, one) for one in report.instances if one.next_drill]
    if slots:
        slot, one = min(slots, key=lambda item: item[0])
        yield f"Next slot of a drill: {moment(slot)}, {title(one)}."


def _restorable(report: Report) -> Answer:
    question = "Can it be restored?"
    expected, proven = len(report.expected), len(report.proven)
    if not report.drills_known:
        return Answer(question, None, ("Not known: the task list of DDS, which tells of drills, cannot be read.",))
    of_all = f"{proven} of {counted(expected, 'instance')} with a target"
    sentences = [f"Drills of the last 30 days have verified a backup of {of_all}."]
    if report.slowest is not None:
        sentences.append(f"The slowest of the restores took {duration(report.slowest)}.")
    if not report.drills_on:
        sentences.append("No drill begins: the template has no drill_backups, or its DRY_RUN is on.")
    return Answer(question, True if expected and proven == expected else None, tuple(sentences))


def _cost(report: Report) -> Iterator[str]:
    count = sum(one.storage.backups for one in report.instances) + sum(one.backups for one in report.orphans)
    yield f"{counted(count, 'backup')}, {size(report.size)}, of which {size(report.billed)} are beyond the free space."
    if report.orphans:
        orphaned = sum(one.size for one in report.orphans)
        yield f"{size(orphaned)} of them belong to {counted(len(report.orphans), 'deleted instance')}."
    if report.monthly is not None:
        yield f"{report.monthly:.2f} a month, at {report.price:g} for each GB ({gigabytes(report.billed):g} GB)."
    else:
        yield "For an amount, give the price of your region: --price-backup-gb."


def facts(one: InstanceReport) -> Iterator[tuple[str, str]]:
    """Yield what is known of an instance, each fact after its name."""
    yield "Target", target(one)
    if one.newest and one.age is not None:
        taken = f", {size(one.newest.size)}" if one.newest.size is not None else ""
        yield "Newest good", f"{duration(one.age)} old, of {moment(one.newest.begin_time)}{taken}"
    else:
        yield "Newest good", "none"
    if one.failures:
        yield "Failed", f"{counted(one.failures, 'backup')} since {moment(one.failed_since)}"
    if one.building:
        yield "Building", counted(one.building, "backup")
    yield "Next backup", moment(one.next_backup) if one.next_backup else "no timer names it"
    yield "Last drill", last_drill(one)
    if one.next_drill:
        yield "Next drill", moment(one.next_drill)
    if one.window_asked:
        yield (
            "Point in time",
            f"{moment(one.window[0])} to {moment(one.window[1])}" if one.window else "none, or not known",
        )
    stored = one.storage
    beyond = f"{size(stored.billed)} beyond the free {size(stored.free)}"
    yield "All backups", f"{stored.backups}, {size(stored.size)}, {beyond}"


def target(one: InstanceReport) -> str:
    """Return the target of an instance."""
    if one.policy is None:
        return "none"
    often, grace = duration(one.policy.expected_interval), duration(one.policy.grace)
    return f"every {often}, {grace} of grace ({plain(one.policy.name)})"


def last_drill(one: InstanceReport) -> str:
    """Return what drills tell of an instance."""
    drill = one.drill
    parts = []
    if drill.verified_at and drill.restored_in is not None:
        parts.append(f"verified {moment(drill.verified_at)}, restored in {duration(drill.restored_in)}")
    if drill.failed_at:
        parts.append(f"the restore failed {moment(drill.failed_at)}")
    if drill.is_running:
        parts.append("one is under way")
    return "; ".join(parts) or "none"
