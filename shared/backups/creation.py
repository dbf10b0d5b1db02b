"""One backup for one instance, however often the event is delivered and whatever the API does."""

import logging
import random
from dataclasses import dataclass, replace

from shared.backups.backoff import backoff
from shared.backups.catalogue import Catalogue
from shared.backups.errors import (
    AmbiguousError,
    BusyError,
    CloudError,
    ExistsError,
    ThrottledError,
    TransientError,
)
from shared.backups.job_ids import JobIds
from shared.backups.names import EventNames
from shared.backups.outcomes import InstanceResult, Outcome, failed
from shared.backups.pace import Pace
from shared.backups.policy import CreationPolicy, OnBusy
from shared.backups.ports import Backup, Backups, Clock, NewBackup
from shared.backups.recent import RecentBackups
from shared.backups.waiting import Waiting


_log = logging.getLogger(__name__)

_FRESH = 30.0  # seconds for which a list is believed before a create: no backup begins and ends within it
_MOST_FAILURES = 5


@dataclass(slots=True)
class _Course:
    """What has happened to one instance so far; moments are of the monotonic clock."""

    creates: int = 0
    failures: int = 0
    waits: int = 0
    last: CloudError | None = None
    doubt: CloudError | None = None  # what only a list newer than `listed_since` can resolve
    listed_since: float = float("-inf")
    settled_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Creation:
    """Makes the backups of one event, one instance a call; any number of threads may share it.

    The rule: look before creating, and look again whenever another delivery or a lost answer may have made the backup
    meanwhile. `recent` is there only if the request has a minimum interval.
    """

    backups: Backups
    names: EventNames
    description: str
    policy: CreationPolicy
    catalogue: Catalogue
    job_ids: JobIds
    recent: RecentBackups | None
    waiting: Waiting
    pace: Pace
    clock: Clock
    rng: random.Random

    def back_up(self, instance_id: str) -> InstanceResult:
        """Bring one instance to its outcome; what the cloud does wrong ends up in it and is not raised."""
        started = self.clock.monotonic()
        course = _Course()
        result = self.policy.refuse(instance_id)
        while result is None:
            try:
                result = self._step(instance_id, course)
            except CloudError as error:
                course.last = error
                result = self._after(error, instance_id, course)
        return replace(
            result,
            name=self.names.name(instance_id),
            event_key=self.names.key,
            warnings=(*self.policy.warnings(instance_id), *self._cut(), *result.warnings),
            attempts=course.creates,
            duration=self.clock.monotonic() - started,
        )

    def _step(self, instance_id: str, course: _Course) -> InstanceResult | None:
        """Look, then create; None to come back."""
        if not self.waiting.turn(self.pace):
            return self._deferred(instance_id, course)
        listed_since = max(course.listed_since, self.clock.monotonic() - _FRESH)
        if existing := self.catalogue.find(instance_id, listed_since=listed_since):
            return self._found(existing, course)
        if course.doubt:
            return self._resolve(course.doubt, instance_id, course)
        if self.recent and (young := self.recent.youngest(instance_id)):
            return self._too_young(young)
        course.creates += 1
        new = self.backups.create(instance_id, self.names.name(instance_id), self.names.description(self.description))
        self.pace.accepted()
        return self._created(new, instance_id)

    def _after(self, error: CloudError, instance_id: str, course: _Course) -> InstanceResult | None:
        """What an error leads to: an outcome, or None to go on."""
        now = self.clock.monotonic()
        if isinstance(error, ThrottledError):
            self.pace.throttled(error.retry_after)
            return None
        if isinstance(error, BusyError) and self.policy.on_busy is OnBusy.WAIT:
            # It may be busy with this very event's backup, made by another delivery: look again after the wait.
            course.waits += 1
            delay = backoff(course.waits, self.rng, first=5, most=30)
            _log.info("instance is busy, waiting", extra={"fields": {"instance_id": instance_id, "seconds": delay}})
            if not self.waiting.wait(delay):
                return self._deferred(instance_id, course)
            course.listed_since = self.clock.monotonic()
            return None
        if isinstance(error, (AmbiguousError, ExistsError, BusyError)):
            course.doubt, course.listed_since = error, now
            course.settled_at, course.waits = now + self.policy.settling_time, 0
            course.failures += 1
            return None
        course.failures += 1
        if isinstance(error, TransientError) and course.failures < _MOST_FAILURES:
            delay = backoff(course.failures, self.rng, first=0.5, most=8)
            return None if self.waiting.wait(delay) else self._deferred(instance_id, course)
        return failed(instance_id, course.doubt if isinstance(course.doubt, AmbiguousError) else error)

    def _resolve(self, doubt: CloudError, instance_id: str, course: _Course) -> InstanceResult | None:
        """The list does not show the backup: decide what that means, or None to look or create again."""
        if isinstance(doubt, BusyError):
            result = failed(instance_id, doubt)
            return (
                result
                if self.policy.on_busy is OnBusy.FAIL
                else replace(result, outcome=Outcome.SKIPPED, retryable=False)
            )
        if isinstance(doubt, ExistsError) and (stranger := self.catalogue.find_stranger(instance_id)):
            message = f"{stranger.name} is the name of backup {stranger.id}, which another event or somebody else made"
            return replace(failed(instance_id, doubt), code="name_conflict", message=message)
        left = course.settled_at - course.listed_since
        if left > 0:
            course.waits += 1
            if not self.waiting.wait(min(left, backoff(course.waits, self.rng, first=1, most=4))):
                return self._deferred(instance_id, course)
            course.listed_since = self.clock.monotonic()
            return None
        if isinstance(doubt, ExistsError) or course.failures >= _MOST_FAILURES:
            return replace(failed(instance_id, doubt), retryable=True)
        course.doubt = None
        return None

    def _found(self, backup: Backup, course: _Course) -> InstanceResult:
        """The event's backup is there: from an earlier delivery, or from a create whose answer was lost."""
        lost = isinstance(course.doubt, AmbiguousError)
        job_id, why = self.job_ids.find(backup, patience=self._patience())
        result = InstanceResult(
            backup.instance_id,
            Outcome.CREATED if lost else Outcome.ALREADY_EXISTS,
            backup_id=backup.id,
            backup_status=backup.status,
            job_id=job_id,
            job_id_missing=why,
            warnings=("the answer to the create was lost; the backup was found by its name",) if lost else (),
        )
        if backup.status == "FAILED":
            message = "DDS made the event's backup, but the backup failed; a new event makes a new one"
            return replace(result, outcome=Outcome.FAILED, code="backup_failed", message=message)
        return result

    def _created(self, new: NewBackup, instance_id: str) -> InstanceResult:
        job_id, why = new.job_id, None
        if job_id is None:
            job_id, why = self.job_ids.find_new(lambda: self._listed_now(instance_id), patience=self._patience())
        return InstanceResult(instance_id, Outcome.CREATED, backup_id=new.backup_id, job_id=job_id, job_id_missing=why)

    def _listed_now(self, instance_id: str) -> Backup | None:
        return self.catalogue.find(instance_id, listed_since=self.clock.monotonic())

    def _patience(self) -> float:
        return max(0.0, min(self.policy.settling_time, self.waiting.left()))

    def _too_young(self, young: Backup) -> InstanceResult:
        message = f"backup {young.name} began at {young.begin_time}, within min_interval"
        return InstanceResult(young.instance_id, Outcome.SKIPPED, code="min_interval", message=message)

    def _deferred(self, instance_id: str, course: _Course) -> InstanceResult:
        reason = course.doubt or course.last
        if reason is None:
            message = "the invocation's time was over before this instance's turn"
            return InstanceResult(instance_id, Outcome.DEFERRED, code="out_of_time", message=message, retryable=True)
        message = f"the invocation's time was over while waiting: {reason}"
        return replace(failed(instance_id, reason), outcome=Outcome.DEFERRED, message=message, retryable=True)

    def _cut(self) -> tuple[str, ...]:
        return (
            ("description shortened: the event's key needs 37 characters",) if self.names.cuts(self.description) else ()
        )
