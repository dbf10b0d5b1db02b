"""The whole function track_backups on fakes: timer events, questions and spans, from every trigger."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from cli.paths import CHECKOUT
from cli.template.load import find_function, load_template
from shared.bootstrap import track_backups
from shared.errors import DeniedError, InvalidError, SettingsError, ThrottledError, TransientError, UnfinishedEventError
from shared.track.function import TrackBackupsSettings
from tests.fakes import START, A, FakeCloud, FakeContext, FakeTopic, Steady, fake_connect, ids_of
from tests.track.history import Course, History
from tests.triggers import documented as doc


URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"
PERIOD = timedelta(minutes=5)


def timer_event(due: datetime, user_event: object = "") -> dict[str, Any]:
    return doc.timer(user_event, time=due.isoformat(), trigger_name="EveryFiveMinutes")


class Platform:
    """FunctionGraph with track_backups on fakes, 300 s after START, when a backup of 120 s began."""

    def __init__(self, *courses: Course, **settings: str) -> None:
        self.dds = History(courses=courses or (Course("b-1", A, START, 120),))
        self.dds.clock.seconds = 300
        self.topic = FakeTopic()
        self.context = FakeContext({"NOTIFY_TOPIC_URN": URN, **settings})
        self.function = track_backups(
            connect=fake_connect(FakeCloud(self.dds, self.topic)), clock=self.dds.clock, rng=Steady(), environment={}
        )

    def deliver(self, event: object) -> Any:
        """Deliver an event once."""
        return self.function.handle(event, self.context)

    def deliver_timer_event(self, number: int = 1) -> Any:
        """Deliver the timer event with this number when it is due, or now if that is later."""
        due = START + number * PERIOD
        self.dds.clock.seconds = max(self.dds.clock.seconds, (due - START).total_seconds())
        return self.deliver(timer_event(due))

    def published_types(self) -> list[str]:
        """Return the types of the CloudEvents on the topic."""
        return [json.loads(sent.body)["type"] for sent in self.topic.sent]


@pytest.fixture
def platform() -> Platform:
    return Platform()


# Timer events.


def test_a_timer_event_publishes_the_ends_in_its_window(platform: Platform) -> None:
    """The report has the window and each occurrence."""
    report = platform.deliver_timer_event()

    assert report["status"] == "SUCCEEDED"
    (window,) = report["windows"]
    assert (window["since"], window["until"]) == ("2026-11-24T02:54:00Z", "2026-11-24T03:04:00Z")
    assert window["announced"] == [
        {
            "type": "dds.backup.completed",
            "time": "2026-11-24T03:02:00Z",
            "instance_id": A,
            "backup_id": "b-1",
            "name": "name-of-b-1",
            "again": False,
            "notified": True,
        }
    ]
    assert platform.published_types() == ["dds.backup.completed"]


def test_the_next_timer_event_publishes_an_end_again_and_later_ones_do_not(platform: Platform) -> None:
    """The second publication has the same id and is marked."""
    for number in range(4):
        platform.deliver_timer_event(number)

    assert len(set(ids_of(platform.topic.sent))) == 1
    assert [sent.attributes["announcement"] for sent in platform.topic.sent] == ["first", "again"]


def test_a_redelivery_publishes_the_same(platform: Platform) -> None:
    """It may come hours later."""
    platform.deliver_timer_event()
    platform.dds.clock.seconds += 7200
    platform.deliver(timer_event(START + PERIOD))

    first, second = platform.topic.sent
    assert (first.body, first.email) == (second.body, second.email)


@pytest.mark.parametrize("user_event", ["", "  ", "{}"], ids=["empty", "blank", "empty object"])
def test_a_timer_needs_no_user_event(platform: Platform, user_event: str) -> None:
    """The console may leave it empty."""
    assert platform.deliver(timer_event(START + PERIOD, user_event))["windows"][0]["announced"]


def test_an_unpublished_end_is_raised_and_published_by_the_redelivery(platform: Platform) -> None:
    """FunctionGraph delivers an event again only after an exception."""
    platform.topic.faults = [TransientError("503")] * 5

    with pytest.raises(UnfinishedEventError, match=r"b-1 dds\.backup\.completed \(notification not published\)"):
        platform.deliver_timer_event()
    assert platform.deliver_timer_event()["status"] == "SUCCEEDED"
    assert platform.published_types() == ["dds.backup.completed"]


def test_a_list_that_a_redelivery_may_read_is_raised(platform: Platform) -> None:
    """Nothing is published before the redelivery."""
    platform.dds.list_faults = [TransientError("503")] * 5

    with pytest.raises(UnfinishedEventError, match=r"user_event rejected \(unavailable\)"):
        platform.deliver_timer_event()
    assert not platform.topic.sent
    assert platform.deliver_timer_event()["status"] == "SUCCEEDED"


def test_a_denied_list_is_published_and_not_raised(platform: Platform) -> None:
    """A redelivery does not help, and silence would look like no news."""
    platform.dds.list_faults = [DeniedError("no")]

    report = platform.deliver_timer_event()

    assert (report["status"], report["rejected"][0]["code"]) == ("FAILED", "denied")
    assert platform.published_types() == ["dds.backup.rejected"]


def test_a_notification_of_this_application_is_ignored(platform: Platform) -> None:
    """A topic may be connected to the function that publishes to it."""
    platform.deliver_timer_event()

    report = platform.deliver(doc.smn(doc.smn_record(platform.topic.sent[0].body)))

    assert (report["status"], report["ignored"]) == ("SUCCEEDED", 1)
    assert len(platform.topic.sent) == 1


# Spans.


def test_a_span_publishes_its_ends_again(platform: Platform) -> None:
    """They keep the ids that the timer events gave them."""
    platform.deliver_timer_event()

    platform.deliver({"since": START.isoformat()})

    assert len(set(ids_of(platform.topic.sent))) == 1
    assert [sent.attributes["announcement"] for sent in platform.topic.sent] == ["first", "again"]


def test_a_span_ends_now_at_the_latest(platform: Platform) -> None:
    """The report claims nothing about the future."""
    report = platform.deliver({"since": START.isoformat(), "until": (START + timedelta(days=3)).isoformat()})

    assert (report["windows"][0]["until"], len(report["windows"][0]["announced"])) == ("2026-11-24T03:05:00Z", 1)


def test_a_span_that_was_not_published_answers_502(platform: Platform) -> None:
    """The caller can send it again."""
    platform.topic.faults = [TransientError("503")] * 5
    event = doc.apig(json.dumps({"since": START.isoformat()}))

    answer = platform.deliver(event)

    assert answer["statusCode"] == 502
    assert json.loads(answer["body"])["windows"][0]["announced"][0]["notified"] is False
    assert platform.deliver(event)["statusCode"] == 200


# Questions.

QUESTION = json.dumps({"backup_id": "b-1"})
EVENTS: dict[str, object] = {
    "timer": doc.timer(QUESTION),
    "smn": doc.smn(doc.smn_record(QUESTION)),
    "kafka": doc.kafka(QUESTION),
    "rabbitmq": doc.rabbitmq(QUESTION),
    "rocketmq": doc.rocketmq(QUESTION),
    "eventgrid": doc.eventgrid({"backup_id": "b-1"}),
    "direct": {"backup_id": "b-1"},
}


@pytest.mark.parametrize("trigger", EVENTS)
def test_every_trigger_can_ask_a_question(platform: Platform, trigger: str) -> None:
    """The report has the answer, and nothing is published."""
    report = platform.deliver(EVENTS[trigger])

    assert (report["status"], report["trigger"], report["state"]) == ("SUCCEEDED", trigger, "COMPLETED")
    (answer,) = report["answers"]
    assert (answer["backup_id"], answer["state"], answer["backups"][0]["size"]) == ("b-1", "COMPLETED", 2803)
    assert not platform.topic.sent


@pytest.mark.parametrize(
    ("question", "fault", "status"),
    [
        ({"backup_id": "b-1"}, None, 200),
        ({"backup_id": "broken"}, None, 200),
        ({"backup_id": "running"}, None, 202),
        ({"backup_id": "unknown"}, None, 202),
        ({"job_id": "unknown"}, None, 202),
        ({"idempotency_key": "unknown"}, None, 202),
        ({}, None, 400),
        ({"job": "x"}, None, 400),
        ({"since": "2026-11-24T03:00:00Z"}, None, 200),
        ({"since": "2027-11-24T03:00:00Z"}, None, 400),
        ({"backup_id": "b-1"}, InvalidError("x"), 400),
        ({"backup_id": "b-1"}, DeniedError("x"), 403),
        ({"backup_id": "b-1"}, ThrottledError("x", retry_after=1000), 429),
        ({"backup_id": "b-1"}, TransientError("x"), 502),
    ],
    ids=range(14),
)
def test_the_http_status_follows_from_the_answer(question: dict[str, str], fault: Any, status: int) -> None:
    """200 after the end of the backup, 202 while it runs or is unknown, otherwise the error of the call."""
    platform = Platform(
        Course("b-1", A, START, 120), Course("broken", A, START, 120, good=False), Course("running", A, START, 9000)
    )
    platform.context.remaining = 60
    platform.dds.list_faults = [fault] * 100

    answer = platform.deliver(doc.apig(json.dumps(question)))

    assert answer["statusCode"] == status, answer
    assert "dds.backup.rejected" not in platform.published_types()


def test_each_question_of_a_batch_is_answered(platform: Platform) -> None:
    """An invalid message does not affect the others. The state is that of all answers together."""
    report = platform.deliver(doc.kafka(QUESTION, "Hello", json.dumps({"backup_id": "b-2"})))

    assert (report["status"], report["state"]) == ("PARTIALLY_FAILED", "UNKNOWN")
    assert [answer["state"] for answer in report["answers"]] == ["COMPLETED", "UNKNOWN"]
    assert platform.published_types() == ["dds.backup.rejected"]


def test_an_empty_message_is_rejected_with_an_explanation(platform: Platform) -> None:
    """Only a timer event may be empty."""
    report = platform.deliver(doc.smn(doc.smn_record("{}")))

    assert "job_id, backup_id and idempotency_key" in report["rejected"][0]["message"]


# The log and the settings.


def test_each_invocation_logs_one_summary(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """It counts the notifications by type, so that the line stays short for a fleet."""
    platform.deliver_timer_event()

    windows, line = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["message"], line["status"], line["windows"]) == ("invocation", "SUCCEEDED", 1)
    assert windows["windows"][0]["announced"] == {"dds.backup.completed": 1}


def test_the_settings_reach_the_follower() -> None:
    """A backup that takes longer than STUCK_AFTER is stuck."""
    platform = Platform(Course("b-1", A, START - timedelta(minutes=58), 9000), STUCK_AFTER="1h")

    platform.deliver_timer_event()

    assert platform.published_types() == ["dds.backup.stuck"]


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("FOLLOW_FOR", "6h", "must be longer than STUCK_AFTER"),
        ("STUCK_AFTER", "3d", "must be longer than STUCK_AFTER"),
        ("TRACK_PERIOD", "often", "TRACK_PERIOD"),
        ("TRACK_LOOKBACK", "-1", "TRACK_LOOKBACK"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str, fault: str) -> None:
    """The function does not start."""
    platform = Platform(**{name: value})

    with pytest.raises(SettingsError, match=fault):
        platform.function.start(platform.context)


def test_the_timer_of_the_template_has_the_period_of_the_settings() -> None:
    """The template sets both, and the default is the same."""
    function = find_function(load_template(CHECKOUT / "template.yaml"), "track_backups")
    (timer,) = function.events

    assert timer.properties["schedule"] == function.variables["TRACK_PERIOD"] == "5m"
    assert TrackBackupsSettings.model_fields["TRACK_PERIOD"].default == PERIOD
