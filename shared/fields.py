"""What requests and settings share: the types of their fields, and pydantic's faults in the user's terms."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from shared.format import did_you_mean, excerpt, kind_of, shortened
from shared.limits import MAX_FAULT, MAX_FAULTS
from shared.model import MAX_DESCRIPTION, MAX_NAME


if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_-]{{3,{MAX_NAME - 1}}}")
_FORBIDDEN = frozenset("><!\"&'=")
_INSTANCE_ID = re.compile(r"[0-9a-f]{32}in[0-9]{2}")
_ANY_ID = rf"^[!-~]{{1,{MAX_NAME}}}$"
_DURATION = re.compile(r"([0-9]{1,18})([smhd]?)")
_LONGEST_INTERVAL = timedelta(days=366)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def has_documented_shape(instance_id: str) -> bool:
    """Whether an instance id looks like those in the documents: 32 hexadecimal digits, "in", two digits."""
    return _INSTANCE_ID.fullmatch(instance_id) is not None


def _is_control(character: str) -> bool:
    return ord(character) < 0x20 or 0x7F <= ord(character) <= 0x9F


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(
            f"must be 4 to {MAX_NAME} characters, start with a letter, and hold only letters, digits, hyphens and "
            f"underscores; found {value!r:.80} ({len(value)} characters)"
        )
    return value


def _check_description(value: str) -> str:
    if len(value) > MAX_DESCRIPTION:
        raise ValueError(f"must be at most {MAX_DESCRIPTION} characters; found {len(value)}")
    if wrong := sorted({c for c in value if c in _FORBIDDEN or _is_control(c)}):
        raise ValueError(f"must hold no control characters and none of > ! < \" & ' =; found {wrong}")
    return value


def _read_duration(value: object) -> object:
    """Read "90s", "30m", "12h", "7d" and a number of seconds as text; pydantic reads numbers and ISO 8601."""
    if not isinstance(value, str) or not (match := _DURATION.fullmatch(value)):
        return value
    try:
        return timedelta(**{_UNITS[match[2] or "s"]: int(match[1])})
    except OverflowError:
        return timedelta.max


def _check_interval(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= _LONGEST_INTERVAL:
        raise ValueError(f"must be more than 0 seconds and at most {_LONGEST_INTERVAL.days} days")
    return value


def _check_key(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


InstanceId = Annotated[str, Field(pattern=_ANY_ID)]
"""The id of an instance: 1 to 64 printable ASCII characters without blanks."""

BackupName = Annotated[str, AfterValidator(_check_name)]
"""The name of a backup (DDS API, Creating a Manual Backup, table 2)."""

Description = Annotated[str, AfterValidator(_check_description)]
"""The description of a backup (DDS API, Creating a Manual Backup, table 2)."""

Interval = Annotated[timedelta, BeforeValidator(_read_duration), AfterValidator(_check_interval)]
"""A duration of at most 366 days: a number of seconds, "90s", "30m", "12h", "7d" or ISO 8601 ("PT12H")."""


def event_time(moment: datetime | None) -> datetime | None:
    """Return a time in UTC between 1970 and 2200; None for any other and for one without a zone.

    Go's zero time, 0001-01-01, is a common "no time".
    """
    if moment is None or moment.tzinfo is None:
        return None
    try:
        moment = moment.astimezone(timezone.utc)
    except OverflowError:
        return None
    return moment if _FIRST_YEAR <= moment.year < _LAST_YEAR else None


_FIRST_YEAR, _LAST_YEAR = 1970, 2200


def _check_time(value: datetime) -> datetime:
    moment = event_time(value)
    if moment is None:
        raise ValueError(f"must have a time zone and be between {_FIRST_YEAR} and {_LAST_YEAR}; found {value}")
    return moment


Time = Annotated[datetime, AfterValidator(_check_time)]
"""A time with a zone, between 1970 and 2200; in UTC."""

IdempotencyKey = Annotated[str, Field(max_length=255), AfterValidator(_check_key)]
"""What makes two messages the same event."""


_LONGEST_NAME = 60
_MOST_SUGGESTIONS = 5  # of one message: each takes some time
_JSON_TERMS = {
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
}


def explain(
    error: ValidationError, model: type[BaseModel], *, quote: bool = True, count: int | None = None
) -> tuple[str, ...]:
    """Describe each fault in a line, such as ``instance_ids.2: must not be empty``: at most 20, and count the rest.

    `model` is the model that was validated against. It provides the known names for an unknown field, in nested models
    too. Without `quote` no fault repeats the value that was found. `count` is the number of faults, if there are more
    than those of `error`.
    """
    lines = [
        f"{_location(fault['loc'])}: {_sentence(fault, model, quote=quote, suggest=number < _MOST_SUGGESTIONS)}"
        for number, fault in enumerate(error.errors(include_url=False)[:MAX_FAULTS])
    ]
    rest = (count or error.error_count()) - len(lines)
    return (*(shortened(line, MAX_FAULT) for line in lines), *([f"event: and {rest:,} more faults"] if rest else []))


def _location(loc: tuple[int | str, ...]) -> str:
    return ".".join(shortened(str(part), _LONGEST_NAME) for part in loc) or "event"


def _sentence(fault: "ErrorDetails", model: type[BaseModel], *, quote: bool, suggest: bool) -> str:
    kind, msg, loc = fault["type"], fault["msg"], fault["loc"]
    if kind == "too_long":
        return f"must have at most {fault['ctx']['max_length']:,} items; found more"
    if kind == "missing":
        return "required, but missing"
    if kind == "extra_forbidden":
        known = _known_fields(model, loc)
        suggestion = did_you_mean(str(loc[-1])[:_LONGEST_NAME], known) if suggest else ""
        return f"unknown field{suggestion}; known fields: {', '.join(known)}"
    if kind in {"value_error", "assertion_error"}:
        return msg.partition(", ")[2]
    value = fault["input"]
    if kind == "string_pattern_mismatch" and fault["ctx"]["pattern"] == _ANY_ID:
        msg = f"must be at most {MAX_NAME} letters, digits and other ASCII characters without blanks"
        return f"{msg}; found {value!r:.80}" if value else "must not be empty"
    msg = _JSON_TERMS.get(kind, msg)
    # An object, a list or the whole message may hold fields that no request has, which no fault may quote.
    quote = quote and bool(loc) and not isinstance(value, (dict, list))
    return f"{msg[0].lower()}{msg[1:]}; found {excerpt(value) if quote else kind_of(value)}"


def _known_fields(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        nested = _nested_model(field.annotation) if field else None
        model = nested or model
    return sorted(model.model_fields)


def _nested_model(annotation: object) -> type[BaseModel] | None:
    candidates: Iterable[object] = getattr(annotation, "__args__", None) or (annotation,)
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
