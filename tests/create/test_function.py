"""The whole function on fakes: what it returns, raises, publishes and logs."""

import json
from typing import Any

import pytest

from shared.errors import (
    AmbiguousError,
    BusyError,
    DeniedError,
    InvalidError,
    ThrottledError,
    TransientError,
    UnfinishedEventError,
)
from tests.create.platform import Platform
from tests.fakes import INSTANCES, A
from tests.triggers import documented as doc


ONE = json.dumps({"instance_ids": [A]})
TWO = json.dumps({"instance_ids": [A, INSTANCES[1]]})


@pytest.fixture
def platform() -> Platform:
    return Platform()


EVENTS: dict[str, object] = {
    "timer": doc.timer(ONE),
    "smn": doc.smn(doc.smn_record(ONE)),
    "kafka": doc.kafka(ONE),
    "rabbitmq": doc.rabbitmq(ONE),
    "rocketmq": doc.rocketmq(ONE),
    "eventgrid": doc.eventgrid({"instance_ids": [A]}),
    "direct": {"instance_ids": [A]},
}


@pytest.mark.parametrize("trigger", EVENTS)
def test_an_event_of_each_trigger_makes_a_backup(platform: Platform, trigger: str) -> None:
    """The report has the instance, its outcome and both ids."""
    report = platform.deliver(EVENTS[trigger])

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", trigger)
    (result,) = report["results"]
    assert (result["instance_id"], result["outcome"], result["job_id"]) == (A, "CREATED", "job-1")
    assert result["backup_id"] == platform.dds.backups[0].id
    assert result["notified"] is True
    assert len(platform.topic.sent) == 1


def test_an_api_gateway_gets_an_http_response(platform: Platform) -> None:
    """It is 202, with the report as JSON in the body."""
    answer = platform.deliver(doc.apig(ONE))

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (202, False)
    assert answer["headers"] == {"Content-Type": "application/json"}
    assert json.loads(answer["body"])["results"][0]["outcome"] == "CREATED"


@pytest.mark.parametrize(
    ("body", "fault", "status"),
    [
        (ONE, None, 202),
        ("{}", None, 400),
        ("no json", None, 400),
        (json.dumps({"instance_ids": ["unknown"]}), None, 400),
        (ONE, InvalidError("x"), 400),
        (ONE, DeniedError("x"), 403),
        (json.dumps({"instance_ids": ["forbidden"]}), None, 403),
        (ONE, BusyError("x"), 409),
        (ONE, ThrottledError("x", retry_after=1000), 429),
        (ONE, AmbiguousError("x"), 502),
        (TWO, DeniedError("x"), 207),
    ],
    ids=range(11),
)
def test_the_http_status_follows_from_the_outcome(body: str, fault: Any, status: int) -> None:
    """The caller learns whether to change the request, to wait, or to try again."""
    platform = Platform(ALLOWED_INSTANCES="*[!x]", ON_BUSY="fail")
    if body == ONE and isinstance(fault, AmbiguousError):
        platform.context.remaining = 5
    platform.dds.create_faults = [fault]

    assert platform.deliver(doc.apig(body.replace("forbidden", "forbidden-x")))["statusCode"] == status


def test_the_http_status_of_several_failures_is_the_one_worth_another_try() -> None:
    """Of a denied and a throttled instance, 429 is returned."""
    platform = Platform()
    platform.dds.create_faults = [DeniedError("x"), ThrottledError("x", retry_after=1000)]

    assert platform.deliver(doc.apig(TWO))["statusCode"] == 429


def test_a_backup_whose_notification_was_not_published_is_a_bad_gateway(platform: Platform) -> None:
    """The caller repeats the request with the same Idempotency-Key; the same backup is found and published."""
    platform.topic.faults = [TransientError("x")] * 10
    event = doc.apig(ONE, headers={"Idempotency-Key": "k"})

    assert platform.deliver(event)["statusCode"] == 502
    platform.topic.faults.clear()
    answer = platform.deliver(event)
    assert answer["statusCode"] == 202
    assert json.loads(answer["body"])["results"][0]["outcome"] == "ALREADY_EXISTS"


@pytest.mark.parametrize("trigger", sorted(EVENTS.keys() - {"direct"}))
def test_an_unfinished_event_is_raised(platform: Platform, trigger: str) -> None:
    """Only an exception makes FunctionGraph deliver an asynchronous event again."""
    platform.dds.busy_until[A] = 1000

    with pytest.raises(UnfinishedEventError, match=rf"left for a redelivery: {A} DEFERRED \(busy\)"):
        platform.deliver(EVENTS[trigger])


def test_a_direct_caller_gets_the_report_of_an_unfinished_event(platform: Platform) -> None:
    """The caller waits for the answer and decides whether to call again."""
    platform.dds.busy_until[A] = 1000

    report = platform.deliver({"instance_ids": [A, INSTANCES[1]]})

    assert report["status"] == "PARTIALLY_FAILED"
    assert [(r["outcome"], r.get("retryable")) for r in report["results"]] == [("DEFERRED", True), ("CREATED", None)]


@pytest.mark.parametrize("trigger", sorted(EVENTS.keys() - {"direct"}))
def test_a_final_failure_is_published_and_not_raised(platform: Platform, trigger: str) -> None:
    """A redelivery cannot make an unknown instance known."""
    platform.dds.instances = []

    report = platform.deliver(EVENTS[trigger])

    assert (report["status"], report["results"][0]["code"]) == ("FAILED", "not_found")
    assert json.loads(platform.topic.sent[0].body)["type"] == "dds.backup.failed"


def test_an_invalid_message_is_published_and_not_raised(platform: Platform) -> None:
    """The valid message in the same event leads to a backup."""
    report = platform.deliver(doc.smn(doc.smn_record("Hello world", "m1"), doc.smn_record(ONE, "m2")))

    assert report["status"] == "PARTIALLY_FAILED"
    assert report["rejected"][0]["position"] == "record.0.smn.message"
    assert report["rejected"][0]["code"] == "invalid_request"
    assert {json.loads(note.body)["type"] for note in platform.topic.sent} == {
        "dds.backup.rejected",
        "dds.backup.started",
    }


def test_a_rejection_that_is_not_published_is_raised(platform: Platform) -> None:
    """A redelivery publishes it."""
    platform.topic.faults = [TransientError("x")] * 10

    with pytest.raises(UnfinishedEventError, match=r"record\.0\.smn\.message rejected"):
        platform.deliver(doc.smn(doc.smn_record("Hello world")))


def test_the_blank_template_of_the_console_is_rejected(platform: Platform) -> None:
    """The message says what was found and what is expected."""
    report = platform.deliver({"key": "value"})

    assert (report["status"], report["trigger"]) == ("FAILED", "unknown")
    assert "an object with the keys key" in report["rejected"][0]["message"]
    assert "instance_ids" in report["rejected"][0]["message"]


def test_a_notification_of_the_function_is_ignored(platform: Platform) -> None:
    """The notification topic triggers the function."""
    platform.deliver(doc.smn(doc.smn_record(ONE)))
    note = platform.topic.sent[0].body

    report = platform.deliver(doc.smn(doc.smn_record(note, "m2")))

    assert (report["status"], report["ignored"], report["results"]) == ("SUCCEEDED", 1, [])
    assert len(platform.topic.sent) == 1


def test_an_invocation_logs_outcomes_and_a_summary(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """The summary has the request id, the status and the counts; the ids are in a line before it."""
    platform.deliver(EVENTS["smn"])
    platform.deliver(EVENTS["smn"])

    results, first, later, second = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert first["message"] == second["message"] == "invocation"
    assert (first["cold_start"], second["cold_start"]) == (True, False)
    assert (first["trigger"], first["status"], first["request_id"]) == ("smn", "SUCCEEDED", "request-1")
    assert (first["outcomes"], second["outcomes"]) == ({"CREATED": 1}, {"ALREADY_EXISTS": 1})
    (result,) = results["results"]
    assert (result["instance_id"], result["outcome"], result["job_id"], result["attempts"]) == (
        A,
        "CREATED",
        "job-1",
        1,
    )
    assert result["event_key"] in str(platform.dds.backups[0].description)
    assert later["results"][0]["outcome"] == "ALREADY_EXISTS"


def test_no_log_line_of_a_large_event_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """The outcomes of 1,000 instances are in lines of 50."""
    platform = Platform(1000, MAX_CONCURRENCY="8")
    platform.deliver({"select": {"name": "*"}})

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) < 64_000
    assert sum(len(json.loads(line).get("results", ())) for line in lines) == 1000


def test_each_failure_is_logged(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """Final failures are errors; what a redelivery tries again is a warning."""
    platform.dds.busy_until[A] = 1000

    with pytest.raises(UnfinishedEventError):
        platform.deliver(doc.kafka(json.dumps({"instance_ids": [A, "unknown"]}), "Hello"))

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {(line["level"], line["message"], line.get("code")) for line in lines}
    assert {
        ("WARNING", "instance DEFERRED", "busy"),
        ("ERROR", "instance FAILED", "not_found"),
        ("ERROR", "message rejected", "invalid_request"),
        ("INFO", "invocation", None),
    } <= found


def test_a_name_that_is_too_long_for_a_timer_is_rejected(platform: Platform) -> None:
    """The time and two digests are appended to it."""
    report = platform.deliver(doc.timer(json.dumps({"instance_ids": [A], "name": "n" * 30})))

    assert report["status"] == "FAILED"
    assert report["rejected"][0]["message"].startswith("name: must be at most 25 characters here")


def test_a_timer_without_a_user_event_is_rejected(platform: Platform) -> None:
    """A blank text is an empty request, so the message names the missing field."""
    report = platform.deliver(doc.timer(""))

    assert report["rejected"][0]["message"].startswith("instance_ids: name at least one instance")
