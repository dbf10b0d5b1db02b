"""Selecting instances, which are listed once for the whole event."""

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
    """Their status does not matter."""
    whole, _ = fleet(Instance("2", "b"), Instance("1", "a", status="frozen"), Instance("3", "c", status="creating"))

    assert [instance.id for instance in whole.select(ALL)] == ["1", "2", "3"]


def test_a_selector_that_selects_no_instance_is_an_error() -> None:
    """A typing error must not look like a success."""
    whole, _ = fleet(Instance("1", "a"))

    with pytest.raises(EmptySelectionError, match="none of the project's 1 instances"):
        whole.select(Selector(name="b*"))


def test_one_list_serves_all_requests_of_an_event() -> None:
    """They may have different selectors."""
    whole, known = fleet(Instance("1", "a"))
    whole.select(ALL)
    known.known = []

    assert whole.select(ALL) == [Instance("1", "a")]


def test_the_instances_of_drills_are_known_once_they_are_listed() -> None:
    """Asking for them makes no call."""
    drill = Instance("2", f"drill-20261124T060000Z-{7:032x}")
    whole, known = fleet(Instance("1", "a"), drill)

    assert (whole.drills(), known.calls) == ({}, 0)
    whole.select(ALL)
    assert (whole.drills(), known.calls) == ({"2": drill}, 1)


def test_a_project_of_drills_alone_has_nothing_to_select() -> None:
    """No selector selects an instance of a drill."""
    with pytest.raises(EmptySelectionError):
        fleet(Instance("2", f"drill-20261124T060000Z-{7:032x}"))[0].select(ALL)


def test_a_list_that_fails_is_retried() -> None:
    """A transient error is retried, and a final one is raised."""
    assert fleet(Instance("1", "a"), faults=[TransientError("503")] * 4)[0].select(ALL) == [Instance("1", "a")]
    with pytest.raises(DeniedError):
        fleet(Instance("1", "a"), faults=[DeniedError("no")])[0].select(ALL)


ORDERS = Instance("1", "orders-eu", "normal", "Sharding", {"env": "prod", "backup": ""}, "0")
BASKET = Instance("2", "orders-basket", "normal", "ReplicaSet", {"env": "test", "backup": "yes"}, "ep-1")
SCRATCH = Instance("3", "scratch", "frozen", "Single", {"env": "prod"}, "0")
DRILL = Instance("4", f"drill-20261124T060000Z-{7:032x}", "normal", "Sharding", {"env": "prod", "backup": ""}, "ep-1")
RENAMED = Instance("5", "orders-copy", "normal", "Single", {"env": "test", "ddsbackup-drill": ""}, "ep-1")
THREE = [SCRATCH, BASKET, ORDERS, ORDERS, DRILL, RENAMED]


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
def test_a_selector_selects_the_instances_that_meet_all_criteria(selector: dict[str, object], expected: str) -> None:
    """Each is selected once, and the instances of drills never."""
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
def test_an_invalid_selector_is_explained(selector: dict[str, object], fault: str) -> None:
    """A selector without a criterion would select every instance."""
    with pytest.raises(ValidationError) as caught:
        Selector.model_validate(selector)

    assert explain(caught.value, Selector)[0].startswith(fault)
