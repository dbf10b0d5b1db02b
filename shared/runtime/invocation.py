"""One invocation: its context and deadlines, what a function works with, and the line that it leaves in the log."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Generic, Protocol

from shared.model import Backups, Clock, Instances, Jobs, Topic
from shared.notify import Notifier, Sender
from shared.report import Report
from shared.retry import Deadline, Retrying, Workers, split_time
from shared.runtime.context import Context
from shared.runtime.settings import SettingsT


_log = logging.getLogger(__name__)

_ITEMS_A_LINE = 50


class SystemClock:
    """The machine's clock; implements `shared.model.Clock`."""

    def __init__(self) -> None:
        self._time = time.time

    def follow(self, context: Context) -> None:
        """Take the time of day from the `simulated_time` of the context if it has one, or else from the machine.

        Deadlines and pauses are those of the machine in any case.
        """
        self._time = getattr(context, "simulated_time", time.time)

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.fromtimestamp(self._time(), timezone.utc)

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment in the past."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block for this many seconds."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Invocation:
    """An invocation of the function.

    Attributes:
        request_id: the platform's id of the invocation.
        function: the function's name.
        cold_start: whether it is the first invocation of the function's instance.
        work: the deadline for starting backups and waiting for them.
        notify: the deadline for publishing notifications.
        began: a moment of the monotonic clock.
    """

    request_id: str
    function: str
    version: str
    package: str
    cold_start: bool
    work: Deadline
    notify: Deadline
    clock: Clock
    began: float

    @classmethod
    def begin(cls, context: Context, clock: Clock, *, cold_start: bool) -> "Invocation":
        """Read the context. The deadlines count from now."""
        work, notify = split_time(context.getRemainingTimeInMilliSeconds() / 1000, clock)
        return cls(
            request_id=context.getRequestID(),
            function=context.getFunctionName(),
            version=context.getVersion(),
            package=context.getPackage(),
            cold_start=cold_start,
            work=work,
            notify=notify,
            clock=clock,
            began=clock.monotonic(),
        )

    def facts(self) -> dict[str, Any]:
        """The facts that are in each log line of the invocation."""
        return {"request_id": self.request_id, "function": self.function, "version": self.version}

    def log_report(self, report: Report) -> None:
        """Log each problem in a line of its own, then lists in lines of 50 items, then the line of the invocation."""
        for level, message, fields in report.log_events():
            # A log line has a message of its own.
            named = {"error" if name == "message" else name: value for name, value in fields.items()}
            _log.log(level, message, extra={"fields": named})
        for message, items in report.log_items().items():
            for start in range(0, len(items), _ITEMS_A_LINE):
                _log.info(message, extra={"fields": {message: items[start : start + _ITEMS_A_LINE]}})
        self._log_line(trigger=report.trigger, status=report.status.value, **report.summary())

    def log_failure(self, error: Exception) -> None:
        """Log the line of an invocation that ended before there was a report."""
        self._log_line(
            status="FAILED", code=getattr(error, "code", "internal_error"), error=f"{type(error).__name__}: {error}"
        )

    def _log_line(self, **facts: Any) -> None:
        took = round(self.clock.monotonic() - self.began, 3)
        _log.info("invocation", extra={"fields": {**facts, "duration": took, "cold_start": self.cold_start}})


class Cloud(Protocol):
    """Huawei Cloud for the life of the function's instance. Tests replace it with a fake."""

    @property
    def backups(self) -> Backups:
        """The manual backups in DDS."""

    @property
    def jobs(self) -> Jobs:
        """The task list of DDS."""

    @property
    def instances(self) -> Instances:
        """The instances in DDS."""

    @property
    def topic(self) -> Topic:
        """The SMN topic of NOTIFY_TOPIC_URN."""

    def topic_at(self, urn: str) -> Topic:
        """Another SMN topic."""

    def renew(self, context: Context, dds: Retrying, smn: Retrying) -> Callable[[str], str]:
        """Use the credentials and deadlines of this invocation; return a function that masks secrets in a text."""


@dataclass(frozen=True, slots=True)
class InvocationScope(Generic[SettingsT]):
    """What a function works with during one invocation.

    Attributes:
        dds: how calls of DDS are repeated; its rate limiter serves all workers.
        notifier: publishes to the topic of NOTIFY_TOPIC_URN; its rate limiter serves all topics.
    """

    settings: SettingsT
    cloud: Cloud
    invocation: Invocation
    dds: Retrying
    notifier: Notifier
    clock: Clock
    rng: random.Random
    workers: Workers = field(default_factory=Workers)

    @property
    def request_id(self) -> str:
        """The platform's id of the invocation."""
        return self.invocation.request_id

    @property
    def sender(self) -> Sender:
        """The sender of the function's notifications."""
        return self.notifier.sender
