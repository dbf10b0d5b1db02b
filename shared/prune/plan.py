"""Which backups to keep and which to delete: a plan from what DDS lists alone, so that it can be made again.

Two safeguards stand above the rules of retention: protections keep single backups, and the mass-deletion guard holds a
plan back that would delete most of what there is.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from enum import Enum

from shared.drills import short_id
from shared.identity import key_of
from shared.model import Backup
from shared.prune.retention import MAX_AGE, Retention


class Fate(str, Enum):
    """What the plan intends for a backup."""

    KEEP = "KEEP"
    PROTECT = "PROTECT"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the plan intends for one backup, and why.

    Attributes:
        reasons: for KEEP the rules that keep it; for PROTECT the protection (newest, newest_day_old, newest_verified,
            building, being_deleted, restoring, begun_later, no_begin_time, recently_failed, recent, unknown_status);
            for DELETE no_rule, max_age or failed.
    """

    backup: Backup
    fate: Fate
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InstancePlan:
    """The verdicts on the backups of one instance, the newest first; empty if this application made none of them."""

    instance_id: str
    instance_name: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a run, instance by instance in the order of their ids."""

    instances: tuple[InstancePlan, ...]

    def of(self, fate: Fate) -> list[Verdict]:
        """Return the verdicts of one kind, the oldest backup first."""
        verdicts = (v for instance in self.instances for v in instance.verdicts if v.fate is fate)
        return sorted(verdicts, key=lambda verdict: age_order(verdict.backup))


def make_plan(
    backups: Iterable[Backup],
    retention: Retention,
    now: datetime,
    zone: tzinfo = timezone.utc,
    instance_ids: Collection[str] | None = None,
    verified: Container[str] = (),
) -> Plan:
    """Judge every backup that this application made, of the given instances or of all.

    Only the key in its description makes a backup this application's, since anybody can choose a name. `now` is the
    time for which the plan is made; it may be in the past. `verified` has the short ids of the backups that drills have
    restored and found valid.
    """
    listed = {backup.id: backup for backup in backups}.values()
    restoring = {backup.instance_id for backup in listed if backup.is_restoring}
    groups: dict[str, list[Backup]] = {instance_id: [] for instance_id in instance_ids or ()}
    for backup in listed:
        if key_of(backup.description) and (instance_ids is None or backup.instance_id in instance_ids):
            groups.setdefault(backup.instance_id, []).append(backup)

    def plan_instance(instance_id: str) -> InstancePlan:
        newest_first = sorted(groups[instance_id], key=age_order, reverse=True)
        name = next((backup.instance_name for backup in newest_first if backup.instance_name), "")
        is_restoring = instance_id in restoring
        verdicts = _judge(newest_first, retention, now, zone, verified, is_restoring=is_restoring)
        return InstancePlan(instance_id, name, tuple(verdicts))

    return Plan(tuple(plan_instance(instance_id) for instance_id in sorted(groups)))


def _judge(
    newest_first: Sequence[Backup],
    retention: Retention,
    now: datetime,
    zone: tzinfo,
    verified: Container[str],
    *,
    is_restoring: bool,
) -> Iterator[Verdict]:
    protections = {backup.id: protection(backup, now) for backup in newest_first}
    good = [backup for backup in newest_first if not protections[backup.id] and backup.status == "COMPLETED"]
    # A burst of new backups pushes the others out of the rules that count. One from before the burst always stays.
    newest_day_old = next((backup for backup in good if not is_recent(backup, now)), None)
    newest_verified = next((backup for backup in good if short_id(backup.id) in verified), None)
    rules = retention.rules_that_keep(good, now, zone)
    for backup in newest_first:
        if reason := protections[backup.id]:
            yield Verdict(backup, Fate.PROTECT, (reason,))
        elif backup.id in rules:
            yield Verdict(backup, Fate.KEEP, rules[backup.id])
        elif backup in good[:1]:
            yield Verdict(backup, Fate.PROTECT, ("newest",))
        elif backup is newest_day_old and not retention.is_expired(backup, now):
            yield Verdict(backup, Fate.PROTECT, ("newest_day_old",))
        elif backup is newest_verified:
            yield Verdict(backup, Fate.PROTECT, ("newest_verified",))
        elif is_recent(backup, now):
            yield Verdict(backup, Fate.PROTECT, ("recent",))
        elif is_restoring:
            yield Verdict(backup, Fate.PROTECT, ("restoring",))
        elif backup.status == "FAILED":
            yield Verdict(backup, Fate.DELETE, ("failed",))
        else:
            yield Verdict(backup, Fate.DELETE, (MAX_AGE if retention.is_expired(backup, now) else "no_rule",))


def age_order(backup: Backup) -> tuple[float, str]:
    """Sort the oldest first, and backups of the same second by id, so that the order of the list does not matter."""
    return (backup.begin_time.timestamp() if backup.begin_time else float("-inf"), backup.id)


RECENT = timedelta(days=1)
"""How long every backup is kept, whatever the rules. FunctionGraph may deliver an event again for a day (asynchronous
invocation, maximum event age); it must then find its backup, or it makes another, and track_backups still has to
publish the end of the backup."""

FAILED_KEPT_FOR = timedelta(days=7)
"""How long a failed backup is kept, so that somebody can investigate it."""

_PROTECTED_STATUS = {"BUILDING": "building", "DISABLED": "being_deleted", "COMPLETED": None, "FAILED": None}
"""DDS API, Querying the Backup List: a DISABLED backup is being deleted."""


def protection(backup: Backup, now: datetime) -> str | None:
    """Return what protects a backup from the rules; None if the rules decide.

    A backup that began or ended after `now` is protected, so that a plan for a time in the past stays the same.
    """
    if by_status := _PROTECTED_STATUS.get(backup.status, "unknown_status"):
        return by_status
    if backup.begin_time is None:
        return "no_begin_time"
    if backup.begin_time > now:
        return "begun_later"
    if backup.end_time and backup.end_time > now:
        return "building"
    if backup.status == "FAILED" and now - backup.begin_time <= FAILED_KEPT_FOR:
        return "recently_failed"
    return None


def is_recent(backup: Backup, now: datetime) -> bool:
    """Whether the backup's event may still be delivered again."""
    return backup.begin_time is None or now - backup.begin_time < RECENT


FEW = 3
"""So many completed backups may always be deleted, so that short rules still work after missed nights."""


@dataclass(frozen=True, slots=True)
class MassDeletionGuard:
    """Holds back deletions that are more likely a mistake than intended, unless they are forced.

    An instance is held back if more than FEW, and more than half, of its completed backups are to be deleted.
    Everything is held back if the same is true of all completed backups together. A plan that passes the guard still
    passes it after a part of it was carried out.

    Attributes:
        instances: the ids of the instances that are held back.
        everything: whether nothing at all may be deleted.
    """

    instances: frozenset[str] = frozenset()
    everything: bool = False

    @classmethod
    def for_plan(cls, plan: Plan) -> "MassDeletionGuard":
        """Judge a plan. Failed backups do not count."""
        held_back = {i.instance_id for i in plan.instances if _is_too_much(_to_delete(i), _completed(i))}
        to_delete = sum(_to_delete(instance) for instance in plan.instances if instance.instance_id not in held_back)
        completed = sum(_completed(instance) for instance in plan.instances)
        return cls(frozenset(held_back), everything=_is_too_much(to_delete, completed))

    def holds_back(self, instance_id: str) -> bool:
        """Whether the backups of an instance must not be deleted."""
        return self.everything or instance_id in self.instances


def _is_too_much(to_delete: int, completed: int) -> bool:
    return to_delete > FEW and to_delete * 2 > completed


def _completed(instance: InstancePlan) -> int:
    return sum(verdict.backup.status == "COMPLETED" for verdict in instance.verdicts)


def _to_delete(instance: InstancePlan) -> int:
    return sum(v.fate is Fate.DELETE and v.backup.status == "COMPLETED" for v in instance.verdicts)
