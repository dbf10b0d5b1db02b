"""The one place where the parts are put together."""

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol

from shared.backups.errors import UnfinishedEventError
from shared.backups.notifications import Sender
from shared.backups.ports import Clock
from shared.backups.reports import Report
from shared.cloud.clients import dds_service, smn_service
from shared.cloud.credentials import Credentials
from shared.cloud.dds import DdsBackups, DdsInstances, DdsJobs
from shared.cloud.sdk import HttpLimits, SdkService
from shared.cloud.smn import SmnTopic
from shared.runtime.clock import SystemClock
from shared.runtime.context import Context
from shared.runtime.invocation import Invocation
from shared.runtime.logs import set_level, start_logging
from shared.runtime.running import Cloud, Running
from shared.runtime.settings import Settings, SettingsT, load_settings
from shared.triggers.answer import answer
from shared.triggers.requests import Received


if TYPE_CHECKING:
    from shared.audit_backups import AuditBackupsSettings
    from shared.create_backup import CreateBackupSettings
    from shared.prune_backups import PruneBackupsSettings
    from shared.track_backups import TrackBackupsSettings


@dataclass(frozen=True, slots=True)
class HuaweiCloud:
    """Huawei Cloud through the official SDK."""

    backups: DdsBackups
    jobs: DdsJobs
    instances: DdsInstances
    topic: SmnTopic
    dds: SdkService
    smn: SdkService
    project_id: str

    def topic_at(self, urn: str) -> SmnTopic:
        """Another topic, through the same client."""
        return SmnTopic(self.smn, urn)

    def renew(self, context: Context, invocation: Invocation) -> Callable[[str], str]:
        """Raises CredentialsError if the function has no agency."""
        credentials = Credentials.of(context, self.project_id)
        self.dds.renew(credentials, invocation.deadline.left_to_work)
        self.smn.renew(credentials, invocation.deadline.left_to_notify)
        return credentials.redact


def connect(settings: Settings, project_id: str, clock: Clock) -> Cloud:
    """Build the SDK's clients; nothing is called yet."""
    limits = HttpLimits(settings.CONNECT_TIMEOUT, settings.READ_TIMEOUT, settings.MAX_CONCURRENCY)
    dds = dds_service(settings.endpoint("dds"), project_id, limits, clock)
    smn = smn_service(settings.endpoint("smn"), project_id, limits, clock)
    topic = SmnTopic(smn, settings.NOTIFY_TOPIC_URN)
    return HuaweiCloud(DdsBackups(dds, clock), DdsJobs(dds), DdsInstances(dds), topic, dds, smn, project_id)


class Run(Protocol[SettingsT]):
    """What makes one function different from another."""

    def __call__(self, event: object, running: Running[SettingsT]) -> tuple[Received[Any], Report]:
        """Handle an event: what it held, and what became of it."""


class Function(Generic[SettingsT]):
    """A function for the life of its instance: started once, then one event after another."""

    def __init__(
        self,
        settings: type[SettingsT],
        run: Run[SettingsT],
        *,
        connect: Callable[[Settings, str, Clock], Cloud] = connect,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """The defaults are the real thing; tests put fakes in their place."""
        self._model = settings
        self._run = run
        self._connect = connect
        self._clock = clock or SystemClock()
        self._rng = rng or random.Random()  # noqa: S311 it only spreads retries
        self._environment = environment
        self._log = start_logging()
        self._started: _Started[SettingsT] | None = None
        self._is_cold = True

    def start(self, context: Context) -> None:
        """Read the settings and build the clients; the first event does it if no initializer did.

        Raises:
            SettingsError: settings are missing or wrong; names them all.
        """
        self._ensure_started(context)

    def handle(self, event: object, context: Context) -> dict[str, Any]:
        """Do what the event asks for.

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
            received, report = self._handle(event, context, invocation)
        except Exception as error:
            invocation.log_failure(error)
            raise
        invocation.log_report(report)
        if received.trigger == "apig":
            return answer(report)
        if received.is_asynchronous and report.unfinished:
            raise UnfinishedEventError(f"left for a redelivery: {'; '.join(report.left())}")
        return report.document()

    def _handle(self, event: object, context: Context, invocation: Invocation) -> tuple[Received[Any], Report]:
        started = self._ensure_started(context)
        self._log.redact_with(started.cloud.renew(context, invocation))
        region, project_id = started.settings.region, started.project_id
        source = f"urn:fss:{region}:{project_id}:function:{invocation.package}:{invocation.function}"
        sender = Sender(source, region, project_id, invocation.request_id)
        running = Running(started.settings, started.cloud, invocation, sender, self._clock, self._rng)
        return self._run(event, running)

    def _ensure_started(self, context: Context) -> "_Started[SettingsT]":
        if self._started is None:
            settings = load_settings(self._model, context, self._environment)
            set_level(settings.LOG_LEVEL)
            project_id = context.getProjectID() or settings.NOTIFY_TOPIC_URN.split(":")[3]
            self._started = _Started(settings, project_id, self._connect(settings, project_id, self._clock))
        return self._started


@dataclass(frozen=True, slots=True)
class _Started(Generic[SettingsT]):
    """What a function has once its settings are known."""

    settings: SettingsT
    project_id: str
    cloud: Cloud


# Each function imports its own part only: cold start pays for nothing that it does not use.


def audit_backups(**fakes: Any) -> "Function[AuditBackupsSettings]":
    """The function audit_backups; `fakes` are keyword arguments of Function."""
    from shared.audit_backups import AuditBackupsSettings, run

    return Function(AuditBackupsSettings, run, **fakes)


def create_backup(**fakes: Any) -> "Function[CreateBackupSettings]":
    """The function create_backup; `fakes` are keyword arguments of Function."""
    from shared.create_backup import CreateBackupSettings, run

    return Function(CreateBackupSettings, run, **fakes)


def prune_backups(**fakes: Any) -> "Function[PruneBackupsSettings]":
    """The function prune_backups; `fakes` are keyword arguments of Function."""
    from shared.prune_backups import PruneBackupsSettings, run

    return Function(PruneBackupsSettings, run, **fakes)


def track_backups(**fakes: Any) -> "Function[TrackBackupsSettings]":
    """The function track_backups; `fakes` are keyword arguments of Function."""
    from shared.track_backups import TrackBackupsSettings, run

    return Function(TrackBackupsSettings, run, **fakes)
