"""What has to hold before a drill begins, and before anything is done to the instance of one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.drill.lifecycle import Drill
from shared.drill.schedule import Hours
from shared.drills import TAG, DrillName
from shared.identity import digest
from shared.model import Backup, Instance, InstanceTask, NewInstance, Quota


FULL_BIN = 80
"""With more instances than this in the recycle bin, no drill begins. The bin holds 100. When it is full, a deletion is
permanent (DDS User Guide, Recycling an Instance)."""

_WEEK = timedelta(days=7)
_SKEW = timedelta(minutes=1)  # between the clock of DDS and that of the function
_DISTANCE = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Interlock:
    """A reason why something is not done: a stable code, and a sentence with what was found."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class DrillRules:
    """What the operator of the function decides.

    Attributes:
        max_gb: GB of all disks of a drill's instance together.
        enterprise_project_id: that of the instances of drills; None only in a dry run.
        subnet_id: that of the instances of drills; None for that of the source.
    """

    hours: Hours
    max_age: timedelta
    max_gb: int
    max_per_week: int
    enterprise_project_id: str | None
    subnet_id: str | None
    pick: str


def pick_backup(backups: Sequence[Backup], how: str, slot: datetime) -> Backup | None:
    """Return the good backup to drill: the newest, or one that the slot and the instance alone choose."""
    good = [backup for backup in backups if backup.status == "COMPLETED" and backup.begin_time]
    if how == "newest":
        return max(good, key=lambda backup: (str(backup.begin_time), backup.id), default=None)
    # A backup that comes or goes changes the choice only if it is the chosen one: a redelivery chooses the same.
    return min(good, key=lambda b: digest("pick", slot.isoformat(), b.instance_id, b.id), default=None)


def forbids_any(
    rules: DrillRules, instances: Sequence[Instance], tasks: Sequence[InstanceTask], now: datetime
) -> Interlock | None:
    """Return why no drill at all may begin now."""
    running = sorted(instance.name for instance in instances if DrillName.parse(instance.name))
    if running:
        return Interlock("another_drill", f"one drill at a time: {running[0]} is there")
    restores = [task for task in tasks if not task.is_restart and DrillName.parse(task.instance_name)]
    if unfinished := [task.instance_name for task in restores if task.status == "Running"]:
        return Interlock("another_drill", f"one drill at a time: DDS is restoring {unfinished[0]}")
    begun = sum(now - task.created_at < _WEEK for task in restores)
    if begun >= rules.max_per_week:
        return Interlock("weekly_limit", f"MAX_DRILLS_PER_WEEK is {rules.max_per_week}, and {begun} have begun")
    return None


def forbids_source(source: Instance, rules: DrillRules, now: datetime) -> Interlock | None:
    """Return why no drill of an instance may begin now."""
    if rules.enterprise_project_id and source.enterprise_project_id == rules.enterprise_project_id:
        return Interlock(
            "same_enterprise_project", "it lies in DRILL_ENTERPRISE_PROJECT_ID, which is for the instances of drills"
        )
    if source.status != "normal":
        return Interlock("source_not_normal", f"the instance is {source.status}, not normal")
    if source.actions:
        return Interlock("source_busy", f"the instance is busy with {', '.join(source.actions)}")
    if is_near(source.backup_window, now):
        return Interlock("backup_window", f"less than an hour to its automatic backups at {source.backup_window} UTC")
    return None


def is_near(window: str, now: datetime) -> bool:
    """Whether a moment is in a daily window, such as "22:00-23:00" in UTC, or less than an hour from it."""
    try:
        opens, closes = (_time_of_day(text) for text in window.split("-"))
    except ValueError:
        return False
    length = (closes - opens) % _DAY
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return (now - midnight - (opens - _DISTANCE)) % _DAY < length + 2 * _DISTANCE


def _time_of_day(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def forbids_plan(new: NewInstance, rules: DrillRules) -> Interlock | None:
    """Return why the planned instance must not be made."""
    size = sum((flavor.size or 0) * flavor.number for flavor in new.flavors)
    if size > rules.max_gb:
        return Interlock("too_large", f"its disks have {size} GB, and MAX_DRILL_GB is {rules.max_gb}")
    return None


def forbids_more(mode: str, quotas: Mapping[str, Quota], recycled: int) -> Interlock | None:
    """Return why the project must not get another instance."""
    quota = quotas.get(mode)
    if quota and quota.used >= quota.limit:
        return Interlock("quota", f"the project has {quota.used} of {quota.limit} {mode} instances")
    if recycled > FULL_BIN:
        message = f"the recycle bin holds {recycled} instances, and every drill adds one; the limit is {FULL_BIN}"
        return Interlock("recycle_bin", message)
    return None


def forbids_touching(drill: Drill, rules: DrillRules) -> list[Interlock]:
    """Return every doubt that an instance is one that a drill has made. Nothing is done to it while there is one."""
    return list(_doubts(drill, rules))


def _doubts(drill: Drill, rules: DrillRules) -> Iterator[Interlock]:
    instance, restore = drill.instance, drill.restore
    if restore is None or restore.instance_name != instance.name or instance.name != str(drill.name):
        yield Interlock("no_restore_task", "the task list has no restore to this instance under this name")
    elif restore.created_at < drill.name.slot - _SKEW:
        yield Interlock("older_than_slot", "the instance was restored before the slot in its name")
    if instance.is_prepaid:
        yield Interlock("prepaid", "the instance is billed yearly or monthly; drills make none such")
    if instance.enterprise_project_id != rules.enterprise_project_id:
        yield Interlock("enterprise_project", "the instance does not lie in DRILL_ENTERPRISE_PROJECT_ID")
    subnet = rules.subnet_id or (drill.source.subnet_id if drill.source else None)
    if subnet and instance.subnet_id != subnet:
        yield Interlock("subnet", "the instance does not lie in the subnet of drills")


def forbids_deleting(drill: Drill, rules: DrillRules) -> list[Interlock]:
    """Return why an instance must not be deleted: every doubt, or that it has no tag although its data came back."""
    found = forbids_touching(drill, rules)
    if TAG not in drill.instance.tags and drill.is_restored:
        found.append(Interlock("no_tag", f"the instance has no tag {TAG}"))
    return found
