"""What is wanted against what is there, as a rule for all of both."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.deploy.carry_out import carry_out
from cli.deploy.difference import Action, Plan, plan
from cli.huaweicloud.errors import ServiceError
from cli.huaweicloud.resources import Found, Kind, Resource
from cli.json_value import Json, JsonObject
from tests.deploy.memory import STACK, Memory, Silence


PARENTS = {
    Kind.SUBSCRIPTION: Kind.TOPIC,
    Kind.GRANT: Kind.AGENCY,
    Kind.ASYNC_INVOCATION: Kind.FUNCTION,
    Kind.TRIGGER: Kind.FUNCTION,
}
FIELDS = {Kind.FUNCTION: ("runtime", "memory_size"), Kind.TRIGGER: ("status", "schedule")}


@st.composite
def stacks(draw: st.DrawFn) -> list[Resource]:
    """Resources of every kind, each with its parents."""
    chosen: dict[tuple[Kind, str], Resource] = {}
    for kind, name in draw(st.lists(st.tuples(st.sampled_from(list(Kind)), st.sampled_from("ab")), unique=True)):
        parents = ((PARENTS[kind], name),) if kind in PARENTS else ()
        for parent_kind, parent_name in parents:
            chosen.setdefault((parent_kind, parent_name), _resource(draw, parent_kind, parent_name, ()))
        chosen.setdefault((kind, name), _resource(draw, kind, name, parents))
    return list(chosen.values())


def _resource(draw: st.DrawFn, kind: Kind, name: str, parents: tuple[tuple[Kind, str], ...]) -> Resource:
    fields = {field: draw(st.sampled_from((1, 2))) for field in FIELDS.get(kind, ("text",))}
    return Resource(kind, name, {} if kind is Kind.SUBSCRIPTION else fields, parents)


def found(*resources: Resource, stack: str | None = STACK) -> list[Found]:
    return [Found(resource, f"id-{resource.name}", stack) for resource in resources]


def resource(kind: Kind = Kind.FUNCTION, name: str = "a", **fields: Json) -> Resource:
    return Resource(kind, name, {"memory_size": 256, **fields})


@given(stacks(), stacks())
def test_carrying_out_the_plan_makes_what_is_there_what_is_wanted(
    wanted: list[Resource], there: list[Resource]
) -> None:
    """And then there is nothing left to do."""
    memory = Memory(there)

    steps = plan(wanted, memory.found(), STACK, prune=True)
    result = carry_out(steps.changes, memory.services(), Silence())

    assert result.failed is None
    assert memory.there == {item.key: item for item in wanted}
    assert plan(wanted, memory.found(), STACK, prune=True).changes == ()


@given(stacks(), stacks(), st.integers(0, 20))
def test_it_goes_on_from_where_it_broke_off(wanted: list[Resource], there: list[Resource], breaks_at: int) -> None:
    """Whichever step fails, the next run does the rest, and none of the steps that were done."""
    memory = Memory(there)
    memory.breaks_at = breaks_at
    first = plan(wanted, memory.found(), STACK, prune=True)
    result = carry_out(first.changes, memory.services(), Silence())
    done = {change.resource.key for change in result.done}
    memory.breaks_at = None

    second = plan(wanted, memory.found(), STACK, prune=True)
    carry_out(second.changes, memory.services(), Silence())

    assert memory.there == {item.key: item for item in wanted}
    assert len(result.done) + len(result.not_begun) + (result.failed is not None) == len(first.changes)
    assert not done & {change.resource.key for change in second.changes if change.action is not Action.CREATE}


@given(stacks(), stacks())
def test_without_prune_nothing_is_lost_but_what_is_replaced(wanted: list[Resource], there: list[Resource]) -> None:
    """What is not wanted is left, and said to be."""
    steps = plan(wanted, found(*there), STACK)

    replaced = {change.resource.key for change in steps.changes if change.action is Action.REPLACE}
    extra = {item.key for item in there if not replaced.intersection(item.parents)} - {item.key for item in wanted}
    assert not any(change.action is Action.DELETE for change in steps.changes)
    assert {item.resource.key for item in steps.left} == extra


@given(stacks())
def test_everything_comes_after_what_it_is_part_of(wanted: list[Resource]) -> None:
    """Made after its parents, deleted before them."""
    made = [change.resource for change in plan(wanted, [], STACK).changes]
    deleted = [change.resource for change in plan([], found(*wanted), STACK, prune=True).changes]

    for order in (made, deleted[::-1]):
        keys = [item.key for item in order]
        assert all(keys.index(parent) < keys.index(item.key) for item in order for parent in item.parents)


def test_what_the_service_adds_is_no_difference() -> None:
    """A field that is there beyond the wanted ones, and inside a trigger's event_data."""
    trigger = resource(Kind.TRIGGER, event_data={"topic_ids": ["a", "b"], "func_info": {"timeout": 5}})
    there = resource(
        Kind.TRIGGER, event_data={"topic_ids": ["b", "a"], "func_info": {"timeout": 5, "version": "latest"}}, extra=1
    )

    assert plan([trigger], found(there), STACK).unchanged == (trigger,)


def test_a_variable_that_is_there_and_not_wanted_is_a_difference() -> None:
    """Of a function, variables count as a whole."""
    steps = plan([resource(variables={"A": "1"})], found(resource(variables={"A": "1", "B": "2"})), STACK)

    assert [change.action for change in steps.changes] == [Action.UPDATE]


@pytest.mark.parametrize(
    ("kind", "old", "new", "action"),
    [
        (Kind.TRIGGER, {"status": "ACTIVE"}, {"status": "DISABLED"}, Action.UPDATE),
        (Kind.TRIGGER, {"event_data": {"schedule": "5m"}}, {"event_data": {"schedule": "6m"}}, Action.REPLACE),
        (Kind.FUNCTION, {"runtime": "Python3.10"}, {"runtime": "Python3.12"}, Action.REPLACE),
        (Kind.FUNCTION, {"initializer": "index.a"}, {"initializer": None}, Action.REPLACE),
        (Kind.FUNCTION, {"initializer": None}, {"initializer": "index.a"}, Action.UPDATE),
    ],
    ids=["status", "schedule", "runtime", "no initializer", "initializer"],
)
def test_what_the_service_cannot_change_is_replaced(
    kind: Kind, old: JsonObject, new: JsonObject, action: Action
) -> None:
    """And anything else is updated."""
    steps = plan([Resource(kind, "a", new)], found(Resource(kind, "a", old)), STACK)

    assert [change.action for change in steps.changes] == [action]


def test_what_is_part_of_a_replaced_function_is_made_again() -> None:
    """Its triggers go with it."""
    function = resource(runtime="Python3.12")
    trigger = replace(resource(Kind.TRIGGER, "t"), parents=(function.key,))

    steps = plan([function, trigger], found(resource(runtime="Python3.10"), trigger), STACK)

    assert [(change.action, change.resource.kind) for change in steps.changes] == [
        (Action.REPLACE, Kind.FUNCTION),
        (Action.CREATE, Kind.TRIGGER),
    ]


def _of(stack: str | None, **options: bool) -> Plan:
    return plan([resource()], found(resource(), stack=stack), STACK, **options)


def test_what_somebody_else_made_is_not_touched() -> None:
    """Unless it is nobody's and one says that it is to be adopted."""
    assert [len(_of(stack).foreign) for stack in (STACK, None, "another")] == [0, 1, 1]
    assert [len(_of(stack, adopt=True).foreign) for stack in (None, "another")] == [0, 1]
    adopting: Sequence[object] = _of(None, adopt=True).changes
    assert len(adopting) == 1


def test_a_subscription_of_somebody_else_does() -> None:
    """It brings the messages as well."""
    wanted = Resource(Kind.SUBSCRIPTION, "a", {"endpoint": "x"})

    assert plan([wanted], found(wanted, stack=None), STACK) == Plan(unchanged=(wanted,))


def test_nothing_else_is_taken_for_a_failed_step() -> None:
    """A defect of the command is raised as what it is."""
    memory = Memory([])
    memory.error = ZeroDivisionError()
    memory.breaks_at = 0

    with pytest.raises(ZeroDivisionError):
        carry_out(plan([resource()], [], STACK).changes, memory.services(), Silence())


def test_an_error_says_what_to_do() -> None:
    """By its status."""
    refused = ServiceError("FunctionGraph.CreateFunction", 403, "FSS.0403", "Forbidden", "r-1")

    assert "FSS.0403 (HTTP 403): Forbidden [request r-1]" in str(refused)
    assert "have an administrator grant it" in str(refused)
    assert "check the network" in str(ServiceError("DDS.ListInstances", None, None, "no usable answer"))
