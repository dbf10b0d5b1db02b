"""Notifications: their form, their ids, SMN's limits, and publishing them."""

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import AbsentError, CloudError, InvalidRequestError, ThrottledError, TransientError
from shared.model import Notification
from shared.notify import (
    HEADLINES,
    REJECTED,
    STARTED,
    Notifier,
    Rejection,
    Sender,
    build_notification,
    rejection_notification,
    severity_of,
)
from tests.fakes import FakeClock, FakeTopic, assert_within_limits, ids_of, make_retrying


SENDER = Sender("urn:fss:cn-north-4:p:function:default:create_backup", "cn-north-4", "p", "request-1")
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=timezone.utc)


def notification(kind: str = STARTED, identity: tuple[str, ...] = ("key", "i-1"), **changes: Any) -> Notification:
    given: dict[str, Any] = {
        "subject": "i-1",
        "data": {"job_id": "job-1"},
        "lines": ["Instance: i-1"],
        "outcome": "CREATED",
        "sender": SENDER,
        "now": NOW,
    }
    return build_notification(kind, identity=identity, **given | changes)


@pytest.mark.parametrize(
    ("kind", "outcome", "code", "severity"),
    [
        ("dds.backup.started", "CREATED", None, "info"),
        ("dds.backup.started", "ALREADY_EXISTS", None, "info"),
        ("dds.backup.completed", "COMPLETED", None, "info"),
        ("dds.backup.pruned", "PRUNED", None, "info"),
        ("dds.backup.pruned", "DRY_RUN", None, "info"),
        ("dds.backup.skipped", "SKIPPED", "min_interval", "info"),
        ("dds.backup.audited", "ALL_WELL", None, "notice"),
        ("dds.backup.skipped", "SKIPPED", "instance_status", "warning"),
        ("dds.backup.deferred", "DEFERRED", "busy", "warning"),
        ("dds.backup.uncovered", "UNCOVERED", None, "warning"),
        ("dds.backup.unverified", "UNVERIFIED", "not_verified", "warning"),
        ("dds.drill.leaked", "LEAKED", "too_old", "error"),
        ("dds.backup.pruned", "HELD_BACK", None, "warning"),
        ("dds.backup.pruned", "UNFINISHED", None, "warning"),
        ("dds.backup.failed", "FAILED", "denied", "error"),
        ("dds.backup.rejected", "REJECTED", "invalid_request", "error"),
        ("dds.backup.stuck", "STUCK", "backup_stuck", "error"),
        ("dds.backup.missed", "MISSED", None, "error"),
        ("dds.backup.pruned", "FAILED", "denied", "error"),
        ("dds.backup.audited", "FINDINGS", None, "error"),
        ("dds.backup.audited", "FAILED", "denied", "error"),
        ("dds.drill.started", "STARTED", None, "info"),
        ("dds.drill.verified", "VERIFIED", "verified", "info"),
        ("dds.drill.verified", "VERIFIED", "rto_missed", "warning"),
        ("dds.drill.inconclusive", "INCONCLUSIVE", "no_backup", "warning"),
        ("dds.drill.inconclusive", "INCONCLUSIVE", "dry_run", "info"),
        ("dds.drill.overdue", "OVERDUE", "too_old", "warning"),
        ("dds.drill.failed", "FAILED", "checks_failed", "error"),
        ("dds.drill.leaked", "LEAKED", "denied", "error"),
        ("dds.backup.somethingnew", "PERHAPS", None, "error"),
    ],
)
def test_the_severity_tells_what_needs_a_person(kind: str, outcome: str, code: str | None, severity: str) -> None:
    """Only what is known to be routine is below a warning."""
    assert severity_of(kind, outcome, code) == severity


def rejection(
    payload: dict[str, object] | None = None, error: Any = None, position: str = "record.0.smn.message"
) -> Rejection:
    fault = error or InvalidRequestError(["name: wrong", "key: wrong"])
    return Rejection(position, fault, {"name": "x"} if payload is None else payload, ("smn", "m1"))


@pytest.mark.parametrize("kind", HEADLINES)
def test_a_notification_is_a_cloudevent(kind: str) -> None:
    """It has the required attributes of CloudEvents 1.0, and the region, project and request id in its data."""
    built = notification(kind)

    event = json.loads(built.body)
    del event["id"]
    assert event == {
        "specversion": "1.0",
        "source": SENDER.source,
        "type": kind,
        "subject": "i-1",
        "time": "2026-11-24T03:00:00.000Z",
        "datacontenttype": "application/json",
        "data": {"job_id": "job-1", "region": "cn-north-4", "project_id": "p", "request_id": "request-1"},
    }
    assert built.attributes == {
        "event_type": kind.replace(".", "_"),
        "outcome": "CREATED",
        "severity": severity_of(kind, "CREATED"),
    }
    assert_within_limits(built)


def test_people_get_a_text() -> None:
    """The e-mail and the text message start with the headline of the type."""
    built = notification()

    assert built.subject == "DDS backup started: i-1"
    assert built.email.startswith("DDS backup started: i-1\n\nInstance: i-1\n\nRegion: cn-north-4\nProject: p\n")
    assert built.sms == "DDS backup started: i-1 job-1"
    assert notification(summary="2 backups").subject == "DDS backup started: 2 backups"


def test_the_same_fact_has_the_same_id() -> None:
    """Neither the time, nor the invocation, nor the data changes the id."""
    later = notification(
        sender=Sender("urn:other", "cn-north-4", "p", "request-2"),
        now=datetime(2026, 11, 25, tzinfo=timezone.utc),
        data={},
    )

    assert ids_of([later]) == ids_of([notification()])


def test_different_facts_have_different_ids() -> None:
    """The type, the identity, and whether the outcome is final make the id."""
    facts = [
        notification(),
        notification(REJECTED),
        notification(identity=("key", "i-2")),
        notification(identity=("keyi", "-1")),
        notification(retryable=True),
    ]

    assert len(set(ids_of(facts))) == len(facts)


def test_a_rejection_has_the_message_and_its_faults() -> None:
    """The id is the same at every redelivery."""
    built = rejection_notification(rejection(), "smn", SENDER, NOW)

    data = json.loads(built.body)["data"]
    assert (data["position"], data["code"], data["trigger"]) == ("record.0.smn.message", "invalid_request", "smn")
    assert data["errors"] == ["name: wrong", "key: wrong"]
    assert data["payload"] == '{"name": "x"}'
    assert "Where: smn event, record.0.smn.message\nFault: name: wrong\nFault: key: wrong\n" in built.email
    assert 'The sender wrote: {"name": "x"}\n' in built.email
    assert ids_of([built]) == ids_of([rejection_notification(rejection({"name": "other"}), "smn", SENDER, NOW)])


@given(st.text(), st.dictionaries(st.text(), st.text(max_size=20_000)))
def test_no_rejection_exceeds_the_limits_of_smn(position: str, payload: dict[str, object]) -> None:
    """A long payload is cut."""
    rejected = rejection(payload, position=position)

    assert_within_limits(rejection_notification(rejected, "smn", SENDER, NOW))


class Publishing:
    """A notifier with 60 seconds and a topic."""

    def __init__(self, *faults: CloudError, left: float = 60.0) -> None:
        self.clock = FakeClock()
        self.topic = FakeTopic(faults=list(faults))
        self.notifier = Notifier(self.topic, make_retrying(self.clock, left), SENDER)


def test_publishing_is_retried() -> None:
    """SMN throttles the first call and fails the second."""
    publishing = Publishing(ThrottledError("429"), TransientError("500"))

    assert publishing.notifier.publish(notification())
    assert len(publishing.topic.sent) == 1


def test_publishing_waits_for_as_long_as_smn_throttles() -> None:
    """Throttled calls do not count as failures."""
    publishing = Publishing(*[ThrottledError("429")] * 9)

    assert publishing.notifier.publish(notification())
    assert len(publishing.topic.sent) == 1


def test_publishing_to_a_topic_that_does_not_exist_is_not_retried(caplog: pytest.LogCaptureFixture) -> None:
    """The failure is logged and not raised."""
    publishing = Publishing(*[AbsentError("no such topic")] * 9)

    assert not publishing.notifier.publish(notification())
    assert len(publishing.topic.faults) == 8
    assert publishing.clock.seconds == 0
    assert "notification not published" in caplog.text


@pytest.mark.parametrize("error", [ThrottledError("429", retry_after=100), TransientError("503")], ids=["429", "503"])
def test_publishing_ends_with_the_deadline(error: CloudError) -> None:
    """A pause that does not fit is not begun, and after the deadline no call is made."""
    publishing = Publishing(*[error] * 9, left=1)

    assert not publishing.notifier.publish(notification())
    assert publishing.clock.seconds <= 1
    publishing.topic.faults.clear()
    publishing.clock.sleep(1)
    assert not publishing.notifier.publish(notification())


def test_a_rejection_is_published_once_it_is_final() -> None:
    """A retryable one may become a success with the redelivery."""
    publishing = Publishing()

    assert publishing.notifier.publish_rejection(rejection(), "smn").notified
    assert not publishing.notifier.publish_rejection(rejection(error=TransientError("503")), "smn").notified
    assert len(publishing.topic.sent) == 1
