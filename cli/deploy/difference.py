"""What has to be done so that what is there becomes what is wanted. Nothing here calls a service."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from cli.huaweicloud.resources import Found, Kind, Resource
from cli.json_value import Json


class Action(Enum):
    """What is done with one resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


STACK = "stack"
"""The field that tells whose a resource is, in a change that adopts it."""

CHANGEABLE = {Kind.TRIGGER: {"status"}}
"""The only fields of a kind that its service can change (FunctionGraph API, Updating a Trigger)."""

UNOWNED = frozenset({Kind.SUBSCRIPTION, Kind.GRANT, Kind.ASYNC_INVOCATION, Kind.TRIGGER})
"""Kinds that do what is wanted whoever made them: what they are part of is the stack's."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: what it is, None if it is not there, and what it becomes."""

    name: str
    old: Json
    new: Json


@dataclass(frozen=True, slots=True)
class Change:
    """One step: what is wanted (None for a deletion), what is there (None for a creation), and what differs."""

    action: Action
    wanted: Resource | None
    found: Found | None
    fields: tuple[FieldChange, ...] = ()

    @property
    def resource(self) -> Resource:
        """The resource that it is about."""
        if self.wanted:
            return self.wanted
        assert self.found  # noqa: S101 a change has at least one of them
        return self.found.resource


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that differs.

    Attributes:
        changes: the steps, in the order in which they are taken.
        unchanged: what is as it is wanted.
        left: what belongs to the stack but is not wanted, and is left.
        foreign: what has a wanted name but was not made by the stack; nothing may be done while there is any.
    """

    changes: tuple[Change, ...] = ()
    unchanged: tuple[Resource, ...] = ()
    left: tuple[Found, ...] = ()
    foreign: tuple[Found, ...] = ()


def plan(
    wanted: Sequence[Resource], found: Iterable[Found], stack: str, *, prune: bool = False, adopt: bool = False
) -> Plan:
    """Compare what is *wanted* with what was *found*.

    *prune* deletes what the stack has and nobody wants, *adopt* takes over what has a wanted name and no stack. A field
    that a found resource has beyond the wanted ones is the service's own and no difference.
    """
    there = {item.resource.key: item for item in found}
    foreign = tuple(
        there[resource.key]
        for resource in wanted
        if resource.key in there and not _may_touch(there[resource.key], stack, adopt=adopt)
    )
    order = list(Kind)
    changes: list[Change] = []
    unchanged: list[Resource] = []
    gone: set[tuple[Kind, str]] = set()  # what is part of a replaced resource is gone with it
    for resource in sorted(wanted, key=lambda resource: order.index(resource.kind)):
        item = None if gone.intersection(resource.parents) else there.get(resource.key)
        change = _change(resource, item, stack)
        if change is None:
            unchanged.append(resource)
            continue
        changes.append(change)
        if change.action is Action.REPLACE:
            gone.add(resource.key)
    keys = {resource.key for resource in wanted}
    extra = [
        item
        for key, item in there.items()
        if key not in keys and item.stack == stack and not gone.intersection(item.resource.parents)
    ]
    extra.sort(key=lambda item: order.index(item.resource.kind), reverse=True)
    if prune:
        changes += [Change(Action.DELETE, None, item) for item in extra]
    return Plan(tuple(changes), tuple(unchanged), () if prune else tuple(extra), foreign)


def _may_touch(item: Found, stack: str, *, adopt: bool) -> bool:
    return item.resource.kind in UNOWNED or item.stack == stack or (adopt and item.stack is None)


def _change(wanted: Resource, item: Found | None, stack: str) -> Change | None:
    if item is None:
        fields = tuple(FieldChange(name, None, value) for name, value in wanted.fields.items())
        return Change(Action.CREATE, wanted, None, fields)
    there = item.resource.fields
    differs = [
        FieldChange(name, there.get(name), value)
        for name, value in wanted.fields.items()
        if not _same(wanted.kind, there.get(name), value)
    ]
    names = {change.name for change in differs}
    if names - CHANGEABLE.get(wanted.kind, names) or any(_is_fixed(wanted.kind, change) for change in differs):
        return Change(Action.REPLACE, wanted, item, tuple(differs))
    if item.stack != stack and wanted.kind not in UNOWNED:
        differs.append(FieldChange(STACK, item.stack, stack))
    return Change(Action.UPDATE, wanted, item, tuple(differs)) if differs else None


def _is_fixed(kind: Kind, change: FieldChange) -> bool:
    """Whether FunctionGraph cannot make this change: another runtime (its FAQ), or no initializer any more."""
    return kind is Kind.FUNCTION and (change.name == "runtime" or (change.name == "initializer" and change.new is None))


def _same(kind: Kind, old: Json, new: Json) -> bool:
    """Whether a field is as it is wanted; in a trigger the service adds to what it was given, and lists are sets."""
    if kind is Kind.TRIGGER and isinstance(old, dict) and isinstance(new, dict):
        return all(_same(kind, old.get(name), value) for name, value in new.items())
    if kind is Kind.TRIGGER and isinstance(old, list) and isinstance(new, list):
        return sorted(map(str, old)) == sorted(map(str, new))
    return old == new
