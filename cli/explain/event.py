"""What an event would do: the function's own code runs on the lists of DDS, and what it would change is only noted."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cli.cost.inputs import read_settings
from cli.dds import Dds
from cli.errors import WrongCall
from cli.explain.inputs import Application
from cli.json_value import Json
from cli.preflight.functions import FUNCTIONS
from cli.template.load import find_function
from shared.audit import function as audit
from shared.create import function as create
from shared.create.creation import OnBusy
from shared.create.function import CreateBackupSettings
from shared.drill import function as drill
from shared.drill.function import DrillBackupsSettings
from shared.errors import AbsentError, BusyError, ExistsError, TransientError
from shared.identity import digest
from shared.model import (
    Backup,
    Backups,
    Clock,
    Instance,
    Jobs,
    NewBackup,
    NewInstance,
    Notification,
    Restores,
    StartedRestore,
    Topic,
)
from shared.notify import Notifier, Sender
from shared.prune import function as prune
from shared.report import Report
from shared.retry import AdaptiveRateLimiter, Deadline, Retrying
from shared.runtime.context import Context
from shared.runtime.invocation import Invocation, InvocationScope, SystemClock
from shared.runtime.settings import Settings
from shared.track import function as track
from shared.triggers.receive import Received, receive


Run = Callable[[object, InvocationScope[Any]], tuple[Received[Any], Report]]

RUNS: Mapping[str, Run] = {
    "create_backup": create.run,
    "track_backups": track.run,
    "prune_backups": prune.run,
    "audit_backups": audit.run,
    "drill_backups": partial(drill.run, inspect=drill.make_inspector),
}
"""The functions whose events can be explained, by the folder of their code."""

REQUEST_ID = "explain"
"""Stands for the request id of the invocation, which nobody knows before. It identifies an event without an id."""

_WOULD_BE = "would-be-created"
_PATIENCE = 300.0  # seconds for the lists, which DDS may throttle


class NeedsCloudError(TransientError):
    """A list that the function needs, without a cloud to read it from. It is retryable, so that nobody is told."""


@dataclass(slots=True)
class Noted:
    """What the function would change."""

    created: list[str] = field(default_factory=list)
    """The instances of the backups."""
    deleted: list[str] = field(default_factory=list)
    """The ids of the backups."""
    instances: list[tuple[str, str]] = field(default_factory=list)
    """What a drill does: restore, tag, reset_password, restart or delete, and the instance, by name if it is new."""
    published: list[Notification] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an event would do.

    Attributes:
        function: the folder of the function that gets it.
        why: why it is that function.
        report: of the function's run; None if there is no cloud and the function needs one.
        instances: the instances of the project by id; empty without a cloud.
    """

    function: str
    why: str
    received: Received[Any]
    report: Report | None
    noted: Noted
    settings: Settings
    instances: Mapping[str, Instance]
    has_cloud: bool


def explain_event(event: Json, application: Application, dds: Dds | None, named: str | None) -> Explanation:
    """Return what an event would do. Raises WrongCall for an unknown function, and if DDS refuses to answer."""
    kind, why = _receiver(event, application, named)
    function = application.function(kind)
    if function is None:
        raise WrongCall(f"{application.template.file} has no function {kind}: give --template")
    settings: Settings = read_settings(FUNCTIONS[kind].settings, function)
    if isinstance(settings, CreateBackupSettings):
        settings = settings.model_copy(update={"START_SPREAD": 0.0})  # nothing is started
    if isinstance(settings, DrillBackupsSettings):
        settings = settings.model_copy(update={"DRILL_CONNECT": False})  # nobody has the password of a copy
    instances = {instance.id: instance for instance in dds.list_instances()} if dds else {}
    noted = Noted()
    if dds is None and kind != "create_backup":
        received = receive(event, FUNCTIONS[kind].request, request_id=REQUEST_ID)
        return Explanation(kind, why, received, None, noted, settings, instances, has_cloud=False)
    logging.getLogger("shared").addHandler(logging.NullHandler())  # the explanation shows what is wrong
    cloud = _ReadOnly(dds, instances, noted, settings)
    received, report = RUNS[kind](event, _scope(cloud, settings, function.name))
    return Explanation(kind, why, received, report, noted, settings, instances, has_cloud=dds is not None)


def _receiver(event: Json, application: Application, named: str | None) -> tuple[str, str]:
    """Return the function that gets an event, and why."""
    if named is not None:
        kind = named if named in RUNS else find_function(application.template, named).code_uri.name
        if kind not in RUNS:
            raise WrongCall(f"the events of {named} cannot be explained, only those of {', '.join(RUNS)}")
        return kind, "as given"
    trigger = event.get("trigger_name") if isinstance(event, dict) else None
    named_so = {timer.kind for timer in application.timers if timer.name == trigger}
    if named_so and not named_so & RUNS.keys():
        raise WrongCall(f"the events of {' and '.join(named_so)} cannot be explained, only those of {', '.join(RUNS)}")
    kinds = [kind for kind in RUNS if not named_so or kind in named_so]
    taken = {kind: len(receive(event, FUNCTIONS[kind].request, request_id=REQUEST_ID).requests) for kind in kinds}
    kind = max(taken, key=lambda one: taken[one])
    others = [other for other in kinds if other != kind and taken[other] == taken[kind]]
    if not taken[kind]:
        return kind, "no function takes it; these are the faults that this one finds"
    also = f". {' and '.join(others)} would take it, too: choose with --function" if others else ""
    has_timer = f"the template has its timer {trigger}"
    return kind, f"{has_timer if named_so else 'it holds a request of this function'}{also}"


class _PassingClock(SystemClock):
    """A clock whose pauses take no time. Without a cloud nothing is worth waiting for."""

    def sleep(self, seconds: float) -> None:
        """Return at once."""


class _Nothing:
    """DDS without a cloud: there are no backups, no jobs, and the list of instances is missing."""

    def list(self, **_: object) -> Sequence[Any]:
        return ()

    def created_between(self, *_: object, **__: object) -> Sequence[Any]:
        return ()


class _NoInstances:
    """The instances without a cloud."""

    def list(self) -> Sequence[Instance]:
        raise NeedsCloudError("give --cloud or --region to see which instances it selects")


class _NotingBackups:
    """Lists backups, and notes what would be created and deleted. Implements `shared.model.Backups`."""

    def __init__(self, inner: Backups, instances: Mapping[str, Instance] | None, noted: Noted, on_busy: OnBusy) -> None:
        self._inner, self._instances, self._noted, self._on_busy = inner, instances, noted, on_busy
        self.list = inner.list

    def create(self, instance_id: str, name: str, description: str) -> NewBackup:  # noqa: ARG002 it is only noted
        """Note a backup, or raise what DDS would answer, as far as its lists tell."""
        instance = self._instances.get(instance_id) if self._instances is not None else None
        if self._instances is not None and instance is None:
            raise AbsentError("DDS lists no such instance")
        if instance and instance.actions and self._on_busy is not OnBusy.WAIT:
            raise BusyError(f"the instance is in another operation: {', '.join(instance.actions)}")
        is_exact = not name.endswith(digest(instance_id)[:8])
        if is_exact and any(backup.name == name for backup in self._inner.list(name_part=name)):
            raise ExistsError("DDS lists a backup of this name")
        self._noted.created.append(instance_id)
        return NewBackup(_WOULD_BE, _WOULD_BE)

    def delete(self, backup_id: str) -> None:
        """Note a deletion."""
        self._noted.deleted.append(backup_id)

    list: Callable[..., Sequence[Backup]]


class _NotingRestores:
    """Reads what drills look at, and notes what they would change. Implements `shared.model.Restores`."""

    def __init__(self, inner: Restores, noted: Noted) -> None:
        self._noted = noted.instances
        self.databases, self.windows = inner.databases, inner.windows
        self.recycled, self.quotas = inner.recycled, inner.quotas

    def restore(self, new: NewInstance) -> StartedRestore:
        """Note a restore."""
        self._noted.append(("restore", new.name))
        return StartedRestore(_WOULD_BE, None)

    def tag(self, instance_id: str, key: str, value: str) -> None:  # noqa: ARG002 it is only noted
        """Note a tag."""
        self._noted.append(("tag", instance_id))

    def reset_password(self, instance_id: str, password: str) -> None:  # noqa: ARG002 it is only noted
        """Note a new password."""
        self._noted.append(("reset_password", instance_id))

    def restart(self, instance_id: str) -> None:
        """Note a restart."""
        self._noted.append(("restart", instance_id))

    def delete(self, instance_id: str) -> None:
        """Note the deletion of an instance."""
        self._noted.append(("delete", instance_id))


class _NotingTopic:
    """Notes what would be published. Implements `shared.model.Topic`."""

    def __init__(self, noted: Noted) -> None:
        self._noted = noted

    def publish(self, notification: Notification) -> str:
        """Note a notification."""
        self._noted.published.append(notification)
        return REQUEST_ID


class _ReadOnly:
    """The cloud of a function that must not change anything. Implements `shared.drill.function.DrillCloud`."""

    def __init__(self, dds: Dds | None, instances: Mapping[str, Instance], noted: Noted, settings: Settings) -> None:
        nothing: Any = _Nothing()
        on_busy = settings.ON_BUSY if isinstance(settings, CreateBackupSettings) else OnBusy.WAIT
        known = instances if dds else None
        self.backups: Backups = _NotingBackups(dds.backups if dds else nothing, known, noted, on_busy)
        self.jobs: Jobs = dds.jobs if dds else nothing
        self.restores: Restores = _NotingRestores(dds.restores, noted) if dds else nothing
        self.instances = dds.instances if dds else _NoInstances()
        self.topic: Topic = _NotingTopic(noted)
        self.clock: Clock = dds.clock if dds else _PassingClock()

    def topic_at(self, urn: str) -> Topic:  # noqa: ARG002 all topics are noted alike
        """Another topic."""
        return self.topic

    def renew(self, context: Context, dds: Retrying, smn: Retrying) -> Callable[[str], str]:
        """Nothing renews the keys of a person."""
        raise NotImplementedError


def _scope(cloud: _ReadOnly, settings: Settings, function: str) -> InvocationScope[Any]:
    rng = random.Random()  # noqa: S311 it only spreads retries
    deadline = Deadline.after(_PATIENCE, cloud.clock)
    retrying = Retrying(deadline, AdaptiveRateLimiter(cloud.clock, rng), rng)
    notifier = Notifier(cloud.topic, retrying, Sender(function, settings.region, "", REQUEST_ID))
    began = cloud.clock.monotonic()
    invocation = Invocation(
        request_id=REQUEST_ID,
        function=function,
        version="latest",
        package="default",
        cold_start=False,
        work=deadline,
        notify=deadline,
        clock=cloud.clock,
        began=began,
    )
    return InvocationScope(settings, cloud, invocation, retrying, notifier, cloud.clock, rng)
