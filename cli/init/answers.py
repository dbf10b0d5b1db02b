"""The six answers that ``ddsbackup init`` needs, each checked by the rules of the functions that use it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import click
from pydantic import ValidationError

from cli.json_value import JsonObject
from cli.preflight.values import endpoint_fault
from localcloud.functiongraph.schedule import read_schedule
from shared.fields import explain, has_documented_shape
from shared.fleet import Selector
from shared.prune.retention import read_retention


T = TypeVar("T")

_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_LIKE_AN_ID = re.compile(r"[0-9a-f]{16,}.*")


@dataclass(frozen=True, slots=True)
class Answers:
    """What the user wants.

    Attributes:
        email: the address that gets the notifications; "" if the deployment asks for it.
        instances: the part of a request that names or selects the instances.
        time: hour and minute of the nightly backup in *zone*.
        retention: the rules of prune_backups.
    """

    region: str
    email: str
    instances: JsonObject
    time: tuple[int, int]
    retention: str
    zone: str


class Answer(click.ParamType[T], Generic[T]):
    """The answer to a question, as an option or at the prompt. *read* raises ValueError, which says what is wrong."""

    name = "text"

    def __init__(self, read: Callable[[str], T]) -> None:
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """Return what the text means."""
        try:
            return self._read(str(value).strip())
        except ValueError as error:
            self.fail(f"found {value!r:.80}: {error}", param, ctx)


@dataclass(frozen=True, slots=True)
class Question:
    """A question. It is asked unless the option *name* answers it."""

    name: str
    text: str
    default: str
    type: Answer[Any]

    @property
    def option(self) -> str:
        """The name of the option."""
        return f"--{self.name.replace('_', '-')}"


def _read_region(text: str) -> str:
    if not _REGION.fullmatch(text):
        raise ValueError("expected the id of a region, such as cn-north-4 or eu-west-101")
    return text


def _read_email(text: str) -> str:
    if text and (fault := endpoint_fault("email", text)):
        raise ValueError(f"expected {fault}")
    return text


def read_instances(text: str) -> JsonObject:
    """Return the part of a request for ids, or for tags: ``env=production`` or, with any value, ``backup``."""
    words = [word for word in re.split(r"[,\s]+", text) if word]
    ids = [word for word in words if has_documented_shape(word)]
    if not words:
        raise ValueError("expected ids of instances, or tags")
    if len(ids) == len(words):
        return {"instance_ids": list(dict.fromkeys(ids))}
    if ids:
        raise ValueError("expected ids or tags, not both")
    tags: dict[str, list[str]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if _LIKE_AN_ID.fullmatch(word):
            raise ValueError("an id of an instance has 32 hexadecimal digits, in and two digits")
        tags.setdefault(key, [])
        if equals:
            tags[key].append(value)
    select: dict[str, Any] = {"tags": tags}
    try:
        Selector.model_validate(select)
    except ValidationError as error:
        raise ValueError("; ".join(explain(error, Selector))) from None
    if any("$" in word for word in words):
        raise ValueError("a tag cannot have a $ here")
    return {"select": select}


def _read_time(text: str) -> tuple[int, int]:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("expected hour and minute, such as 02:00 or 23:30")
    return int(match[1]), int(match[2])


def _read_retention(text: str) -> str:
    read_retention(text)
    return " ".join(text.split())


def _read_zone(text: str) -> str:
    read_schedule("Cron", f"CRON_TZ={text} 0 0 2 * * ?", 0)
    return text


def questions(retention: str) -> Mapping[str, Question]:
    """Return the questions by name, in their order. *retention* is the default of the template."""
    asked = (
        Question("region", "Region of the instances", "cn-north-4", Answer(_read_region)),
        Question("email", "E-mail address for the notifications (empty: deploy asks for it)", "", Answer(_read_email)),
        Question(
            "instances",
            "Instances to back up: their ids, or tags such as env=production or, with any value, backup",
            "backup",
            Answer(read_instances),
        ),
        Question("time", "Time of the nightly backup", "02:00", Answer(_read_time)),
        Question("retention", "Backups to keep (docs/prune_backups.md)", retention, Answer(_read_retention)),
        Question("time_zone", "Time zone of the time, and of days and weeks", "UTC", Answer(_read_zone)),
    )
    return {question.name: question for question in asked}
