"""The outcome of an instance: its status, its notification, and what a redelivery does about it."""

import json
import logging
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.create.report import CreateReport, InstanceResult, Outcome, result_notification
from shared.identity import EventNames
from shared.notify import Sender
from shared.report import Status
from tests.fakes import assert_within_limits, ids_of


SENDER = Sender("urn:fss:cn-north-4:p:function:default:create_backup", "cn-north-4", "p", "request-1")
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=timezone.utc)
NAMES = EventNames("stem", "0" * 32, exact=False, stack=None)


def result(outcome: Outcome = Outcome.CREATED, **facts: Any) -> InstanceResult:
    return InstanceResult("i-1", outcome, **{"notified": True, **facts})


FAILED = result(Outcome.FAILED, code="denied", message="no")
DEFERRED = result(Outcome.DEFERRED, code="busy", message="later", retryable=True)


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
def test_each_outcome_has_a_notification(outcome: Outcome, kind: str) -> None:
    """Its type follows from the outcome, and its data is the result."""
    notification = result_notification(result(outcome, job_id="job-1"), NAMES, SENDER, NOW)

    event = json.loads(notification.body)
    assert (event["type"], event["subject"]) == (kind, "i-1")
    assert (event["data"]["outcome"], event["data"]["job_id"]) == (outcome.value, "job-1")
    assert "notified" not in event["data"]
    assert notification.attributes["outcome"] == outcome.value
    assert_within_limits(notification)


def test_the_email_has_the_ids() -> None:
    """Each is on a line of its own."""
    created = result(name="nightly-1", backup_id="b-1", job_id="job-1")

    email = result_notification(created, NAMES, SENDER, NOW).email

    assert email.startswith("DDS backup started: i-1\n\nInstance: i-1\n")
    for fact in ("Backup: nightly-1", "Backup ID: b-1", "Job ID: job-1", "Region: cn-north-4", "Request ID: request-1"):
        assert fact in email


@pytest.mark.parametrize(("failed", "again"), [(DEFERRED, True), (FAILED, False)])
def test_the_email_says_whether_the_backup_is_tried_again(failed: InstanceResult, *, again: bool) -> None:
    """It is where a redelivery can help."""
    assert ("tried again" in result_notification(failed, NAMES, SENDER, NOW).email) is again


def test_a_retryable_outcome_and_the_final_one_have_different_ids() -> None:
    """A consumer that drops duplicates gets both."""
    retryable = replace(FAILED, retryable=True)

    first, second = ids_of(result_notification(one, NAMES, SENDER, NOW) for one in (retryable, FAILED))
    assert first != second


@given(st.text(min_size=1, max_size=64), st.text(max_size=2000), st.sampled_from(Outcome))
def test_no_notification_exceeds_the_limits_of_smn(instance_id: str, message: str, outcome: Outcome) -> None:
    """Instance ids and messages may hold any characters."""
    drawn = InstanceResult(instance_id, outcome, code="x", message=message)

    assert_within_limits(result_notification(drawn, NAMES, SENDER, NOW))


@pytest.mark.parametrize(
    ("one", "status", "unfinished"),
    [
        (result(), Status.SUCCEEDED, False),
        (result(Outcome.ALREADY_EXISTS), Status.SUCCEEDED, False),
        (result(Outcome.SKIPPED), Status.SUCCEEDED, False),
        (result(notified=False), Status.FAILED, True),
        (FAILED, Status.FAILED, False),
        (DEFERRED, Status.FAILED, True),
        (replace(DEFERRED, notified=False, handed_on=True), Status.SUCCEEDED, False),
    ],
    ids=range(7),
)
def test_an_outcome_succeeds_once_it_is_published_or_handed_off(
    one: InstanceResult, status: Status, *, unfinished: bool
) -> None:
    """It is unfinished if a redelivery can publish it or try it again."""
    assert (one.status, one.unfinished) == (status, unfinished)


def test_a_failure_is_logged_by_whether_it_is_final() -> None:
    """A final one is an error, a retryable one and a warning are warnings, and a success is not logged."""
    results = [FAILED, DEFERRED, result(warnings=("unusual",)), result()]

    levels = [[level for level, _, _ in one.log_events()] for one in results]
    assert levels == [[logging.ERROR], [logging.WARNING], [logging.WARNING], []]


def test_an_outcome_that_was_not_published_has_a_code() -> None:
    """The HTTP status follows from it."""
    report = CreateReport("apig", "request-1", results=[result(notified=False), DEFERRED])

    assert report.codes == ["not_notified", "busy"]
    assert report.pending() == ["i-1 CREATED (notification not published)", "i-1 DEFERRED (busy)"]


@pytest.mark.parametrize(
    ("results", "status"), [([], Status.SUCCEEDED), ([FAILED], Status.PARTIALLY_FAILED), ([result()], Status.SUCCEEDED)]
)
def test_a_hand_off_is_part_of_the_report(results: list[InstanceResult], status: Status) -> None:
    """What was handed off has succeeded here."""
    report = CreateReport("timer", "request-1", results=results, handed_on=100)

    assert report.status is status
    assert report.document()["handed_on"] == 100
