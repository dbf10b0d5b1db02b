"""The life of a drill: what DDS lists of it, and the next step. It makes no call and reads no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from shared.drills import TAG, DrillName
from shared.model import Backup, Instance, InstanceTask


CHECKS_WITHIN = timedelta(hours=1)
"""For how long after the restore checks that could not be made are tried again."""

OPEN = "open"
"""The value of the tag of a drill that has no outcome yet; later it is the outcome in lower case."""

_DELETING = "DELETE_INSTANCE"  # DDS API, Querying Instances and Details: the action of an instance being deleted
_BROKEN = frozenset({"createfail", "abnormal"})


class Outcome(str, Enum):
    """What came of a drill. Only FAILED says something bad about the backup."""

    VERIFIED = "VERIFIED"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"
    OVERDUE = "OVERDUE"


class Step(str, Enum):
    """What a run does about a drill."""

    WAIT = "WAIT"
    TAG = "TAG"
    CHECK = "CHECK"
    RESTART = "RESTART"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Drill:
    """An instance with the name of a drill, and what DDS lists of it.

    Attributes:
        restore: the task that made the instance; None if DDS lists none.
        restart: the task that restarted it after that, a completed one if there is any.
        backup: what was restored; None if DDS no longer lists it.
        source: the instance that was backed up; None if it is gone or not known.
    """

    name: DrillName
    instance: Instance
    restore: InstanceTask | None
    restart: InstanceTask | None
    backup: Backup | None
    source: Instance | None

    @property
    def source_id(self) -> str:
        """The id of the instance that was backed up; "" if it is not known."""
        return self.backup.instance_id if self.backup else ""

    @property
    def born(self) -> datetime:
        """When the instance was made. The slot came before."""
        return self.instance.created or (self.restore.created_at if self.restore else self.name.slot)

    @property
    def outcome(self) -> Outcome | None:
        """The outcome that is published already, according to the tag."""
        return next((o for o in Outcome if o.value.lower() == self.instance.tags.get(TAG)), None)

    @property
    def is_broken(self) -> bool:
        """Whether DDS could not make a working instance."""
        return self.instance.status in _BROKEN

    @property
    def is_restored(self) -> bool | None:
        """Whether the data came back; None while that is not known."""
        return {"Completed": True, "Failed": False}.get(self.restore.status) if self.restore else None


@dataclass(frozen=True, slots=True)
class Decision:
    """The next step of a drill.

    Attributes:
        outcome: has to be published before.
        code: the stable reason.
    """

    step: Step
    code: str
    message: str
    outcome: Outcome | None = None


def find_drills(
    instances: Iterable[Instance], tasks: Sequence[InstanceTask], backups: Mapping[str, Backup]
) -> list[Drill]:
    """Return the drills among the instances, by their names. `backups` is by their short ids."""
    instances = list(instances)
    by_id = {instance.id: instance for instance in instances}
    drills = []
    for instance in instances:
        if name := DrillName.parse(instance.name):
            own = sorted((t for t in tasks if t.instance_id == instance.id), key=lambda task: task.created_at)
            restore = next((task for task in own if not task.is_restart), None)
            backup = backups.get(name.backup)
            source = by_id.get(backup.instance_id) if backup else None
            drills.append(Drill(name, instance, restore, _restart(own, restore), backup, source))
    return sorted(drills, key=lambda drill: drill.instance.name)


def _restart(tasks: Sequence[InstanceTask], restore: InstanceTask | None) -> InstanceTask | None:
    """Return the newest restart after the restore, a completed one first."""
    since = restore.ended_at if restore else None
    found = [task for task in tasks if task.is_restart and since and task.created_at >= since]
    return max(found, key=lambda task: (task.status == "Completed", task.created_at), default=None)


def decide(drill: Drill, now: datetime, max_age: timedelta) -> Decision:
    """Return the next step of a drill, from what DDS lists of it alone."""
    instance = drill.instance
    if _DELETING in instance.actions:
        return Decision(Step.WAIT, "deleting", "DDS is deleting the instance")
    if now - drill.born >= max_age:
        return _at_the_end(drill)
    if drill.outcome is Outcome.VERIFIED:
        return _after_verification(drill)
    if drill.outcome:
        return Decision(Step.DELETE, drill.outcome.value.lower(), "the outcome is published")
    return _before_outcome(drill)


def _at_the_end(drill: Drill) -> Decision:
    restarted = drill.restart is not None and drill.restart.status == "Completed"
    if drill.outcome is Outcome.VERIFIED and not restarted:
        return _NOT_RESTARTED
    message = f"the instance is {drill.instance.status}, and older than DRILL_MAX_AGE"
    return Decision(Step.DELETE, "too_old", message, None if drill.outcome else Outcome.OVERDUE)


_NOT_RESTARTED = Decision(
    Step.DELETE,
    "not_restarted",
    "all checks have passed, but the instance could not be restarted, so the backup is not marked as verified",
    Outcome.INCONCLUSIVE,
)


def _before_outcome(drill: Drill) -> Decision:
    instance = drill.instance
    if drill.is_restored is False or (drill.is_broken and not instance.actions):
        return Decision(Step.DELETE, "restore_failed", _why(drill), Outcome.FAILED)
    if instance.status != "normal" or instance.actions or not drill.is_restored:
        doing = ", ".join(instance.actions) or instance.status
        return Decision(Step.WAIT, "restoring", f"the instance is not ready: {doing}")
    step = Step.CHECK if TAG in instance.tags else Step.TAG
    return Decision(step, "restored", "the data is restored")


def _why(drill: Drill) -> str:
    reason = drill.restore.fail_reason if drill.restore else None
    return reason or f"DDS could not restore the backup: the instance is {drill.instance.status}"


def _after_verification(drill: Drill) -> Decision:
    """The restart is the lasting mark of a verified backup (shared.drills), so the instance stays until it is over."""
    status = drill.restart.status if drill.restart else None
    if status == "Completed":
        return Decision(Step.DELETE, "verified", "the backup is verified")
    if status == "Failed":
        return _NOT_RESTARTED
    if status or drill.instance.actions:
        return Decision(Step.WAIT, "restarting", "the instance is being restarted")
    return Decision(Step.RESTART, "verified", "the backup is verified")
