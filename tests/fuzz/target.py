"""The five functions on fakes, and all that one event leads to."""

import io
import json
import logging
import zlib
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from shared.audit.function import AuditBackupsSettings
from shared.audit.function import run as audit
from shared.bootstrap import Function
from shared.create.function import CreateBackupSettings
from shared.create.function import run as create
from shared.drill.function import DrillBackupsSettings
from shared.drill.function import run as drill
from shared.drills import TAG, DrillName
from shared.errors import InvalidError
from shared.model import Backup, Instance, InstanceTask, NewInstance, Notification
from shared.prune.function import PruneBackupsSettings
from shared.prune.function import run as prune
from shared.report import Report
from shared.runtime.logs import SDK_LOGGERS
from shared.track.function import TrackBackupsSettings
from shared.track.function import run as track
from shared.triggers.receive import Received
from tests.create.platform import NOTIFY
from tests.drill.world import PROJECT, World
from tests.fakes import (
    INSTANCES,
    START,
    FakeClock,
    FakeCloud,
    FakeContext,
    FakeDds,
    FakeInstances,
    FakeTopic,
    Steady,
    fake_connect,
)


SMN_TAKES = 256 * 1024
MAX_DELETES = 5
COPY = f"{0xC0:032x}in02"
"""The instance of the drill that runs."""
_RUNS: dict[str, tuple[Any, Any]] = {
    "create_backup": (CreateBackupSettings, create),
    "track_backups": (TrackBackupsSettings, track),
    "prune_backups": (PruneBackupsSettings, prune),
    "audit_backups": (AuditBackupsSettings, audit),
    "drill_backups": (DrillBackupsSettings, drill),
}
_DRILL = {"DRILL_ENTERPRISE_PROJECT_ID": PROJECT, "DRILL_INTERVAL": "1d", "DRILL_HOURS": "02:30-02:00"}
_FLEET = tuple(
    Instance(i, f"db-{n}", "normal" if n != 4 else "abnormal", "ReplicaSet", {"env": "production", "backup": ""})
    for n, i in enumerate(INSTANCES)
)
_BACKUPS = tuple(
    Backup(
        f"{number * 100 + days:032x}br02",
        f"dds-backup-{number}-{days}",
        instance_id,
        "FAILED" if days == 2 and number == 1 else "COMPLETED",
        START - timedelta(days=days),
        f"key:{days:032x}" if number < 3 else None,
        f"db-{number}",
        START - timedelta(days=days, hours=-1),
        1000,
    )
    for number, instance_id in enumerate(INSTANCES[:4])
    for days in range(1, 9)
)


class SizedTopic(FakeTopic):
    """A topic that takes as much as SMN does."""

    def publish(self, notification: Notification) -> str:
        if sum(len(text.encode()) for text in (notification.body, notification.email, notification.sms)) > SMN_TAKES:
            raise InvalidError("too large", cloud_code="SMN.0009", status=400)
        return super().publish(notification)


class SizedWorld(World):
    """A DDS for drills, with a topic that takes as much as SMN does."""

    def publish(self, notification: Notification) -> str:
        if sum(len(text.encode()) for text in (notification.body, notification.email, notification.sms)) > SMN_TAKES:
            raise InvalidError("too large", cloud_code="SMN.0009", status=400)
        return super().publish(notification)

    @classmethod
    def at_night(cls, clock: FakeClock, *, is_drilling: bool) -> "SizedWorld":
        """Return one with sources of every kind; `is_drilling` is whether the copy of one is there, to be checked."""
        world = cls(clock)
        for number, instance_id in enumerate(INSTANCES[:5]):
            world.add_source(instance_id, f"db-{number}", tags={"env": "production", "backup": ""})
            if number != 3:
                world.add_backup(instance_id)
        if is_drilling:
            name = str(DrillName(START - timedelta(hours=1), world.made[-1].id[:32]))
            tags, began = {TAG: "open"}, START - timedelta(minutes=40)
            world.add_source(COPY, name, enterprise_project_id=PROJECT, created=began, tags=tags)
            ended = START - timedelta(minutes=20)
            world.tasks.append(InstanceTask("task", False, COPY, name, "Completed", began, ended))
        return world


class WatchedInstances(FakeInstances):
    """Instances that count how often they are listed."""

    lists = 0

    def list(self) -> Any:
        self.lists += 1
        return super().list()


@dataclass
class Handled:
    """What one event led to.

    Attributes:
        answer: what the handler returned, if it raised nothing.
        error: what the handler raised.
        calls: the calls of DDS.
        made: the backups made.
        deleted: the backups deleted.
        restored: the instances that were asked for.
        touched: the instances that were changed or deleted.
    """

    function: str
    event: Any
    answer: Any = None
    error: Exception | None = None
    received: Received[Any] | None = None
    report: Report | None = None
    log: list[str] = field(default_factory=list)
    notes: list[Notification] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    made: list[Backup] = field(default_factory=list)
    deleted: list[Backup] = field(default_factory=list)
    restored: list[NewInstance] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Whether the event had valid requests, rejected messages, both, or only what is ignored."""
        if self.report is None:
            return "raised"
        found = [*["accepted"] * bool(self.report.items), *["rejected"] * bool(self.report.rejected)]
        return " and ".join(found) or "ignored"


class Target:
    """The five functions, warm, on a cloud that is new for each event."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cloud = FakeCloud(FakeDds(self.clock), FakeTopic())
        self.context = FakeContext({"NOTIFY_TOPIC_URN": NOTIFY, "MAX_CONCURRENCY": "1"})
        self.context.user_data |= {"DRY_RUN": "false", "MAX_DELETES": str(MAX_DELETES)} | _DRILL
        self.world = SizedWorld(self.clock)
        self.seen: list[tuple[Received[Any], Report]] = []
        self.functions = {name: self._function(name) for name in _RUNS}

    def _function(self, name: str) -> Function[Any]:
        settings, run = _RUNS[name]

        def watched(event: object, scope: Any) -> Any:
            is_drill = name == "drill_backups"
            given = [lambda scope, restores: self.world] if is_drill else []
            self.seen.append(run(event, replace(scope, cloud=self.world) if is_drill else scope, *given))
            return self.seen[0]

        connect = fake_connect(self.cloud)
        return Function(settings, watched, connect=connect, clock=self.clock, rng=Steady(), environment={})

    def handle(self, function: str, event: Any) -> Handled:
        """Deliver an event to the handler of a function."""
        self.clock.seconds = 0.0
        self.seen.clear()
        self.clock.slept.clear()
        dds, topic, fleet = (
            FakeDds(self.clock, duration=5, backups=list(_BACKUPS)),
            SizedTopic(),
            WatchedInstances(list(_FLEET)),
        )
        self.cloud.backups, self.cloud.topic, self.cloud.instances = dds, topic, fleet
        self.world = SizedWorld.at_night(self.clock, is_drilling=_is_odd(event))
        target, handled, out = self.functions[function], Handled(function, event), io.StringIO()
        for name in ("shared", *SDK_LOGGERS):
            logging.getLogger(name).handlers = [target._log]
        with redirect_stdout(out):
            try:
                handled.answer = target.handle(event, self.context)
            except Exception as error:  # noqa: BLE001 the oracle judges it
                handled.error = error
        for received, report in self.seen:
            handled.received, handled.report = received, report
        handled.log, handled.notes = out.getvalue().splitlines(), [*topic.sent, *self.world.sent]
        calls = [call for call in self.world.calls if call != "publish"]
        handled.calls = [*dds.calls, *["instances"] * fleet.lists, *calls]
        handled.restored = self.world.plans
        handled.touched = [i for _, what, i, _ in self.world.events if what not in {"restored", "deleted"}]
        before = {backup.id for backup in _BACKUPS}
        after = {backup.id for backup in dds.backups}
        handled.made = [backup for backup in dds.backups if backup.id not in before]
        handled.deleted = [backup for backup in _BACKUPS if backup.id not in after]
        return handled


def _is_odd(event: Any) -> bool:
    """A coin that falls for the same event always on the same side."""
    try:
        return zlib.crc32(json.dumps(event).encode()) % 2 == 1
    except (RecursionError, ValueError):
        return False
