"""A request to prune_backups: what it may hold, and how a wrong one is explained."""

from typing import Any

import pytest

from shared.errors import InvalidRequestError
from shared.prune.request import PruneRequest
from shared.triggers.envelope import validate


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"dry_run": True, "force": True},
        {"instance_ids": ["i-1", "i-2"]},
        {"retention": "last=3 daily=7"},
        {"idempotency_key": "cleanup-42"},
    ],
    ids=range(5),
)
def test_a_valid_request_is_accepted(payload: dict[str, Any]) -> None:
    """Every field is optional."""
    assert validate(payload, PruneRequest).model_fields_set == payload.keys()


def test_an_empty_request_prunes_by_the_settings() -> None:
    """It covers all instances and overrides nothing."""
    assert validate({}, PruneRequest) == PruneRequest(dry_run=False, force=False, instance_ids=None, retention=None)


def test_a_wrong_request_lists_all_its_errors_at_once() -> None:
    """Each error names its field; a misspelt field gets a suggestion."""
    with pytest.raises(InvalidRequestError) as caught:
        validate({"retention": "dayly=7", "instance_ids": [], "forse": True, "dry_run": "maybe"}, PruneRequest)

    assert [error.partition(": ")[0] for error in caught.value.errors] == [
        "dry_run",
        "instance_ids",
        "retention",
        "forse",
    ]
    assert "(did you mean daily?)" in caught.value.errors[2]
    assert "(did you mean force?)" in caught.value.errors[3]


def test_a_retention_that_is_not_a_text_is_refused() -> None:
    """The field holds what the setting RETENTION holds."""
    with pytest.raises(InvalidRequestError, match=r"retention: must be a text such as .*; found 7"):
        validate({"retention": 7}, PruneRequest)
