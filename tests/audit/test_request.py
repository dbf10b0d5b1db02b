"""A request to audit_backups: what it may hold, and how a wrong one is explained."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit.request import AuditRequest, Policy
from shared.errors import InvalidRequestError
from shared.triggers.envelope import validate
from tests.audit.fleet import NIGHTLY, instance


def faults(request: object) -> tuple[str, ...]:
    """Return the errors of a request."""
    with pytest.raises(InvalidRequestError) as caught:
        validate(request, AuditRequest)
    return caught.value.errors


def test_an_empty_request_is_valid() -> None:
    """Some findings need no policy."""
    assert validate({}, AuditRequest) == AuditRequest()


def test_the_grace_has_a_default() -> None:
    """It is two hours."""
    policy = Policy(name="a", instance_ids=("x",), expected_interval=timedelta(days=1))

    assert policy.limit == timedelta(hours=26)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("90m", timedelta(minutes=90)), ("1d", timedelta(days=1)), (3600, timedelta(hours=1)), ("PT12H", timedelta(0.5))],
)
def test_durations_are_written_as_in_other_requests(written: object, meant: timedelta) -> None:
    """Seconds, a number with a unit, and ISO 8601 are accepted."""
    request = validate({"policies": [{**NIGHTLY, "expected_interval": written, "grace": written}]}, AuditRequest)

    assert request.policies[0].limit == 2 * meant


@pytest.mark.parametrize(("written", "days"), [("1d", 1), ("30d", 30), ("P7D", 7), (None, None)])
def test_a_policy_may_ask_for_drills(written: str | None, days: int | None) -> None:
    """DDS tells of the drills of 30 days. By default none are asked for."""
    asked, silent = (
        validate({"policies": [policy]}, AuditRequest).policies[0]
        for policy in ({**NIGHTLY, "verified_within": written}, NIGHTLY)
    )

    assert asked.verified_within == (None if days is None else timedelta(days=days))
    assert silent.verified_within is None


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": ""}, "policies.0.name: string should have at least 1 character"),
        ({"name": "two\nlines"}, "policies.0.name: must hold no control characters"),
        ({"name": " a"}, "policies.0.name: must hold no control characters and no blanks at its ends"),
        ({"name": "n" * 65}, "policies.0.name: string should have at most 64 characters"),
        ({"select": None}, "policies.0.instance_ids: name the instances: select, or instance_ids (a list)"),
        ({"instance_ids": ["x"]}, "policies.0.instance_ids: name the instances in one way; found select and"),
        ({"select": {}}, "policies.0.select: give tags, name, mode or enterprise_project_id"),
        ({"select": {"tag": {}}}, "policies.0.select.tag: unknown field (did you mean tags?)"),
        ({"select": None, "instance_ids": [""]}, "policies.0.instance_ids.0: must not be empty"),
        ({"select": None, "instance_ids": "x"}, "policies.0.instance_ids: must be a list; found 'x'"),
        ({"expected_interval": "0d"}, "policies.0.expected_interval: must be more than 0 seconds"),
        ({"expected_interval": "nightly"}, "policies.0.expected_interval: input should be a valid timedelta"),
        (
            {"expected_interval": "367d"},
            "policies.0.expected_interval: must be more than 0 seconds and at most 366 days",
        ),
        (
            {"verified_within": "23h"},
            "policies.0.verified_within: must be 1 to 30 days, since DDS tells of no older drill; found 23:00:00",
        ),
        ({"verified_within": "31d"}, "policies.0.verified_within: must be 1 to 30 days"),
        ({"grace": "-1h"}, "policies.0.grace: input should be"),
        ({"grace": None}, "policies.0.grace: input should be a valid timedelta"),
        ({"interval": "1d"}, "policies.0.interval: unknown field (did you mean expected_interval?)"),
    ],
    ids=range(18),
)
def test_a_wrong_policy_is_explained(change: dict[str, Any], fault: str) -> None:
    """The message says where the error is and what was found."""
    (found,) = faults({"policies": [{**NIGHTLY, **change}]})

    assert found.startswith(fault)


def test_all_errors_are_listed_at_once() -> None:
    """They include those of every policy and the missing fields."""
    found = faults(
        {"policies": [{"select": {}}, {"name": "b", "grace": "x", "expected_interval": "1d"}], "polices": []}
    )

    assert [fault.partition(":")[0] for fault in found] == [
        "policies.0.name",
        "policies.0.select",
        "policies.0.expected_interval",
        "policies.1.instance_ids",
        "policies.1.grace",
        "polices",
    ]


def test_two_policies_cannot_have_the_same_name() -> None:
    """A finding identifies its policy by the name."""
    assert faults({"policies": [NIGHTLY, NIGHTLY]}) == (
        "policies: each policy needs a name of its own; found twice: nightly",
    )


def test_covered_elsewhere_is_a_list_of_selectors() -> None:
    """The rules for selectors apply."""
    assert faults({"covered_elsewhere": [{}]})[0].startswith("covered_elsewhere.0: give tags")
    assert validate({"covered_elsewhere": [{"name": "*"}]}, AuditRequest).covered_elsewhere[0].name == "*"


@given(st.lists(st.sampled_from(["a", "b", "c", "gone"]), min_size=1))
def test_an_instance_that_is_named_twice_counts_once(named: list[str]) -> None:
    """A name that does not exist is unknown."""
    policy = Policy(name="p", instance_ids=tuple(named), expected_interval=timedelta(days=1))
    existing = [instance(), *(type(instance())(name, name) for name in "abc")]

    assert {found.id for found in policy.choose(existing)} == set(named) - {"gone"}
    assert policy.unknown(existing) == [("gone", "not_found")] * ("gone" in named)
