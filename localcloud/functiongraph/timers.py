"""Timer triggers: an event for each moment at which one is due by the clock of the local cloud."""

import json
import logging
from datetime import datetime, timezone
from operator import itemgetter

from localcloud.functiongraph.cron import Cron
from localcloud.functiongraph.events import Events
from localcloud.functiongraph.facts import Trigger
from localcloud.functiongraph.functions import Functions
from localcloud.functiongraph.schedule import Every, read_schedule, ticks


# When the clock jumps far ahead, only the last of the many moments in between are made up for.
AT_MOST = 10
_log = logging.getLogger("localcloud")


class Timers:
    """Fires what is due, each moment once. What was due while no server ran is not made up for."""

    def __init__(self, functions: Functions, events: Events) -> None:
        self._functions = functions
        self._events = events
        self._seen: dict[str, float] = {}
        self._started = functions.region.clock.now()

    def restart(self) -> None:
        """Begin with the present."""
        self._seen.clear()
        self._started = self._functions.region.clock.now()

    def fire(self) -> None:
        """Have the events delivered of all timers that have become due since the last call, in the order of time."""
        now = self._functions.region.clock.now()
        active = [one for one in self._functions.triggers if (one.type, one.status) == ("TIMER", "ACTIVE")]
        due = [(moment, trigger, schedule) for trigger in active for moment, schedule in self._due(trigger, now)]
        for moment, trigger, schedule in sorted(due, key=itemgetter(0)):
            function = self._functions.find(trigger.function_urn)
            _log.info("timer %s of %s is due", trigger.event_data["name"], function.name)
            self._events.accept(function, json.dumps(timer_event(trigger, schedule, moment)), "TIMER")

    def _due(self, trigger: Trigger, now: float) -> list[tuple[float, Every | Cron]]:
        after = max(trigger.since, self._started, self._seen.get(trigger.id, 0.0))
        self._seen[trigger.id] = now
        data = trigger.event_data
        schedule = read_schedule(data["schedule_type"], data["schedule"], trigger.since)
        return [(moment, schedule) for moment in ticks(schedule, after, now, AT_MOST)]


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
