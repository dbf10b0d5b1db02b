"""What a month is computed from: the user's assumptions, the events of each function, and the functions' settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from cli.errors import WrongCall
from cli.preflight.settings import TOPIC, TOPIC_SETTING, known_variables, read_variables
from cli.template.model import Event, Function
from localcloud.functiongraph.schedule import Cron, read_schedule
from shared.errors import SettingsError
from shared.runtime.settings import SettingsT


MONTH = timedelta(days=365) / 12
"""About 730 hours, the month of price calculators."""

CALLS_A_MINUTE = 60
"""What one user may make of RDS and DDM, the siblings of DDS. DDS documents no limit."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What neither the documentation nor the template says.

    Attributes:
        instances: DDS instances in the project. Every event of create_backup backs up all of them.
        events: events a month of each trigger that is not a timer.
        call_seconds: duration of an API call.
        cold_start: seconds until the handler starts. They are billed, since there is an initializer (FunctionGraph User
            Guide, Configuring Initialization). Every invocation counts as a cold start.
        calls_a_minute: the rate limit of DDS.
        memory: MB by function, instead of the template's. The key "" stands for every function.
        duration: measured seconds of an invocation by function, instead of the estimate. The key "" likewise.
        kept: backups that each instance has at a time. None computes how many RETENTION keeps in the long run.
        backup_gb: size of one backup.
        drill_hours: how long the instance of a drill lives. None computes it from the size of a backup.
    """

    now: datetime
    instances: int = 1
    events: float = 0.0
    call_seconds: float = 0.2
    cold_start: float = 1.0
    calls_a_minute: int = CALLS_A_MINUTE
    memory: Mapping[str, float] = field(default_factory=dict)
    duration: Mapping[str, float] = field(default_factory=dict)
    kept: int | None = None
    backup_gb: float = 0.0
    drill_hours: float | None = None

    def given(self, values: Mapping[str, float], function: str) -> float | None:
        """Return the value for a function, or else for every function, or else None."""
        return values.get(function, values.get(""))


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one kind: how many a month, and whether their request has ``select`` or ``min_interval``."""

    times: float
    selects: bool = False
    has_min_interval: bool = False


def events_of(function: Function, others: float) -> list[Events]:
    """Return the events of each enabled trigger. Triggers other than timers have *others* a month each."""
    found = []
    for event in function.events:
        if event.type == "TIMER":
            request = _request(event.properties.get("user_event"))
            found.append(Events(timer_events(function.name, event), "select" in request, "min_interval" in request))
        elif event.status != "DISABLED":
            found.append(Events(others))
    return found


def total(events: list[Events]) -> float:
    """Return how many events there are a month."""
    return sum(event.times for event in events)


def _request(user_event: object) -> Mapping[str, object]:
    try:
        request = json.loads(str(user_event or "{}"))
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


_DAYS = [date(2001, 1, 1) + timedelta(days=number) for number in range(28 * 365 + 7)]
"""After 28 years, the days of the week fall on the same dates again."""


def timer_events(function: str, timer: Event) -> float:
    """Return how often the timer of a function fires in a month of 365/12 days: 0 if it is disabled.

    Raises WrongCall for a schedule that FunctionGraph does not document.
    """
    if timer.status == "DISABLED":
        return 0.0
    kind, text = str(timer.properties.get("schedule_type")), str(timer.properties.get("schedule", ""))
    try:
        schedule = read_schedule(kind, text, since=0.0)
    except ValueError as error:
        raise WrongCall(f"the schedule of {function}.{timer.name} is not valid: {error}") from error
    if not isinstance(schedule, Cron):
        return MONTH.total_seconds() / schedule.seconds
    times_a_day = len(schedule.second.values) * len(schedule.minute.values) * len(schedule.hour.values)
    return times_a_day * sum(map(schedule.is_due_on, _DAYS)) / len(_DAYS) * (MONTH / timedelta(days=1))


def read_settings(model: type[SettingsT], function: Function) -> SettingsT:
    """Return the settings of *function* in the template, validated by the function's own *model*.

    A topic that is known only at deployment becomes a placeholder, any other unknown value the setting's default.
    Raises WrongCall for a setting that the function would reject.
    """
    try:
        return read_variables(model, {TOPIC_SETTING: TOPIC, **known_variables(model, function)})
    except SettingsError as error:
        raise WrongCall(f"{function.name}: {error}") from error
