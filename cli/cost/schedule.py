"""How often a timer ticks in a month."""

from datetime import date, timedelta

from cli.errors import WrongCall
from cli.template.model import Event
from localcloud.functiongraph.schedule import Cron, read_schedule


MONTH = timedelta(days=365) / 12
"""Some 730 hours, as price calculators have it."""

_DAYS = [date(2001, 1, 1) + timedelta(days=number) for number in range(28 * 365 + 7)]
"""After 28 years the days of the week fall on the same dates again."""


def ticks_a_month(function: str, timer: Event) -> float:
    """Return how often the timer of a function is due in a month of 365/12 days; 0 for one that is disabled.

    Raises WrongCall for a schedule that FunctionGraph's documents do not have.
    """
    if timer.status == "DISABLED":
        return 0.0
    kind, text = str(timer.properties.get("schedule_type")), str(timer.properties.get("schedule", ""))
    try:
        schedule = read_schedule(kind, text, since=0.0)
    except ValueError as error:
        raise WrongCall(f"the schedule of {function}.{timer.name} cannot be read: {error}") from error
    if not isinstance(schedule, Cron):
        return MONTH.total_seconds() / schedule.seconds
    times_a_day = len(schedule.second.values) * len(schedule.minute.values) * len(schedule.hour.values)
    return times_a_day * sum(map(schedule.is_due_on, _DAYS)) / len(_DAYS) * (MONTH / timedelta(days=1))
