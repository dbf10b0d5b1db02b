"""Timer triggers: an event for each moment at which one is due by the local cloud's clock."""

import json
import logging
from datetime import datetime, timezone
from operator import itemgetter

from localcloud.functiongraph.async_invocations import AsyncInvocations
from localcloud.functiongraph.schedule import Cron, Every, due_times, read_schedule
from localcloud.functiongraph.state import FunctionGraphState, Trigger


# If the clock jumps far ahead, only this many of the latest due times of a timer fire.
MAX_CATCH_UP = 10
_log = logging.getLogger("localcloud")


class Timers:
    """Fires each due timer once. Times at which no server ran are skipped."""

    def __init__(self, state: FunctionGraphState, async_invocations: AsyncInvocations) -> None:
        self._state = state
        self._async_invocations = async_invocations
        self._fired_until: dict[str, float] = {}
        self._started = state.region.clock.now()

    def restart(self) -> None:
        """Start at the present: earlier times do not fire any more."""
        self._fired_until.clear()
        self._started = self._state.region.clock.now()

    def fire(self) -> None:
        """Invoke the functions of all timers that became due since the last call, in order of time."""
        now = self._state.region.clock.now()
        active = [one for one in self._state.triggers if (one.type, one.status) == ("TIMER", "ACTIVE")]
        due = [(moment, trigger, schedule) for trigger in active for moment, schedule in self._due(trigger, now)]
        for moment, trigger, schedule in sorted(due, key=itemgetter(0)):
            function = self._state.function(trigger.function_urn)
            _log.info("timer %s of %s is due", trigger.event_data["name"], function.name)
            self._async_invocations.accept(function, json.dumps(timer_event(trigger, schedule, moment)), "TIMER")

    def _due(self, trigger: Trigger, now: float) -> list[tuple[float, Every | Cron]]:
        after = max(trigger.since, self._started, self._fired_until.get(trigger.id, 0.0))
        self._fired_until[trigger.id] = now
        data = trigger.event_data
        schedule = read_schedule(data["schedule_type"], data["schedule"], trigger.since)
        return [(moment, schedule) for moment in due_times(schedule, after, now, MAX_CATCH_UP)]


def timer_event(trigger: Trigger, schedule: Every | Cron, moment: float) -> dict[str, str]:
    """The event of a timer that was due at `moment` (FunctionGraph API, TriggerEventDataRequestBody, user_event)."""
    zone = schedule.zone if isinstance(schedule, Cron) else timezone.utc
    return {
        "version": "v1.0",
        "time": datetime.fromtimestamp(moment, zone).isoformat(timespec="seconds"),
        "trigger_type": "TIMER",
        "trigger_name": trigger.event_data["name"],
        "user_event": trigger.event_data.get("user_event", ""),
    }
