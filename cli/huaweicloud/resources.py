"""What is deployed, whatever service it belongs to: resources of one shape, as they are wanted and as they are."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from cli.json_value import Json


class Kind(Enum):
    """The kinds of resource, in the order in which they are made; they are deleted in the reverse order."""

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
    """One resource: its kind, a name that no other of the kind has, and its fields.

    Attributes:
        parents: the kind and name of every resource without which it cannot be.
        sent_only: what is sent when it is made, and neither compared nor shown: secrets, which no service tells.
        code: the zip that is sent when the field ``code``, its digest, changes.
    """

    kind: Kind
    name: str
    fields: Mapping[str, Json] = field(default_factory=dict)
    parents: tuple[tuple[Kind, str], ...] = ()
    sent_only: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    code: Path | None = field(default=None, compare=False)

    @property
    def key(self) -> tuple[Kind, str]:
        """What tells it from all others."""
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Found:
    """A resource that is there.

    Attributes:
        id: what its service calls it: a URN or an id.
        stack: the stack that made it; None for what was made otherwise.
        note: what the user should know before it is deleted.
    """

    resource: Resource
    id: str
    stack: str | None
    note: str = ""


def named_or_own(found: Iterable[Found], names: Collection[str], stack: str) -> list[Found]:
    """Return what has one of *names*, and what *stack* made."""
    return [item for item in found if item.resource.name in names or item.stack == stack]


class Service(Protocol):
    """The resources of one kind, where they live. Every method raises ServiceError."""

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> Sequence[Found]:
        """Return the resources that have one of *names*, belong to *stack*, or are part of what was *found* so far."""

    def create(self, wanted: Resource) -> None:
        """Make it, and check that it was made."""

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:
        """Change *fields* of what was found, and make it the stack's if it is not."""

    def delete(self, found: Found) -> None:
        """Delete it; one that is gone already is deleted."""
