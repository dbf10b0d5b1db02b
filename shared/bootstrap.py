"""The one place where the parts are put together."""

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.backups.errors import UnfinishedEventError
from shared.backups.notifications import Sender
from shared.backups.outcomes import EventReport
from shared.backups.policy import CreationPolicy
from shared.backups.ports import Backups, Clock, Topic
from shared.backups.side_by_side import BackupService
from shared.cloud.credentials import Credentials
from shared.cloud.dds import DdsBackups
from shared.cloud.sdk import HttpLimits
from shared.cloud.smn import SmnTopic
from shared.runtime.clock import SystemClock
from shared.runtime.context import Context
from shared.runtime.invocation import Invocation
from shared.runtime.logs import set_level, start_logging
from shared.runtime.settings import Settings, load_settings
from shared.triggers.answer import answer
from shared.triggers.requests import Received, receive


class Cloud(Protocol):
    """Huawei Cloud for the life of the function's instance; tests hand in a fake."""

    @property
    def backups(self) -> Backups:
        """DDS."""

    @property
    def topic(self) -> Topic:
        """SMN."""

    def renew(self, context: Context, invocation: Invocation) -> Callable[[str], str]:
        """Take this invocation's credentials and deadline; returns what takes the secrets out of a text."""


@dataclass(frozen=True, slots=True)
class HuaweiCloud:
    """Huawei Cloud through the official SDK."""

    backups: DdsBackups
    topic: SmnTopic
    project_id: str

    def renew(self, context: Context, invocation: Invocation) -> Callable[[str], str]:
        """Raises CredentialsError if the function has no agency."""
        credentials = Credentials.of(context, self.project_id)
        self.backups.renew(credentials, invocation.deadline.left_to_work)
        self.topic.renew(credentials, invocation.deadline.left_to_notify)
        return credentials.redact


def connect(settings: Settings, project_id: str, clock: Clock) -> Cloud:
    """Build the SDK's clients; nothing is called yet."""
    limits = HttpLimits(settings.CONNECT_TIMEOUT, settings.READ_TIMEOUT, settings.MAX_CONCURRENCY)
    backups = DdsBackups(settings.endpoint("dds"), project_id, limits, clock)
    topic = SmnTopic(settings.endpoint("smn"), project_id, limits, settings.NOTIFY_TOPIC_URN)
    return HuaweiCloud(backups, topic, project_id)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What `CreateBackup` is made of once its settings are known."""

    settings: Settings
    project_id: str
    cloud: Cloud


class CreateBackup:
    """The function create_backup, for the life of its instance: started once, then one event after another."""

    def __init__(
        self,
        *,
        connect: Callable[[Settings, str, Clock], Cloud] = connect,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """The defaults are the real thing; tests put fakes in their place."""
        self._connect = connect
        self._clock = clock or SystemClock()
        self._rng = rng or random.Random()  # noqa: S311 it only spreads retries
        self._environment = environment
        self._log = start_logging()
        self._parts: _Parts | None = None
        self._is_cold = True

    def start(self, context: Context) -> None:
        """Read the settings and build the clients; the first event does it if no initializer did.

        Raises:
            SettingsError: settings are missing or wrong; names them all.
        """
        self._started(context)

    def handle(self, event: object, context: Context) -> dict[str, Any]:
        """Back up what the event asks for.

        Returns the report; for an API gateway an HTTP answer with the report as its body.

        Raises:
            UnfinishedEventError: a redelivery can finish what is left; only for asynchronous triggers.
            SettingsError: settings are missing or wrong.
            CredentialsError: the function has no agency.
        """
        invocation = Invocation.begin(context, self._clock, cold_start=self._is_cold)
        self._is_cold = False
        self._log.bind(invocation.facts())
        try:
            received, report = self._run(event, context, invocation)
        except Exception as error:
            invocation.log_failure(error)
            raise
        invocation.log_report(report)
        if received.trigger == "apig":
            return answer(report)
        if received.is_asynchronous and report.unfinished:
            raise UnfinishedEventError(_what_is_left(report))
        return report.document()

    def _started(self, context: Context) -> _Parts:
        if self._parts is None:
            settings = load_settings(context, self._environment)
            set_level(settings.LOG_LEVEL)
            project_id = context.getProjectID() or settings.NOTIFY_TOPIC_URN.split(":")[3]
            self._parts = _Parts(settings, project_id, self._connect(settings, project_id, self._clock))
        return self._parts

    def _run(self, event: object, context: Context, invocation: Invocation) -> tuple[Received, EventReport]:
        parts = self._started(context)
        settings, cloud = parts.settings, parts.cloud
        self._log.redact_with(cloud.renew(context, invocation))
        received = receive(event, prefix=settings.NAME_PREFIX, request_id=invocation.request_id)
        source = f"urn:fss:{settings.region}:{parts.project_id}:function:{invocation.package}:{invocation.function}"
        service = BackupService(
            cloud.backups, cloud.topic, _policy(settings), settings.MAX_CONCURRENCY, self._clock, self._rng
        )
        results, rejected = service.run(
            received.requests,
            received.rejected,
            trigger=received.trigger,
            sender=Sender(source, settings.region, parts.project_id, invocation.request_id),
            deadline=invocation.deadline,
        )
        return received, EventReport(received.trigger, invocation.request_id, results, rejected, received.ignored)


def _policy(settings: Settings) -> CreationPolicy:
    return CreationPolicy(
        on_busy=settings.ON_BUSY,
        settling_time=settings.SETTLING_TIME,
        allowed=settings.ALLOWED_INSTANCES,
        strict_instance_ids=settings.STRICT_INSTANCE_IDS,
    )


def _what_is_left(report: EventReport) -> str:
    left = [
        f"{result.instance_id} {result.outcome.value} ({result.code or 'notification not published'})"
        for result in report.results
        if result.unfinished
    ]
    left += [
        f"{rejection.position} rejected (notification not published)"
        for rejection in report.rejected
        if not rejection.notified
    ]
    return f"{len(left)} of {len(report.results) + len(report.rejected)} left for a redelivery: {'; '.join(left)}"
