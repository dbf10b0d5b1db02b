"""An audit as people read it: the verdict, then what is wrong and what to do about it."""

from collections.abc import Iterator, Sequence

from shared.audit.audit import Audit, Judgement, Verdict
from shared.audit.drills import LivingDrill, Proof
from shared.format import counted, duration, size, timestamp


_MOST_LINES = 20

MISSED_ADVICE = "Look at the log of create_backup and at its timer, then back the instance up by hand."
UNCOVERED_ADVICE = (
    "Add a policy for it to the timer of audit_backups, and have create_backup back it up; or remove the tag."
)
UNVERIFIED_ADVICE = (
    "Look at the reports of drill_backups: whether it drills this instance, and what became of the drills. Or restore "
    "a backup by hand."
)
LEAKED_ADVICE = (
    "Look at the log of drill_backups and at its timer, then delete the instance in the DDS console. It costs money "
    "meanwhile. If it is no drill's, remove its tag or rename it: until then nobody backs it up."
)


def verdict_line(audit: Audit) -> str:
    """Summarize an audit in one line, such as "2 missed, 1 not covered; 12 of 14 covered instances are fine"."""
    total, missed = len(audit.judgements), len(audit.missed)
    covered = f"{total - missed:,} of {total:,} covered instances are fine"
    covered += _verified(audit)
    if audit.verdict is Verdict.ALL_WELL:
        return f"all well, {covered}" if audit.policies else "nothing found, but no policy says what to expect"
    counts = (
        (missed, "missed", "missed"),
        (len(audit.uncovered), "not covered", "not covered"),
        (sum(failed.count for failed in audit.failed), "failed backup", "failed backups"),
        (len(audit.stuck), "stuck backup", "stuck backups"),
        (len(audit.empty_policies), "empty policy", "empty policies"),
        (len(audit.unknown_instances), "unknown instance", "unknown instances"),
        (len(audit.unverified), "unverified", "unverified"),
        (len(audit.leaked_drills), "leaked drill", "leaked drills"),
    )
    found = [f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count]
    found += ["not known what is verified"] if audit.unproved else []
    return f"{', '.join(found)}; {covered}"


def _verified(audit: Audit) -> str:
    """Say how many instances have a verified backup, if a policy asks and it is known."""
    if audit.proofs is None or audit.unproved:
        return ""
    pending = sum(proof.is_pending for proof in audit.proofs)
    text = f", {sum(proof.is_verified for proof in audit.proofs):,} of {len(audit.proofs):,} verified"
    return f"{text} ({pending:,} pending)" if pending else text


def missed_message(judgement: Judgement) -> str:
    """Describe a missed backup in a sentence: what was found, what was expected, what was tried."""
    policy, attempt = judgement.policy, judgement.last_attempt
    expected = f"expected every {duration(policy.expected_interval)}, with {duration(policy.grace)} of grace"
    if judgement.age is None:
        found, later = "there is no good backup of this application", ""
    else:
        found, later = f"the newest good backup is {duration(judgement.age)} old", "later "
    tried = (
        f"the last attempt, at {timestamp(attempt.begin_time)}, is {attempt.status}"
        if attempt
        else f"no {later}attempt is listed"
    )
    status = judgement.instance.status
    ill = "" if status == "normal" else f"; the instance is {status}, and only a normal one can be backed up"
    return f"{found}, {expected} (policy {policy.name}); {tried}{ill}"


def unverified_message(proof: Proof) -> str:
    """Describe an instance without a verified backup in a sentence: what was found and what was expected."""
    found = (
        f"a drill last verified a backup {duration(proof.age)} ago"
        if proof.age is not None
        else "DDS tells of no drill of the last 30 days that verified a backup which still exists"
    )
    return f"{found}, expected within {duration(proof.within)} (policy {proof.policy.name})"


def leaked_message(drill: LivingDrill) -> str:
    """Describe an instance that a restore drill has left in a sentence."""
    age = "an instance of unknown age" if drill.age is None else f"{duration(drill.age)} old"
    return f"the instance of a restore drill is still there: {age}, {drill.instance.status}"


def email_lines(audit: Audit, *, most: int, findings_published: bool) -> list[str]:
    """Return the lines after the headline: a paragraph for each kind of finding, with `most` lines, but at most 20."""
    lines = [f"As of {timestamp(audit.time)}; {counted(audit.instances, 'instance')} in the project."]
    for heading, advice, items in _paragraphs(audit):
        if items:
            shown = items[: min(most, _MOST_LINES)]
            lines += ["", f"{heading} ({len(items):,}). {advice}", *(f"  - {item}" for item in shown)]
            if len(items) > len(shown):
                lines.append(f"  ... and {len(items) - len(shown):,} more")
    if not findings_published:
        lines += ["", "There are too many findings to publish each of them by itself (MAX_FINDINGS_PUBLISHED)."]
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
        "The job of the backup shows the reason, in the task list of DDS.",
        [
            f"{failed.newest.instance_name} ({failed.newest.instance_id}): {counted(failed.count, 'backup')}, the last "
            f"{failed.newest.name} at {timestamp(failed.newest.begin_time)}"
            for failed in audit.failed
        ],
    )
    yield (
        "STUCK",
        "Stop the backup in the DDS console. Until then the instance takes no other backup.",
        [
            f"{b.instance_name} ({b.instance_id}): {b.name}, BUILDING for {duration(audit.time - b.begin_time)}"
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
        "Remove them from the policy, or find out who deleted them.",
        [f"{i} (policy {name})" for name, i, code in audit.unknown_instances if code == "not_found"],
    )
    yield (
        "INSTANCES OF RESTORE DRILLS that a policy names",
        "Remove them from the policy: a drill's instance is not backed up.",
        [f"{i} (policy {name})" for name, i, code in audit.unknown_instances if code == "drill"],
    )
    yield (
        "NOT KNOWN WHAT IS VERIFIED",
        "The agency of audit_backups needs dds:task:list. Until the task list can be read, nothing counts as verified.",
        [str(audit.unproved)] if audit.unproved else [],
    )
    yield (
        "UNVERIFIED",
        UNVERIFIED_ADVICE,
        [f"{proof.instance.name} ({proof.instance.id}): {unverified_message(proof)}" for proof in audit.unverified],
    )
    yield (
        "LEFT BY RESTORE DRILLS",
        LEAKED_ADVICE,
        [f"{drill.instance.name} ({drill.instance.id}): {leaked_message(drill)}" for drill in audit.leaked_drills],
    )
    yield (
        "DELETED INSTANCES WHOSE BACKUPS STILL COST",
        "Delete the backups if nobody needs them any more. This alone is not a finding.",
        [
            f"{gone.name or 'unnamed'} ({gone.id}): {counted(gone.backups, 'backup')}, {size(gone.size)}"
            for gone in audit.deleted_instances
        ],
    )
