"""The four functions on fakes, and all that one event leads to."""

import io
import logging
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.audit.function import AuditBackupsSettings
from shared.audit.function import run as audit
from shared.bootstrap import Function
from shared.create.function import CreateBackupSettings
from shared.create.function import run as create
from shared.errors import InvalidError
from shared.model import Backup, Instance, Notification
from shared.prune.function import PruneBackupsSettings
from shared.prune.function import run as prune
from shared.report import Report
from shared.runtime.logs import SDK_LOGGERS
from shared.track.function import TrackBackupsSettings
from shared.track.function import run as track
from shared.triggers.receive import Received
from tests.create.platform import NOTIFY
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
_RUNS: dict[str, tuple[Any, Any]] = {
    "create_backup": (CreateBackupSettings, create),
    "track_backups": (TrackBackupsSettings, track),
    "prune_backups": (PruneBackupsSettings, prune),
    "audit_backups": (AuditBackupsSettings, audit),
}
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

    @property
    def kind(self) -> str:
        """Whether the event had valid requests, rejected messages, both, or only what is ignored."""
        if self.report is None:
            return "raised"
        found = [*["accepted"] * bool(self.report.items), *["rejected"] * bool(self.report.rejected)]
        return " and ".join(found) or "ignored"


class Target:
    """The four functions, warm, on a cloud that is new for each event."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cloud = FakeCloud(FakeDds(self.clock), FakeTopic())
        self.context = FakeContext({"NOTIFY_TOPIC_URN": NOTIFY, "MAX_CONCURRENCY": "1"})
        self.context.user_data |= {"DRY_RUN": "false", "MAX_DELETES": str(MAX_DELETES)}
        self.seen: list[tuple[Received[Any], Report]] = []
        self.functions = {name: self._function(name) for name in _RUNS}

    def _function(self, name: str) -> Function[Any]:
        settings, run = _RUNS[name]

        def watched(event: object, scope: Any) -> Any:
            self.seen.append(run(event, scope))
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
        handled.log, handled.notes = out.getvalue().splitlines(), topic.sent
        handled.calls = [*dds.calls, *["instances"] * fleet.lists]
        before = {backup.id for backup in _BACKUPS}
        after = {backup.id for backup in dds.backups}
        handled.made = [backup for backup in dds.backups if backup.id not in before]
        handled.deleted = [backup for backup in _BACKUPS if backup.id not in after]
        return handled
