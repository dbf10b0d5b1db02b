"""Selectors: what they choose, and how wrong ones are told."""

import pytest
from pydantic import ValidationError

from shared.backups.ports import Instance
from shared.backups.selection import Selector
from shared.backups.validation import explain


ORDERS = Instance("1", "orders-eu", "normal", "Sharding", {"env": "prod", "backup": ""}, "0")
BASKET = Instance("2", "orders-basket", "normal", "ReplicaSet", {"env": "test", "backup": "yes"}, "ep-1")
SCRATCH = Instance("3", "scratch", "frozen", "Single", {"env": "prod"}, "0")
ALL = [SCRATCH, BASKET, ORDERS, ORDERS]


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
    chosen = Selector.model_validate(selector).choose(ALL)

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
