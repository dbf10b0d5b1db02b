"""Properties of plans for any wanted and found resources."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.deploy.plan import Action, Plan, plan
from cli.deploy.steps import carry_out
from cli.errors import WrongCall
from cli.huaweicloud.client import ServiceError
from cli.huaweicloud.resources import Found, Kind, Resource, trigger_name
from cli.json_value import Json, JsonObject
from tests.deploy.conftest import App
from tests.deploy.memory import NO_SLEEP, STACK, Memory, Silence


PARENTS = {
    Kind.SUBSCRIPTION: Kind.TOPIC,
    Kind.GRANT: Kind.AGENCY,
    Kind.ASYNC_INVOCATION: Kind.FUNCTION,
    Kind.TRIGGER: Kind.FUNCTION,
}
FIELDS = {Kind.FUNCTION: ("runtime", "memory_size"), Kind.TRIGGER: ("status", "schedule")}


@st.composite
def stacks(draw: st.DrawFn) -> list[Resource]:
    """Draw resources of any kind, each with its parents."""
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
    """A second plan is empty."""
    memory = Memory(there)

    steps = plan(wanted, memory.found(), STACK, prune=True)
    result = carry_out(steps.changes, memory.services(), Silence(), NO_SLEEP)

    assert result.failed is None
    assert memory.there == {item.key: item for item in wanted}
    assert plan(wanted, memory.found(), STACK, prune=True).changes == ()


@given(stacks(), stacks(), st.integers(0, 20))
def test_the_next_run_continues_where_the_last_one_failed(
    wanted: list[Resource], there: list[Resource], breaks_at: int
) -> None:
    """Whichever step fails, the next run makes the remaining changes and repeats none."""
    memory = Memory(there)
    memory.breaks_at = breaks_at
    first = plan(wanted, memory.found(), STACK, prune=True)
    result = carry_out(first.changes, memory.services(), Silence(), NO_SLEEP)
    done = {change.resource.key for change in result.done}
    memory.breaks_at = None

    second = plan(wanted, memory.found(), STACK, prune=True)
    carry_out(second.changes, memory.services(), Silence(), NO_SLEEP)

    assert memory.there == {item.key: item for item in wanted}
    assert len(result.done) + len(result.not_begun) + (result.failed is not None) == len(first.changes)
    assert not done & {change.resource.key for change in second.changes if change.action is not Action.CREATE}


@given(stacks(), stacks(), st.integers(0, 20))
def test_one_failed_call_leaves_nothing_less_than_there_was(
    wanted: list[Resource], there: list[Resource], fails_at: int
) -> None:
    """Whichever call it is: all that was there is there, old or new."""
    memory = Memory(there)
    memory.fails_at = fails_at

    result = carry_out(plan(wanted, memory.found(), STACK).changes, memory.services(), Silence(), NO_SLEEP)

    assert {item.key for item in there} <= memory.there.keys()
    assert result.is_put_back is not False


@given(stacks(), stacks())
def test_without_prune_only_replaced_resources_are_deleted(wanted: list[Resource], there: list[Resource]) -> None:
    """Resources that are not wanted are listed as left."""
    steps = plan(wanted, found(*there), STACK)

    replaced = {change.resource.key for change in steps.changes if change.action is Action.REPLACE}
    extra = {item.key for item in there if not replaced.intersection(item.parents)} - {item.key for item in wanted}
    assert not any(change.action is Action.DELETE for change in steps.changes)
    assert {item.resource.key for item in steps.left} == extra


@given(stacks())
def test_parents_are_created_first_and_deleted_last(wanted: list[Resource]) -> None:
    """This holds for every resource and all of its parents."""
    made = [change.resource for change in plan(wanted, [], STACK).changes]
    deleted = [change.resource for change in plan([], found(*wanted), STACK, prune=True).changes]

    for order in (made, deleted[::-1]):
        keys = [item.key for item in order]
        assert all(keys.index(parent) < keys.index(item.key) for item in order for parent in item.parents)


def test_fields_that_the_service_adds_make_no_difference() -> None:
    """Both in a resource and in a trigger's event_data."""
    trigger = resource(Kind.TRIGGER, event_data={"topic_ids": ["a", "b"], "func_info": {"timeout": 5}})
    there = resource(
        Kind.TRIGGER, event_data={"topic_ids": ["b", "a"], "func_info": {"timeout": 5, "version": "latest"}}, extra=1
    )

    assert plan([trigger], found(there), STACK).unchanged == (trigger,)


def test_an_additional_variable_is_a_difference() -> None:
    """The variables of a function are compared as a whole."""
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
def test_a_change_that_the_service_does_not_support_replaces_the_resource(
    kind: Kind, old: JsonObject, new: JsonObject, action: Action
) -> None:
    """Any other change updates it."""
    steps = plan([Resource(kind, "a", new)], found(Resource(kind, "a", old)), STACK)

    assert [change.action for change in steps.changes] == [action]


def test_the_parts_of_a_replaced_function_are_created_again() -> None:
    """Its triggers are deleted with it."""
    function = resource(runtime="Python3.12")
    trigger = replace(resource(Kind.TRIGGER, "t"), parents=(function.key,))

    steps = plan([function, trigger], found(resource(runtime="Python3.10"), trigger), STACK)

    assert [(change.action, change.resource.kind) for change in steps.changes] == [
        (Action.REPLACE, Kind.FUNCTION),
        (Action.CREATE, Kind.TRIGGER),
    ]


def _of(stack: str | None, **options: bool) -> Plan:
    return plan([resource()], found(resource(), stack=stack), STACK, **options)


def test_foreign_resources_are_not_touched() -> None:
    """Only a resource without a stack can be adopted."""
    assert [len(_of(stack).foreign) for stack in (STACK, None, "another")] == [0, 1, 1]
    assert [len(_of(stack, adopt=True).foreign) for stack in (None, "another")] == [0, 1]
    adopting: Sequence[object] = _of(None, adopt=True).changes
    assert len(adopting) == 1


def test_a_foreign_subscription_counts_as_wanted() -> None:
    """It delivers the messages just as well."""
    wanted = Resource(Kind.SUBSCRIPTION, "a", {"endpoint": "x"})

    assert plan([wanted], found(wanted, stack=None), STACK) == Plan(unchanged=(wanted,))


def test_a_defect_is_not_a_failed_step() -> None:
    """Other exceptions than ServiceError are raised."""
    memory = Memory([])
    memory.error = ZeroDivisionError()
    memory.breaks_at = 0

    with pytest.raises(ZeroDivisionError):
        carry_out(plan([resource()], [], STACK).changes, memory.services(), Silence(), NO_SLEEP)


def test_an_error_says_what_to_do() -> None:
    """The advice depends on its status."""
    refused = ServiceError("FunctionGraph.CreateFunction", 403, "FSS.0403", "Forbidden", "r-1")

    assert "FSS.0403 (HTTP 403): Forbidden [request r-1]" in str(refused)
    assert "ask an administrator to grant it" in str(refused)
    assert "check the network" in str(ServiceError("DDS.ListInstances", None, None, "no usable response"))


@pytest.mark.parametrize(
    ("kind", "data", "name"),
    [
        ("TIMER", {"name": "Nightly", "schedule": "5m"}, "f TIMER Nightly"),
        ("SMN", {"topic_urn": "u"}, "f SMN u"),
        ("KAFKA", {"instance_id": "i", "topic_ids": ["b", "a"], "batch_size": 5}, "f KAFKA i a,b"),
        ("RABBITMQ", {"instance_id": "i", "exchange_name": "x"}, "f RABBITMQ i x"),
        ("DEDICATEDGATEWAY", {"instance_id": "i", "req_method": "POST", "path": "/p"}, "f DEDICATEDGATEWAY i POST /p"),
        ("LTS", {"log_group_id": "g"}, "f LTS t-1"),
    ],
)
def test_a_trigger_is_named_by_its_source(kind: str, data: JsonObject, name: str) -> None:
    """Its other fields may change."""
    assert trigger_name("f", kind, data, "t-1") == name


def test_two_triggers_of_the_same_name_are_refused(app: App) -> None:
    """Each run would confuse them."""
    start = app.text.index("      Queue:\n")
    app.text += app.text[start:].replace("Queue", "Again")

    with pytest.raises(WrongCall, match="has this twice: trigger backup KAFKA k-1 a,b"):
        app.deployment().resources()
