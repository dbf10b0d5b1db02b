"""The notification of an occurrence: for programs, for people, and for filter policies."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from cli.paths import CHECKOUT
from shared.model import Backup, BackupJob, Notification
from shared.notify import COMPLETED, FAILED, STUCK, Sender
from shared.track.report import occurrence_notification
from shared.track.window import Occurrence
from tests.fakes import START, A
from tests.track.history import KEY


SCHEMAS = CHECKOUT / "docs" / "events"
SENDER = Sender("urn:fss:cn-north-4:p:function:default:track_backups", "cn-north-4", "p", "r-1")
END = START + timedelta(seconds=63)
DONE = Backup("b-1", "nightly-1", A, "COMPLETED", START, KEY, "customers", END, 2_621_440)
BROKEN = replace(DONE, status="FAILED", size=0)
BUILDING = replace(DONE, status="BUILDING", end_time=None, size=0)
JOB = BackupJob("job-1", A, START, "Failed", "", "The backup could not be uploaded to OBS.")


def notify(kind: str, backup: Backup, job: BackupJob | None = JOB, *, is_again: bool = False) -> Notification:
    return occurrence_notification(
        Occurrence(kind, backup, END), job, stuck_after=timedelta(hours=6), is_again=is_again, sender=SENDER
    )


def body(notification: Notification) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(notification.body)
    return event


CASES = {
    "completed": (COMPLETED, DONE, JOB),
    "completed, little known": (COMPLETED, Backup("b-1", "", A, "COMPLETED", None, KEY, end_time=END), None),
    "failed": (FAILED, BROKEN, JOB),
    "failed, end unknown": (FAILED, replace(BROKEN, end_time=None), None),
    "stuck": (STUCK, BUILDING, JOB),
    "stuck, ended since": (STUCK, DONE, None),
}


@pytest.mark.parametrize("case", CASES)
def test_each_event_fits_its_schema(case: str) -> None:
    """An event that lacks a required field of data does not fit."""
    kind, backup, job = CASES[case]
    schema = json.loads((SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    event = body(notify(kind, backup, job))

    jsonschema.validate(event, schema, cls=jsonschema.Draft202012Validator)
    for name in schema["properties"]["data"]["required"]:
        less = {key: value for key, value in event["data"].items() if key != name}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**event, "data": less}, schema, cls=jsonschema.Draft202012Validator)


def test_the_event_of_a_completed_backup_has_size_and_duration() -> None:
    """The size is in KB, the duration in seconds, and the event's time is that of the end."""
    event = body(notify(COMPLETED, DONE))

    assert (event["type"], event["subject"], event["time"]) == (COMPLETED, A, "2026-11-24T03:01:03.000Z")
    assert event["data"] == {
        "outcome": "COMPLETED",
        "instance_id": A,
        "instance_name": "customers",
        "backup_id": "b-1",
        "name": "nightly-1",
        "event_key": "0" * 32,
        "job_id": "job-1",
        "backup_status": "COMPLETED",
        "begin_time": "2026-11-24T03:00:00Z",
        "end_time": "2026-11-24T03:01:03Z",
        "duration": 63,
        "size": 2_621_440,
        "region": "cn-north-4",
        "project_id": "p",
        "request_id": "r-1",
    }


def test_the_email_of_a_completed_backup_has_size_and_duration() -> None:
    """The subject has the instance, the size and the duration."""
    notification = notify(COMPLETED, DONE)

    assert notification.subject == "DDS backup completed: customers, 2.5 GB in 1 min 3 s"
    assert notification.sms.startswith(notification.subject)
    for line in ("Instance name: customers", "Began: 2026-11-24T03:00:00Z", "Took: 1 min 3 s", "Size: 2.5 GB"):
        assert line in notification.email.splitlines()


@pytest.mark.parametrize(("job", "reason"), [(JOB, JOB.fail_reason), (None, "DDS gives no reason")])
def test_a_failed_backup_says_why_and_what_to_do(job: BackupJob | None, reason: str) -> None:
    """The reason is that of the job. Without one the message names the DDS console."""
    notification = notify(FAILED, BROKEN, job)

    assert body(notification)["data"]["code"] == "backup_failed"
    assert body(notification)["data"]["message"].startswith(reason)
    assert f"Details: {reason}" in notification.email
    assert "What to do: there is no backup from this event." in notification.email
    assert (reason in notification.sms) is (job is not None)


def test_the_event_of_a_stuck_backup_does_not_change_after_its_end() -> None:
    """A late publication describes the backup as it was when it was stuck."""
    in_time, late = body(notify(STUCK, BUILDING)), body(notify(STUCK, DONE))

    assert in_time == late
    assert in_time["data"]["stuck_after"] == 21_600
    assert in_time["data"]["message"] == "not done 6 h after it began"


def test_the_event_id_depends_only_on_type_and_backup() -> None:
    """The invocation and the time do not change it."""
    first = notify(COMPLETED, DONE, None)
    again = occurrence_notification(
        Occurrence(COMPLETED, DONE, START),
        JOB,
        stuck_after=timedelta(1),
        is_again=True,
        sender=replace(SENDER, request_id="r-2"),
    )

    assert body(first)["id"] == body(again)["id"]
    others = {body(notify(FAILED, BROKEN))["id"], body(notify(STUCK, BUILDING))["id"]}
    others.add(body(notify(COMPLETED, replace(DONE, id="b-2")))["id"])
    assert len(others | {body(first)["id"]}) == 4


def test_a_second_publication_is_marked() -> None:
    """The email and an attribute say so; the event is the same."""
    first, again = notify(COMPLETED, DONE), notify(COMPLETED, DONE, is_again=True)

    assert first.body == again.body
    assert (first.attributes["announcement"], again.attributes["announcement"]) == ("first", "again")
    assert first.attributes["event_type"] == "dds_backup_completed"
    assert "published again" in again.email
    assert "published again" not in first.email


def test_an_instance_name_that_is_not_ascii_is_replaced_by_the_id() -> None:
    """The subject of an SMN message is ASCII."""
    assert A in notify(COMPLETED, replace(DONE, instance_name="订单")).subject
