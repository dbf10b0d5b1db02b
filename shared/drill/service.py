"""One run: lists DDS once, takes the next step of each drill, begins one that is due, and tells what has to be told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.drill.lifecycle import Drill, Step, find_drills
from shared.drill.messages import DrillMessages
from shared.drill.report import DrillItem, SlotItem, SlotState, Told, Trouble, Unlisted
from shared.drill.request import DrillRequest
from shared.drill.running import Runner, leak_of
from shared.drill.schedule import Slot, Window
from shared.drill.starting import Candidate, Listed, Starter
from shared.drills import GRACE, DrillName, is_drill, short_id
from shared.errors import CloudError
from shared.fleet import Fence
from shared.model import JOBS_KEPT, Backup, Backups, Instances, InstanceTask, Jobs
from shared.notify import DRILL_FAILED, DRILL_STARTED, Notifier
from shared.report import Item
from shared.retry import Retrying


_RECENT = timedelta(days=8)  # the longest slot and the week that MAX_DRILLS_PER_WEEK counts, and a day
_DAY = timedelta(days=1)
AT_SLOT = timedelta(hours=1)
"""How long a drill outside the schedule may begin after the time that a request gives."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and the window of the timer's run that made it; None for any other event."""

    request: DrillRequest
    window: Window | None


@dataclass(frozen=True, slots=True)
class DrillService:
    """Does one run. It never waits for DDS: the next run continues what this one began."""

    instances: Instances
    jobs: Jobs
    backups: Backups
    fence: Fence
    runner: Runner
    starter: Starter
    messages: DrillMessages
    retrying: Retrying
    notifier: Notifier

    def run(self, asked: Sequence[Asked], now: datetime, *, dry_run: bool) -> list[Item]:
        """Do one run for all requests of an event. Errors of the cloud become part of the result."""
        backups = _Backups(self.backups, self.retrying)
        try:
            listed = self._list(now)
            drills = self._drills(listed, backups)
        except CloudError as error:
            return [Unlisted(Trouble.of(error))]
        items: list[Item] = [self._advance(drill, asked, now, dry_run=dry_run) for drill in drills]
        items += self._tell_of_tasks(listed, backups, _windows(asked))
        for one in asked:
            items += self._slots(one, listed, now, dry_run=dry_run or one.request.dry_run)
        return items

    def _list(self, now: datetime) -> Listed:
        """List tasks before instances: a step never follows from an instance that is newer than its task."""
        tasks = self._tasks(now - _RECENT, now)
        instances = self.retrying.call(self.instances.list)
        names = [name for instance in instances if (name := DrillName.parse(instance.name))]
        if any(name.slot < now - _RECENT for name in names):
            tasks = self._tasks(now - JOBS_KEPT, now)
        return Listed(instances, tasks, self.retrying.deadline.clock.monotonic())

    def _tasks(self, since: datetime, now: datetime) -> Sequence[InstanceTask]:
        until = now + timedelta(minutes=1)
        since = max(since, until - JOBS_KEPT)
        patience = self.retrying.deadline.left()
        return self.retrying.call(lambda: self.jobs.restoring_between(since, until, patience=patience))

    def _drills(self, listed: Listed, backups: "_Backups") -> list[Drill]:
        """Return the drills, without those whose source is outside the fence: they are another function's."""
        if not any(DrillName.parse(instance.name) for instance in listed.instances):
            return []
        drills = find_drills(listed.instances, listed.tasks, backups.by_name())
        return [drill for drill in drills if not drill.source_id or self.fence.allows(drill.source_id)]

    def _advance(self, drill: Drill, asked: Sequence[Asked], now: datetime, *, dry_run: bool) -> DrillItem:
        item = self.runner.advance(drill, now, dry_run=dry_run)
        if item.is_deleting or item.is_gone or (item.decision.step is Step.WAIT and item.decision.code == "deleting"):
            return item
        late = drill.born + self.runner.rules.max_age + GRACE
        for window in _windows(asked):
            day = (window.until - late) // _DAY
            moment = late + day * _DAY
            if day >= 0 and window.contains(moment):
                notification = self.messages.leaked(drill, leak_of(item, dry_run=dry_run), day, moment)
                return replace(item, leak_notified=self.notifier.publish(notification))
        return item

    def _tell_of_tasks(self, listed: Listed, backups: "_Backups", windows: Sequence[Window]) -> list[Item]:
        """Publish the restores that DDS has begun in a window, and those that failed and left no instance."""
        existing = {instance.id for instance in listed.instances}
        restores = [(name, t) for t in listed.tasks if not t.is_restart and (name := DrillName.parse(t.instance_name))]
        began = [(DRILL_STARTED, name, task, task.created_at) for name, task in restores]
        failed = [
            (DRILL_FAILED, name, task, task.ended_at)
            for name, task in restores
            if task.status == "Failed" and task.instance_id not in existing and task.ended_at
        ]
        told: list[Item] = []
        for kind, name, task, moment in began + failed:
            if not any(window.contains(moment) for window in windows):
                continue
            try:
                backup = backups.by_name().get(name.backup)
            except CloudError as error:
                return [*told, Unlisted(Trouble.of(error))]
            if backup is None or self.fence.allows(backup.instance_id):
                build = self.messages.started if kind == DRILL_STARTED else self.messages.lost
                notified = self.notifier.publish(build(name, task, backup))
                told.append(Told(kind, str(name), moment, notified))
        return told

    def _slots(self, asked: Asked, listed: Listed, now: datetime, *, dry_run: bool) -> list[Item]:
        """Begin a drill that is due, and publish the slots that have ended without one."""
        request, window = asked.request, asked.window
        candidates = self._candidates(request, listed, now)
        due = [candidate for candidate in candidates if candidate.slot.begin <= now < candidate.slot.end]
        begun = self.starter.begin(due, listed, now, dry_run=dry_run, is_timed=request.at is None)
        items: list[Item] = [self._answer(item) for item in begun] if request.at else [*begun]
        if window:
            # A slot is longer than a window, so one that has ended in it began before.
            ended = self._candidates(request, listed, window.since, ended_in=window)
            items += [item for candidate in ended if (item := self._tell(candidate, listed, now, dry_run=dry_run))]
        return items

    def _candidates(
        self, request: DrillRequest, listed: Listed, moment: datetime, ended_in: Window | None = None
    ) -> list[Candidate]:
        """Return the instances that are meant, with the slots that run at a moment, or that ended in a window."""
        sources = {i.id: i for i in listed.instances if not is_drill(i) and self.fence.allows(i.id)}
        chosen = {instance.id for instance in request.choose(list(sources.values()))}
        found = []
        for instance_id in sorted(chosen | set(request.instance_ids or ())):
            slot = Slot(request.at, request.at + AT_SLOT) if request.at else self._slot(instance_id, moment)
            if ended_in is None or ended_in.contains(slot.end):
                found.append(Candidate(instance_id, sources.get(instance_id), slot))
        return found

    def _answer(self, item: SlotItem) -> SlotItem:
        """Publish at once that a drill that was asked for has not begun: no run of the timer would say it."""
        item = replace(item, is_asked=True)
        if item.state in {SlotState.BEGUN, SlotState.UNCLEAR}:
            return item
        return replace(item, notified=self.notifier.publish(self.messages.not_begun(item)))

    def _slot(self, instance_id: str, moment: datetime) -> Slot:
        return self.starter.schedule.slot(instance_id, moment)

    def _tell(self, candidate: Candidate, listed: Listed, now: datetime, *, dry_run: bool) -> Item | None:
        """Publish that no drill has begun in a slot; None if one has."""
        try:
            if self.starter.has_begun(candidate, listed):
                return None
            item = self.starter.explain(candidate, listed, now, dry_run=dry_run)
        except CloudError as error:
            return Unlisted(Trouble.of(error))
        return replace(item, notified=self.notifier.publish(self.messages.not_begun(item)))


def _windows(asked: Iterable[Asked]) -> list[Window]:
    return [one.window for one in asked if one.window]


class _Backups:
    """All manual backups by their short ids, listed when first asked for."""

    def __init__(self, backups: Backups, retrying: Retrying) -> None:
        self._backups = backups
        self._retrying = retrying
        self._found: Mapping[str, Backup] | None = None

    def by_name(self) -> Mapping[str, Backup]:
        """Return the backups.

        Raises:
            CloudError: they cannot be listed.
        """
        if self._found is None:
            self._found = {short_id(backup.id): backup for backup in self._retrying.call(self._backups.list)}
        return self._found
