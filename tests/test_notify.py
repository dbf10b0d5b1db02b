"""What the topic is told, within SMN's limits."""

import json
import re
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.create.report import InstanceResult, Outcome, result_notification
from shared.errors import InvalidRequestError
from shared.identity import EventNames
from shared.model import Notification
from shared.notify import HEADLINES, Rejection, Sender, rejection_notification


SENDER = Sender("urn:fss:cn-north-4:p:function:default:create_backup", "cn-north-4", "p", "request-1")
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=timezone.utc)
NAMES = EventNames("stem", "0" * 32)
ATTRIBUTE = re.compile(r"[A-Za-z0-9_]{1,32}")


def assert_within_limits(notification: Notification) -> None:
    """SMN API, Publishing a Message: subject 512 bytes, SMS 490 characters without brackets, attributes' values."""
    assert len(notification.subject.encode()) <= 512
    assert len(notification.sms) <= 490
    assert not set(notification.sms) & set("[]【】")
    assert all(ATTRIBUTE.fullmatch(value) for value in notification.attributes.values())
    assert notification.body.isascii()
    assert len(json.dumps([notification.body, notification.email, notification.sms])) < 256 * 1024


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Outcome.CREATED, "dds.backup.started"),
        (Outcome.ALREADY_EXISTS, "dds.backup.started"),
        (Outcome.SKIPPED, "dds.backup.skipped"),
        (Outcome.DEFERRED, "dds.backup.deferred"),
        (Outcome.FAILED, "dds.backup.failed"),
    ],
)
def test_each_outcome_is_a_cloudevent(outcome: Outcome, kind: str) -> None:
    """CloudEvents 1.0 with the required attributes and the result as data."""
    notification = result_notification(InstanceResult("i-1", outcome, job_id="job-1"), NAMES, SENDER, NOW)

    event = json.loads(notification.body)
    assert event["specversion"] == "1.0"
    assert event["type"] == kind
    assert kind in HEADLINES
    assert event["source"] == SENDER.source
    assert event["subject"] == "i-1"
    assert event["time"] == "2026-11-24T03:00:00.000Z"
    assert event["data"]["job_id"] == "job-1"
    assert event["data"]["outcome"] == outcome.value
    assert event["data"]["request_id"] == "request-1"
    assert notification.attributes == {"event_type": kind.replace(".", "_"), "outcome": outcome.value}
    assert_within_limits(notification)


def test_people_read_a_text_and_not_json() -> None:
    """The e-mail says what a DBA looks for."""
    result = InstanceResult("i-1", Outcome.CREATED, name="nightly-1", backup_id="b-1", job_id="job-1")

    email = result_notification(result, NAMES, SENDER, NOW).email

    assert email.startswith("DDS backup started: i-1\n\nInstance: i-1\n")
    for fact in ("Backup: nightly-1", "Backup ID: b-1", "Job ID: job-1", "Region: cn-north-4", "Request ID: request-1"):
        assert fact in email


@pytest.mark.parametrize(("retryable", "said"), [(True, True), (False, False)])
def test_people_are_told_whether_it_is_tried_again(*, retryable: bool, said: bool) -> None:
    """Only where a redelivery can help."""
    result = InstanceResult("i-1", Outcome.FAILED, code="busy", message="x", retryable=retryable)

    assert ("tried again" in result_notification(result, NAMES, SENDER, NOW).email) is said


@given(st.text(min_size=1, max_size=64), st.text(max_size=2000), st.sampled_from(Outcome))
def test_no_result_exceeds_smns_limits(instance_id: str, message: str, outcome: Outcome) -> None:
    """Whatever the ids and messages hold."""
    result = InstanceResult(instance_id, outcome, code="x", message=message)

    assert_within_limits(result_notification(result, NAMES, SENDER, NOW))


@given(st.text(), st.text(max_size=20_000) | st.dictionaries(st.text(), st.text()))
def test_no_rejection_exceeds_smns_limits(position: str, payload: object) -> None:
    """However long the payload is."""
    rejection = Rejection(position, InvalidRequestError(["wrong"]), payload, ("smn", "1"))

    assert_within_limits(rejection_notification(rejection, "smn", SENDER, NOW))
