"""Begins the drill of the first slot that is due, or says why none can begin."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.drill.interlocks import (
    DrillRules,
    Interlock,
    forbids_any,
    forbids_more,
    forbids_plan,
    forbids_source,
    pick_backup,
)
from shared.drill.report import SlotItem, SlotState
from shared.drill.schedule import Schedule, Slot
from shared.drills import DrillName, is_drill, short_id
from shared.errors import AmbiguousError, CloudError, ExistsError, InvalidError, UnrestorableError
from shared.fleet import Fence
from shared.identity import key_of
from shared.model import Backup, Backups, Instance, Instances, InstanceTask, NewInstance, Restores
from shared.restore import plan_restore
from shared.retry import Retrying


LAST_BEGIN = timedelta(minutes=10)
"""How long before the end of its slot a drill begins at the latest, so that DDS lists it when the slot ends."""

FRESH = 60.0
"""Seconds for which a list is trusted: shorter than any restore, which keeps a source busy until it is over."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the instances of drills are made; None for where the source is.

    Attributes:
        spec: replaces the specification of nodes of replica sets and single nodes.
    """

    enterprise_project_id: str | None
    vpc_id: str | None = None
    subnet_id: str | None = None
    security_group_id: str | None = None
    spec: str | None = None

    def plan(self, source: Instance, backup: Backup, slot: Slot) -> NewInstance:
        """Plan the instance of a drill.

        Raises:
            UnrestorableError: DDS does not tell enough of the source.
        """
        return plan_restore(
            source,
            str(DrillName.of(slot.begin, backup.id)),
            backup=backup,
            enterprise_project_id=self.enterprise_project_id,
            vpc_id=self.vpc_id,
            subnet_id=self.subnet_id,
            security_group_id=self.security_group_id,
            spec_codes={"replica": self.spec, "single": self.spec} if self.spec else None,
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """What DDS has listed for this run.

    Attributes:
        tasks: restores and restarts, at least of the longest slot and of the last week.
        read_at: when the instances were listed, on the monotonic clock.
    """

    instances: Sequence[Instance]
    tasks: Sequence[InstanceTask]
    read_at: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An instance that is to be drilled in a slot. `instance` is None if it does not exist."""

    instance_id: str
    instance: Instance | None
    slot: Slot

    @property
    def order(self) -> tuple[datetime, str]:
        """Sort key: who waits longest comes first."""
        return self.slot.begin, self.instance_id


class _Blocked(Exception):  # noqa: N818 no error
    def __init__(self, interlock: Interlock, item: SlotItem, *, ends_run: bool = False) -> None:
        super().__init__(interlock.message)
        self.interlock, self.item, self.ends_run = interlock, item, ends_run


@dataclass(frozen=True, slots=True)
class Starter:
    """Begins drills, one at a time. A source that is busy with a restore is the lock between two invocations."""

    restores: Restores
    instances: Instances
    backups: Backups
    fence: Fence
    schedule: Schedule
    rules: DrillRules
    placement: Placement
    retrying: Retrying

    def has_begun(self, candidate: Candidate, listed: Listed) -> bool:
        """Whether DDS tells of a drill of the candidate in its slot: by an instance, or by a task.

        Names have the slot and the backup, not the source. Which instance is meant, the schedule says; the backups are
        asked only if two instances have the same slot to the second.

        Raises:
            CloudError: the backups cannot be listed.
        """
        names = [DrillName.parse(instance.name) for instance in listed.instances]
        names += [DrillName.parse(task.instance_name) for task in listed.tasks if not task.is_restart]
        same = {name.backup for name in names if name and name.slot == candidate.slot.begin}
        if not same:
            return False
        begin = candidate.slot.begin
        sharing = [i.id for i in listed.instances if not is_drill(i) and self.schedule.slot(i.id, begin).begin == begin]
        if sharing == [candidate.instance_id]:
            return True
        own = self.retrying.call(lambda: self.backups.list(instance_id=candidate.instance_id))
        return any(short_id(b.id) in same for b in own if b.instance_id == candidate.instance_id)

    def begin(
        self, candidates: Sequence[Candidate], listed: Listed, now: datetime, *, dry_run: bool, is_timed: bool
    ) -> list[SlotItem]:
        """Begin the first drill that can begin; return what became of every slot that is due.

        In a dry run nothing begins. `is_timed` is whether DRILL_HOURS holds, and errors of the cloud are not raised.
        """
        items: list[SlotItem] = []
        ended: Interlock | None = None
        for candidate in sorted(candidates, key=lambda candidate: candidate.order):
            blank = _item(candidate)
            try:
                if self.has_begun(candidate, listed):
                    continue
                self._check_turn(candidate, ended, now if is_timed else None)
                items.append(self._begin(candidate, listed, now, dry_run=dry_run))
            except _Blocked as blocked:
                why = blocked.interlock
                items.append(replace(blocked.item, state=SlotState.BLOCKED, code=why.code, message=why.message))
                ended = why if blocked.ends_run else ended
            except CloudError as error:
                items.append(replace(blank, state=SlotState.FAILED, code=error.code, message=str(error)))
                if not isinstance(error, InvalidError):  # which concerns this source alone
                    ended = Interlock(error.code, "the run ended with an error of another slot")
            else:
                if items[-1].state in {SlotState.BEGUN, SlotState.UNCLEAR}:
                    ended = Interlock("another_drill", f"one drill at a time: {items[-1].drill} has begun")
        return items

    def explain(self, candidate: Candidate, listed: Listed, now: datetime, *, dry_run: bool) -> SlotItem:
        """Return why no drill has begun in a slot that has ended, as far as that can be told afterwards.

        Raises:
            CloudError: DDS cannot be asked.
        """
        blank = replace(_item(candidate), state=SlotState.NOT_BEGUN)
        try:
            item, _ = self._prepare(candidate, listed, now)
        except _Blocked as blocked:
            why = blocked.interlock
            return replace(blocked.item, state=SlotState.NOT_BEGUN, code=why.code, message=why.message)
        if dry_run:
            message = f"a dry run: the backup would have been restored to an instance of {item.gigabytes} GB"
            return replace(item, state=SlotState.NOT_BEGUN, code="dry_run", message=message)
        message = "nothing prevents it now: DDS refused it, or no run of the timer came; the function's log tells"
        return replace(blank, code="not_begun", message=message)

    def _check_turn(self, candidate: Candidate, ended: Interlock | None, now: datetime | None) -> None:
        """Raise _Blocked if nothing begins any more in this run, or not at this time."""
        if ended:
            raise _Blocked(ended, _item(candidate))
        if now and now >= candidate.slot.end - LAST_BEGIN:
            raise _Blocked(Interlock("slot_ends", "the slot ends too soon"), _item(candidate))
        if now and not self.rules.hours.contains(now):
            raise _Blocked(Interlock("outside_hours", f"drills begin at {self.rules.hours} UTC"), _item(candidate))

    def _begin(self, candidate: Candidate, listed: Listed, now: datetime, *, dry_run: bool) -> SlotItem:
        item, new = self._prepare(candidate, listed, now)
        if dry_run:
            return replace(item, state=SlotState.WOULD_BEGIN)
        clock = self.retrying.deadline.clock
        if clock.monotonic() - listed.read_at > FRESH:
            raise _Blocked(
                Interlock("old_list", "DDS took long to answer; the next run begins it"), item, ends_run=True
            )
        try:
            self.retrying.call(lambda: self.restores.restore(new), tries=1)
        except (AmbiguousError, ExistsError) as error:
            return self._look_for(new.name, item, error)
        return replace(item, state=SlotState.BEGUN)

    def _look_for(self, name: str, item: SlotItem, error: CloudError) -> SlotItem:
        """Look for the instance whose restore had no clear answer. It is not asked for again: the next run sees."""
        found = [i for i in self.retrying.call(self.instances.list) if i.name == name]
        state = SlotState.BEGUN if found else SlotState.UNCLEAR
        return replace(item, state=state, code=error.code, message=str(error))

    def _prepare(self, candidate: Candidate, listed: Listed, now: datetime) -> tuple[SlotItem, NewInstance]:
        """Return the plan of a drill if nothing forbids it.

        Raises:
            _Blocked: something does.
            CloudError: DDS cannot be asked.
        """
        item, source = _item(candidate), candidate.instance
        if why := forbids_any(self.rules, listed.instances, listed.tasks, now):
            raise _Blocked(why, item, ends_run=True)
        if source is None:
            raise _Blocked(Interlock("not_found", "there is no such instance"), item)
        if why := forbids_source(source, self.rules, now):
            raise _Blocked(why, item)
        backup = self._pick(candidate)
        if backup is None:
            raise _Blocked(Interlock("no_backup", "it has no good backup of this application"), item)
        try:
            new = self.placement.plan(source, backup, candidate.slot)
        except UnrestorableError as error:
            raise _Blocked(Interlock(error.code, str(error)), item) from None
        size = sum((flavor.size or 0) * flavor.number for flavor in new.flavors)
        item = replace(item, drill=new.name, backup_id=backup.id, gigabytes=size)
        if why := forbids_plan(new, self.rules):
            raise _Blocked(why, item)
        quotas = self.retrying.call(self.restores.quotas)
        if why := forbids_more(source.mode, quotas, self.retrying.call(self.restores.recycled)):
            raise _Blocked(why, item, ends_run=why.code == "recycle_bin")
        return item, new

    def _pick(self, candidate: Candidate) -> Backup | None:
        found = self.retrying.call(lambda: self.backups.list(instance_id=candidate.instance_id))
        own = [
            b for b in map(self.fence.own, found) if b.instance_id == candidate.instance_id and key_of(b.description)
        ]
        return pick_backup(own, self.rules.pick, candidate.slot.begin)


def _item(candidate: Candidate) -> SlotItem:
    name = candidate.instance.name if candidate.instance else ""
    return SlotItem(candidate.instance_id, name, candidate.slot, SlotState.BLOCKED)
