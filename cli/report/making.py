"""Makes a report of what DDS lists and what is expected. It makes no call and reads no clock."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from cli.report.model import Drilled, Facts, Finding, InstanceReport, NextRun, Report, Storage
from cli.report.strip import make_strip
from cli.report.targets import Targets, asked_of_all
from shared.audit.audit import Audit, Judgement, histories, judge
from shared.audit.drills import Proof, find_drills, prove
from shared.drills import DrillName, Verified, is_drill, short_id, verified
from shared.errors import CloudError
from shared.format import counted, duration
from shared.identity import key_of
from shared.model import JOBS_KEPT, Backup, Instance


_KB_IN_GB = 1024**2
_WITHOUT_DATA = frozenset({"mongos", "config"})
"""The nodes of a cluster whose disks hold none of its data."""

ItemT = TypeVar("ItemT")


def make_report(facts: Facts, targets: Targets, now: datetime, place: str = "", price: float | None = None) -> Report:
    """Make the report as of *now*. The lists may be in any order."""
    fence = targets.fence
    instances = {one.id: one for one in facts.instances if fence is None or fence.allows(one.id) or is_drill(one)}
    backups = {one.id: one for one in facts.backups if fence is None or fence.allows(one.instance_id)}
    manual = [fence.own(one) if fence else one for one in backups.values() if not one.is_automatic]
    marks = facts.unknown_tasks or list(verified(facts.restores))
    audit = judge(targets.request, list(instances.values()), manual, marks, targets.rules, now)
    proofs = {} if isinstance(marks, CloudError) else _proofs(targets, list(instances.values()), manual, marks, now)
    reports = _instances(facts, targets, audit, list(instances.values()), list(backups.values()), manual, proofs, now)
    return Report(
        time=now,
        place=place,
        findings=tuple(_findings(audit)),
        instances=tuple(sorted(reports, key=lambda one: (not one.findings, one.name, one.id))),
        next_runs=tuple(_next_runs(targets, now)),
        orphans=audit.deleted_instances,
        price=price,
        drills_known=facts.unknown_tasks is None,
        drills_on=targets.drilling is not None and not targets.drilling.is_dry_run,
        remarks=targets.remarks,
    )


def _proofs(
    targets: Targets, instances: Sequence[Instance], manual: Sequence[Backup], marks: Sequence[Verified], now: datetime
) -> dict[str, Proof]:
    """Return the last drill of each instance that has a target, whether a policy asks for one or not."""
    policies = asked_of_all(targets.request.policies, JOBS_KEPT)
    chosen = {policy.name: policy.choose(instances) for policy in policies}
    running = [one for one in find_drills(instances, manual, targets.rules.drill_max_age, now) if not one.is_leaked]
    return {one.instance.id: one for one in prove(policies, chosen, manual, marks, running, now)}


def _instances(
    facts: Facts,
    targets: Targets,
    audit: Audit,
    instances: Sequence[Instance],
    backups: Sequence[Backup],
    manual: Sequence[Backup],
    proofs: dict[str, Proof],
    now: datetime,
) -> Iterator[InstanceReport]:
    ours = _by_instance((one for one in manual if key_of(one.description)), lambda one: one.instance_id)
    all_of = _by_instance(backups, lambda one: one.instance_id)
    jobs = _by_instance(facts.jobs, lambda one: one.instance_id)
    failed_drills = _failed_drills(facts, manual)
    judgements = {one.instance.id: one for one in audit.judgements}
    asked = {one.instance.id: one for one in audit.proofs or ()}
    past = histories(one for one in manual if one.begin_time is None or one.begin_time <= now)
    next_backups = targets.next_backups(instances, now)
    for instance in instances:
        if is_drill(instance):
            continue
        judgement, own = judgements.get(instance.id), ours[instance.id]
        history = past.get(instance.id)
        failed = history.failed if history else ()
        proof = proofs.get(instance.id)
        newest = history.newest if history else None
        yield InstanceReport(
            id=instance.id,
            name=instance.name,
            kind=f"{instance.mode} {instance.version}".strip(),
            policy=judgement.policy if judgement else None,
            findings=tuple(_instance_findings(audit, instance, judgement, asked.get(instance.id), failed)),
            newest=newest,
            age=now - newest.begin_time if newest and newest.begin_time else None,
            failed_since=failed[-1].begin_time if failed else None,
            failures=len(failed),
            building=len(history.building) if history else 0,
            next_backup=next_backups.get(instance.id),
            next_drill=targets.drilling.next_slot(instance, now) if targets.drilling else None,
            drill=_drilled(proof, asked.get(instance.id), failed_drills.get(instance.id)),
            window=facts.windows.get(instance.id),
            window_asked=instance.id in facts.windows,
            storage=_storage(instance, all_of[instance.id]),
            strip=make_strip(
                own,
                all_of[instance.id],
                jobs[instance.id],
                judgement.policy if judgement else None,
                targets.pruning,
                now,
                has_none=judgement is not None and judgement.code == "no_backup",
            ),
        )


def _by_instance(items: Iterable[ItemT], instance_id: Callable[[ItemT], str]) -> dict[str, list[ItemT]]:
    groups: dict[str, list[ItemT]] = defaultdict(list)
    for item in items:
        groups[instance_id(item)].append(item)
    return groups


def _failed_drills(facts: Facts, manual: Iterable[Backup]) -> dict[str, datetime]:
    """Return when the last drill of each instance failed to restore, by the id of the instance."""
    source = {short_id(one.id): one.instance_id for one in manual}
    found: dict[str, datetime] = {}
    for task in facts.restores:
        name = DrillName.parse(task.instance_name)
        if name and not task.is_restart and task.status == "Failed" and (instance_id := source.get(name.backup)):
            moment = task.ended_at or task.created_at
            found[instance_id] = max(moment, found.get(instance_id, moment))
    return found


def _drilled(proof: Proof | None, asked: Proof | None, failed_at: datetime | None) -> Drilled:
    mark = proof.newest[0] if proof and proof.newest else None
    return Drilled(
        verified_at=mark.time if mark else None,
        restored_in=timedelta(seconds=mark.restored_in) if mark else None,
        failed_at=failed_at if failed_at and (mark is None or failed_at > mark.time) else None,
        is_running=bool(proof and proof.drill),
        within=asked.within if asked else None,
    )


def _storage(instance: Instance, backups: Sequence[Backup]) -> Storage:
    disks = sum(group.size or 0 for group in instance.groups if group.kind not in _WITHOUT_DATA)
    return Storage(len(backups), sum(one.size or 0 for one in backups), disks * _KB_IN_GB)


# What needs a person.


def _instance_findings(
    audit: Audit, instance: Instance, judgement: Judgement | None, proof: Proof | None, failed: Sequence[Backup]
) -> Iterator[Finding]:
    """Yield the findings of an instance, the worst first."""
    if judgement and judgement.code == "backup_too_old" and judgement.age is not None:
        due = judgement.now - judgement.age + judgement.policy.limit
        target = duration(judgement.policy.limit)
        yield Finding(
            "backup_too_old", due, f"the newest good backup is {duration(judgement.age)} old, the target is {target}"
        )
    elif judgement and judgement.code:
        due_first = instance.created + judgement.policy.limit if instance.created else None
        yield Finding("no_backup", due_first, "it has no good backup")
    if failed:
        yield Finding(
            "failed", failed[-1].begin_time, f"{counted(len(failed), 'backup')} failed since the last good one"
        )
    for backup in audit.stuck:
        if backup.instance_id == instance.id:
            yield Finding("stuck", backup.begin_time, f"the backup {backup.name or backup.id} is still building")
    if any(one.id == instance.id for one in audit.uncovered):
        yield Finding("uncovered", None, "it is tagged for backup, and no policy covers it")
    if proof and proof.code == "not_verified":
        yield Finding(proof.code, None, f"no drill has verified a backup, the target is {duration(proof.within)}")
    elif proof and proof.code and proof.age is not None:
        since = proof.now - proof.age + proof.within
        text = f"a drill last verified a backup {duration(proof.age)} ago, the target is {duration(proof.within)}"
        yield Finding(proof.code, since, text)


_UNKNOWN = {"not_found": "which does not exist", "drill": "which is a restore drill's"}


def _findings(audit: Audit) -> Iterator[Finding]:
    """Yield the findings that are of no instance with a report."""
    for policy, instance_id, code in audit.unknown_instances:
        yield Finding(f"instance_{code}", None, f"the policy {policy} names {instance_id}, {_UNKNOWN[code]}")
    for policy in audit.empty_policies:
        yield Finding("empty_policy", None, f"the policy {policy} covers no instance")
    for drill in audit.leaked_drills:
        since = audit.time - drill.over if drill.over is not None else None
        yield Finding("leaked_drill", since, f"the drill's instance {drill.instance.name} should be gone")
    if audit.unproved:
        yield Finding("unproved", None, f"it is not known which backups are verified: {audit.unproved}")


def _next_runs(targets: Targets, now: datetime) -> Iterator[NextRun]:
    for timer in targets.timers:
        time = None if timer.is_rate else next(iter(timer.next_runs(now, 1)), None)
        yield NextRun(timer.function, timer.name, timer.text, time)
