"""The file of ``--faults``: what goes wrong, when, and for how long. Days count from 1, times are in UTC."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Discriminator, Field, PlainValidator, TypeAdapter, ValidationError

from cli.errors import WrongCall, did_you_mean
from shared.fields import Interval


DAY = 86_400.0
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAYS = re.compile(r"([0-9]{1,4})-([0-9]{1,4})")
_LAST_DAY = 3660


def _read_time(value: object) -> float:
    match = _TIME.fullmatch(str(value))
    if not isinstance(value, str) or match is None:
        raise ValueError(f'found {value!r}, expected a time of day in UTC in quotes, such as "02:00"')
    return 3600.0 * int(match[1]) + 60.0 * int(match[2])


def _read_days(value: object) -> tuple[int, int]:
    """The first and the last day."""
    if value == "every":
        return 1, _LAST_DAY
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _LAST_DAY:
        return value, value
    match = _DAYS.fullmatch(value) if isinstance(value, str) else None
    if match and 1 <= int(match[1]) <= int(match[2]) <= _LAST_DAY:
        return int(match[1]), int(match[2])
    raise ValueError(f"found {value!r}, expected a day such as 12, days such as 10-14, or every. The first day is 1")


TimeOfDay = Annotated[float, PlainValidator(_read_time)]
Days = Annotated[tuple[int, int], PlainValidator(_read_days)]


class _Fault(BaseModel):
    """What all faults have: on which days, from which time of day. See docs/simulate.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: Days
    at: TimeOfDay = 0.0

    def moments(self, start: float, days: int) -> Iterator[float]:
        """Yield when it begins, in seconds since the epoch."""
        for day in range(self.day[0], min(self.day[1], days) + 1):
            yield start + (day - 1) * DAY + self.at

    @property
    def when(self) -> str:
        """On which days, in words."""
        first, last = self.day
        at = f"at {int(self.at // 3600):02}:{int(self.at % 3600 // 60):02}"
        if last == _LAST_DAY:
            return f"every day {at}"
        return f"on day {first} {at}" if first == last else f"on days {first} to {last} {at}"


class _Lasting(_Fault):
    duration: Annotated[Interval, Field(alias="for")]

    def windows(self, start: float, days: int) -> Iterator[tuple[float, float]]:
        """Yield its begins and ends."""
        for moment in self.moments(start, days):
            yield moment, moment + self.duration.total_seconds()


class Unavailable(_Lasting):
    """A service answers calls with an error."""

    fault: Literal["unavailable"]
    service: Literal["DDS", "SMN"]
    operations: tuple[str, ...] = ()
    status: Annotated[int, Field(ge=400, le=599)] = 503

    @property
    def text(self) -> str:
        """The fault in words."""
        what = f"{self.service} ({', '.join(self.operations)})" if self.operations else self.service
        return f"{what} answers {self.status} {self.when} for {_span(self.duration)}"


class Busy(_Lasting):
    """Instances are busy with an operation of their owner."""

    fault: Literal["busy"]
    instances: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The fault in words."""
        return f"{_names(self.instances)} busy {self.when} for {_span(self.duration)}"


class FailingBackups(_Lasting):
    """Backups that begin in this time fail."""

    fault: Literal["backups_fail"]
    instances: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The fault in words."""
        return f"backups of {_names(self.instances)} fail {self.when} for {_span(self.duration)}"


class SilentTimer(_Fault):
    """The timers of a function do not fire on these days."""

    fault: Literal["timer_silent"]
    function: str

    @property
    def text(self) -> str:
        """The fault in words."""
        first, last = self.day
        days = f"day {first}" if first == last else f"days {first} to {last}"
        return f"the timer of {self.function} does not fire on {days}"


class InstanceCreated(_Fault):
    """An instance appears."""

    fault: Literal["instance_created"]
    name: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_-]{3,63}$")]
    mode: Literal["Sharding", "ReplicaSet", "Single"] = "ReplicaSet"
    data_gb: Annotated[float, Field(gt=0, le=2000)] = 10.0
    tags: Annotated[dict[str, str], Field(default_factory=dict)]

    @property
    def text(self) -> str:
        """The fault in words."""
        return f"the instance {self.name} is created {self.when}"


class InstanceDeleted(_Fault):
    """An instance is deleted by its owner."""

    fault: Literal["instance_deleted"]
    instance: str

    @property
    def text(self) -> str:
        """The fault in words."""
        return f"the instance {self.instance} is deleted {self.when}"


Fault = Annotated[
    Unavailable | Busy | FailingBackups | SilentTimer | InstanceCreated | InstanceDeleted, Discriminator("fault")
]
KINDS = ("unavailable", "busy", "backups_fail", "timer_silent", "instance_created", "instance_deleted")


class Story(BaseModel):
    """What goes wrong in a simulation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    story: str = ""
    faults: tuple[Fault, ...] = ()


def read_story(file: Path) -> Story:
    """Read a file of faults. Raises WrongCall, which names every problem."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongCall(f"cannot read the faults {file}: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise WrongCall(f"{file} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise WrongCall(f"{file}: found {type(content).__name__}, expected the keys story and faults")
    try:
        return TypeAdapter(Story).validate_python(content)
    except ValidationError as error:
        lines = [_problem(one) for one in error.errors(include_url=False)]
        raise WrongCall("\n  ".join([f"{file} has problems:", *lines])) from error


def _problem(problem: Any) -> str:
    # A union tells the kind of fault as a part of the place.
    place = ".".join(str(part) for part in problem["loc"] if part not in KINDS)
    found, kind = problem.get("input"), problem["type"]
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        given = found.get("fault") if isinstance(found, dict) else found
        return f"{place}.fault: found {given!r}{did_you_mean(str(given), KINDS)} Expected one of {', '.join(KINDS)}"
    if kind == "extra_forbidden":
        return f"{place}: there is no such key here"
    if kind == "missing":
        return f"{place}: is missing"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{place}: {message if message.startswith('found') else f'found {found!r}: {message}'}"


def _names(instances: tuple[str, ...]) -> str:
    return ", ".join(instances) if instances else "all instances"


def _span(duration: timedelta) -> str:
    minutes = int(duration.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" * bool(hours), f"{rest} min" * bool(rest)) if part)
