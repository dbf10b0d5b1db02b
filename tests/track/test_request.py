"""A request to track_backups: what it may hold, and how a wrong one is explained."""

import pytest

from shared.errors import InvalidRequestError
from shared.track.request import TrackRequest
from shared.triggers.envelope import validate


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"job_id": "j"},
        {"backup_id": "b"},
        {"idempotency_key": "k"},
        {"since": "2026-11-24T02:00:00Z"},
        {"since": "2026-11-24T02:00:00+08:00", "until": "2026-11-24T03:00:00+08:00"},
    ],
)
def test_a_valid_request_is_accepted(payload: dict[str, str]) -> None:
    """It asks one question, gives a span, or is empty, as that of a timer event."""
    assert validate(payload, TrackRequest).model_fields_set == payload.keys()


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ({"job_id": "j", "backup_id": "b"}, "event: ask for one thing at a time; found job_id and backup_id"),
        ({"since": "2026-11-24T02:00:00Z", "idempotency_key": "k"}, "found idempotency_key and since"),
        ({"until": "2026-11-24T02:00:00Z"}, "until needs a since"),
        ({"since": "2026-11-24T02:00:00"}, "since: must have a time zone and be between 1970 and 2200"),
        ({"since": "yesterday"}, "since: "),
        ({"since": "2026-11-24T02:00:00Z", "until": "2026-11-24T02:00:00Z"}, "until must be after since"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"}, "by 31 days at most"),
        ({"job_id": ""}, "job_id: "),
        ({"jobid": "j"}, "jobid: unknown field (did you mean job_id?)"),
    ],
)
def test_a_wrong_request_is_explained(payload: dict[str, str], fault: str) -> None:
    """The message says where the error is, what was found, and what is expected."""
    with pytest.raises(InvalidRequestError) as caught:
        validate(payload, TrackRequest)
    assert fault in str(caught.value)
