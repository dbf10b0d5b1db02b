"""Takes the next step of each drill that runs. It does not wait for DDS: the next run of the timer sees how it went."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.drill.checks import Drilled, Inspection, Inspector
from shared.drill.interlocks import DrillRules, Interlock, forbids_deleting, forbids_touching
from shared.drill.lifecycle import CHECKS_WITHIN, OPEN, Decision, Drill, Outcome, Step, decide
from shared.drill.messages import DrillMessages
from shared.drill.report import DrillItem, Trouble
from shared.drill.schedule import Window
from shared.drills import GRACE, TAG
from shared.errors import AbsentError, CloudError
from shared.model import Instance, Instances, Restores
from shared.notify import Notifier
from shared.retry import Deadline, Retrying


_PATIENCE = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Runner:
    """Takes steps.

    What cannot be undone comes last: a verdict is published, then stored in the tag, and then the instance is restarted
    or deleted. If the process is killed in between, the next run does the rest. It may publish the same event again.

    Attributes:
        connects: whether the inspector reads documents, for which it needs a password.
        new_password: makes a password that nobody keeps.
        expect: by the id of a source, what its copy has to hold.
        windows: what this run covers; empty if no timer made it.
    """

    restores: Restores
    instances: Instances
    rules: DrillRules
    inspector: Inspector
    connects: bool
    new_password: Callable[[], str]
    retrying: Retrying
    notifier: Notifier
    messages: DrillMessages
    deadline: Deadline
    expect: Mapping[str, Mapping[str, int]]
    windows: Sequence[Window]

    def advance(self, drill: Drill, now: datetime, *, dry_run: bool) -> DrillItem:
        """Take the next step of a drill. Errors of the cloud become part of the result and are not raised."""
        decision = decide(drill, now, self.rules.max_age)
        item = DrillItem(drill, decision)
        if dry_run or decision.step is Step.WAIT:
            return item
        if doubts := forbids_touching(drill, self.rules):
            return replace(item, interlocks=tuple(doubts))
        try:
            return self._take(item, now)
        except CloudError as error:
            return replace(item, trouble=Trouble.of(error))

    def _take(self, item: DrillItem, now: datetime) -> DrillItem:
        drill, decision = item.drill, item.decision
        if decision.step is Step.TAG:
            if not self.connects:  # the checks set one of their own
                # Whoever knows the password of the source must not read the copy with it.
                self._write(lambda: self.restores.reset_password(drill.instance.id, self.new_password()))
            self.retrying.within(_PATIENCE).call(lambda: self.restores.tag(drill.instance.id, TAG, OPEN))
            return replace(item, done=True)
        if decision.step is Step.CHECK:
            return self._check(item, now)
        if decision.step is Step.RESTART:
            return self._restart(item)
        return self._delete(self._publish(item, now), now)

    def _check(self, item: DrillItem, now: datetime) -> DrillItem:
        drill, began = item.drill, self.notifier.clock.monotonic()
        inspection = self._inspect(drill)
        took = self.notifier.clock.monotonic() - began
        outcome = Outcome(inspection.verdict.value) if inspection else Outcome.INCONCLUSIVE
        restored = (drill.restore and drill.restore.ended_at) or drill.born
        if outcome is Outcome.INCONCLUSIVE and inspection and now - restored < CHECKS_WITHIN:
            wait = Decision(Step.CHECK, "checks_not_made", "not everything could be checked; it is tried again")
            return replace(item, decision=wait, inspection=inspection)
        if not self._is_open(drill):
            wait = Decision(Step.WAIT, "changed", "the instance has changed while it was checked")
            return replace(item, decision=wait, inspection=inspection)
        verdict = Decision(Step.CHECK, *self.messages.verdict(outcome, inspection), outcome)
        item = replace(item, decision=verdict, inspection=inspection, checks_took=took)
        item = self._publish(item, now)
        if not item.notified:
            return item
        item = replace(item, drill=self._tag(drill, outcome.value.lower()))
        return self._restart(item) if outcome is Outcome.VERIFIED else self._delete(item, now)

    def _inspect(self, drill: Drill) -> Inspection | None:
        """Return what the checks found; None if the backup is gone, so that nothing is known of what to expect."""
        if drill.backup is None:
            return None
        expect = self.expect.get(drill.source_id, {})
        password = self._reset_password(drill) if self.connects else None
        drilled = Drilled(drill.instance, drill.source, drill.backup, drill.restore, password, expect)
        return self.inspector.inspect(drilled, self.deadline)

    def _reset_password(self, drill: Drill) -> str | None:
        """Return the new password, or None: what needs it is then a check that could not be made.

        The instance is busy for a moment, in which DDS does not even list its databases. It is the only thing that a
        run waits for.
        """
        password = self.new_password()
        try:
            self._write(lambda: self.restores.reset_password(drill.instance.id, password))
            self.retrying.within(_PATIENCE).poll(lambda: self._find_idle(drill.instance.id), every=2.0)
        except CloudError:
            return None
        return password

    def _find_idle(self, instance_id: str) -> Instance | None:
        return next((i for i in self.instances.list() if i.id == instance_id and not i.actions), None)

    def _is_open(self, drill: Drill) -> bool:
        """Whether the tag still says that there is no outcome: no other invocation has gone on with it meanwhile."""
        listed = self.retrying.call(self.instances.list)
        return any(i.id == drill.instance.id and i.tags.get(TAG) == OPEN for i in listed)

    def _publish(self, item: DrillItem, now: datetime) -> DrillItem:
        """Publish the outcome of the decision, if it has one.

        While DDS creates an instance, it refuses to tag and to delete it. So its overdue drill is published when the
        instance has become too old, and then again when it can be deleted.
        """
        if item.decision.outcome is None:
            return item
        too_old = self._too_old(item.drill)
        if item.drill.instance.status == "creating" and not any(window.contains(too_old) for window in self.windows):
            return item
        return replace(item, notified=self.notifier.publish(self.messages.outcome(item, now)))

    def _restart(self, item: DrillItem) -> DrillItem:
        self._write(lambda: self.restores.restart(item.drill.instance.id))
        return replace(item, done=True)

    def _delete(self, item: DrillItem, now: datetime) -> DrillItem:
        """Delete an instance whose outcome is published, or which is so old that it must not wait for the topic."""
        drill, outcome = item.drill, item.decision.outcome
        if outcome and item.notified is None and not any(self._too_old(drill) <= w.since for w in self.windows):
            return item  # a later run publishes it first, even if DDS would tag or delete the instance now
        if item.notified is False and now < self._too_old(drill) + GRACE:
            return item
        if outcome and drill.outcome is not outcome:
            try:
                drill = self._tag(drill, outcome.value.lower())
            except CloudError:
                if drill.is_restored:  # then it needs a tag to be deleted
                    raise
        if found := forbids_deleting(drill, self.rules):
            return replace(item, interlocks=tuple(found))
        try:
            self._write(lambda: self.restores.delete(drill.instance.id))
        except AbsentError:
            return replace(item, done=True, is_gone=True)
        return replace(item, done=True, is_deleting=True)

    def _too_old(self, drill: Drill) -> datetime:
        return drill.born + self.rules.max_age

    def _tag(self, drill: Drill, value: str) -> Drill:
        self._write(lambda: self.restores.tag(drill.instance.id, TAG, value))
        return replace(drill, instance=replace(drill.instance, tags={**drill.instance.tags, TAG: value}))

    def _write(self, call: Callable[[], None]) -> None:
        """Make one call, again only if it was throttled. What became of it the next run sees."""
        self.retrying.call(call, tries=1)


def leak_of(item: DrillItem, *, dry_run: bool) -> Interlock:
    """Return why an instance that should be gone is still there."""
    if dry_run:
        return Interlock("dry_run", "DRY_RUN is on, so nothing is deleted")
    if item.interlocks:
        return item.interlocks[0]
    if item.trouble:
        return Interlock(item.trouble.code, item.trouble.message)
    return Interlock("not_deleted", "the instance could not be deleted")
