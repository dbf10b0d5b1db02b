"""The resources that are deployed, in one form for all services: as they are wanted, and as they are found.

A stack recognizes its own resources by a mark at the end of their description, and its topics by a tag.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from cli.json_value import Json


class Kind(Enum):
    """The kinds of resource, in the order of creation. Deletion takes the reverse order."""

    TOPIC = "topic"
    SUBSCRIPTION = "subscription"
    POLICY = "policy"
    AGENCY = "agency"
    GRANT = "grant"
    FUNCTION = "function"
    ASYNC_INVOCATION = "asynchronous invocation"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: its kind, a name that is unique within the kind, and its fields.

    Attributes:
        parents: the kind and name of every resource that it cannot exist without.
        sent_only: sent at creation, but neither compared nor shown: secrets, which no service returns.
        code: the zip file to upload when the field ``code``, its digest, changes.
    """

    kind: Kind
    name: str
    fields: Mapping[str, Json] = field(default_factory=dict)
    parents: tuple[tuple[Kind, str], ...] = ()
    sent_only: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    code: Path | None = field(default=None, compare=False)

    @property
    def key(self) -> tuple[Kind, str]:
        """Kind and name, which identify it."""
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Found:
    """A resource that exists.

    Attributes:
        id: the service's identifier, a URN or an id.
        stack: the stack that created it, None if no stack did.
        note: what the user should know before it is deleted.
    """

    resource: Resource
    id: str
    stack: str | None
    note: str = ""


class Service(Protocol):
    """The resources of one kind in their service. Every method raises ServiceError."""

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> Sequence[Found]:
        """Return the resources that have one of *names*, belong to *stack*, or are part of the resources in *found*."""

    def create(self, wanted: Resource) -> None:
        """Create it, and verify that it was created."""

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:
        """Change *fields* of an existing resource, and mark it as the stack's."""

    def delete(self, found: Found) -> None:
        """Delete it. Does nothing if it does not exist any more."""


def named_or_own(found: Iterable[Found], names: Collection[str], stack: str) -> list[Found]:
    """Return the resources that have one of *names* or were created by *stack*."""
    return [item for item in found if item.resource.name in names or item.stack == stack]


TAG = "ddsbackup-stack"
"""The key of the tag of a topic. Its value is the name of the stack."""

LONGEST_MARK = 95
"""Bytes, with the space before it: the name of a stack and the id of a project have 32 characters at most."""

_MARK = re.compile(r"\s*\(ddsbackup stack (?P<stack>[A-Za-z][A-Za-z0-9-]*), project (?P<project>[^\s()]+)\)$")


def marked(text: str, stack: str, project_id: str) -> str:
    """Return the description *text* with the mark of the stack at its end."""
    return f"{text} (ddsbackup stack {stack}, project {project_id})".lstrip()


def read_mark(text: str | None, project_id: str) -> tuple[str, str | None]:
    """Return a description without its mark, and the name of the stack, None without a mark.

    Agencies and policies belong to the account, so that projects share them. A stack of the same name in another
    project is returned under a different name.
    """
    match = _MARK.search(text or "")
    if match is None:
        return text or "", None
    here = match["project"] == project_id
    stack = match["stack"] if here else f"{match['stack']} in the project {match['project']}"
    return (text or "")[: match.start()], stack


def shortened(text: str, most: int) -> str:
    """Return *text*, cut with an ellipsis to at most *most* bytes."""
    encoded = text.encode()
    return text if len(encoded) <= most else f"{encoded[: most - 3].decode(errors='ignore')}..."


IDENTIFYING: Mapping[str, tuple[str, ...]] = {
    "TIMER": ("name",),
    "SMN": ("topic_urn",),
    "KAFKA": ("instance_id", "topic_ids"),
    "OPENSOURCEKAFKA": ("kafka_connect_address", "topic_ids"),
    "RABBITMQ": ("instance_id", "vhost", "exchange_name"),
    "EVENTGRID": ("channel_id", "source_name", "trigger_name"),
    "DEDICATEDGATEWAY": ("instance_id", "req_method", "path"),
    "APIG": ("req_method", "path"),
}
"""The fields of ``event_data`` that identify a trigger, by its type. The other fields configure it."""


def trigger_name(function: str, kind: str, data: Mapping[str, Json], trigger_id: str = "") -> str:
    """Return a unique name for a trigger, which has none itself. It ends in *trigger_id* if the type is unknown."""
    values = [data.get(name) for name in IDENTIFYING.get(kind, ())]
    texts = [",".join(sorted(map(str, value))) if isinstance(value, list) else str(value) for value in values if value]
    return " ".join([function, kind, *texts] if texts else [function, kind, trigger_id]).rstrip()
