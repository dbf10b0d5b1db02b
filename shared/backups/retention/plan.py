"""What is kept, what goes, and what must not go: from the list of backups alone, so that it can be made again."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum

from shared.backups.names import key_of
from shared.backups.ports import Backup
from shared.backups.retention.interlocks import interlock, is_recent
from shared.backups.retention.keeping import is_too_old, rules_that_keep
from shared.backups.retention.rules import MAX_AGE, Retention
from shared.backups.retention.zones import UTC


class Fate(str, Enum):
    """What the plan means to do with a backup."""

    KEEP = "KEEP"
    PROTECT = "PROTECT"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of one backup, and why.

    Attributes:
        reasons: of KEEP the rules that keep it; of PROTECT the interlock (newest, building, being_deleted, restoring,
            begun_later, no_begin_time, recently_failed, recent, unknown_status); of DELETE no_rule, max_age or failed.
    """

    backup: Backup
    fate: Fate
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InstancePlan:
    """The verdicts on the backups of one instance, the newest first; none if it has no backup of this application."""

    instance_id: str
    instance_name: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a run, one instance after the other in the order of their ids."""

    instances: tuple[InstancePlan, ...]

    def of(self, fate: Fate) -> list[Verdict]:
        """The verdicts of one kind, the oldest backup first."""
        verdicts = (v for instance in self.instances for v in instance.verdicts if v.fate is fate)
        return sorted(verdicts, key=lambda verdict: _age_order(verdict.backup))


def make_plan(
    backups: Iterable[Backup],
    retention: Retention,
    now: datetime,
    zone: tzinfo = UTC,
    instance_ids: Collection[str] | None = None,
) -> Plan:
    """Judge every backup of this application, of the instances given or of all.

    Only the key in its description makes a backup this application's: names can be chosen freely. `now` is the time
    for which the plan is made, which may be a while ago.
    """
    listed = {backup.id: backup for backup in backups}.values()
    restoring = {backup.instance_id for backup in listed if backup.is_restoring}
    groups: dict[str, list[Backup]] = {instance_id: [] for instance_id in instance_ids or ()}
    for backup in listed:
        if key_of(backup.description) and (instance_ids is None or backup.instance_id in instance_ids):
            groups.setdefault(backup.instance_id, []).append(backup)

    def plan_instance(instance_id: str) -> InstancePlan:
        newest_first = sorted(groups[instance_id], key=_age_order, reverse=True)
        name = next((backup.instance_name for backup in newest_first if backup.instance_name), "")
        verdicts = _judge(newest_first, retention, now, zone, is_restoring=instance_id in restoring)
        return InstancePlan(instance_id, name, tuple(verdicts))

    return Plan(tuple(plan_instance(instance_id) for instance_id in sorted(groups)))


def _judge(
    newest_first: Sequence[Backup], retention: Retention, now: datetime, zone: tzinfo, *, is_restoring: bool
) -> Iterator[Verdict]:
    interlocks = {backup.id: interlock(backup, now) for backup in newest_first}
    good = [backup for backup in newest_first if not interlocks[backup.id] and backup.status == "COMPLETED"]
    rules = rules_that_keep(good, retention, now, zone)
    for backup in newest_first:
        if locked := interlocks[backup.id]:
            yield Verdict(backup, Fate.PROTECT, (locked,))
        elif backup.id in rules:
            yield Verdict(backup, Fate.KEEP, rules[backup.id])
        elif backup in good[:1]:
            yield Verdict(backup, Fate.PROTECT, ("newest",))
        elif is_recent(backup, now):
            yield Verdict(backup, Fate.PROTECT, ("recent",))
        elif is_restoring:
            yield Verdict(backup, Fate.PROTECT, ("restoring",))
        elif backup.status == "FAILED":
            yield Verdict(backup, Fate.DELETE, ("failed",))
        else:
            yield Verdict(backup, Fate.DELETE, (MAX_AGE if is_too_old(backup, retention, now) else "no_rule",))


def _age_order(backup: Backup) -> tuple[float, str]:
    """The oldest first; backups of the same second by their ids, so that the order of the list does not matter."""
    return (backup.begin_time.timestamp() if backup.begin_time else float("-inf"), backup.id)
