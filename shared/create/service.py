"""Backs up all instances of an event side by side, and publishes the outcomes once every backup has begun."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from shared.create.creation import Creation, CreationPolicy, JobWanted
from shared.create.existing import ExistingBackups, RecentBackups
from shared.create.hand_off import HandOff
from shared.create.report import InstanceResult, Outcome, result_notification
from shared.create.request import BackupRequest
from shared.identity import EventNames, stable_fraction
from shared.jobs import JobFinder
from shared.model import Backups, Clock, Jobs
from shared.notify import Notifier, Rejection
from shared.retry import Retrying, executor_for


_log = logging.getLogger(__name__)

OutcomeT = TypeVar("OutcomeT")
_Reports = SimpleQueue[tuple[int, "InstanceResult | JobWanted | None"]]

_PUBLISH_TIME = 0.1  # seconds reserved for each notification
_MOST_RESERVED = 0.25  # of the time that is left


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """A valid request, the names that its event gives to the backups, and its instances.

    Attributes:
        skipped: the results of selected instances that cannot be backed up.
        is_fleet: whether the instances were selected, so that there may be many.
    """

    request: BackupRequest
    names: EventNames
    instances: tuple[str, ...]
    skipped: tuple[InstanceResult, ...] = ()
    is_fleet: bool = False


@dataclass(frozen=True, slots=True)
class _Task:
    """One instance of a request.

    Attributes:
        start: when its backup begins, as a moment of the monotonic clock.
    """

    named: NamedRequest
    instance_id: str
    creation: Creation
    start: float


@dataclass(frozen=True, slots=True)
class BackupService:
    """Makes the backups of one event.

    Attributes:
        hand_off: hands off the instances that the deadline cut off; None if nothing does.
        spread: seconds over which the starts of a fleet are spread.
    """

    backups: Backups
    jobs: Jobs
    policy: CreationPolicy
    concurrency: int
    hand_off: HandOff | None
    spread: float
    retrying: Retrying
    notifier: Notifier

    @property
    def clock(self) -> Clock:
        """The clock of the deadline."""
        return self.retrying.deadline.clock

    def run(
        self, requests: Sequence[NamedRequest], rejected: Sequence[Rejection], *, trigger: str
    ) -> tuple[list[InstanceResult], list[Rejection]]:
        """Try every instance of every request and publish every outcome and rejection. Both lists keep the order.

        Nothing is published before every backup has begun or waits for its own instance. Then the outcomes come first,
        and the rejections last.
        """
        skipped = [(named, _with_names(result, named)) for named in requests for result in named.skipped]
        tasks = self._tasks(requests, others=len(skipped) + len(rejected))
        with executor_for(len(tasks) + len(skipped) + len(rejected), self.concurrency) as publishers:
            outcomes = self._create(tasks, partial(publishers.submit, self._publish))
            outcomes += [(named, publishers.submit(self._publish, named, result)) for named, result in skipped]
            rejections = [publishers.submit(self.notifier.publish_rejection, one, trigger) for one in rejected]
        results = [
            result.result() if isinstance(result, Future) else result
            for named in requests
            for of, result in outcomes
            if of is named
        ]
        return results, [rejection.result() for rejection in rejections]

    def _tasks(self, requests: Sequence[NamedRequest], *, others: int) -> list[_Task]:
        """Return a task for each instance, with a deadline that leaves time to publish all outcomes and the others."""
        notifications = others + sum(len(named.instances) for named in requests)
        left = self.retrying.deadline.left()
        reserve = min(notifications * _PUBLISH_TIME / self.concurrency, max(0.0, left) * _MOST_RESERVED)
        retrying = replace(self.retrying, deadline=self.retrying.deadline.earlier(reserve))
        jobs, now = JobFinder(self.jobs, retrying), self.clock.monotonic()
        tasks: list[_Task] = []
        for named in requests:
            creation = self._creation(named, jobs, retrying)
            spread = self.spread if named.is_fleet else 0.0
            tasks += [_Task(named, i, creation, now + stable_fraction(i) * spread) for i in named.instances]
        return tasks

    def _create(
        self, tasks: Sequence[_Task], publish: Callable[[NamedRequest, InstanceResult], "Future[InstanceResult]"]
    ) -> list[tuple[NamedRequest, "InstanceResult | Future[InstanceResult]"]]:
        """Make the backups, and publish their outcomes as soon as all have begun. Returns the outcomes in order.

        Workers report to a queue, and this thread decides what comes next: the job ids of backups that exist come after
        the instances that have no backup yet.
        """
        reports: _Reports = SimpleQueue()
        not_begun = set(range(len(tasks)))
        unpublished: list[int] = []
        results: dict[int, InstanceResult] = {}
        published: dict[int, Future[InstanceResult]] = {}
        with executor_for(len(tasks), self.concurrency) as workers:
            for number in sorted(not_begun, key=lambda number: tasks[number].start):
                workers.submit(self._begin, number, tasks[number], reports)
            while len(results) < len(tasks):
                number, outcome = reports.get()
                not_begun.discard(number)
                if isinstance(outcome, JobWanted):
                    workers.submit(self._find_job, number, tasks[number], outcome, reports)
                elif outcome:
                    results[number] = outcome
                    unpublished.append(number)
                if not not_begun:
                    # Shuffled, so that deliveries that run out of time do not all leave out the same ones.
                    self.retrying.rng.shuffle(unpublished)
                    for ready in unpublished:
                        if not self._may_hand_off(results[ready], tasks[ready].named):
                            published[ready] = publish(tasks[ready].named, results[ready])
                    unpublished.clear()
        self._hand_off(tasks, results, publish, published)
        return [(task.named, published.get(number, results[number])) for number, task in enumerate(tasks)]

    def _begin(self, number: int, task: _Task, reports: _Reports) -> None:
        self.retrying.deadline.sleep(task.start - self.clock.monotonic())
        on_wait = partial(reports.put, (number, None))
        reports.put((number, _guarded(task, lambda: task.creation.back_up(task.instance_id, on_wait))))

    def _find_job(self, number: int, task: _Task, wanted: JobWanted, reports: _Reports) -> None:
        reports.put((number, _guarded(task, wanted.finish)))

    def _publish(self, named: NamedRequest, result: InstanceResult) -> InstanceResult:
        notification = result_notification(result, named.names, self.notifier.sender, self.clock.now())
        return replace(result, notified=self.notifier.publish(notification))

    def _may_hand_off(self, result: InstanceResult, named: NamedRequest) -> bool:
        return (
            self.hand_off is not None
            and result.outcome is Outcome.DEFERRED
            and self.hand_off.is_allowed_for(named.request)
        )

    def _hand_off(
        self,
        tasks: Sequence[_Task],
        results: dict[int, InstanceResult],
        publish: Callable[[NamedRequest, InstanceResult], "Future[InstanceResult]"],
        published: dict[int, "Future[InstanceResult]"],
    ) -> None:
        """Hand off what the deadline cut off. What the request topic does not accept is published like the rest."""
        if self.hand_off is None:
            return
        left = [number for number in results if number not in published]
        for named in {id(tasks[number].named): tasks[number].named for number in left}.values():
            numbers = [number for number in left if tasks[number].named is named]
            ids = [tasks[number].instance_id for number in numbers]
            accepted = self.hand_off.publish(named.request, named.names, ids)
            for number in numbers:
                if tasks[number].instance_id in accepted:
                    results[number] = replace(results[number], handed_on=True)
                else:
                    published[number] = publish(named, results[number])

    def _creation(self, named: NamedRequest, jobs: JobFinder, retrying: Retrying) -> Creation:
        instances, interval = named.instances, named.request.min_interval
        return Creation(
            backups=self.backups,
            names=named.names,
            description=named.request.wanted_description,
            policy=self.policy,
            existing=ExistingBackups(self.backups, named.names, instances, self.clock),
            jobs=jobs,
            recent=RecentBackups(self.backups, instances, interval, self.clock) if interval else None,
            retrying=retrying,
        )


def _with_names(result: InstanceResult, named: NamedRequest) -> InstanceResult:
    return replace(result, name=named.names.name(result.instance_id), event_key=named.names.key)


def _guarded(task: _Task, work: Callable[[], OutcomeT]) -> OutcomeT | InstanceResult:
    """Return the outcome of one instance even if this program is at fault, so that the others get theirs."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 see above
        _log.exception("internal error", extra={"fields": {"instance_id": task.instance_id}})
        return InstanceResult(
            task.instance_id,
            Outcome.FAILED,
            name=task.named.names.name(task.instance_id),
            event_key=task.named.names.key,
            code="internal_error",
            message=f"{type(error).__name__} in this application; the function's log has the traceback",
            retryable=True,
        )
