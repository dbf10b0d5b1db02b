"""A DDS in memory in which time passes: restores take long, fail or hang, and every call can be disturbed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from shared.drill.checks import Check, Drilled, Inspection
from shared.drills import DrillName
from shared.errors import AbsentError, BusyError
from shared.model import (
    Backup,
    BackupJob,
    Database,
    Instance,
    InstanceTask,
    Job,
    NewBackup,
    NewInstance,
    NodeGroup,
    Notification,
    Quota,
    StartedRestore,
)
from shared.retry import Deadline, Retrying
from shared.runtime.context import Context
from tests.fakes import FakeClock


PROJECT = "drills"
SUBNET = "subnet-1"
NEVER = timedelta(days=400)


@dataclass
class Fate:
    """What becomes of a restore, and what the copy holds.

    Attributes:
        takes: until the restore ends.
        ends: the status of the instance then.
        is_good: whether the copy holds what was backed up.
        unchecked: how many inspections can check nothing.
        restart_takes: until a restart ends.
        restart_fails: whether a restart fails.
        refusals: how many calls that delete the instance DDS refuses as busy. Until the restore ends it refuses all.
    """

    takes: timedelta = timedelta(minutes=20)
    ends: str = "normal"
    is_good: bool = True
    unchecked: int = 0
    restart_takes: timedelta = timedelta(minutes=2)
    restart_fails: bool = False
    refusals: int = 0


@dataclass
class World:
    """Huawei Cloud for drill_backups; implements all ports.

    Attributes:
        disturb: is called with the name of each call, before it (True) and after it (False); may raise.
        fates: by the id of the source; the default is a drill that goes well.
        events: what happened, for the oracle: (time, what, instance id, detail).
        plans: the instances that were asked for.
        inspected: what was inspected.
        deleting_takes: until an instance whose deletion DDS accepted is gone.
    """

    clock: FakeClock
    disturb: Callable[[str, bool], None] = lambda name, before: None
    known: dict[str, Instance] = field(default_factory=dict)
    made: list[Backup] = field(default_factory=list)
    tasks: list[InstanceTask] = field(default_factory=list)
    fates: dict[str, Fate] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    events: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    sent: list[Notification] = field(default_factory=list)
    plans: list[NewInstance] = field(default_factory=list)
    inspected: list[Drilled] = field(default_factory=list)
    quota: dict[str, Quota] = field(default_factory=lambda: {"ReplicaSet": Quota(50, 3)})
    in_bin: int = 0
    deleting_takes: timedelta = timedelta(minutes=3)
    pending: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    numbers: int = 0

    # What there is.

    def add_source(self, instance_id: str, name: str = "shop", **changes: object) -> Instance:
        """Add an instance that can be drilled."""
        group = NodeGroup("replica", "dds.mongodb.s6.large.2.repset", 20, 5.0, ("192.0.2.1",), ("cn-north-4a",))
        source = Instance(
            instance_id,
            name,
            mode="ReplicaSet",
            version="4.0",
            enterprise_project_id="0",
            created=self.clock.now() - timedelta(days=90),
            vpc_id="vpc-1",
            subnet_id=SUBNET,
            security_group_id="sg-1",
            groups=(group,),
        )
        self.known[instance_id] = replace(source, **changes)  # type: ignore[arg-type]
        return self.known[instance_id]

    def add_backup(self, instance_id: str, age: timedelta = timedelta(hours=8), **changes: object) -> Backup:
        """Add a good backup of this application."""
        self.numbers += 1
        began = self.clock.now() - age
        backup = Backup(
            f"{self.numbers:032x}br02",
            f"nightly-{self.numbers}",
            instance_id,
            "COMPLETED",
            began,
            f"key:{self.numbers:032x}",
            self.known[instance_id].name if instance_id in self.known else "",
            began + timedelta(minutes=5),
            2_000_000,
        )
        self.made.append(replace(backup, **changes))  # type: ignore[arg-type]
        return self.made[-1]

    def drills(self) -> list[Instance]:
        """The instances that restores have made and that are not gone."""
        self.settle()
        return [instance for instance in self.known.values() if DrillName.parse(instance.name)]

    # How time passes.

    def settle(self) -> None:
        """Let happen what is due."""
        while due := [one for one in self.pending if one[0] <= self.clock.now()]:
            first = min(due, key=lambda one: one[0])
            self.pending.remove(first)
            first[1]()

    def _after(self, delay: timedelta, happens: Callable[[], None]) -> None:
        self.pending.append((self.clock.now() + delay, happens))

    def _change(self, instance_id: str, **changes: object) -> None:
        if instance_id in self.known:
            self.known[instance_id] = replace(self.known[instance_id], **changes)  # type: ignore[arg-type]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        self.disturb(name, True)
        self.settle()

    def _done(self, name: str) -> None:
        self.disturb(name, False)

    def _record(self, what: str, instance_id: str, detail: str = "") -> None:
        self.events.append((self.clock.now(), what, instance_id, detail))

    def _find(self, instance_id: str) -> Instance:
        if instance_id not in self.known:
            raise AbsentError("no such instance", cloud_code="DBS.280110", status=404)
        return self.known[instance_id]

    def _fate(self, instance_id: str) -> Fate:
        name = DrillName.parse(self.known[instance_id].name)
        sources = [backup.instance_id for backup in self.made if name and backup.id[:32] == name.backup]
        return self.fates.setdefault(sources[0] if sources else "", Fate())

    # Instances, jobs and backups.

    @property
    def instances(self) -> "_Instances":
        return _Instances(self)

    @property
    def jobs(self) -> "_Jobs":
        return _Jobs(self)

    @property
    def backups(self) -> "_Backups":
        return _Backups(self)

    @property
    def restores(self) -> "World":
        return self

    @property
    def topic(self) -> "World":
        return self

    def topic_at(self, urn: str) -> "World":
        return self

    def renew(self, context: Context, dds: Retrying, smn: Retrying) -> Callable[[str], str]:
        return lambda text: text

    def publish(self, notification: Notification) -> str:
        self._call("publish")
        self.sent.append(notification)
        self._done("publish")
        return f"message-{len(self.sent)}"

    # Restores.

    def restore(self, new: NewInstance) -> StartedRestore:
        self._call("restore")
        self.plans.append(new)
        source = self._find(new.source_id)
        if source.actions:
            raise BusyError(f"busy with {source.actions}", cloud_code="DBS.200019", status=403)
        self.numbers += 1
        instance_id, began = f"{self.numbers:032x}in02", self.clock.now().replace(microsecond=0)
        fate = self.fates.setdefault(source.id, Fate())
        self.known[instance_id] = replace(
            source,
            id=instance_id,
            name=new.name,
            status="creating",
            actions=("CREATE",),
            tags={},
            created=began,
            enterprise_project_id=new.enterprise_project_id,
            subnet_id=new.subnet_id,
        )
        task = InstanceTask(f"task-{self.numbers}", False, instance_id, new.name, "Running", began)
        self.tasks.append(task)
        self._change(source.id, actions=("RESTORE_TO_NEW_INSTANCE",))
        self._after(fate.takes, lambda: self._restored(task, source.id, fate))
        self._record("restored", instance_id, f"{source.id} {new.name}")
        self._done("restore")
        return StartedRestore(instance_id, task.id)

    def _restored(self, task: InstanceTask, source_id: str, fate: Fate) -> None:
        status = "Completed" if fate.ends in {"normal", "abnormal", "frozen"} else "Failed"
        self.tasks = [replace(t, status=status, ended_at=self._now()) if t.id == task.id else t for t in self.tasks]
        self._change(source_id, actions=())
        if task.instance_id in self.known and "DELETE_INSTANCE" not in self.known[task.instance_id].actions:
            self._change(task.instance_id, status=fate.ends, actions=())
        if fate.ends == "gone":
            self.known.pop(task.instance_id, None)

    def _now(self) -> datetime:
        return self.clock.now().replace(microsecond=0)

    def databases(self, instance_id: str) -> Sequence[Database]:
        self._call("databases")
        return []

    def windows(self, instance_id: str, day: date) -> Sequence[tuple[datetime, datetime]]:
        raise NotImplementedError

    def recycled(self) -> int:
        self._call("recycled")
        return self.in_bin

    def quotas(self) -> dict[str, Quota]:
        self._call("quotas")
        return self.quota

    def tag(self, instance_id: str, key: str, value: str) -> None:
        self._write("tag", instance_id, value)
        instance = self._find(instance_id)
        if instance.status in {"creating", "createfail"}:
            raise BusyError(instance.status, cloud_code="DBS.201000", status=403)
        self._change(instance_id, tags={**instance.tags, key: value})
        self._done("tag")

    def reset_password(self, instance_id: str, password: str) -> None:
        self._write("reset_password", instance_id)
        self._refuse_if_busy(instance_id)
        self._change(instance_id, actions=("RESET_PASSWORD",))
        self._after(timedelta(seconds=2), lambda: self._idle(instance_id, "RESET_PASSWORD"))
        self._done("reset_password")

    def _idle(self, instance_id: str, after: str) -> None:
        if instance_id in self.known and self.known[instance_id].actions == (after,):
            self._change(instance_id, actions=())

    def restart(self, instance_id: str) -> None:
        self._write("restart", instance_id)
        self._refuse_if_busy(instance_id)
        self.numbers += 1
        fate = self._fate(instance_id)
        name = self.known[instance_id].name
        task = InstanceTask(f"task-{self.numbers}", True, instance_id, name, "Running", self._now())
        self.tasks.append(task)
        self._change(instance_id, actions=("REBOOT",))
        self._after(fate.restart_takes, lambda: self._restarted(task, fate))
        self._done("restart")

    def _restarted(self, task: InstanceTask, fate: Fate) -> None:
        status = "Failed" if fate.restart_fails else "Completed"
        self.tasks = [replace(t, status=status, ended_at=self._now()) if t.id == task.id else t for t in self.tasks]
        self._idle(task.instance_id, "REBOOT")

    def delete(self, instance_id: str) -> None:
        self._write("delete", instance_id)
        instance = self._find(instance_id)
        fate = self._fate(instance_id)
        if fate.refusals > 0:
            fate.refusals -= 1
            raise BusyError("in another operation", cloud_code="DBS.200019", status=403)
        if instance.actions or instance.status == "creating":
            raise BusyError(f"{instance.status} {instance.actions}", cloud_code="DBS.200019", status=403)
        self._record("deleted", instance_id)
        self._change(instance_id, actions=("DELETE_INSTANCE",))
        self._after(self.deleting_takes, lambda: self._gone(instance_id))
        self._done("delete")

    def _gone(self, instance_id: str) -> None:
        self.known.pop(instance_id, None)
        self.in_bin += 1

    def _write(self, name: str, instance_id: str, detail: str = "") -> None:
        self._record(name, instance_id, detail)
        self._call(name)
        self._find(instance_id)

    def _refuse_if_busy(self, instance_id: str) -> None:
        instance = self.known[instance_id]
        if instance.actions or instance.status != "normal":
            raise BusyError(f"{instance.status} {instance.actions}", cloud_code="DBS.200019", status=403)

    # The inspector.

    def inspect(self, drilled: Drilled, deadline: Deadline) -> Inspection:
        """Compare the copy with what the fate of its source says."""
        self._call("inspect")
        self.inspected.append(drilled)
        fate = self._fate(drilled.copy.id) if drilled.copy.id in self.known else Fate(unchecked=1)
        if fate.unchecked > 0 or self.known[drilled.copy.id].actions:
            fate.unchecked -= 1
            return Inspection((Check("databases", 1, "shop", "", None, reason="no answer"),))
        found = "shop" if fate.is_good else ""
        return Inspection((Check("databases", 1, "shop", found, fate.is_good),), rpo=12.0)


@dataclass(frozen=True)
class _Instances:
    world: World

    def list(self) -> Sequence[Instance]:
        self.world._call("instances")
        listed = list(self.world.known.values())
        self.world._done("instances")
        return listed


@dataclass(frozen=True)
class _Jobs:
    world: World

    def restoring_between(
        self, since: datetime, until: datetime, *, patience: float = math.inf
    ) -> Sequence[InstanceTask]:
        self.world._call("jobs")
        listed = [task for task in self.world.tasks if since <= task.created_at <= until]
        self.world._done("jobs")
        return listed

    def created_between(self, since: datetime, until: datetime, *, patience: float = math.inf) -> Sequence[BackupJob]:
        raise NotImplementedError

    def deleting_between(self, since: datetime, until: datetime, *, patience: float = math.inf) -> Sequence[BackupJob]:
        raise NotImplementedError

    def show(self, job_id: str) -> Job:
        raise NotImplementedError


@dataclass(frozen=True)
class _Backups:
    world: World

    def create(self, instance_id: str, name: str, description: str) -> NewBackup:
        raise NotImplementedError

    def delete(self, backup_id: str) -> None:
        raise NotImplementedError

    def list(
        self,
        *,
        name_part: str | None = None,
        description_part: str | None = None,
        backup_id: str | None = None,
        instance_id: str | None = None,
        since: datetime | None = None,
    ) -> Sequence[Backup]:
        self.world._call("backups")
        listed = [b for b in self.world.made if instance_id is None or b.instance_id == instance_id]
        self.world._done("backups")
        return listed
