"""One backup for one instance, however often the event is delivered and whatever the API does."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from functools import partial

from shared.create.existing import ExistingBackups, RecentBackups
from shared.create.report import InstanceResult, Outcome, failed
from shared.errors import (
    AmbiguousError,
    BusyError,
    CloudError,
    ExistsError,
    ThrottledError,
    TransientError,
)
from shared.fields import has_documented_shape
from shared.fleet import Fence
from shared.identity import EventNames, key_of
from shared.jobs import JobFinder
from shared.model import Backup, Backups, Clock, NewBackup
from shared.retry import Retrying, backoff


_log = logging.getLogger(__name__)

_MOST_FAILURES = 5


class OnBusy(str, Enum):
    """What to do about an instance that is in another operation: wait within the deadline, skip it, or fail it."""

    WAIT = "wait"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class CreationPolicy:
    """What the operator of the function allows and prefers.

    Attributes:
        settling_time: seconds after which a backup that DDS does not list was not made.
        fence: the instances that may be backed up; every other instance is refused.
        min_interval: skip instances that have a younger good backup; a request can only make it longer.
        strict_instance_ids: whether an instance id of unusual shape is refused; otherwise it leads to a warning.
    """

    on_busy: OnBusy = OnBusy.WAIT
    settling_time: float = 10.0
    fence: Fence = field(default_factory=lambda: Fence(("*",)))
    min_interval: timedelta | None = None
    strict_instance_ids: bool = False

    def refuse(self, instance_id: str) -> InstanceResult | None:
        """Return FAILED for an instance that must not be touched, before any call; None for any other."""
        if not self.fence.allows(instance_id):
            message = f"ALLOWED_INSTANCES does not include this instance; it allows {', '.join(self.fence.allowed)}"
            return InstanceResult(instance_id, Outcome.FAILED, code="not_allowed", message=message)
        if self.strict_instance_ids and not has_documented_shape(instance_id):
            message = "an instance id is 32 hexadecimal digits, 'in' and two digits (STRICT_INSTANCE_IDS is on)"
            return InstanceResult(instance_id, Outcome.FAILED, code="invalid_instance_id", message=message)
        return None

    def warnings(self, instance_id: str) -> tuple[str, ...]:
        """Return what is unusual about an instance id but stops nothing."""
        if has_documented_shape(instance_id):
            return ()
        return ("unusual instance id: the documents show 32 hexadecimal digits, 'in' and two digits",)


@dataclass(frozen=True, slots=True)
class JobWanted:
    """The outcome of an instance whose backup exists, and whose job id is still to be found.

    Finding it may take seconds, which first belong to the instances that have no backup yet.
    """

    result: InstanceResult
    find_job: Callable[[], tuple[str | None, str | None]]

    def finish(self) -> InstanceResult:
        """Return the outcome with the job id, or with the reason why it is not known."""
        job_id, why = self.find_job()
        return replace(self.result, job_id=job_id, job_id_missing=why)


@dataclass(slots=True)
class _State:
    """What has happened to one instance so far. Moments are of the monotonic clock.

    Attributes:
        doubt: an error that leaves open whether the backup exists; only a list read after `listed_since` can tell.
        settled_at: when a backup that is still not listed was not made.
    """

    on_wait: Callable[[], object]
    creates: int = 0
    failures: int = 0
    waits: int = 0
    last: CloudError | None = None
    doubt: CloudError | None = None
    listed_since: float = float("-inf")
    settled_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Creation:
    """Makes the backups of one event, one instance a call. Workers may share it.

    The rule: look before creating, and look again whenever another delivery or a lost answer may have made the backup
    in the meantime.

    Attributes:
        recent: set if the request has a minimum interval.
    """

    backups: Backups
    names: EventNames
    description: str
    policy: CreationPolicy
    existing: ExistingBackups
    jobs: JobFinder
    recent: RecentBackups | None
    retrying: Retrying

    @property
    def clock(self) -> Clock:
        """The clock of the deadline."""
        return self.retrying.deadline.clock

    def begin(self, instance_id: str, on_wait: Callable[[], object] = lambda: None) -> InstanceResult | JobWanted:
        """Bring one instance to its outcome, but for a job id that takes time. Errors of the cloud are not raised.

        `on_wait` is called before a wait that this instance alone causes, because it is busy or its backup is in doubt.
        """
        started = self.clock.monotonic()
        state = _State(on_wait)
        outcome: InstanceResult | JobWanted | None = self.policy.refuse(instance_id)
        while outcome is None:
            try:
                outcome = self._step(instance_id, state)
            except CloudError as error:
                state.last = error
                outcome = self._handle(error, instance_id, state)
        result = outcome.result if isinstance(outcome, JobWanted) else outcome
        result = replace(
            result,
            name=self.names.name(instance_id),
            event_key=self.names.key,
            warnings=(*self.policy.warnings(instance_id), *self._description_warnings(), *result.warnings),
            attempts=state.creates,
            duration=self.clock.monotonic() - started,
        )
        return replace(outcome, result=result) if isinstance(outcome, JobWanted) else result

    def _step(self, instance_id: str, state: _State) -> InstanceResult | JobWanted | None:
        """Look for the backup, then create it. Return None for another step."""
        if not self.retrying.turn():
            return self._deferred(instance_id, state)
        if existing := self.existing.find(instance_id, listed_since=state.listed_since):
            return self._found(existing, state)
        if state.doubt:
            return self._resolve(state.doubt, instance_id, state)
        if self.recent and (newest := self.recent.newest(instance_id, listed_since=state.listed_since)):
            return self._too_young(newest)
        state.creates += 1
        new = self.backups.create(instance_id, self.names.name(instance_id), self.names.description(self.description))
        self.retrying.limiter.accepted()
        return self._created(new, instance_id)

    def _handle(self, error: CloudError, instance_id: str, state: _State) -> InstanceResult | None:
        """Turn an error into an outcome, or return None for another step."""
        now = self.clock.monotonic()
        if isinstance(error, ThrottledError):
            self.retrying.limiter.throttled(error.retry_after)
            return None
        if isinstance(error, BusyError) and self.policy.on_busy is OnBusy.WAIT:
            # The instance may be busy with this event's backup, made by another delivery: look again after the wait.
            state.on_wait()
            state.waits += 1
            delay = backoff(state.waits, self.retrying.rng, first=5, most=30)
            _log.info("instance is busy, waiting", extra={"fields": {"instance_id": instance_id, "seconds": delay}})
            if not self.retrying.deadline.sleep(delay):
                return self._deferred(instance_id, state)
            state.listed_since = self.clock.monotonic()
            return None
        if isinstance(error, (AmbiguousError, ExistsError, BusyError)):
            state.on_wait()
            state.doubt, state.listed_since = error, now
            state.settled_at, state.waits = now + self.policy.settling_time, 0
            state.failures += 1
            return None
        state.failures += 1
        if isinstance(error, TransientError) and state.failures < _MOST_FAILURES:
            delay = backoff(state.failures, self.retrying.rng, first=0.5, most=8)
            return None if self.retrying.deadline.sleep(delay) else self._deferred(instance_id, state)
        return failed(instance_id, state.doubt if isinstance(state.doubt, AmbiguousError) else error)

    def _resolve(self, doubt: CloudError, instance_id: str, state: _State) -> InstanceResult | None:
        """Decide what it means that the list does not show the backup. Return None to look or create again."""
        if isinstance(doubt, BusyError):
            result = failed(instance_id, doubt)
            skipped = replace(result, outcome=Outcome.SKIPPED, retryable=False)
            return result if self.policy.on_busy is OnBusy.FAIL else skipped
        if isinstance(doubt, ExistsError) and (conflict := self.existing.find_conflict(instance_id)):
            message = f"{conflict.name} is the name of backup {conflict.id}, which {self._maker(conflict)}"
            return replace(failed(instance_id, doubt), code="name_conflict", message=message)
        left = state.settled_at - state.listed_since
        if left > 0:
            state.waits += 1
            delay = min(left, backoff(state.waits, self.retrying.rng, first=1, most=4))
            if not self.retrying.deadline.sleep(delay):
                return self._deferred(instance_id, state)
            state.listed_since = self.clock.monotonic()
            return None
        if isinstance(doubt, ExistsError) or state.failures >= _MOST_FAILURES:
            return replace(failed(instance_id, doubt), retryable=True)
        state.doubt = None
        return None

    def _maker(self, conflict: Backup) -> str:
        if key_of(conflict.description) == self.names.key:
            return f"this event made of instance {conflict.instance_id}: the digests of both instance ids are the same"
        return "another event or somebody else made"

    def _found(self, backup: Backup, state: _State) -> JobWanted:
        """The event's backup exists: from an earlier delivery, or from a create call whose answer was lost."""
        lost = isinstance(state.doubt, AmbiguousError)
        result = InstanceResult(
            backup.instance_id,
            Outcome.CREATED if lost else Outcome.ALREADY_EXISTS,
            backup_id=backup.id,
            backup_status=backup.status,
            warnings=("the answer to the create call was lost; the backup was found by its name",) if lost else (),
        )
        if backup.status == "FAILED":
            message = "DDS made the event's backup, but the backup failed; a new event makes a new one"
            result = replace(result, outcome=Outcome.FAILED, code="backup_failed", message=message)
        if backup.status == "DISABLED":
            message = "the event's backup is being deleted; a new event makes a new one"
            result = replace(result, outcome=Outcome.FAILED, code="backup_deleted", message=message)
        return JobWanted(result, lambda: self.jobs.find(backup, patience=self._patience()))

    def _created(self, new: NewBackup, instance_id: str) -> InstanceResult | JobWanted:
        result = InstanceResult(instance_id, Outcome.CREATED, backup_id=new.backup_id, job_id=new.job_id)
        if new.job_id:
            return result
        locate = partial(self._listed_now, instance_id)
        return JobWanted(result, lambda: self.jobs.find_new(locate, patience=self._patience()))

    def _listed_now(self, instance_id: str) -> Backup | None:
        return self.existing.find(instance_id, listed_since=self.clock.monotonic())

    def _patience(self) -> float:
        return min(self.policy.settling_time, self.retrying.deadline.left())

    def _too_young(self, newest: Backup) -> InstanceResult:
        message = f"backup {newest.name} began at {newest.begin_time}, within min_interval"
        return InstanceResult(newest.instance_id, Outcome.SKIPPED, code="min_interval", message=message)

    def _deferred(self, instance_id: str, state: _State) -> InstanceResult:
        reason = state.doubt or state.last
        if reason is None:
            message = "the invocation's time was over before this instance's turn"
            return InstanceResult(instance_id, Outcome.DEFERRED, code="out_of_time", message=message, retryable=True)
        message = f"the invocation's time was over while waiting: {reason}"
        return replace(failed(instance_id, reason), outcome=Outcome.DEFERRED, message=message, retryable=True)

    def _description_warnings(self) -> tuple[str, ...]:
        if self.names.cuts(self.description):
            return ("description shortened: the event's key has to follow it",)
        return ()
