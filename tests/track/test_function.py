"""The whole function on fakes: ticks, questions and spans, from every trigger."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cli.paths import CHECKOUT
from cli.template.load import find_function, load_template
from shared.bootstrap import track_backups
from shared.errors import DeniedError, InvalidError, SettingsError, ThrottledError, TransientError, UnfinishedEventError
from shared.track.function import TrackBackupsSettings
from tests.fakes import START, A, FakeCloud, FakeContext, FakeTopic, Steady, fake_connect, ids_of
from tests.track.history import History, Life
from tests.triggers import documented as doc


URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"
PERIOD = timedelta(minutes=5)


def tick(time: datetime, user_event: object = "") -> dict[str, Any]:
    return doc.timer(user_event, time=time.isoformat(), trigger_name="EveryFiveMinutes")


class Platform:
    """FunctionGraph with one instance of the function, on fakes, ten minutes after a backup of two began."""

    def __init__(self, *lives: Life, **settings: str) -> None:
        self.dds = History(lives=lives or (Life("b-1", A, START, 120),))
        self.dds.clock.seconds = 300
        self.topic = FakeTopic()
        self.context = FakeContext({"NOTIFY_TOPIC_URN": URN, **settings})
        self.function = track_backups(
            connect=fake_connect(FakeCloud(self.dds, self.topic)), clock=self.dds.clock, rng=Steady(), environment={}
        )

    def deliver(self, event: object) -> Any:
        """One delivery of an event."""
        return self.function.handle(event, self.context)

    def tick(self, number: int = 1) -> Any:
        """The tick of that number, in time."""
        time = START + number * PERIOD
        self.dds.clock.seconds = max(self.dds.clock.seconds, (time - START).total_seconds())
        return self.deliver(tick(time))

    def types(self) -> list[str]:
        """What was announced."""
        return [json.loads(sent.body)["type"] for sent in self.topic.sent]


@pytest.fixture
def platform() -> Platform:
    return Platform()


def test_a_tick_announces_what_ended(platform: Platform) -> None:
    """The report names the window and each announcement."""
    report = platform.tick()

    assert report["status"] == "SUCCEEDED"
    (window,) = report["windows"]
    assert (window["since"], window["until"]) == ("2026-11-24T02:54:00Z", "2026-11-24T03:04:00Z")
    (announced,) = window["announced"]
    assert announced == {
        "type": "dds.backup.completed",
        "time": "2026-11-24T03:02:00Z",
        "instance_id": A,
        "backup_id": "b-1",
        "name": "name-of-b-1",
        "again": False,
        "notified": True,
    }
    assert platform.types() == ["dds.backup.completed"]


def test_the_next_tick_announces_it_once_more_and_the_one_after_does_not(platform: Platform) -> None:
    """Under the same id, marked as announced again."""
    for number in range(4):
        platform.tick(number)

    assert len(platform.topic.sent) == 2
    assert len(set(ids_of(platform.topic.sent))) == 1
    assert [sent.attributes["announcement"] for sent in platform.topic.sent] == ["first", "again"]


def test_a_tick_that_is_delivered_again_announces_the_same(platform: Platform) -> None:
    """However much later."""
    platform.tick()
    platform.dds.clock.seconds += 7200
    platform.deliver(tick(START + PERIOD))

    first, second = platform.topic.sent
    assert (first.body, first.email) == (second.body, second.email)


@pytest.mark.parametrize("user_event", ["", "  ", "{}"], ids=["empty", "blank", "empty object"])
def test_a_timer_needs_no_user_event(platform: Platform, user_event: str) -> None:
    """Whatever the console leaves there when nothing is typed."""
    assert platform.deliver(tick(START + PERIOD, user_event))["windows"][0]["announced"]


def test_failed_and_stuck_ones_are_announced_with_their_jobs() -> None:
    """One look at the task list for all of them."""
    platform = Platform(
        Life("b-1", A, START, 120, good=False), Life("b-2", A, START - timedelta(minutes=58), 9000), STUCK_AFTER="1h"
    )
    platform.dds.tasks = []
    platform.tick()

    assert sorted(platform.types()) == ["dds.backup.failed", "dds.backup.stuck"]
    assert platform.dds.calls == ["list", "jobs"]


def test_a_tick_without_news_is_one_call() -> None:
    """And says how many are being made."""
    platform = Platform(Life("b-1", A, START, 9000))

    report = platform.tick()

    assert (report["windows"][0]["announced"], report["windows"][0]["building"]) == ([], 1)
    assert platform.dds.calls == ["list"]
    assert not platform.topic.sent


def test_backups_of_others_are_none_of_our_business() -> None:
    """Only those whose description ends with an event's key."""
    platform = Platform(
        Life("b-1", A, START, 120, description="made by hand"), Life("b-2", A, START, 9000, description="")
    )

    report = platform.tick()

    assert (report["windows"][0]["announced"], report["windows"][0]["building"]) == ([], 0)


def test_a_backup_that_two_pages_of_the_list_show_is_announced_once() -> None:
    """Pages overlap when a backup begins while they are read."""
    life = Life("b-1", A, START, 120)
    platform = Platform(life, life)

    assert len(platform.tick()["windows"][0]["announced"]) == 1


def test_a_backup_without_times_is_said_to_be_so(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """It falls into no window: the report and the log name it."""
    nameless = replace(Life("b-9", A, START, 1, good=False, tells_end=False).at(START + PERIOD), begin_time=None)
    platform.dds.list = lambda **_: [nameless]  # type: ignore[method-assign]

    report = platform.tick()

    assert report["windows"][0]["untimed"] == ["b-9"]
    assert any("backup without times" in line and "b-9" in line for line in capsys.readouterr().out.splitlines())


def test_what_was_not_published_is_raised_and_published_by_the_redelivery(platform: Platform) -> None:
    """Only an exception brings the tick again."""
    platform.topic.faults = [TransientError("503")] * 5

    with pytest.raises(UnfinishedEventError, match=r"b-1 dds\.backup\.completed \(notification not published\)"):
        platform.tick()
    assert platform.tick()["status"] == "SUCCEEDED"
    assert platform.types() == ["dds.backup.completed"]


def test_a_list_that_fails_for_a_while_is_raised(platform: Platform) -> None:
    """It is no news to people that it will be tried again."""
    platform.dds.list_faults = [TransientError("503")] * 5

    with pytest.raises(UnfinishedEventError, match=r"user_event rejected \(unavailable\)"):
        platform.tick()
    assert not platform.topic.sent
    assert platform.tick()["status"] == "SUCCEEDED"


def test_a_list_that_is_denied_is_announced(platform: Platform) -> None:
    """No redelivery helps, and silence would look like no news."""
    platform.dds.list_faults = [DeniedError("no")]

    report = platform.tick()

    assert (report["status"], report["rejected"][0]["code"]) == ("FAILED", "denied")
    assert platform.types() == ["dds.backup.rejected"]


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
def test_a_question_comes_from_any_trigger(platform: Platform, trigger: str) -> None:
    """It is answered and nothing is announced."""
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
        ({"backup_id": "nobody"}, None, 202),
        ({"job_id": "nobody"}, None, 202),
        ({"idempotency_key": "nobody"}, None, 202),
        ({}, None, 400),
        ({"job": "x"}, None, 400),
        ({"since": "2026-11-24T03:00:00Z"}, None, 200),
        ({"since": "2027-11-24T03:00:00Z"}, None, 400),
        ({"backup_id": "b-1"}, InvalidError("x"), 400),
        ({"backup_id": "b-1"}, DeniedError("x"), 403),
        ({"backup_id": "b-1"}, ThrottledError("x", retry_after=1000), 429),
        ({"backup_id": "b-1"}, [TransientError("x")] * 5, 502),
    ],
    ids=range(14),
)
def test_the_http_status_is_what_the_answer_deserves(question: dict[str, str], fault: Any, status: int) -> None:
    """200 when it is over, well or not; 202 while it runs or is not seen yet; else what was wrong with the call."""
    platform = Platform(
        Life("b-1", A, START, 120), Life("broken", A, START, 120, good=False), Life("running", A, START, 9000)
    )
    platform.context.remaining = 60
    platform.dds.list_faults = fault if isinstance(fault, list) else [fault]
    if isinstance(fault, ThrottledError):
        platform.dds.list_faults *= 100

    answer = platform.deliver(doc.apig(json.dumps(question)))

    assert answer["statusCode"] == status, answer
    assert all(kind != "dds.backup.rejected" for kind in platform.types())


def test_a_span_that_was_not_published_is_a_bad_gateway(platform: Platform) -> None:
    """Whoever asked asks again."""
    platform.topic.faults = [TransientError("503")] * 5
    event = doc.apig(json.dumps({"since": START.isoformat()}))

    answer = platform.deliver(event)

    assert answer["statusCode"] == 502
    assert json.loads(answer["body"])["windows"][0]["announced"][0]["notified"] is False
    assert platform.deliver(event)["statusCode"] == 200


def test_a_span_ends_now_at_the_latest(platform: Platform) -> None:
    """What has not happened yet cannot be announced, and the report does not claim so."""
    report = platform.deliver({"since": START.isoformat(), "until": (START + timedelta(days=3)).isoformat()})

    assert (report["windows"][0]["until"], len(report["windows"][0]["announced"])) == ("2026-11-24T03:05:00Z", 1)


def test_a_batch_of_questions_is_answered_one_by_one(platform: Platform) -> None:
    """A bad one costs the others nothing, and the state is theirs together."""
    report = platform.deliver(doc.kafka(QUESTION, "Hello", json.dumps({"backup_id": "b-2"})))

    assert (report["status"], report["state"]) == ("PARTIALLY_FAILED", "UNKNOWN")
    assert [answer["state"] for answer in report["answers"]] == ["COMPLETED", "UNKNOWN"]
    assert platform.types() == ["dds.backup.rejected"]


def test_our_own_announcement_does_nothing(platform: Platform) -> None:
    """A topic wired in a circle."""
    platform.tick()

    report = platform.deliver(doc.smn(doc.smn_record(platform.topic.sent[0].body)))

    assert (report["status"], report["ignored"]) == ("SUCCEEDED", 1)
    assert len(platform.topic.sent) == 1


def test_a_message_with_nothing_in_it_is_no_tick(platform: Platform) -> None:
    """Only a timer's is; others learn what to ask."""
    report = platform.deliver(doc.smn(doc.smn_record("{}")))

    assert "job_id, backup_id and idempotency_key" in report["rejected"][0]["message"]


def test_each_invocation_leaves_one_line(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """With counts instead of every announcement, so that a fleet does not make it endless."""
    platform.tick()

    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["message"], line["status"]) == ("invocation", "SUCCEEDED")
    assert line["windows"][0]["announced"] == {"dds.backup.completed": 1}


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
    """At the start, with what was expected."""
    platform = Platform(**{name: value})

    with pytest.raises(SettingsError, match=fault):
        platform.function.start(platform.context)


def test_the_timer_of_the_template_ticks_at_the_period_of_the_settings() -> None:
    """They have to be the same, so they stand beside each other."""
    function = find_function(load_template(CHECKOUT / "template.yaml"), "track_backups")
    (timer,) = function.events

    assert timer.properties["schedule"] == function.variables["TRACK_PERIOD"] == "5m"
    assert TrackBackupsSettings.model_fields["TRACK_PERIOD"].default == PERIOD
