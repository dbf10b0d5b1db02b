"""From a selector to instances: listed once for the whole event."""

import pytest
from pydantic import ValidationError

from shared.errors import CloudError, DeniedError, EmptySelectionError, TransientError
from shared.fields import explain
from shared.fleet import Fleet, Selector
from shared.model import Instance
from tests.fakes import FakeClock, FakeInstances, make_retrying


ALL = Selector(name="*")


def fleet(*instances: Instance, faults: list[CloudError] | None = None) -> tuple[Fleet, FakeInstances]:
    known = FakeInstances(list(instances), faults or [])
    return Fleet(known, make_retrying(FakeClock())), known


def test_instances_are_selected_in_the_order_of_their_ids() -> None:
    """Whatever their status is."""
    whole, _ = fleet(Instance("2", "b"), Instance("1", "a", status="frozen"), Instance("3", "c", status="creating"))

    assert [instance.id for instance in whole.select(ALL)] == ["1", "2", "3"]


def test_a_selector_that_chooses_nothing_is_an_error() -> None:
    """A slip of the pen must not look like a quiet night."""
    whole, _ = fleet(Instance("1", "a"))

    with pytest.raises(EmptySelectionError, match="none of the project's 1 instances"):
        whole.select(Selector(name="b*"))


def test_one_list_serves_all_requests_of_an_event() -> None:
    """However many selectors it has."""
    whole, known = fleet(Instance("1", "a"))
    whole.select(ALL)
    known.known = []

    assert whole.select(ALL) == [Instance("1", "a")]


def test_a_list_that_fails_is_repeated_and_then_given_up() -> None:
    """A hiccup is survived, a refusal is not."""
    assert fleet(Instance("1", "a"), faults=[TransientError("503")] * 4)[0].select(ALL) == [Instance("1", "a")]
    with pytest.raises(DeniedError):
        fleet(Instance("1", "a"), faults=[DeniedError("no")])[0].select(ALL)


ORDERS = Instance("1", "orders-eu", "normal", "Sharding", {"env": "prod", "backup": ""}, "0")
BASKET = Instance("2", "orders-basket", "normal", "ReplicaSet", {"env": "test", "backup": "yes"}, "ep-1")
SCRATCH = Instance("3", "scratch", "frozen", "Single", {"env": "prod"}, "0")
THREE = [SCRATCH, BASKET, ORDERS, ORDERS]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({"name": "*"}, "123"),
        ({"name": "orders-*"}, "12"),
        ({"name": "orders-*", "exclude": ["*-eu"]}, "2"),
        ({"name": "*", "exclude": ["3", "2"]}, "1"),
        ({"tags": {"env": ["prod"]}}, "13"),
        ({"tags": {"env": ["prod", "test"]}}, "123"),
        ({"tags": {"env": ["prod"], "backup": []}}, "1"),
        ({"tags": {"backup": []}}, "12"),
        ({"tags": {"backup": [""]}}, "1"),
        ({"tags": {"owner": []}}, ""),
        ({"mode": ["Single", "Sharding"]}, "13"),
        ({"enterprise_project_id": "ep-1"}, "2"),
        ({"tags": {"env": ["prod"]}, "mode": ["Single"], "name": "s*", "enterprise_project_id": "0"}, "3"),
    ],
    ids=range(13),
)
def test_what_is_chosen(selector: dict[str, object], expected: str) -> None:
    """Every criterion counts; each instance once, in the order of the ids."""
    chosen = Selector.model_validate(selector).choose(THREE)

    assert "".join(instance.id for instance in chosen) == expected


@pytest.mark.parametrize(
    ("selector", "fault"),
    [
        ({}, 'event: give tags, name, mode or enterprise_project_id; every instance is {"name": "*"}'),
        ({"exclude": ["a"]}, "event: give tags, name, mode"),
        ({"mode": ["Cluster"]}, "mode.0: input should be 'Sharding', 'ReplicaSet' or 'Single'; found 'Cluster'"),
        ({"tags": {"env": "prod"}}, "tags.env: must be a list; found 'prod'"),
        ({"label": {}}, "label: unknown field"),
        ({"name": ""}, "name: "),
    ],
    ids=range(6),
)
def test_what_is_wrong_with_a_selector(selector: dict[str, object], fault: str) -> None:
    """Nothing chosen by accident, least of all everything."""
    with pytest.raises(ValidationError) as caught:
        Selector.model_validate(selector)

    assert explain(caught.value, Selector)[0].startswith(fault)
