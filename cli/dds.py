"""DDS with the user's own keys, through the adapters of the functions, and what to do about its errors."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import click

from cli.cloud import open_cloud
from shared.drills import Verified, verified
from shared.errors import CloudError
from shared.jobs import NEAR
from shared.model import JOBS_KEPT, Backup, Backups, Clock, Instance, Instances, InstanceTask, Jobs, Restores
from shared.retry import AdaptiveRateLimiter, Deadline, Retrying
from shared.runtime.invocation import SystemClock
from shared.runtime.logs import SDK_LOGGERS


ResultT = TypeVar("ResultT")

PATIENCE = 120.0
"""Seconds for which a call that only reads is tried again."""


class AllBackups(Backups, Protocol):
    """The backups of the project, and those that DDS made. Raises only subclasses of CloudError."""

    def list_all(self) -> Sequence[Backup]:
        """List all full backups, manual and automatic, to the last page."""


@dataclass(frozen=True, slots=True)
class Dds:
    """DDS as a person uses it. `read` repeats calls and turns their errors into Refused; the ports do not."""

    instances: Instances
    backups: AllBackups
    jobs: Jobs
    restores: Restores
    clock: Clock
    retrying: Retrying

    def read(self, call: Callable[[], ResultT], what: str) -> ResultT:
        """Return the result of a call that only reads. *what* says in an error what could not be done.

        Raises Refused.
        """
        try:
            return self.retrying.within(PATIENCE).call(call)
        except CloudError as error:
            raise Refused(what, error) from error

    def list_instances(self) -> Sequence[Instance]:
        """Return all instances of the project. Raises Refused."""
        return self.read(self.instances.list, "the instances could not be listed")

    def list_backups(self) -> Sequence[Backup]:
        """Return all full backups of the project. Raises Refused."""
        return self.read(self.backups.list_all, "the backups could not be listed")

    def list_restores(self) -> Sequence[InstanceTask]:
        """Return the tasks of the last 30 days that restore to new instances or restart instances. Raises Refused."""
        until = self.clock.now() + NEAR  # the clock of DDS may be ahead, and it lists 30 days at most
        since = until - JOBS_KEPT
        return self.read(lambda: self.jobs.restoring_between(since, until), "the tasks could not be listed")

    def list_verified(self) -> list[Verified]:
        """Return the backups that a drill has verified. Without the task list there are none, and that is said."""
        try:
            return list(verified(self.list_restores()))
        except Refused as error:
            click.echo(f"It is not known which backups are verified: {error.error}", err=True)
            return []


class Refused(click.ClickException):
    """DDS refused a call or did not answer it: what it said, and what to do. The exit status is 1."""

    def __init__(self, what: str, error: CloudError, advice: str = "") -> None:
        self.error = error
        self.advice = advice or advice_for(error)
        super().__init__(f"{what}: {error}\nWhat to do: {self.advice}.")


_ADVICE = {
    "denied": "check the keys and their expiry, and let an administrator grant the action named above in IAM",
    "not_found": "check --region and the project of the keys",
    "busy": "wait until the operation in progress is over (ddsbackup backups shows it), then run again",
    "throttled": "too many calls: wait a minute, then run again",
    "unavailable": "check the network and --region, then run again",
    "outcome_unknown": "look at the instances in the console before you run again",
}


def advice_for(error: CloudError) -> str:
    """Return what to do about an error of Huawei Cloud, by its class."""
    return _ADVICE.get(error.code, "correct what DDS names, then run again")


@dataclass(frozen=True, slots=True)
class _LocalClock:
    """The machine's clock, with the time of day of the local cloud at *url*, whose clock can be moved at any time."""

    url: str
    machine: SystemClock = field(default_factory=SystemClock)

    def now(self) -> datetime:
        with open_cloud(self.url) as local:
            return self.machine.now() + timedelta(seconds=local.clock_offset())

    def monotonic(self) -> float:
        return self.machine.monotonic()

    def sleep(self, seconds: float) -> None:
        self.machine.sleep(seconds)


def open_dds(cloud: str | None, region: str | None, clock: Clock | None = None) -> Dds:
    """Return DDS of the cloud that ``--cloud`` or ``--region`` selects. The clock is by default that of the cloud.

    Raises WrongCall for both, neither, or no keys.
    """
    from cli.huaweicloud.access import open_access  # imports the SDK
    from shared.cloud.credentials import Credentials
    from shared.cloud.dds import DdsBackups, DdsInstances, DdsJobs
    from shared.cloud.restores import DdsRestores
    from shared.cloud.sdk import HttpLimits, SdkService

    for name in ("shared", *SDK_LOGGERS):
        logging.getLogger(name).addHandler(logging.NullHandler())  # the command shows errors
    access = open_access(cloud, region)
    clock = clock or (_LocalClock(cloud) if cloud else SystemClock())
    keys, project_id = access.keys, access.project_id
    service = SdkService.dds(access.endpoint("dds"), project_id, HttpLimits())
    rng = random.Random()  # noqa: S311 it only spreads retries
    retrying = Retrying(Deadline(clock, float("inf")), AdaptiveRateLimiter(clock, rng), rng)
    service.renew(Credentials(keys.access_key, keys.secret_key, keys.security_token, project_id), retrying)
    backups, restores = DdsBackups(service, clock), DdsRestores(service)
    return Dds(DdsInstances(service), backups, DdsJobs(service), restores, clock, retrying)
