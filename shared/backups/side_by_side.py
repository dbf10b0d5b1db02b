"""All instances of an event at once: each is backed up and announced, none waits for another."""

import logging
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from shared.backups.announcing import Announcer
from shared.backups.catalogue import Catalogue
from shared.backups.creation import Creation
from shared.backups.deadline import Deadline
from shared.backups.executors import executor_for
from shared.backups.fan_out import FanOut
from shared.backups.job_ids import JobIds
from shared.backups.names import EventNames, share
from shared.backups.notifications import announce_result
from shared.backups.outcomes import InstanceResult, Outcome
from shared.backups.pace import Pace
from shared.backups.policy import CreationPolicy
from shared.backups.ports import Backups, Clock, Jobs
from shared.backups.recent import RecentBackups
from shared.backups.rejections import Rejection
from shared.backups.requests import BackupRequest
from shared.backups.waiting import Waiting


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """A valid request, the names that its event gives to its backups, and the instances that it means.

    Attributes:
        skipped: instances that it means but that cannot be backed up.
        is_fleet: whether the instances were selected, so that there may be many.
    """

    request: BackupRequest
    names: EventNames
    instances: tuple[str, ...]
    skipped: tuple[InstanceResult, ...] = ()
    is_fleet: bool = False


@dataclass(frozen=True, slots=True)
class BackupService:
    """Makes the backups of whole events; holds nothing of any of them.

    Attributes:
        fan_out: what hands on the instances that the deadline cut off; None if nothing does.
        spread: seconds over which the starts of a fleet are spread.
    """

    backups: Backups
    jobs: Jobs
    policy: CreationPolicy
    concurrency: int
    fan_out: FanOut | None
    spread: float
    clock: Clock
    rng: random.Random

    def run(
        self,
        requests: Sequence[NamedRequest],
        rejected: Sequence[Rejection],
        *,
        trigger: str,
        announcer: Announcer,
        deadline: Deadline,
    ) -> tuple[list[InstanceResult], list[Rejection]]:
        """Try every instance of every request and announce each outcome and rejection; in the order given."""
        waiting = Waiting(self.clock, deadline.left_to_work)
        pace, job_ids = Pace(self.clock, self.rng), JobIds(self.jobs, self.clock)

        def tell(result: InstanceResult, named: NamedRequest) -> InstanceResult:
            notification = announce_result(result, named.names, announcer.sender, self.clock.now())
            return replace(result, notified=announcer.announce(notification))

        def back_up(creation: Creation, named: NamedRequest, instance_id: str, start: float) -> InstanceResult:
            waiting.wait(max(0.0, start - self.clock.monotonic()))
            result = _guarded(creation, instance_id)
            return result if self._may_be_handed_on(result, named) else tell(result, named)

        pieces = len(rejected) + sum(len(named.instances) + len(named.skipped) for named in requests)
        with executor_for(pieces, self.concurrency) as pool:
            rejections = [pool.submit(announcer.reject, rejection, trigger) for rejection in rejected]
            begun: list[tuple[NamedRequest, dict[str, Future[InstanceResult]]]] = []
            for named in requests:
                creation = self._creation(named, waiting, pace, job_ids)
                tried = {i: pool.submit(back_up, creation, named, i, start) for start, i in self._starts(named)}
                told = {skip.instance_id: pool.submit(tell, _with_names(skip, named), named) for skip in named.skipped}
                begun.append((named, tried | told))
        results: list[InstanceResult] = []
        for named, futures in begun:
            order = [*named.instances, *(skip.instance_id for skip in named.skipped)]
            results += self._settle(named, [futures[instance].result() for instance in order], tell)
        return results, [rejection.result() for rejection in rejections]

    def _starts(self, named: NamedRequest) -> list[tuple[float, str]]:
        """When each instance begins, the first one first: those of a fleet spread out, others at once."""
        now, spread = self.clock.monotonic(), self.spread if named.is_fleet else 0.0
        starts = [(now + share(instance) * spread, instance) for instance in named.instances]
        return sorted(starts) if spread else starts

    def _may_be_handed_on(self, result: InstanceResult, named: NamedRequest) -> bool:
        return self.fan_out is not None and result.outcome is Outcome.DEFERRED and FanOut.may_go_on(named.request)

    def _settle(
        self,
        named: NamedRequest,
        results: list[InstanceResult],
        tell: Callable[[InstanceResult, NamedRequest], InstanceResult],
    ) -> list[InstanceResult]:
        """Hand on what the deadline cut off; what the request topic does not take is announced like the rest."""
        left = [result.instance_id for result in results if self._may_be_handed_on(result, named)]
        if not left or self.fan_out is None:
            return results
        taken = self.fan_out.hand_on(named.request, named.names, left)

        def settled(result: InstanceResult) -> InstanceResult:
            if result.instance_id not in left:
                return result
            return replace(result, handed_on=True) if result.instance_id in taken else tell(result, named)

        return [settled(result) for result in results]

    def _creation(self, named: NamedRequest, waiting: Waiting, pace: Pace, job_ids: JobIds) -> Creation:
        instances, interval = named.instances, named.request.min_interval
        return Creation(
            backups=self.backups,
            names=named.names,
            description=named.request.wanted_description,
            policy=self.policy,
            catalogue=Catalogue(self.backups, named.names, instances, self.clock),
            job_ids=job_ids,
            recent=RecentBackups(self.backups, instances, interval, self.clock) if interval else None,
            waiting=waiting,
            pace=pace,
            clock=self.clock,
            rng=self.rng,
        )


def _with_names(result: InstanceResult, named: NamedRequest) -> InstanceResult:
    return replace(result, name=named.names.name(result.instance_id), event_key=named.names.key)


def _guarded(creation: Creation, instance_id: str) -> InstanceResult:
    """The outcome of one instance, even if this program is at fault: the others must get theirs."""
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
