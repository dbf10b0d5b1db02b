"""What a user asks for: the request that every trigger carries, and the rules of the API page."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from shared.backups.selection import Selector


MAX_NAME = 64
MAX_DESCRIPTION = 256

_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_-]{{3,{MAX_NAME - 1}}}")
_FORBIDDEN = frozenset("><!\"&'=")
_INSTANCE_ID = re.compile(r"[0-9a-f]{32}in[0-9]{2}")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_DURATION = re.compile(r"([0-9]{1,18})([smhd]?)")
_LONGEST_INTERVAL = timedelta(days=366)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def has_documented_shape(instance_id: str) -> bool:
    """Whether an instance id looks as the documents show it: 32 hexadecimal digits, "in", two digits."""
    return _INSTANCE_ID.fullmatch(instance_id) is not None


def _is_control(character: str) -> bool:
    return ord(character) < 0x20 or 0x7F <= ord(character) <= 0x9F


def _check_instance_id(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    if len(value) > MAX_NAME or _BLANK.search(value):
        raise ValueError(f"must be at most {MAX_NAME} characters without blanks; found {value!r:.80}")
    return value


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
    """ "90s", "30m", "12h", "7d", and a number of seconds as text; pydantic itself reads numbers and ISO 8601."""
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


InstanceId = Annotated[str, AfterValidator(_check_instance_id)]
BackupName = Annotated[str, AfterValidator(_check_name)]
Description = Annotated[str, AfterValidator(_check_description)]
Interval = Annotated[timedelta, BeforeValidator(_read_duration), AfterValidator(_check_interval)]
IdempotencyKey = Annotated[str, Field(max_length=255), AfterValidator(_check_key)]


_PART = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # built as a part of requests, not by itself


class ManualBackup(BaseModel):
    """The ``backup`` object of the API page (DDS API, Creating a Manual Backup, table 2)."""

    model_config = _PART

    instance_id: InstanceId
    name: BackupName
    description: Description | None = None


class HandedOn(BaseModel):
    """What an invocation hands on with the instances that another one is to back up: the names that the event gave.

    Attributes:
        stem: as in `shared.backups.names.EventNames`, as are `key` and `exact`.
        hops: how often the instances were handed on.
    """

    model_config = _PART

    stem: BackupName
    key: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    exact: bool = False
    hops: Annotated[int, Field(ge=1)] = 1


class BackupRequest(BaseModel):
    """A request for one manual backup of each instance it names.

    The instances are named in exactly one of four ways: ``instance_ids``, ``instance_id``, ``backup`` (the very body of
    the API page), or ``select``, which chooses them when the event arrives. `min_interval` is a number of seconds,
    "90s", "30m", "12h", "7d" or ISO 8601 ("PT12H"). `handed_on` is written by this application itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    backup: ManualBackup | None = None
    instance_id: InstanceId | None = None
    select: Selector | None = None
    instance_ids: Annotated[tuple[InstanceId, ...], Field(validate_default=True)] = ()
    name: BackupName | None = None
    description: Description | None = None
    idempotency_key: IdempotencyKey | None = None
    min_interval: Interval | None = None
    handed_on: HandedOn | None = None

    @field_validator("instance_ids")
    @classmethod
    def _named_in_one_way(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        # A field that is not in info.data was given and is wrong: it has its own line already.
        given = [
            way for way in ("backup", "instance_id", "select") if way not in info.data or info.data[way] is not None
        ]
        if value:
            given.append("instance_ids")
        if not given:
            raise ValueError("name at least one instance: instance_ids (a list), instance_id, backup, or select")
        if len(given) > 1:
            raise ValueError(f"name the instances in one way; found {' and '.join(given)}")
        return value

    @field_validator("name", "description")
    @classmethod
    def _not_beside_backup(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("backup") is not None:
            raise ValueError("belongs inside backup when that is given")
        return value

    @property
    def instances(self) -> tuple[str, ...]:
        """The instance ids, each once, in the order they were named; none if they are yet to be selected."""
        single = self.backup.instance_id if self.backup else self.instance_id
        return (single,) if single else tuple(dict.fromkeys(self.instance_ids))

    @property
    def wanted_name(self) -> str | None:
        """The name asked for, wherever it was given."""
        return self.backup.name if self.backup else self.name

    @property
    def wanted_description(self) -> str:
        """The description asked for, wherever it was given; "" for none."""
        return (self.backup.description if self.backup else self.description) or ""
