"""A restore from start to end: starts it, finds it again if the answer is lost, and polls DDS until it is over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Protocol

import click

from cli.dds import Dds, Refused
from cli.errors import WrongCall, did_you_mean
from shared.errors import AbsentError, AmbiguousError, CloudError, ThrottledError, TransientError
from shared.model import Instance, NewInstance, StartedRestore


SETTLES = 120.0
"""Seconds after which DDS lists an instance whose creation it has accepted. The documents do not say."""

INTERVAL = 10.0
"""Seconds between two looks: that of the official Terraform provider."""

_LOOK_EVERY = 5.0
_TRIES = 3
_PAUSE = 5.0

_CODES = {
    "zone": "200025 200470 280244",
    "network": "200048 200049 200050 200501 200502 200503 280247 280248 280249",
    "flavor": "200053 200054 239012 280239 280267 280434 280445",
    "disk": "200072 200302 200306 280242 280266",
    "quota": "280280",
    "name": "280234",
}
"""The error codes that an option can help (DDS API, Error Codes), by what is wrong."""

_WHAT_TO_DO = {
    "zone": "choose zones where the specification is sold: --availability-zone, such as cn-north-4a or "
    "cn-north-4a,cn-north-4b,cn-north-4c",
    "network": "choose a VPC of this region and project, a subnet of that VPC (its network ID) and a security group: "
    "--vpc, --subnet, --security-group",
    "flavor": "choose a specification that is sold for this mode and version in these zones: --flavor KIND=SPEC_CODE. "
    "The console shows them under Buy DB Instance",
    "disk": "choose a disk of at least the source's size, a multiple of 10 GB: --flavor KIND=,size=GB",
    "quota": "the quota is used up: delete an instance that is not needed, or ask for more in the console (My Quotas)",
    "name": "choose another --name",
    "busy": "the source is in another operation. Wait until it is over (ddsbackup backups shows it), then run again",
}


@dataclass(frozen=True, slots=True)
class Started:
    """A restore that was started. `job_id` is None if DDS did not say it, `ended` if it runs or DDS does not say."""

    instance_id: str
    name: str
    job_id: str | None
    began: datetime
    ended: datetime | None = None


def start(dds: Dds, new: NewInstance) -> Started:
    """Start a restore, once: if the answer is lost, the new instance is looked up by its name.

    Raises Refused, or ClickException if it stays open whether the restore was started.
    """
    began = dds.clock.now()
    for attempt in range(1, _TRIES + 1):
        try:
            answer = _restore(dds, new)
        except AmbiguousError as error:
            return _look_up(dds, new.name, began, error)
        except (ThrottledError, TransientError) as error:  # nothing was done
            if attempt == _TRIES:
                raise Refused("the restore was not started", error) from error
            dds.clock.sleep(error.retry_after or _PAUSE)
        except CloudError as error:
            raise Refused("the restore was not started", error, _advice(error)) from error
        else:
            return Started(answer.instance_id, new.name, answer.job_id, began)
    raise AssertionError  # the last try returns or raises


def _restore(dds: Dds, new: NewInstance) -> StartedRestore:
    """Make the call. No error quotes the password, even if DDS repeats the request."""
    try:
        return dds.restores.restore(new)
    except CloudError as error:
        if new.password:
            error.args = (str(error).replace(new.password, "***"),)
        raise


def _advice(error: CloudError) -> str:
    """Return what to do about a refused restore, or "" for the usual advice."""
    code = (error.cloud_code or "").removeprefix("DBS.")
    kinds = [kind for kind, codes in _CODES.items() if code in codes.split()]
    return _WHAT_TO_DO["busy"] if error.code == "busy" else _WHAT_TO_DO[kinds[0]] if kinds else ""


def _look_up(dds: Dds, name: str, began: datetime, error: CloudError) -> Started:
    until = dds.clock.monotonic() + SETTLES
    while True:
        try:
            found = [instance for instance in dds.list_instances() if instance.name == name]
        except Refused:
            found = []
        if found:
            return replace(find(dds, found, name), began=began)
        if dds.clock.monotonic() >= until:
            raise click.ClickException(
                f"it is not known whether the restore was started ({error}), and DDS does not list {name} after "
                f"{SETTLES:.0f} s. Look again in some minutes with the same command: it finds the instance by its name "
                "and starts no second one"
            )
        dds.clock.sleep(_LOOK_EVERY)


def find(dds: Dds, instances: Sequence[Instance], wanted: str) -> Started:
    """Return the restore that makes, or has made, the instance with a name or id.

    If DDS does not list its task, the job is not known and the begin is that of the instance. Raises WrongCall if there
    is no such instance, or if it is normal and no restore has made it.
    """
    named = [instance for instance in instances if wanted in (instance.id, instance.name)]
    if len(named) != 1:
        hint = did_you_mean(wanted, [instance.name for instance in instances])
        count = f"{len(named)} instances have" if named else "no instance has"
        raise WrongCall(f"{count} the name or id {wanted!r}{hint if not named else ': give the id of one'}")
    instance = named[0]
    try:
        tasks = dds.list_restores()
    except Refused:
        return Started(instance.id, instance.name, None, instance.created or dds.clock.now())
    own = [task for task in tasks if task.instance_id == instance.id and not task.is_restart]
    if own:
        return Started(instance.id, instance.name, own[0].id, own[0].created_at, own[0].ended_at)
    if instance.status == "normal":
        raise WrongCall(f"{instance.name} ({instance.id}) was not made by a restore of the last 30 days")
    return Started(instance.id, instance.name, None, instance.created or dds.clock.now())


class State(str, Enum):
    """How far a restore is."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look shows.

    Attributes:
        percent: of the job; None if DDS does not say.
        said: in words.
        instance: None while DDS does not list it.
    """

    state: State
    percent: float | None
    said: str
    instance: Instance | None


def look(dds: Dds, started: Started) -> Seen:
    """Look at the new instance and the job that makes it. Raises CloudError.

    The restore is over when the instance is normal and in no operation, as for the official Terraform provider.
    """
    instance = next((one for one in dds.instances.list() if one.id == started.instance_id), None)
    if instance and instance.status == "normal" and not instance.actions:
        return Seen(State.COMPLETED, 100.0, "normal", instance)
    try:
        job = dds.jobs.show(started.job_id) if started.job_id else None
    except AbsentError:
        job = None  # DDS does not show a job in its first seconds
    status = instance.status if instance else "not listed"
    if (job and job.status == "Failed") or status == "createfail":
        return Seen(State.FAILED, None, (job and job.fail_reason) or f"DDS gives no reason; {status}", instance)
    if job and job.status == "Completed" and status not in ("normal", "creating"):
        return Seen(State.FAILED, None, f"the job completed, but the instance is {status}", instance)
    actions = f" ({', '.join(instance.actions)})" if instance and instance.actions else ""
    return Seen(State.RUNNING, _percent(job.progress if job else ""), f"{status}{actions}", instance)


def _percent(progress: str) -> float | None:
    number = progress.removesuffix("%")
    return float(number) if number.isdecimal() else None


class Display(Protocol):
    """Shows the progress. *seconds* is the time since the restore began."""

    def seen(self, seen: Seen, seconds: float) -> None: ...
    def failed(self, error: CloudError, seconds: float) -> None: ...


def follow(dds: Dds, started: Started, display: Display, timeout: float | None) -> Seen:
    """Look every 10 seconds until the restore is over, or for *timeout* seconds. Return what was seen last.

    Errors that a retry can help do not end it. Raises Refused for any other.
    """
    until = None if timeout is None else dds.clock.monotonic() + timeout
    last = Seen(State.RUNNING, None, "not listed", None)
    while True:
        seconds, pause = ((started.ended or dds.clock.now()) - started.began).total_seconds(), INTERVAL
        try:
            last = look(dds, started)
        except CloudError as error:
            if not error.retryable:
                raise Refused("the restore goes on, but it cannot be followed", error) from error
            display.failed(error, seconds)
            pause = max(pause, error.retry_after or 0)
        else:
            display.seen(last, seconds)
            if last.state is not State.RUNNING:
                return last
        left = None if until is None else until - dds.clock.monotonic()
        if left is not None and left <= 0:
            return last
        dds.clock.sleep(pause if left is None else min(pause, left))
