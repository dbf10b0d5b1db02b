"""The plan: which changes turn the found resources into the wanted ones."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from cli.errors import WrongCall
from cli.huaweicloud.resources import Found, Kind, Resource
from cli.json_value import Json


class Action(Enum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


Key = tuple[Kind, str]

STACK = "stack"
"""The field that changes when a resource is adopted."""

CHANGEABLE = {Kind.TRIGGER: {"status"}}
"""The only fields that a service can change, for kinds with such a limit (FunctionGraph API, Updating a Trigger)."""

USERS = ("kafka_user", "access_user")
"""The fields of a trigger's event_data that come with a password."""

UNOWNED = frozenset({Kind.SUBSCRIPTION, Kind.GRANT, Kind.ASYNC_INVOCATION, Kind.TRIGGER})
"""Kinds that need no owner, because they are part of a resource that has one."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field with its old value, None if it does not exist yet, and its new value."""

    name: str
    old: Json
    new: Json


@dataclass(frozen=True, slots=True)
class Change:
    """One step: the wanted resource (None for a deletion), the found one (None for a creation), and the difference.

    Attributes:
        parts: what the found resource takes with it when it is replaced, such as the triggers of a function.
    """

    action: Action
    wanted: Resource | None
    found: Found | None
    fields: tuple[FieldChange, ...] = ()
    parts: tuple[Found, ...] = ()

    @property
    def resource(self) -> Resource:
        """The wanted resource, or the found one for a deletion."""
        if self.wanted:
            return self.wanted
        assert self.found  # noqa: S101 a change has at least one of them
        return self.found.resource


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference between the wanted and the found resources.

    Attributes:
        changes: the steps, in order.
        unchanged: the resources that are as wanted.
        left: the resources of the stack that are not wanted and stay, because nothing is pruned.
        awaiting: subscriptions that *prune* would delete, and that stay because those of the template are not confirmed
            yet.
        foreign: the resources that have a wanted name but belong to no stack or to another one. If there are any, the
            plan must not be carried out.
    """

    changes: tuple[Change, ...] = ()
    unchanged: tuple[Resource, ...] = ()
    left: tuple[Found, ...] = ()
    awaiting: tuple[Found, ...] = ()
    foreign: tuple[Found, ...] = ()


def plan(
    wanted: Sequence[Resource], found: Iterable[Found], stack: str, *, prune: bool = False, adopt: bool = False
) -> Plan:
    """Compare the *wanted* with the *found* resources.

    *prune* deletes the resources of the stack that are not wanted. *adopt* takes over resources that have a wanted
    name and no stack. Fields that only a found resource has belong to its service and make no difference.

    A confirmed subscription is not pruned before every wanted one of its topic is confirmed, or nobody would be told. A
    policy loses actions behind the functions, which may run their old code until then.

    The parts of a replaced resource are created again right behind it, without *prune* also those that are not wanted.
    Raises WrongCall for such a part with a password, which no service returns.
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
    gone: set[tuple[Kind, str]] = set()  # a replaced resource takes its parts with it
    for resource in sorted(wanted, key=lambda resource: order.index(resource.kind)):
        item = None if gone.intersection(resource.parents) else there.get(resource.key)
        change = _change(resource, item, stack)
        if change is None:
            unchanged.append(resource)
            continue
        if change.action is Action.REPLACE:
            gone.add(resource.key)
            parts = tuple(item for item in there.values() if resource.key in item.resource.parents)
            change = replace(change, parts=parts)
        changes.append(change)
    keys = {resource.key for resource in wanted}
    extra = [
        item
        for key, item in there.items()
        if key not in keys and item.stack == stack and not gone.intersection(item.resource.parents)
    ]
    extra.sort(key=lambda item: order.index(item.resource.kind), reverse=True)
    if not prune:
        lost = (item for item in there.values() if item.resource.key not in keys)
        changes += [_carried_over(item) for item in lost if gone.intersection(item.resource.parents)]
    changes = _narrowed_last(_with_parts_behind(changes, gone))
    if not prune:
        return Plan(tuple(changes), tuple(unchanged), tuple(extra), (), foreign)
    awaiting = tuple(item for item in extra if _is_needed(item, wanted, there))
    changes += [Change(Action.DELETE, None, item) for item in extra if item not in awaiting]
    return Plan(tuple(changes), tuple(unchanged), (), awaiting, foreign)


def _is_needed(item: Found, wanted: Collection[Resource], there: Mapping[Key, Found]) -> bool:
    """Return whether it is a confirmed subscription of a topic with wanted subscriptions that are not confirmed."""
    return (
        item.resource.kind is Kind.SUBSCRIPTION
        and not item.note
        and any(
            new.kind is Kind.SUBSCRIPTION
            and new.parents == item.resource.parents
            and (new.key not in there or there[new.key].note != "")
            for new in wanted
        )
    )


def _narrowed_last(changes: Sequence[Change]) -> list[Change]:
    """Return *changes*, with the actions that policies lose at the end, if functions change in between."""
    if not any(change.resource.kind is Kind.FUNCTION for change in changes):
        return list(changes)
    first: list[Change] = []
    last: list[Change] = []
    for change in changes:
        wide = _widened(change)
        if wide is None:
            first.append(change)
            continue
        assert change.wanted  # noqa: S101 only an update is widened
        assert change.found  # noqa: S101
        old, new = change.found.resource.fields["policy"], change.wanted.fields["policy"]
        others = tuple(field for field in change.fields if field.name != "policy")
        if wide == old:
            last.append(change)
            continue
        between = replace(change.wanted, fields={**change.wanted.fields, "policy": wide})
        first.append(replace(change, wanted=between, fields=(FieldChange("policy", old, wide), *others)))
        narrowing = (FieldChange("policy", wide, new),)
        last.append(replace(change, found=replace(change.found, resource=between), fields=narrowing))
    return first + last


def _widened(change: Change) -> Json:
    """Return the policy with the old and the new actions, or None if the change takes none away.

    Also None for a policy of another form than ours, which somebody has written by hand: it has one step.
    """
    if change.action is not Action.UPDATE or change.resource.kind is not Kind.POLICY or not change.found:
        return None
    old, new = _allowed(change.found.resource.fields.get("policy")), _allowed(change.resource.fields.get("policy"))
    if old is None or new is None or old <= new:
        return None
    policy = change.resource.fields["policy"]
    assert isinstance(policy, dict)  # noqa: S101 it has actions
    actions: list[Json] = [*sorted(old | new)]
    return {**policy, "Statement": [{"Effect": "Allow", "Action": actions}]}


def _allowed(policy: Json) -> set[str] | None:
    """Return the actions of a policy that has one statement, which allows them everywhere."""
    match policy:
        case {"Statement": [{"Effect": "Allow", "Action": [*actions], **others}]} if not others:
            return set(map(str, actions))
    return None


def _with_parts_behind(changes: Sequence[Change], replaced: Collection[tuple[Kind, str]]) -> list[Change]:
    """Return *changes*, with the parts of each *replaced* resource right behind it."""
    behind = {key: [change for change in changes if key in change.resource.parents] for key in replaced}
    others = [change for change in changes if not set(behind).intersection(change.resource.parents)]
    return [step for change in others for step in (change, *behind.get(change.resource.key, ()))]


def _carried_over(item: Found) -> Change:
    data = item.resource.fields.get("event_data")
    if isinstance(data, dict) and any(data.get(name) for name in USERS):
        raise WrongCall(
            f"a function would be replaced, and its {item.resource.kind.value} {item.resource.name} with it, whose "
            "password no service returns: add the trigger to the template, or delete it with --prune"
        )
    return Change(Action.CREATE, item.resource, None)


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
    """Return whether FunctionGraph cannot make this change: another runtime (its FAQ), or removing the initializer."""
    return kind is Kind.FUNCTION and (change.name == "runtime" or (change.name == "initializer" and change.new is None))


def _same(kind: Kind, old: Json, new: Json) -> bool:
    """Return whether two values are the same. In a trigger, lists are sets, and the service adds keys to mappings."""
    if kind is Kind.TRIGGER and isinstance(old, dict) and isinstance(new, dict):
        return all(_same(kind, old.get(name), value) for name, value in new.items())
    if kind is Kind.TRIGGER and isinstance(old, list) and isinstance(new, list):
        return sorted(map(str, old)) == sorted(map(str, new))
    return old == new
