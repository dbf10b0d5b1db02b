"""All instances of an event at once: each is backed up and announced, none waits for another."""

import logging
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from shared.backups.announcing import Announcer
from shared.backups.catalogue import Catalogue
from shared.backups.creation import Creation
from shared.backups.deadline import Deadline
from shared.backups.job_ids import JobIds
from shared.backups.names import EventNames
from shared.backups.notifications import announce_result
from shared.backups.outcomes import InstanceResult, Outcome, Rejection
from shared.backups.pace import Pace
from shared.backups.policy import CreationPolicy
from shared.backups.ports import Backups, Clock, Jobs
from shared.backups.recent import RecentBackups
from shared.backups.requests import BackupRequest
from shared.backups.waiting import Waiting


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """A valid request and the names that its event gives to its backups."""

    request: BackupRequest
    names: EventNames


@dataclass(frozen=True, slots=True)
class BackupService:
    """Makes the backups of whole events; holds nothing of any of them."""

    backups: Backups
    jobs: Jobs
    policy: CreationPolicy
    concurrency: int
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
        pace = Pace(self.clock, self.rng)
        job_ids = JobIds(self.jobs, self.clock)

        def back_up(creation: Creation, instance_id: str) -> InstanceResult:
            result = _guarded(creation, instance_id)
            notification = announce_result(result, creation.names, announcer.sender, self.clock.now())
            return replace(result, notified=announcer.announce(notification))

        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="backup") as pool:
            announced = [pool.submit(announcer.reject, rejection, trigger) for rejection in rejected]
            creations = [self._creation(named, deadline, pace, job_ids) for named in requests]
            results = [
                pool.submit(back_up, creation, instance_id)
                for named, creation in zip(requests, creations, strict=True)
                for instance_id in named.request.instances
            ]
        return [future.result() for future in results], [future.result() for future in announced]

    def _creation(self, named: NamedRequest, deadline: Deadline, pace: Pace, job_ids: JobIds) -> Creation:
        request, instances = named.request, named.request.instances
        interval = request.min_interval
        return Creation(
            backups=self.backups,
            names=named.names,
            description=request.wanted_description,
            policy=self.policy,
            catalogue=Catalogue(self.backups, named.names, instances, self.clock),
            job_ids=job_ids,
            recent=RecentBackups(self.backups, instances, interval, self.clock) if interval else None,
            waiting=Waiting(self.clock, deadline.left_to_work),
            pace=pace,
            clock=self.clock,
            rng=self.rng,
        )


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
