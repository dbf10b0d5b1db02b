"""The one place where the parts of a function are put together."""

import logging
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol

from shared.cloud.credentials import Credentials
from shared.cloud.dds import DdsBackups, DdsInstances, DdsJobs
from shared.cloud.sdk import HttpLimits, SdkService
from shared.cloud.smn import SmnTopic
from shared.errors import UnfinishedEventError
from shared.model import Clock, Restores
from shared.notify import Notifier, Sender
from shared.report import Report
from shared.retry import AdaptiveRateLimiter, Deadline, Retrying, Workers
from shared.runtime.context import Context
from shared.runtime.invocation import Cloud, Invocation, InvocationScope, SystemClock
from shared.runtime.logs import set_level, start_logging
from shared.runtime.settings import Settings, SettingsT, load_settings, unknown_settings
from shared.triggers.apig import answer
from shared.triggers.receive import Received


if TYPE_CHECKING:
    from shared.audit.function import AuditBackupsSettings
    from shared.create.function import CreateBackupSettings
    from shared.drill.function import DrillBackupsSettings
    from shared.prune.function import PruneBackupsSettings
    from shared.track.function import TrackBackupsSettings


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HuaweiCloud:
    """Huawei Cloud through the official SDK; implements `shared.runtime.invocation.Cloud`."""

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

    def renew(self, context: Context, dds: Retrying, smn: Retrying) -> Callable[[str], str]:
        """Use the credentials and deadlines of this invocation; return a function that masks secrets in a text.

        Raises:
            CredentialsError: the function has no agency.
        """
        credentials = Credentials.of(context, self.project_id)
        self.dds.renew(credentials, dds)
        self.smn.renew(credentials, smn)
        return credentials.redact


@dataclass(frozen=True, slots=True)
class RestoringCloud(HuaweiCloud):
    """Huawei Cloud for drill_backups; implements `shared.drill.function.DrillCloud`."""

    restores: Restores


def connect(settings: Settings, project_id: str, clock: Clock) -> HuaweiCloud:
    """Build the SDK's clients, without any call."""
    limits = HttpLimits(settings.CONNECT_TIMEOUT, settings.READ_TIMEOUT, settings.MAX_CONCURRENCY)
    dds = SdkService.dds(settings.endpoint("dds"), project_id, limits)
    smn = SdkService.smn(settings.endpoint("smn"), project_id, limits)
    topic = SmnTopic(smn, settings.NOTIFY_TOPIC_URN)
    return HuaweiCloud(DdsBackups(dds, clock), DdsJobs(dds), DdsInstances(dds), topic, dds, smn, project_id)


class Run(Protocol[SettingsT]):
    """The part that makes one function different from another."""

    def __call__(self, event: object, scope: InvocationScope[SettingsT]) -> tuple[Received[Any], Report]:
        """Handle an event; return what it contained and what became of it."""


class Function(Generic[SettingsT]):
    """A function for the life of its instance: started once, then called for one event after another."""

    def __init__(
        self,
        settings: type[SettingsT],
        run: Run[SettingsT],
        *,
        connect: Callable[[Settings, str, Clock], Cloud] = connect,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        workers: Workers | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Tests and simulations replace the defaults."""
        self._model = settings
        self._run = run
        self._connect = connect
        self._system_clock = SystemClock()
        self._clock = clock or self._system_clock
        self._rng = rng or random.Random()  # noqa: S311 it only spreads retries
        self._workers = workers or Workers()
        self._environment = environment
        self._log = start_logging(self._clock.now)
        self._started: _Started[SettingsT] | None = None
        self._is_cold = True

    def start(self, context: Context) -> None:
        """Read the settings and build the clients. Without an initializer, the first event does this.

        Raises:
            SettingsError: settings are missing or wrong; names all of them.
        """
        self._ensure_started(context)

    def handle(self, event: object, context: Context) -> dict[str, Any]:
        """Handle an event of any trigger.

        Returns the report, or, for an API gateway, an HTTP response with the report as its body.

        Raises:
            UnfinishedEventError: a redelivery can finish what is left; only for asynchronous triggers.
            SettingsError: settings are missing or wrong.
            CredentialsError: the function has no agency.
        """
        self._system_clock.follow(context)
        invocation = Invocation.begin(context, self._clock, cold_start=self._is_cold)
        self._is_cold = False
        self._log.bind(invocation.facts())
        try:
            started = self._ensure_started(context)
            received, report = self._run(event, self._scope(started, context, invocation))
        except Exception as error:
            invocation.log_failure(error)
            raise
        invocation.log_report(report)
        if received.trigger == "apig":
            return answer(report)
        if received.is_asynchronous and report.unfinished:
            raise UnfinishedEventError(f"left for a redelivery: {'; '.join(report.pending())}")
        return report.document()

    def _scope(
        self, started: "_Started[SettingsT]", context: Context, invocation: Invocation
    ) -> InvocationScope[SettingsT]:
        dds, smn = self._retrying(invocation.work), self._retrying(invocation.notify)
        self._log.redact_with(started.cloud.renew(context, dds, smn))
        region, project_id = started.settings.region, started.project_id
        source = f"urn:fss:{region}:{project_id}:function:{invocation.package}:{invocation.function}"
        notifier = Notifier(started.cloud.topic, smn, Sender(source, region, project_id, invocation.request_id))
        facts = started.settings, started.cloud, invocation, dds, notifier
        return InvocationScope(*facts, self._clock, self._rng, self._workers)

    def _retrying(self, deadline: Deadline) -> Retrying:
        return Retrying(deadline, AdaptiveRateLimiter(self._clock, self._rng), self._rng)

    def _ensure_started(self, context: Context) -> "_Started[SettingsT]":
        if self._started is None:
            settings = load_settings(self._model, context, self._environment)
            set_level(settings.LOG_LEVEL)
            for unknown in unknown_settings(self._model, self._environment):
                _log.warning("odd setting", extra={"fields": {"error": str(unknown)}})
            project_id = context.getProjectID() or settings.NOTIFY_TOPIC_URN.split(":")[3]
            self._started = _Started(settings, project_id, self._connect(settings, project_id, self._clock))
        return self._started


@dataclass(frozen=True, slots=True)
class _Started(Generic[SettingsT]):
    """What a function has once its settings are known."""

    settings: SettingsT
    project_id: str
    cloud: Cloud


# Each function imports its own part only, so that its cold start does not pay for the others.


def create_backup(**fakes: Any) -> "Function[CreateBackupSettings]":
    """The function create_backup; `fakes` are keyword arguments of Function."""
    from shared.create.function import CreateBackupSettings, run

    return Function(CreateBackupSettings, run, **fakes)


def track_backups(**fakes: Any) -> "Function[TrackBackupsSettings]":
    """The function track_backups; `fakes` are keyword arguments of Function."""
    from shared.track.function import TrackBackupsSettings, run

    return Function(TrackBackupsSettings, run, **fakes)


def prune_backups(**fakes: Any) -> "Function[PruneBackupsSettings]":
    """The function prune_backups; `fakes` are keyword arguments of Function."""
    from shared.prune.function import PruneBackupsSettings, run

    return Function(PruneBackupsSettings, run, **fakes)


def audit_backups(**fakes: Any) -> "Function[AuditBackupsSettings]":
    """The function audit_backups; `fakes` are keyword arguments of Function."""
    from shared.audit.function import AuditBackupsSettings, run

    return Function(AuditBackupsSettings, run, **fakes)


def drill_backups(**fakes: Any) -> "Function[DrillBackupsSettings]":
    """The function drill_backups; `fakes` are keyword arguments of Function, and `inspect` (shared.drill.function)."""
    from shared.cloud.restores import DdsRestores
    from shared.drill.function import DrillBackupsSettings, make_inspector, run

    def connect_restoring(settings: Settings, project_id: str, clock: Clock) -> Cloud:
        cloud = connect(settings, project_id, clock)
        services = (cloud.dds, cloud.smn, project_id, DdsRestores(cloud.dds))
        return RestoringCloud(cloud.backups, cloud.jobs, cloud.instances, cloud.topic, *services)

    inspect = fakes.pop("inspect", make_inspector)
    return Function(DrillBackupsSettings, partial(run, inspect=inspect), **{"connect": connect_restoring, **fakes})
