"""Backs up all instances of an event side by side, and publishes the outcomes once every backup has begun."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial

from shared.create.creation import Creation, CreationPolicy, JobWanted
from shared.create.existing import ExistingBackups, RecentBackups
from shared.create.hand_off import HandOff
from shared.create.report import InstanceResult, Outcome, result_notification
from shared.create.request import BackupRequest, HandedOn
from shared.identity import EventNames, stable_fraction
from shared.jobs import JobFinder
from shared.model import Backups, Clock, Jobs
from shared.notify import Notifier, Rejection
from shared.retry import Reports, Retrying, Workers


_log = logging.getLogger(__name__)

_PUBLISH_TIME = 0.1  # seconds reserved for each notification
_MOST_RESERVED = 0.25  # of the time that is left


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """A valid request, the names that its event gives to the backups, and its instances.

    Attributes:
        event: what identifies the event, to hand off its instances.
        skipped: the results of selected instances that cannot be backed up.
        is_fleet: whether the instances were selected, so that there may be many.
        instance_names: the names of the instances that were selected here, by id.
    """

    request: BackupRequest
    event: HandedOn
    names: EventNames
    instances: tuple[str, ...]
    skipped: tuple[InstanceResult, ...] = ()
    is_fleet: bool = False
    instance_names: Mapping[str, str] = field(default_factory=dict)


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
    workers: Workers = field(default_factory=Workers)

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
        with self.workers.executor(len(tasks) + len(skipped) + len(rejected), self.concurrency) as publishers:

            def publish(named: NamedRequest, result: InstanceResult) -> "Future[InstanceResult]":
                return publishers.submit(self._publish, named, result)

            event = _EventRun(tasks, self.retrying, self.hand_off, publish, self.workers)
            event.run(self.concurrency)
            others = [(named, publish(named, result)) for named, result in skipped]
            rejections = [publishers.submit(self.notifier.publish_rejection, one, trigger) for one in rejected]
        outcomes = [(tasks[number].named, event.outcome(number)) for number in range(len(tasks))]
        outcomes += [(named, future.result()) for named, future in others]
        order = {id(named): position for position, named in enumerate(requests)}
        outcomes.sort(key=lambda outcome: order[id(outcome[0])])
        return [result for _, result in outcomes], [rejection.result() for rejection in rejections]

    def _publish(self, named: NamedRequest, result: InstanceResult) -> InstanceResult:
        name = named.instance_names.get(result.instance_id)
        notification = result_notification(result, named.names, self.notifier.sender, self.clock.now(), name)
        return replace(result, notified=self.notifier.publish(notification))

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

    def _creation(self, named: NamedRequest, jobs: JobFinder, retrying: Retrying) -> Creation:
        instances, own = named.instances, self.policy.fence.backups(self.backups)
        interval = max(filter(None, (named.request.min_interval, self.policy.min_interval)), default=None)
        return Creation(
            backups=self.backups,
            names=named.names,
            description=named.request.wanted_description,
            policy=self.policy,
            existing=ExistingBackups(self.backups, named.names, instances, self.clock),
            jobs=jobs,
            recent=RecentBackups(own, instances, interval, self.clock) if interval else None,
            retrying=retrying,
        )


_Outcome = InstanceResult | JobWanted
_Publish = Callable[[NamedRequest, InstanceResult], "Future[InstanceResult]"]


class _EventRun:
    """Makes the backups of one event. Workers report to a queue, and one thread decides what comes next.

    Attributes:
        results: the outcomes by the numbers of their tasks.
        published: the same while and after they are published.
    """

    def __init__(
        self,
        tasks: Sequence[_Task],
        retrying: Retrying,
        hand_off: HandOff | None,
        publish: _Publish,
        workers: Workers,
    ) -> None:
        self._tasks = tasks
        self._retrying = retrying
        self._hand_off = hand_off
        self._publish = publish
        self._workers = workers
        self._reports: Reports = workers.queue()
        self._not_begun = set(range(len(tasks)))
        self._unpublished: list[int] = []
        self.results: dict[int, InstanceResult] = {}
        self.published: dict[int, Future[InstanceResult]] = {}

    def run(self, concurrency: int) -> None:
        """Bring every task to its outcome. Outcomes are published as soon as every backup has begun.

        The job ids of existing backups are looked for after the instances that have no backup yet.
        """
        with self._workers.executor(len(self._tasks), concurrency) as workers:
            for number in sorted(self._not_begun, key=lambda number: self._tasks[number].start):
                workers.submit(self._begin, number, self._tasks[number])
            while len(self.results) < len(self._tasks):
                number, outcome = self._reports.get()
                self._not_begun.discard(number)
                if isinstance(outcome, BaseException):
                    raise outcome
                if isinstance(outcome, JobWanted):
                    workers.submit(self._report, number, outcome.finish)
                elif outcome:
                    self.results[number] = outcome
                    self._unpublished.append(number)
                if not self._not_begun:
                    self._publish_results()
        self._hand_off_rest()

    def outcome(self, number: int) -> InstanceResult:
        """Return the outcome of a task, with whether it was published."""
        return self.published[number].result() if number in self.published else self.results[number]

    def _begin(self, number: int, task: _Task) -> None:
        """Back up one instance at its time. Report when it waits for itself alone, and the outcome."""
        self._retrying.deadline.sleep(task.start - self._retrying.deadline.clock.monotonic())
        on_wait = partial(self._reports.put, (number, None))
        self._report(number, lambda: task.creation.begin(task.instance_id, on_wait))

    def _report(self, number: int, work: Callable[[], _Outcome]) -> None:
        """Report the outcome of `work`. A fault of this program is an outcome too, so that the others get theirs."""
        outcome: _Outcome | BaseException
        try:
            outcome = work()
        except Exception as error:  # noqa: BLE001 see above
            task = self._tasks[number]
            _log.exception("internal error", extra={"fields": {"instance_id": task.instance_id}})
            message = f"{type(error).__name__} in this application; the function's log has the traceback"
            failure = InstanceResult(
                task.instance_id, Outcome.FAILED, code="internal_error", message=message, retryable=True
            )
            outcome = _with_names(failure, task.named)
        except BaseException as error:  # noqa: BLE001 raised in the thread that waits for the report
            outcome = error
        self._reports.put((number, outcome))

    def _publish_results(self) -> None:
        # Shuffled, so that deliveries that run out of time do not all leave out the same ones.
        self._retrying.rng.shuffle(self._unpublished)
        for number in self._unpublished:
            if not self._may_hand_off(number):
                self.published[number] = self._publish(self._tasks[number].named, self.results[number])
        self._unpublished.clear()

    def _may_hand_off(self, number: int) -> bool:
        return (
            self._hand_off is not None
            and self.results[number].outcome is Outcome.DEFERRED
            and self._hand_off.is_allowed_for(self._tasks[number].named.event)
        )

    def _hand_off_rest(self) -> None:
        """Hand off what the deadline cut off. What the request topic does not accept is published like the rest."""
        if self._hand_off is None:
            return
        rest: dict[int, list[int]] = {}
        for number in range(len(self._tasks)):
            if number not in self.published:
                rest.setdefault(id(self._tasks[number].named), []).append(number)
        for numbers in rest.values():
            named = self._tasks[numbers[0]].named
            ids = [self._tasks[number].instance_id for number in numbers]
            accepted = set(self._hand_off.publish(named.request, named.event, ids))
            for number in numbers:
                if self._tasks[number].instance_id in accepted:
                    self.results[number] = replace(self.results[number], handed_on=True)
                else:
                    self.published[number] = self._publish(named, self.results[number])


def _with_names(result: InstanceResult, named: NamedRequest) -> InstanceResult:
    return replace(result, name=named.names.name(result.instance_id), event_key=named.names.key)
