"""What there is to restore: each backup with who made it, by whose rule it is kept until when, and its proof."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from statistics import median

from cli.explain import retention as model
from cli.explain.timers import Timer
from localcloud.functiongraph.schedule import Every
from shared.drills import Verified, short_id
from shared.fleet import Fence
from shared.format import counted
from shared.identity import key_of, stack_of
from shared.model import Backup, Instance
from shared.prune.plan import Fate, age_order
from shared.prune.retention import Retention


HORIZON = timedelta(days=3660)
"""How far the dates look ahead: ten years."""

USUAL = timedelta(days=1)
"""The interval between backups where there are too few to tell."""

_LOOKED_AT = 8
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules by which prune_backups deletes.

    Attributes:
        retention: None if no function of the template prunes.
        fence: the backups that the rules apply to; None for those of every stack, each stack by itself.
        origin: where the rules are written.
        is_dry_run: whether prune_backups deletes nothing so far.
    """

    retention: Retention | None
    zone: tzinfo = timezone.utc
    fence: Fence | None = None
    origin: str = ""
    is_dry_run: bool = False

    def group_of(self, backup: Backup) -> str | None:
        """Return the stack whose backups count together with this one; None if the rules do not apply to it."""
        if self.retention is None or key_of(backup.description) is None:
            return None
        if self.fence is None:
            return stack_of(backup.description) or ""
        is_own = self.fence.allows(backup.instance_id) and key_of(self.fence.own(backup).description)
        return "" if is_own else None


@dataclass(frozen=True, slots=True)
class Keeping:
    """By whose rule a backup is kept, and until when.

    Attributes:
        rules: the rules, or the protection, that keep it now.
        until: when none keeps it any more; None if there is no such time, or it is not known.
        note: the same in words.
    """

    rules: tuple[str, ...]
    until: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class ListedBackup:
    """A backup with what is known of it beyond DDS's list. `made_by` is in words."""

    backup: Backup
    made_by: str
    keeping: Keeping
    verified: Verified | None


@dataclass(frozen=True, slots=True)
class ListedInstance:
    """An instance, or what is left of a deleted one, with its backups, the newest first.

    Attributes:
        instance: None if it does not exist any more.
        interval: how often a new backup is assumed; None if none is, or no rule depends on it.
    """

    id: str
    name: str
    instance: Instance | None
    interval: timedelta | None
    backups: tuple[ListedBackup, ...] = field(default=())

    @property
    def kind(self) -> str:
        """Mode and version, such as "ReplicaSet 4.0", as far as they are known."""
        known = self.instance or next((one.backup for one in self.backups), None)
        return f"{known.mode} {known.version}".strip() if known else ""


def list_everything(
    instances: Sequence[Instance],
    backups: Iterable[Backup],
    rules: Rules,
    verified: Iterable[Verified],
    now: datetime,
) -> list[ListedInstance]:
    """Return all instances in the order of their names, also those that have no backup and those that are deleted."""
    known = {instance.id: instance for instance in instances}
    groups: dict[str, list[Backup]] = {instance.id: [] for instance in instances}
    for backup in backups:
        groups.setdefault(backup.instance_id, []).append(backup)
    proofs: dict[str, Verified] = {}
    for proof in sorted(verified, key=lambda proof: proof.time):
        proofs[proof.name.backup] = proof
    listed = [_instance(id_, known.get(id_), group, rules, proofs, now) for id_, group in groups.items()]
    return sorted(listed, key=lambda one: (one.name, one.id))


def _instance(
    instance_id: str,
    instance: Instance | None,
    backups: Sequence[Backup],
    rules: Rules,
    proofs: Mapping[str, Verified],
    now: datetime,
) -> ListedInstance:
    newest_first = sorted(backups, key=age_order, reverse=True)
    stacks: dict[str, list[Backup]] = {}
    for backup in newest_first:
        if (stack := rules.group_of(backup)) is not None:
            stacks.setdefault(stack, []).append(backup)
    keepings: dict[str, Keeping] = {}
    intervals: list[timedelta] = []
    for own in stacks.values():
        of_stack, interval = _keepings(own, rules, proofs, now, exists=instance is not None)
        keepings.update(of_stack)
        intervals += [interval] if interval else []
    name = instance.name if instance else next((backup.instance_name for backup in newest_first), "")
    return ListedInstance(
        instance_id,
        name,
        instance,
        min(intervals, default=None),
        tuple(
            ListedBackup(
                backup,
                maker_of(backup),
                keepings.get(backup.id) or _foreign(backup, instance),
                proofs.get(short_id(backup.id)),
            )
            for backup in newest_first
        ),
    )


def maker_of(backup: Backup) -> str:
    """Return who made a backup: DDS, a stack of this application, or somebody else."""
    if backup.is_automatic:
        return "DDS (automatic)"
    if key_of(backup.description) is None:
        return "hand"
    stack = stack_of(backup.description)
    return f"stack {stack}" if stack else "ddsbackup (no stack)"


def _keepings(
    own: Sequence[Backup], rules: Rules, proofs: Mapping[str, Verified], now: datetime, *, exists: bool
) -> tuple[dict[str, Keeping], timedelta | None]:
    """Return until when prune_backups keeps each backup of a stack, and the assumed interval of new ones."""
    assert rules.retention  # noqa: S101 the rules apply to these backups
    completed = [backup for backup in own if backup.status == "COMPLETED"]
    newest = completed[0].begin_time if exists and completed else None
    interval = usual_interval(completed) if newest else None
    timer = Timer("", "", "", "", Every(interval.total_seconds(), newest.timestamp())) if newest and interval else None
    existing = model.Existing(tuple(own), frozenset(proofs))
    (story,) = model.foresee(existing, timer, None, [model.Rules(rules.retention, rules.zone)], now, HORIZON)
    return {life.backup.id: _keeping(life, rules, exists=exists) for life in story.lives}, interval


def usual_interval(newest_first: Sequence[Backup]) -> timedelta:
    """Return the median of the intervals between the newest backups, in whole minutes."""
    begins = [backup.begin_time for backup in newest_first[:_LOOKED_AT] if backup.begin_time]
    gaps = [newer - older for newer, older in pairwise(begins)]
    return max(_MINUTE, round(median(gap / _MINUTE for gap in gaps)) * _MINUTE) if gaps else USUAL


def _keeping(life: model.Life, rules: Rules, *, exists: bool) -> Keeping:
    marks = ", ".join(life.marks)
    if life.fate is Fate.DELETE:
        deletes = "it would be deleted next, but DRY_RUN is on" if rules.is_dry_run else "it is deleted next"
        return Keeping((), None, f"no rule keeps it ({marks}): {deletes}")
    until = life.goes.replace(microsecond=0) if life.goes else None
    if life.fate is Fate.PROTECT:
        return Keeping(life.marks, until, f"protected: {marks}")
    note = f"kept by {marks}"
    if until is None:
        note += ", for more than ten years" if exists else ", since nothing newer comes"
    return Keeping(life.marks, until, note)


def _foreign(backup: Backup, instance: Instance | None) -> Keeping:
    """Return what is known of a backup that the rules do not apply to."""
    if backup.is_automatic:
        if instance is None:
            return Keeping((), None, "DDS deletes automatic backups with their instance")
        if not instance.backup_days or not backup.begin_time:
            return Keeping((), None, "the backup policy of the instance is off")
        until = backup.begin_time + timedelta(days=instance.backup_days)
        return Keeping(("policy",), until, f"kept by DDS for {counted(instance.backup_days, 'day')}")
    if key_of(backup.description) is None:
        return Keeping((), None, "kept until somebody deletes it")
    return Keeping((), None, "kept by the rules of its stack, which are not known here")


def chosen(
    listed: Sequence[ListedInstance], names: Sequence[str], statuses: Collection[str]
) -> tuple[list[ListedInstance], list[str]]:
    """Return the instances with one of *names* (or ids; all if there are none), and the names that are unknown.

    Only backups with one of *statuses* are left, or all if there are none.
    """
    wanted = [one for one in listed if not names or {one.id, one.name} & set(names)]
    unknown = [name for name in names if not any(name in (one.id, one.name) for one in listed)]
    return [
        ListedInstance(
            one.id,
            one.name,
            one.instance,
            one.interval,
            tuple(item for item in one.backups if not statuses or item.backup.status in statuses),
        )
        for one in wanted
    ], unknown
