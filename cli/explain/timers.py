"""The timers of a template and schedules as text: their next runs, and what changes of the clock do to them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import islice

from cli.errors import WrongCall, did_you_mean
from cli.template.document import REFERENCE
from cli.template.model import Template
from localcloud.functiongraph.schedule import Cron, Every, read_schedule


YEAR = timedelta(days=366)
_LONGEST = timedelta(days=3_660)
_RATE = re.compile(r"\d+[mhd]")
_CRON = "'CRON_TZ=Europe/Berlin 0 0 2 * * ?'"
_EXAMPLES = f"a rate such as 5m, 6h or 1d, or a cron expression of six fields, such as {_CRON}"


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer.

    Attributes:
        kind: the folder of its function, such as create_backup; empty for a schedule that is given as text.
        function: the name of its function in the template.
        text: the schedule as it is written.
    """

    kind: str
    function: str
    name: str
    text: str
    schedule: Every | Cron
    is_enabled: bool = True

    @property
    def zone(self) -> tzinfo:
        """The zone of the schedule; UTC for a rate."""
        return self.schedule.zone if isinstance(self.schedule, Cron) else timezone.utc

    @property
    def label(self) -> str:
        """The name of the timer after that of its function, or else the schedule."""
        return f"{self.function} {self.name}" if self.function else self.text

    @property
    def is_rate(self) -> bool:
        """Whether it runs at an interval, which counts from the deployment."""
        return isinstance(self.schedule, Every)

    def runs(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the runs in (after, until], earliest first, in UTC."""
        for moment in self.schedule.due_times(after.timestamp(), until.timestamp()):
            yield datetime.fromtimestamp(moment, timezone.utc)

    def next_runs(self, after: datetime, count: int) -> list[datetime]:
        """Return the next runs; fewer if there are no more within ten years."""
        return list(islice(self.runs(after, after + _LONGEST), count))


def read_timer(text: str, since: datetime) -> Timer:
    """Read a schedule as people write it: a rate or a cron expression. A rate counts from *since*. Raises WrongCall."""
    kind = "Rate" if _RATE.fullmatch(text) else "Cron"
    try:
        return Timer("", "", "", text, read_schedule(kind, text, since.timestamp()))
    except ValueError as error:
        raise WrongCall(f"found the schedule {text!r}: {error}. Expected {_EXAMPLES}") from error


def template_timers(template: Template, since: datetime) -> list[Timer]:
    """Return the timers of a template, without those whose schedule depends on a parameter without a value.

    Rates count from *since*. Raises WrongCall for a schedule that FunctionGraph does not accept.
    """
    found = []
    for function in template.functions:
        for event in function.events:
            text = str(event.properties.get("schedule"))
            if event.type != "TIMER" or REFERENCE.search(text):
                continue
            try:
                schedule = read_schedule(str(event.properties["schedule_type"]), text, since.timestamp())
            except ValueError as error:
                raise WrongCall(f"the schedule of {function.name} {event.name} is not valid: {error}") from error
            enabled = event.status != "DISABLED"
            found.append(Timer(function.code_uri.name, function.name, event.name, text, schedule, enabled))
    return found


def timer_of(timers: Sequence[Timer], kind: str) -> Timer | None:
    """Return the first enabled timer of a function, by the folder of its code."""
    return next((timer for timer in timers if timer.kind == kind and timer.is_enabled), None)


def choose_timers(timers: Sequence[Timer], word: str, since: datetime) -> list[Timer]:
    """Return the timers that a word names: a timer, a function or a schedule. Raises WrongCall for none of them."""
    named = [timer for timer in timers if word in {timer.name, timer.function, timer.kind, timer.label}]
    if named:
        return named
    if " " in word or _RATE.fullmatch(word):
        return [read_timer(word, since)]
    known = [*dict.fromkeys(timer.function for timer in timers), *(timer.name for timer in timers)]
    raise WrongCall(f"there is no timer {word!r}{did_you_mean(word, known)} Known: {', '.join(known)}; or {_EXAMPLES}")


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A change of the clock in the zone of a schedule.

    Attributes:
        moment: when it happens, in UTC.
        before: the offset from UTC until then; `after` is the offset from then on.
        skipped: the local times without a zone at which a run is due that do not exist on this day.
        twice: the local times without a zone at which a run is due that occur twice on this day.
        last_before: the last run before the change, and `first_after` the first one after it.
    """

    moment: datetime
    before: timedelta
    after: timedelta
    skipped: tuple[datetime, ...]
    twice: tuple[datetime, ...]
    last_before: datetime | None
    first_after: datetime | None

    @property
    def forward(self) -> timedelta:
        """How far the clock goes forward; negative if it goes back."""
        return self.after - self.before


def clock_changes(timer: Timer, after: datetime, until: datetime) -> list[ClockChange]:
    """Return the changes of the clock in (after, until] that move the runs of a timer in UTC, skip or repeat them."""
    schedule = timer.schedule
    if not isinstance(schedule, Cron):
        return []
    found = []
    for moment, before, behind in _transitions(schedule.zone, after, until):
        gap = _due_at_local_times(schedule, moment, before, behind)
        overlap = _due_at_local_times(schedule, moment, behind, before)
        earlier = list(timer.runs(moment - timedelta(days=8), moment - timedelta(seconds=1)))
        later = timer.next_runs(moment - timedelta(seconds=1), 1)
        first, last = next(iter(later), None), earlier[-1] if earlier else None
        found.append(ClockChange(moment, before, behind, gap, overlap, last, first))
    return found


def _transitions(zone: tzinfo, after: datetime, until: datetime) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """Yield each change of the offset from UTC, to the second: its moment, and the offsets before and from then on."""
    low = after.astimezone(timezone.utc).replace(microsecond=0)
    while low < until:
        high = min(low + timedelta(days=1), until)
        before, behind = _offset(zone, low), _offset(zone, high)
        if before != behind:
            left, right = low, high
            while right - left > timedelta(seconds=1):
                middle = left + (right - left) // 2
                left, right = (middle, right) if _offset(zone, middle) == before else (left, middle)
            yield right.replace(microsecond=0), before, behind
        low = high


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _due_at_local_times(schedule: Cron, moment: datetime, low: timedelta, high: timedelta) -> tuple[datetime, ...]:
    """Return the local times, from the change by the one offset to the change by the other, at which a run is due."""
    if high <= low:
        return ()
    everywhere = replace(schedule, zone=timezone.utc)  # local times as if they were of UTC, where none is skipped
    begin, end = (moment + low).timestamp(), (moment + high).timestamp()
    due = everywhere.due_times(begin - 1, end - 1)
    return tuple(datetime.fromtimestamp(one, timezone.utc).replace(tzinfo=None) for one in due)
