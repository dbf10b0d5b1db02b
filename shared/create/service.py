"""Backs up all instances of an event side by side, and publishes each outcome."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from shared.create.creation import Creation, CreationPolicy
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
        """Try every instance of every request and publish every outcome and rejection. Both lists keep the order."""
        jobs = JobFinder(self.jobs, self.retrying)

        def back_up(creation: Creation, named: NamedRequest, instance_id: str, start: float) -> InstanceResult:
            self.retrying.deadline.sleep(start - self.clock.monotonic())
            result = _guarded(creation, instance_id)
            return result if self._may_hand_off(result, named) else self._publish(result, named)

        tasks = len(rejected) + sum(len(named.instances) + len(named.skipped) for named in requests)
        with executor_for(tasks, self.concurrency) as pool:
            rejections = [pool.submit(self.notifier.publish_rejection, rejection, trigger) for rejection in rejected]
            begun: list[tuple[NamedRequest, dict[str, Future[InstanceResult]]]] = []
            for named in requests:
                creation = self._creation(named, jobs)
                tried = {i: pool.submit(back_up, creation, named, i, start) for start, i in self._starts(named)}
                skipped = {
                    result.instance_id: pool.submit(self._publish, _with_names(result, named), named)
                    for result in named.skipped
                }
                begun.append((named, tried | skipped))
        results: list[InstanceResult] = []
        for named, futures in begun:
            order = [*named.instances, *(result.instance_id for result in named.skipped)]
            results += self._hand_off(named, [futures[instance].result() for instance in order])
        return results, [rejection.result() for rejection in rejections]

    def _publish(self, result: InstanceResult, named: NamedRequest) -> InstanceResult:
        notification = result_notification(result, named.names, self.notifier.sender, self.clock.now())
        return replace(result, notified=self.notifier.publish(notification))

    def _starts(self, named: NamedRequest) -> list[tuple[float, str]]:
        """Return when each instance starts, the first one first. Only the starts of a fleet are spread out."""
        now, spread = self.clock.monotonic(), self.spread if named.is_fleet else 0.0
        starts = [(now + stable_fraction(instance) * spread, instance) for instance in named.instances]
        return sorted(starts) if spread else starts

    def _may_hand_off(self, result: InstanceResult, named: NamedRequest) -> bool:
        return (
            self.hand_off is not None
            and result.outcome is Outcome.DEFERRED
            and self.hand_off.is_allowed_for(named.request)
        )

    def _hand_off(self, named: NamedRequest, results: list[InstanceResult]) -> list[InstanceResult]:
        """Hand off what the deadline cut off. What the request topic does not accept is published like the rest."""
        left = [result.instance_id for result in results if self._may_hand_off(result, named)]
        if not left or self.hand_off is None:
            return results
        accepted = self.hand_off.publish(named.request, named.names, left)

        def settled(result: InstanceResult) -> InstanceResult:
            if result.instance_id not in left:
                return result
            return replace(result, handed_on=True) if result.instance_id in accepted else self._publish(result, named)

        return [settled(result) for result in results]

    def _creation(self, named: NamedRequest, jobs: JobFinder) -> Creation:
        instances, interval = named.instances, named.request.min_interval
        return Creation(
            backups=self.backups,
            names=named.names,
            description=named.request.wanted_description,
            policy=self.policy,
            existing=ExistingBackups(self.backups, named.names, instances, self.clock),
            jobs=jobs,
            recent=RecentBackups(self.backups, instances, interval, self.clock) if interval else None,
            retrying=self.retrying,
        )


def _with_names(result: InstanceResult, named: NamedRequest) -> InstanceResult:
    return replace(result, name=named.names.name(result.instance_id), event_key=named.names.key)


def _guarded(creation: Creation, instance_id: str) -> InstanceResult:
    """Return the outcome of one instance even if this program is at fault, so that the others get theirs."""
    try:
        return creation.back_up(instance_id)
    except Exception as error:  # noqa: BLE001 see above
        _log.exception("internal error", extra={"fields": {"instance_id": instance_id}})
        return InstanceResult(
            instance_id,
            Outcome.FAILED,
            name=creation.names.name(instance_id),
            event_key=creation.names.key,
            code="internal_error",
            message=f"{type(error).__name__} in this application; the function's log has the traceback",
            retryable=True,
        )
