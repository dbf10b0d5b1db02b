"""Timer triggers: an event for each moment at which one is due by the local cloud's clock."""

import heapq
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from operator import attrgetter

from localcloud.functiongraph.async_invocations import AsyncInvocations
from localcloud.functiongraph.schedule import Cron, Every, read_schedule
from localcloud.functiongraph.state import FunctionGraphState, Trigger


# After a pause of the machine, each timer fires for this many due times at most. The later ones are skipped.
MAX_CATCH_UP = 10
_log = logging.getLogger("localcloud")


@dataclass(frozen=True, slots=True)
class Due:
    """A moment at which a timer is due, in seconds since the epoch."""

    moment: float
    trigger: Trigger
    schedule: Every | Cron


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

    def fire_due(self) -> None:
        """Invoke the functions of all timers that became due since the last call, in order of time."""
        now = self._state.region.clock.now()
        due = [one for trigger in self._active() for one in islice(self._upcoming(trigger, now), MAX_CATCH_UP)]
        self.skip(now)
        for one in sorted(due, key=attrgetter("moment")):
            self.fire(one)

    def upcoming(self, until: float) -> Iterator[Due]:
        """What becomes due in the time until `until`, in order of time. Timers made meanwhile are not among it."""
        return heapq.merge(*(self._upcoming(trigger, until) for trigger in self._active()), key=attrgetter("moment"))

    def next_of_each(self, until: float) -> Iterator[Due]:
        """The next due time of each timer that has one until then."""
        return (due for trigger in self._active() for due in islice(self._upcoming(trigger, until), 1))

    def fire(self, due: Due) -> bool:
        """Invoke the function of a due timer. Return False if the timer was removed or changed meanwhile."""
        trigger = self._state.triggers.get(due.trigger.id)
        if trigger is None or (trigger.status, trigger.since) != ("ACTIVE", due.trigger.since):
            return False
        self._fired_until[trigger.id] = max(due.moment, self._fired_until.get(trigger.id, 0.0))
        function = self._state.function(trigger.function_urn)
        _log.info("timer %s of %s is due", trigger.event_data["name"], function.name)
        event = json.dumps(timer_event(trigger, due.schedule, due.moment))
        self._async_invocations.accept(function, event, "TIMER")
        return True

    def skip(self, until: float) -> None:
        """What is due until then does not fire any more."""
        for trigger in self._active():
            self._fired_until[trigger.id] = max(until, self._fired_until.get(trigger.id, 0.0))

    def _active(self) -> list[Trigger]:
        return [one for one in self._state.triggers if (one.type, one.status) == ("TIMER", "ACTIVE")]

    def _upcoming(self, trigger: Trigger, until: float) -> Iterator[Due]:
        after = max(trigger.since, self._started, self._fired_until.get(trigger.id, 0.0))
        data = trigger.event_data
        schedule = read_schedule(data["schedule_type"], data["schedule"], trigger.since)
        return (Due(moment, trigger, schedule) for moment in schedule.due_times(after, until))


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
