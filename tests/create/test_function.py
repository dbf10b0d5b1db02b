"""The whole function on fakes: what it returns, what it raises, what it logs."""

import json
from typing import Any

import pytest

from shared.bootstrap import create_backup
from shared.errors import (
    AmbiguousError,
    BusyError,
    CredentialsError,
    DeniedError,
    InvalidError,
    SettingsError,
    ThrottledError,
    TransientError,
    UnfinishedEventError,
)
from tests.fakes import INSTANCES, A, FakeClock, FakeCloud, FakeContext, FakeDds, FakeTopic, Steady, fake_connect
from tests.triggers import documented as doc


URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"
ONE = json.dumps({"instance_ids": [A]})
TWO = json.dumps({"instance_ids": [A, INSTANCES[1]]})


class Platform:
    """FunctionGraph with one instance of the function, on fakes."""

    def __init__(self, **settings: str) -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock)
        self.topic = FakeTopic()
        self.context = FakeContext({"NOTIFY_TOPIC_URN": URN, **settings})
        self.function = create_backup(
            connect=fake_connect(FakeCloud(self.dds, self.topic)), clock=self.clock, rng=Steady(), environment={}
        )

    def deliver(self, event: object) -> Any:
        """One delivery of an event."""
        return self.function.handle(event, self.context)


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
def test_each_trigger_makes_its_backup(platform: Platform, trigger: str) -> None:
    """The report names the instance, its outcome and both ids."""
    report = platform.deliver(EVENTS[trigger])

    assert (report["status"], report["trigger"]) == ("SUCCEEDED", trigger)
    (result,) = report["results"]
    assert (result["instance_id"], result["outcome"], result["job_id"]) == (A, "CREATED", "job-1")
    assert result["backup_id"] == platform.dds.backups[0].id
    assert result["notified"] is True
    assert len(platform.topic.sent) == 1


def test_an_api_gateway_gets_an_http_answer(platform: Platform) -> None:
    """202, JSON, the report as the body."""
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
def test_the_http_status_is_what_the_outcome_deserves(body: str, fault: Any, status: int) -> None:
    """Who asked sees at once whether to mend the request, wait, or try again."""
    platform = Platform(ALLOWED_INSTANCES="*[!x]", ON_BUSY="fail", MAX_CONCURRENCY="1")
    if body == ONE and isinstance(fault, AmbiguousError):
        platform.context.remaining = 5
    platform.dds.create_faults = [fault]

    assert platform.deliver(doc.apig(body.replace("forbidden", "forbidden-x")))["statusCode"] == status


def test_several_failures_are_answered_with_the_one_that_most_asks_for_another_try() -> None:
    """Denied and throttled: 429."""
    platform = Platform(MAX_CONCURRENCY="1")
    platform.dds.create_faults = [DeniedError("x"), ThrottledError("x", retry_after=1000)]

    assert platform.deliver(doc.apig(TWO))["statusCode"] == 429


def test_a_backup_that_was_not_announced_is_a_bad_gateway(platform: Platform) -> None:
    """The caller asks again with the same Idempotency-Key, and gets the same backup, announced."""
    platform.topic.faults = [TransientError("x")] * 10
    event = doc.apig(ONE, headers={"Idempotency-Key": "k"})

    assert platform.deliver(event)["statusCode"] == 502
    platform.topic.faults.clear()
    answer = platform.deliver(event)
    assert answer["statusCode"] == 202
    assert json.loads(answer["body"])["results"][0]["outcome"] == "ALREADY_EXISTS"


@pytest.mark.parametrize("trigger", sorted(EVENTS.keys() - {"direct"}))
def test_what_a_redelivery_can_finish_is_raised(platform: Platform, trigger: str) -> None:
    """Only an exception makes FunctionGraph deliver an asynchronous event again."""
    platform.dds.busy_until[A] = 1000

    with pytest.raises(UnfinishedEventError, match=rf"left for a redelivery: {A} DEFERRED \(busy\)"):
        platform.deliver(EVENTS[trigger])


def test_a_direct_caller_reads_what_is_left(platform: Platform) -> None:
    """Whoever waits for the answer is told, and decides."""
    platform.dds.busy_until[A] = 1000

    report = platform.deliver({"instance_ids": [A, INSTANCES[1]]})

    assert report["status"] == "PARTIALLY_FAILED"
    assert [(r["outcome"], r.get("retryable")) for r in report["results"]] == [("DEFERRED", True), ("CREATED", None)]


@pytest.mark.parametrize("trigger", sorted(EVENTS.keys() - {"direct"}))
def test_what_can_never_succeed_is_announced_and_not_raised(platform: Platform, trigger: str) -> None:
    """An unknown instance stays unknown however often the event comes."""
    platform.dds.instances = []

    report = platform.deliver(EVENTS[trigger])

    assert (report["status"], report["results"][0]["code"]) == ("FAILED", "not_found")
    assert json.loads(platform.topic.sent[0].body)["type"] == "dds.backup.failed"


def test_an_invalid_message_is_announced_and_not_raised(platform: Platform) -> None:
    """And the valid one beside it is backed up."""
    report = platform.deliver(doc.smn(doc.smn_record("Hello world", "m1"), doc.smn_record(ONE, "m2")))

    assert report["status"] == "PARTIALLY_FAILED"
    assert report["rejected"][0]["position"] == "record.0.smn.message"
    assert report["rejected"][0]["code"] == "invalid_request"
    assert {json.loads(note.body)["type"] for note in platform.topic.sent} == {
        "dds.backup.rejected",
        "dds.backup.started",
    }


def test_a_rejection_that_cannot_be_announced_is_raised(platform: Platform) -> None:
    """Else nobody would ever hear of it."""
    platform.topic.faults = [TransientError("x")] * 10

    with pytest.raises(UnfinishedEventError, match=r"record\.0\.smn\.message rejected"):
        platform.deliver(doc.smn(doc.smn_record("Hello world")))


def test_the_consoles_blank_template_is_explained(platform: Platform) -> None:
    """Somebody pressed "Test" without an event of his own."""
    report = platform.deliver({"key": "value"})

    assert (report["status"], report["trigger"]) == ("FAILED", "unknown")
    assert "an object with the keys key" in report["rejected"][0]["message"]
    assert "instance_ids" in report["rejected"][0]["message"]


def test_our_own_announcement_does_nothing(platform: Platform) -> None:
    """A topic wired in a circle."""
    platform.deliver(doc.smn(doc.smn_record(ONE)))
    note = platform.topic.sent[0].body

    report = platform.deliver(doc.smn(doc.smn_record(note, "m2")))

    assert (report["status"], report["ignored"], report["results"]) == ("SUCCEEDED", 1, [])
    assert len(platform.topic.sent) == 1


def test_wrong_settings_are_raised_by_the_initializer() -> None:
    """Where one is configured."""
    platform = Platform(ON_BUSY="panic")

    with pytest.raises(SettingsError, match="ON_BUSY"):
        platform.function.start(platform.context)


def test_wrong_settings_are_raised_by_the_first_event_without_an_initializer() -> None:
    """The function works, and fails, the same with or without one."""
    platform = Platform(ON_BUSY="panic")

    with pytest.raises(SettingsError, match="ON_BUSY"):
        platform.deliver({"instance_ids": [A]})


def test_mended_settings_are_read_by_the_next_event() -> None:
    """A failed start is not remembered."""
    platform = Platform(ON_BUSY="panic")
    with pytest.raises(SettingsError):
        platform.deliver({"instance_ids": [A]})
    platform.context.user_data["ON_BUSY"] = "wait"

    assert platform.deliver({"instance_ids": [A]})["status"] == "SUCCEEDED"


def test_a_started_function_does_not_start_again(platform: Platform) -> None:
    """The settings are read once."""
    platform.function.start(platform.context)
    platform.context.user_data.clear()

    assert platform.deliver({"instance_ids": [A]})["status"] == "SUCCEEDED"


def test_each_invocation_leaves_one_line(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """With all that one looks for at 3 a.m."""
    platform.deliver(EVENTS["smn"])
    platform.deliver(EVENTS["smn"])

    first, second = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert first["message"] == second["message"] == "invocation"
    assert (first["cold_start"], second["cold_start"]) == (True, False)
    assert (first["trigger"], first["status"], first["request_id"]) == (
        "smn",
        "SUCCEEDED",
        platform.context.request_id,
    )
    (result,) = first["results"]
    assert (result["instance_id"], result["outcome"], result["job_id"], result["attempts"]) == (
        A,
        "CREATED",
        "job-1",
        1,
    )
    assert result["event_key"] in str(platform.dds.backups[0].description)
    assert second["results"][0]["outcome"] == "ALREADY_EXISTS"


def test_what_is_wrong_has_a_line_of_its_own(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """Errors for what is final, warnings for what comes again, one each."""
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


def test_an_invocation_that_could_not_begin_has_its_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong settings, say."""
    platform = Platform(ON_BUSY="panic")

    with pytest.raises(SettingsError):
        platform.deliver({"instance_ids": [A]})

    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["status"], line["code"]) == ("FAILED", "invalid_settings")


def test_a_function_without_an_agency_is_raised(platform: Platform) -> None:
    """The real connection reads the credentials for each event."""
    context = FakeContext({"NOTIFY_TOPIC_URN": URN}, access_key=None)

    with pytest.raises(CredentialsError):
        create_backup(environment={}).handle({"instance_ids": [A]}, context)


def test_nothing_secret_is_said(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in the log nor in the answer nor on the topic, even if an error repeats it."""

    def crash() -> None:
        raise ZeroDivisionError("signed with SK-OF-THE-AGENCY")

    platform.dds.create_faults = [crash]

    report = platform.deliver({"instance_ids": [A]})

    said = capsys.readouterr().out + json.dumps(report) + platform.topic.sent[0].body + platform.topic.sent[0].email
    assert "internal_error" in said
    assert "OF-THE-AGENCY" not in said


def test_a_name_without_room_is_rejected(platform: Platform) -> None:
    """On a timer the name gets the time and digests."""
    report = platform.deliver(doc.timer(json.dumps({"instance_ids": [A], "name": "n" * 30})))

    assert report["status"] == "FAILED"
    assert report["rejected"][0]["message"].startswith("name: must be at most 25 characters here")


def test_a_timer_without_a_user_event_is_told_what_is_missing(platform: Platform) -> None:
    """A blank text is an empty request."""
    report = platform.deliver(doc.timer(""))

    assert report["rejected"][0]["message"].startswith("instance_ids: name at least one instance")
