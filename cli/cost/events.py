"""What comes to a function in a month."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cli.cost.schedule import ticks_a_month
from cli.template.model import Function


@dataclass(frozen=True, slots=True)
class Events:
    """Events that come so often a month, and whether their request selects instances or has a `min_interval`."""

    times: float
    selects: bool = False
    has_min_interval: bool = False


def events_of(function: Function, others: float) -> list[Events]:
    """Return those of each timer and, *others* a month each, of every other trigger that is not disabled."""
    found = []
    for event in function.events:
        if event.type == "TIMER":
            request = _request(event.properties.get("user_event"))
            times = ticks_a_month(function.name, event)
            found.append(Events(times, "select" in request, "min_interval" in request))
        elif event.status != "DISABLED":
            found.append(Events(others))
    return found


def in_all(events: list[Events]) -> float:
    """Return how many events come in a month."""
    return sum(event.times for event in events)


def _request(user_event: object) -> Mapping[str, object]:
    try:
        request = json.loads(str(user_event or "{}"))
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}
