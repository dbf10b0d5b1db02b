"""Requests: the ways to name instances, and how a wrong request is explained."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.create.request import BackupRequest
from shared.fields import explain


DOCUMENTED = "a89dab5e39394eccbdb77b19d57b0180in02"


def faults(**request: object) -> tuple[str, ...]:
    """Return the faults of a request as its author reads them."""
    with pytest.raises(ValidationError) as caught:
        BackupRequest.model_validate(request)
    return explain(caught.value, BackupRequest)


def test_the_body_of_the_api_page_is_a_request() -> None:
    """DDS API, Creating a Manual Backup, example request."""
    request = BackupRequest.model_validate(
        {"backup": {"instance_id": DOCUMENTED, "name": "mybackup1", "description": "The first Manual backup"}}
    )

    assert request.instances == (DOCUMENTED,)
    assert request.wanted_name == "mybackup1"
    assert request.wanted_description == "The first Manual backup"


def test_an_instance_that_is_named_twice_counts_once() -> None:
    """The order stays."""
    assert BackupRequest(instance_ids=("b", "a", "b")).instances == ("b", "a")


def test_all_faults_are_explained_at_once() -> None:
    """Each of the five has a line with its field."""
    lines = faults(instance_ids=["a", "b", ""], name="1", description="<", idempotency_key=" ", instanceids=["c"])

    assert [line.split(":")[0] for line in lines] == [
        "instance_ids.2",
        "name",
        "description",
        "idempotency_key",
        "instanceids",
    ]


def test_an_unknown_field_is_explained_by_the_known_ones() -> None:
    """Inside `backup` the known fields are those of the API page."""
    (fault,) = faults(instance_id="i", descripton="x")
    assert "unknown field (did you mean description?)" in fault
    assert "idempotency_key, instance_id, instance_ids" in fault

    assert faults(backup={"instance_id": "i", "name": "abcd", "descr": "x"}) == (
        "backup.descr: unknown field (did you mean description?); known fields: description, instance_id, name",
    )


@pytest.mark.parametrize("request_", [{}, {"instance_ids": []}, {"name": "abcd"}, {"instance_id": None}])
def test_a_request_without_instances_is_rejected(request_: dict[str, object]) -> None:
    """The fault lists the four ways to name them."""
    assert faults(**request_) == (
        "instance_ids: name at least one instance: instance_ids (a list), instance_id, backup, or select",
    )


def test_two_ways_to_name_instances_are_rejected() -> None:
    """They could contradict each other."""
    (fault,) = faults(instance_id="a", instance_ids=["b"])

    assert fault == "instance_ids: name the instances in one way; found instance_id and instance_ids"


def test_a_name_beside_backup_is_rejected() -> None:
    """The object of the API page has a name of its own."""
    (fault,) = faults(backup={"instance_id": "i", "name": "abcd"}, name="efgh")

    assert fault == "name: belongs inside backup when that is given"


def test_backup_requires_the_mandatory_fields_of_the_api_page() -> None:
    """There, unlike beside it, the name is mandatory."""
    assert faults(backup={}) == (
        "backup.instance_id: required, but missing",
        "backup.name: required, but missing",
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
)


@given(JSON)
def test_any_json_is_a_request_or_is_explained(value: object) -> None:
    """Each line of an explanation starts with a field."""
    lines: tuple[str, ...] = ("valid: ",)
    try:
        BackupRequest.model_validate(value)
    except ValidationError as error:
        lines = explain(error, BackupRequest)

    assert lines
    assert all(": " in line for line in lines)
