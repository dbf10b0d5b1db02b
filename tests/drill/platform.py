"""FunctionGraph with drill_backups on a World: a timer that runs every ten minutes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from shared.drill.checks import Inspector
from shared.drill.function import DrillBackupsSettings, run
from shared.drill.report import DrillReport
from shared.model import Restores
from shared.notify import Notifier, Sender
from shared.runtime.invocation import Invocation, InvocationScope
from tests.drill.world import PROJECT, World
from tests.fakes import FakeContext, Steady, make_retrying


URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"
PERIOD = timedelta(minutes=10)
SETTINGS = {
    "NOTIFY_TOPIC_URN": URN,
    "DRY_RUN": "false",
    "DRILL_ENTERPRISE_PROJECT_ID": PROJECT,
    "DRILL_INTERVAL": "1d",
    "DRILL_HOURS": "10:00-14:00",
    "DRILL_PERIOD": "10m",
    "DRILL_MAX_AGE": "3h",
}


class Platform:
    """Delivers events to the function, without its log and its cold start."""

    def __init__(self, world: World, **settings: str) -> None:
        self.world = world
        self.settings = DrillBackupsSettings.model_validate(SETTINGS | settings)
        self.remaining = 120.0

    def tick(self, time: datetime | None = None, request: str = "") -> DrillReport:
        """Deliver the event of the timer that was due at a time."""
        when = (time or self.world.clock.now()).isoformat()
        return self.deliver(
            {
                "version": "v2.0",
                "time": when,
                "trigger_type": "TIMER",
                "trigger_name": "EveryTenMinutes",
                "user_event": request,
            }
        )

    def deliver(self, event: object) -> DrillReport:
        """Deliver any event."""
        clock, context = self.world.clock, FakeContext(remaining=self.remaining)
        retrying = make_retrying(clock, self.remaining - 5)
        sender = Sender("urn:fss:cn-north-4:p:function:default:drill_backups", "cn-north-4", "p", "request-1")
        scope = InvocationScope(
            self.settings,
            self.world,
            Invocation.begin(context, clock, cold_start=False),
            retrying,
            Notifier(self.world, make_retrying(clock, self.remaining - 2), sender),
            clock,
            Steady(),
        )
        inspect: Callable[[Any, Restores], Inspector] = lambda scope, restores: self.world  # noqa: E731
        return run(event, scope, inspect)[1]
