"""Timers: their schedules with the next runs, and the requests that they deliver."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice

from pydantic import BaseModel

from cli.preflight.functions import known_function
from cli.template.document import REFERENCE, KeyPath, Level, Problem
from cli.template.load import Source
from cli.template.model import Event, Function
from localcloud.functiongraph.schedule import Cron, Every, read_schedule
from shared.fields import has_documented_shape
from shared.triggers.receive import Received, receive


RUNS = 3
"""The number of next runs that are shown."""

_CENTURY = timedelta(days=36_525)
_EXAMPLE = "a cron expression of six fields, seconds first, such as CRON_TZ=Europe/Berlin 0 0 2 * * ?"
_AROUND = 20
"""The characters shown before and after a fault in JSON."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer with its next runs, as aware times in its zone. Those of a rate count from the deployment."""

    function: str
    name: str
    schedule: str
    zone: str
    is_rate: bool
    is_enabled: bool
    next_runs: tuple[datetime, ...]


def read_timers(source: Source, now: datetime) -> Iterator[Timer]:
    """Yield each timer of the template whose schedule is valid."""
    for function, event in _timers(source):
        schedule = _schedule(event, now)
        if isinstance(schedule, (Every, Cron)):
            zone = schedule.zone if isinstance(schedule, Cron) else timezone.utc
            runs = tuple(datetime.fromtimestamp(moment, zone) for moment in next_times(schedule, now.timestamp()))
            text = str(event.properties["schedule"])
            is_rate = isinstance(schedule, Every)
            yield Timer(function.name, event.name, text, str(zone), is_rate, event.status != "DISABLED", runs)


def next_times(schedule: Every | Cron, after: float) -> list[float]:
    """Return the next due times after *after*, in epoch seconds: three, or fewer if there are no more in a century."""
    return list(islice(schedule.due_times(after, after + _CENTURY.total_seconds()), RUNS))


def schedule_problems(source: Source, now: datetime) -> Iterator[Problem]:
    """Yield the schedules that FunctionGraph does not accept, that are never due, or that its documents disagree on."""
    for function, event in _timers(source):
        path = (*_properties(function, event), "schedule")
        schedule = _schedule(event, now)
        text = str(event.properties.get("schedule"))
        if isinstance(schedule, str):
            expected = "1m to 60m, 1h to 24h or 1d to 30d" if _kind(event) == "Rate" else _EXAMPLE
            yield Problem(path, f"found {text!r}: {schedule}", expected, "correct the schedule", code="schedule")
        elif schedule is not None and not next_times(schedule, now.timestamp()):
            yield Problem(
                path,
                f"found {text!r}, which is never due",
                "a date that exists",
                "correct the schedule",
                code="schedule",
            )
        elif isinstance(schedule, Cron) and any(map(str.isdecimal, text.rpartition(" ")[2])):
            yield Problem(
                path,
                f"found {text!r}: the documents of FunctionGraph disagree on the numbers of the days of the week",
                "names, such as MON-FRI, or ?",
                "write the names of the days",
                code="weekday_number",
                level=Level.WARNING,
            )


def _kind(event: Event) -> str:
    return str(event.properties.get("schedule_type"))


def _schedule(event: Event, now: datetime) -> Every | Cron | str | None:
    """Return the schedule, or what is wrong with it, or None if it depends on a parameter without a value."""
    text = str(event.properties.get("schedule"))
    if REFERENCE.search(text):
        return None
    try:
        return read_schedule(_kind(event), text, now.timestamp())
    except ValueError as error:
        return str(error)


def _timers(source: Source) -> Iterator[tuple[Function, Event]]:
    for function in source.template.functions:
        yield from ((function, event) for event in function.events if event.type == "TIMER")


def _properties(function: Function, event: Event) -> KeyPath:
    return ("Resources", function.resource, "Events", event.name, "Properties")


def receive_user_event(model: type[BaseModel], text: str) -> Received[BaseModel]:
    """Return what a function makes of the event of a timer with this ``user_event``."""
    event = {
        "version": "v2.0",
        "time": "2026-01-01T00:00:00Z",
        "trigger_type": "TIMER",
        "trigger_name": "preflight",
        "user_event": text,
    }
    return receive(event, model, request_id="preflight")


def request_faults(model: type[BaseModel], text: str) -> list[str]:
    """Return a sentence for each fault of a ``user_event``. What is not JSON has only one, with its position."""
    try:
        json.loads(text.strip() or "{}")
    except json.JSONDecodeError as error:
        around = error.doc[max(0, error.pos - _AROUND) : error.pos], error.doc[error.pos : error.pos + _AROUND]
        where = f"line {error.lineno}, column {error.colno}, between {around[0]!r} and {around[1]!r}"
        return [f"not JSON: {error.msg} at {where}"]
    except (ValueError, RecursionError):
        pass  # the function says what is wrong
    return [fault for rejection in receive_user_event(model, text).rejected for fault in rejection.errors]


def request_problems(source: Source) -> Iterator[Problem]:
    """Yield the faults of the request of each timer, found by the function that gets it."""
    for function, event in _timers(source):
        known = known_function(function)
        if known is None:
            continue
        text = str(event.properties.get("user_event") or "")
        path = (*_properties(function, event), "user_event")
        faults = list(islice(_faults(known.request, text), 20))
        what_to_do = f"correct user_event: see docs/{function.code_uri.name}.md"
        for fault in faults:
            yield Problem(path, fault, f"a request to {function.code_uri.name}", what_to_do, code="request")
        if not faults and not REFERENCE.search(text):
            yield from _instance_problems(path, receive_user_event(known.request, text))


def _faults(model: type[BaseModel], text: str) -> Iterator[str]:
    """Yield the faults that no value of a parameter can mend."""
    if not REFERENCE.search(text):
        yield from request_faults(model, text)
        return
    filled_in = request_faults(model, REFERENCE.sub("0", text))  # 0 is valid inside and outside of quotes
    if filled_in and filled_in[0].startswith("not JSON: "):
        yield filled_in[0]
    else:
        raw = request_faults(model, text)
        yield from (fault for fault in raw if "${" not in fault and not fault.startswith("not JSON: "))


def _instance_problems(path: KeyPath, received: Received[BaseModel]) -> Iterator[Problem]:
    for request in received.requests:
        for instance_id in dict.fromkeys(named_instances(request.request.model_dump())):
            if not has_documented_shape(instance_id):
                yield Problem(
                    path,
                    f"found the instance {instance_id!r}",
                    "an instance id: 32 hexadecimal digits, in and two digits",
                    "copy the id from the console: Document Database Service > Instances, below the name",
                    code="instance_id",
                )


def named_instances(value: object, key: str = "") -> Iterator[str]:
    """Yield the instance ids in a request, at any depth."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from named_instances(item, name)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from named_instances(item, key)
    elif isinstance(value, str) and key in ("instance_id", "instance_ids"):
        yield value
