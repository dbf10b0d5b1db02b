"""Under each agency of the template, a local cloud refuses every writing call that is not its function's."""

import re
from collections.abc import Iterator

import pytest

from cli.paths import CHECKOUT
from cli.permissions.agencies import Agency
from localcloud import LocalCloud
from shared.cloud.operations import Operation
from tests.permissions.sweep import AGENCIES, FORMS, MARKS, Call, Tried, calls_of, table, try_all
from tests.permissions.test_reach import http_of


# Two calls that the same action allows as a call of the function (dds_api_0037): deleting several backups, as deleting
# one; and renaming an instance, as tagging it, in custom policies.
_SAME_ACTION = {"Batch Delete Backup": "DDS.DeleteManualBackup", "Update Instance Name": "DDS.BatchTagAction"}
PARTS = [
    pytest.param(
        agency, form, id=f"{agency.name} {form}", marks=[pytest.mark.slow] if number or form != "custom" else []
    )
    for number, agency in enumerate(reversed(AGENCIES))
    for form in FORMS
]


def operation_of(agency: Agency, call: Call, form: str) -> Operation | None:
    """The operation of the agency that a call is, or that its action allows."""
    writing = [operation for operation in agency.operations if operation.writes]
    for operation in writing:
        method, path = http_of(operation)
        is_same = _SAME_ACTION.get(call.title) == operation.name and (form == "custom" or "Backup" in call.title)
        if is_same or (call.method == method and _shape(call.path) == _shape(path)):
            return operation
    return None


def _shape(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


def may(agency: Agency, tried: Tried) -> bool:
    """Whether the agency may make the call."""
    operation = operation_of(agency, tried.call, tried.form)
    if operation is None:
        return False
    if operation.name == "SMN.PublishMessage":
        return tried.is_in_place or tried.form == "custom"  # only an identity policy names topics
    is_confined = operation.is_confined and (operation.has_condition or tried.form == "custom")
    return tried.is_in_place or not is_confined


@pytest.mark.parametrize(("agency", "form"), PARTS)
def test_every_other_writing_call_is_refused(cloud: LocalCloud, agency: Agency, form: str) -> None:
    """Of all writing calls of all services; the agency's own are refused for what is not the drills'."""
    cloud.switch(enforce_policies=True)

    tried = list(try_all(cloud, agency, form))

    wrong = [
        f"{one.call.method} {one.call.path}, in place: {one.is_in_place}, {one.status}"
        for one in tried
        if one.is_denied == may(agency, one)
    ]
    assert wrong == []
    assert len(tried) == 2 * len(calls_of(cloud)) > 100
    assert {one.call.service for one in tried} == {"DDS", "SMN", "FunctionGraph", "IAM", "IAM5"}


@pytest.mark.slow
def test_the_table_of_the_page_is_the_one_of_the_sweep(cloud: LocalCloud) -> None:
    """SECURITY.md has what a local cloud answers: python -m tests.permissions.sweep --write."""
    begin, end = MARKS
    text = (CHECKOUT / "SECURITY.md").read_text(encoding="utf-8").partition(begin)[2].partition(end)[0]

    assert text == table(_all(cloud))


def _all(cloud: LocalCloud) -> Iterator[Tried]:
    for agency in AGENCIES:
        for form in FORMS:
            cloud.reset()
            cloud.switch(enforce_policies=True)
            yield from try_all(cloud, agency, form)


def test_restoring_over_an_instance_is_in_no_column() -> None:
    """The row of the table says no for every agency."""
    (row,) = re.findall(r"^\| DDS: Restore Instance \|(.*)\|$", (CHECKOUT / "SECURITY.md").read_text(), re.MULTILINE)

    assert {cell.strip() for cell in row.split("|")} == {"no"}
