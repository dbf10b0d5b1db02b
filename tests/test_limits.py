"""No sender can hurt another message, the bill, or the memory of the function, whatever arrives."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from cli.paths import CHECKOUT
from shared import limits
from shared.audit.request import AuditRequest
from shared.create.request import BackupRequest
from shared.drill.request import DrillRequest
from shared.errors import InvalidError, RequestError
from shared.notify import HEADLINES, Notifier, Sender, build_notification
from shared.prune.request import PruneRequest
from shared.track.request import TrackRequest
from shared.triggers import queues
from shared.triggers.receive import receive
from tests.fakes import START, A, FakeClock, FakeTopic, make_retrying
from tests.triggers import documented as doc


MODELS: dict[str, type[BaseModel]] = {
    "create": BackupRequest,
    "track": TrackRequest,
    "prune": PruneRequest,
    "audit": AuditRequest,
    "drill": DrillRequest,
}
GOOD = doc.smn_record(json.dumps({"instance_id": A}), "good")

POISON: dict[str, object] = {
    "a CloudEvent whose type is a list": {"specversion": "1.0", "type": ["x"]},
    "a CloudEvent whose type is an object": {"specversion": "1.0", "type": {}},
    "half of a surrogate pair": {"instance_id": "\ud800"},
    "retention with half of a surrogate pair": {"retention": "\ud800=1"},
    "an object nested too deep": json.loads('{"a":' * 900 + "1" + "}" * 900),
    "a list nested too deep": json.loads("[" * 900 + "]" * 900),
    "too many instance ids": {"instance_ids": [f"i{number}" for number in range(2200)]},
    "too many unknown fields": {f"f{number}": 1 for number in range(3000)},
    "a field with a long name": {"x" * 100_000: 1},
    "too many policies": {"policies": [{}] * 5000},
    "too many patterns": {"select": {"name": "*", "exclude": ["x"] * 5000}},
    "a long retention": {"retention": "daily=1 " * 10_000},
    "a number of 5,000 digits": '{"instance_id": ' + "9" * 5000 + "}",
    "a text above the limit": json.dumps({"instance_id": "x" * 300_000}),
    "times in the year 1": {"since": "0001-01-01T00:00:00Z", "until": "0001-01-02T00:00:00Z"},
    "a time without a zone": {"since": "2026-11-24T00:00:00"},
}


@pytest.mark.parametrize("function", ["prune", "audit", "drill"])
def test_an_event_makes_a_limited_number_of_runs(function: str) -> None:
    """The first 20 different requests are handled, and each of the others is a rejection; repeated ones are ignored."""
    texts = [json.dumps({"idempotency_key": f"k{number}"}) for number in range(limits.MAX_RUNS + 3)]

    received = receive(doc.kafka(*texts, texts[0]), MODELS[function], request_id="r").distinct()

    assert [incoming.payload["idempotency_key"] for incoming in received.requests] == [f"k{n}" for n in range(20)]
    assert [rejection.payload["idempotency_key"] for rejection in received.rejected] == ["k20", "k21", "k22"]
    assert {rejection.error.code for rejection in received.rejected} == {"invalid_request"}
    assert received.ignored == 1


def as_text(payload: object) -> str:
    return payload if isinstance(payload, str) else json.dumps(payload)


@pytest.mark.parametrize("function", MODELS)
@pytest.mark.parametrize("poison", POISON)
def test_a_poisonous_message_is_its_own_rejection(poison: str, function: str) -> None:
    """The messages before and after it are requests, and the rejection has the identity of its message."""
    event = doc.smn(GOOD, doc.smn_record(as_text(POISON[poison]), "bad"), GOOD)

    got = receive(event, MODELS[function], request_id="r-1")

    (rejection,) = [one for one in got.rejected if one.identity == ("smn", "bad")]
    assert rejection.error.code == "invalid_request"
    assert len(got.requests) == (2 if function == "create" else 0)
    assert len(rejection.errors) <= limits.MAX_FAULTS + 1
    assert max(map(len, rejection.errors)) <= limits.MAX_FAULT


@pytest.mark.parametrize(
    "event",
    [
        {"httpMethod": "POST", "requestContext": {}, "isBase64Encoded": True, "body": "é"},
        doc.eventgrid(None, data_base64="é"),
        [doc.eventgrid(None, data_base64="é"), doc.eventgrid({"instance_id": A})],
        doc.timer(time="0001-01-01T00:00:00+23:00"),
        doc.eventgrid({"instance_id": A}, time="0001-01-01T00:00:00+23:00"),
        doc.kafka(json.dumps({"instance_id": A})) | {"event_time": "2026-06-01"},
        {"record": [{"event_source": "smn", "smn": json.loads('{"a":' * 900 + "1" + "}" * 900)}]},
    ],
    ids=range(7),
)
def test_an_odd_envelope_raises_nothing(event: object) -> None:
    """Each function turns it into requests and rejections."""
    for model in MODELS.values():
        got = receive(event, model, request_id="r-1")
        assert got.requests or got.rejected


def test_a_message_of_a_queue_that_is_a_deep_object_is_its_own_rejection() -> None:
    """A queue delivers texts, and some runtimes objects. The message after it is a request."""
    poison: object = 1
    for _ in range(5000):
        poison = [poison]

    got = receive(doc.kafka(poison, json.dumps({"instance_id": A})), BackupRequest, request_id="r-1")

    assert [one.position for one in got.rejected] == ["records.0.messages.0"]
    assert [one.position for one in got.requests] == ["records.0.messages.1"]


def test_an_eventgrid_rejection_keeps_its_identity() -> None:
    """A redelivery of an event with wrong base64 is rejected under the same id."""
    (rejection,) = receive(doc.eventgrid(None, data_base64="%"), BackupRequest, request_id="r-1").rejected

    assert rejection.identity[0] == "cloudevent"


def test_messages_above_the_limit_of_an_event_are_rejected_together() -> None:
    """The first thousand are read."""
    event = doc.smn(*[doc.smn_record(json.dumps({"instance_id": A}), f"m{number}") for number in range(1500)])

    got = receive(event, BackupRequest, request_id="r-1")

    assert (len(got.requests), len(got.rejected)) == (limits.MAX_MESSAGES, 1)


def test_messages_of_a_queue_above_the_limit_are_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event of 6 MB can have a million of them. The rest is rejected as one message."""
    opened: list[object] = []
    original = queues._text

    def count(message: object) -> str:
        opened.append(message)
        return original(message)

    monkeypatch.setattr(queues, "_text", count)

    got = receive(doc.kafka(*[""] * 50_000), BackupRequest, request_id="r-1")

    assert len(opened) == limits.MAX_MESSAGES + 1
    assert len(got.rejected) == limits.MAX_MESSAGES + 1


SECRET = "a-secret-of-the-caller"


@pytest.mark.parametrize(
    "event",
    [
        doc.apig("", headers={"Authorization": SECRET, "X-Auth-Token": SECRET}, httpMethod="GET"),
        doc.apig(isBase64Encoded=True) | {"body": SECRET, "headers": {"Cookie": SECRET}},
        {"unknown": SECRET},
        doc.smn(doc.smn_record(SECRET)),
        doc.smn(doc.smn_record(json.dumps({"instance_id": A, "password": SECRET}))),
        doc.apig(requestContext=SECRET) | {"headers": SECRET},
        [{"headers": {"Authorization": SECRET}}],
        doc.smn(doc.smn_record(json.dumps(json.dumps({"password": SECRET})))),
        doc.smn(doc.smn_record(json.dumps([{"password": SECRET}]))),
    ],
    ids=range(9),
)
def test_only_known_fields_of_a_payload_are_published(event: object) -> None:
    """Never headers, never the whole event, never a field that the request does not have."""
    topic = FakeTopic()
    notifier = Notifier(topic, make_retrying(FakeClock()), Sender("urn:x", "r", "p", "req"))

    for rejection in receive(event, BackupRequest, request_id="r-1").rejected:
        notifier.publish_rejection(rejection, "smn")

    assert topic.sent
    assert all(SECRET not in note.body + note.email + note.sms + note.subject for note in topic.sent)


@pytest.mark.parametrize("wrapping", doc.WRAPPINGS)
@pytest.mark.parametrize("kind", HEADLINES)
def test_our_own_notifications_are_ignored_in_whatever_they_are_wrapped(wrapping: str, kind: str) -> None:
    """A topic that is wired in a circle ends after one round."""
    note = build_notification(
        kind,
        identity=("x",),
        subject="s",
        data={},
        lines=[],
        outcome="X",
        sender=Sender("urn:fss:x", "r", "p", "req"),
        now=START,
    )

    for model in MODELS.values():
        got = receive(doc.WRAPPINGS[wrapping](json.loads(note.body)), model, request_id="r-1")
        assert (got.ignored, got.requests, got.rejected) == (1, [], [])


def test_a_notification_that_smn_refuses_is_sent_once_more_and_shorter() -> None:
    """It keeps its id, and its scalar data."""
    topic = FakeTopic(faults=[InvalidError("too large")])
    notifier = Notifier(topic, make_retrying(FakeClock()), Sender("urn:x", "r", "p", "req"))
    data = {"code": "c", "list": list(range(1000)), "text": "x" * 10_000}
    lines = ["a line"] * 1000
    note = build_notification(
        "dds.backup.failed",
        identity=("x",),
        subject="s",
        data=data,
        lines=lines,
        outcome="FAILED",
        sender=notifier.sender,
        now=START,
    )

    assert notifier.publish(note)

    (sent,) = topic.sent
    event = json.loads(sent.body)
    assert event["id"] == json.loads(note.body)["id"]
    assert (event["data"]["code"], event["data"]["shortened"], "list" in event["data"]) == ("c", True, False)
    assert len(sent.body) + len(sent.email) < 5000
    assert event["id"] in sent.email


@pytest.mark.parametrize("key", ["ACTION REQUIRED", "Region", "\u202eProject", "\ud800"])
@pytest.mark.parametrize("wrap", [dict, lambda payload: doc.smn(doc.smn_record(json.dumps(payload)))])
def test_a_key_of_a_sender_begins_no_line(key: str, wrap: Callable[[object], object]) -> None:
    """A fault that names an unknown field says that it is a fault, and is valid Unicode."""
    topic = FakeTopic()
    notifier = Notifier(topic, make_retrying(FakeClock()), Sender("urn:x", "r", "p", "req"))

    for rejection in receive(wrap({key: 1}), BackupRequest, request_id="r-1").rejected:
        notifier.publish_rejection(rejection, "smn")

    (note,) = topic.sent
    labels = {line.partition(":")[0] for line in note.email.split("\n")[2:]}
    assert labels == {"Where", "Fault", "", "Region", "Project", "Request ID", "Event ID"}
    assert note.email.count("\nRegion:") == 1
    note.email.encode()
    json.loads(note.body)["data"]["message"].encode()


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_text_of_a_sender_forges_a_line(subject: str, line: str) -> None:
    """E-mails have no control, format or bidi characters, and each line is one of ours."""
    note = build_notification(
        "dds.backup.failed",
        identity=("x",),
        subject=subject,
        data={},
        lines=[f"Found: {line}"],
        outcome="FAILED",
        sender=Sender("urn:x", "r", "p", "req"),
        now=START,
    )

    lines = note.email.split("\n")
    assert len(lines) == 8
    assert lines[0].startswith("DDS backup failed: ")
    assert lines[2].startswith("Found: ")
    assert all(character.isprintable() or character == "\n" for character in note.email)


KEYS = st.sampled_from(["type", "specversion", "data"]) | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(sorted(HEADLINES)),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["type", "specversion", "data"]) | st.text(), inner)
    ),
    max_leaves=15,
)
FIELDS = sorted({name for model in MODELS.values() for name in model.model_fields})
PAYLOADS = JSON | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4)
EVENTS = st.one_of(
    JSON,
    PAYLOADS.map(lambda p: doc.smn(doc.smn_record(json.dumps(p)))),
    PAYLOADS.map(lambda p: doc.kafka(json.dumps(p), p)),
    PAYLOADS.map(doc.eventgrid),
    PAYLOADS.map(lambda p: doc.apig(json.dumps(p))),
    PAYLOADS.map(doc.timer),
    st.tuples(st.text(max_size=30), PAYLOADS).map(lambda both: doc.timer(both[1], time=both[0])),
    st.tuples(st.text(max_size=30), PAYLOADS).map(lambda both: doc.eventgrid(both[1], time=both[0])),
)


def check(event: object) -> None:
    for model in MODELS.values():
        got = receive(event, model, request_id="r-1")
        assert all(isinstance(one.error, RequestError) for one in got.rejected)
        json.dumps([one.document() for one in got.rejected]).encode()


@settings(max_examples=100, deadline=None)
@given(EVENTS)
def test_no_event_raises_an_exception(event: object) -> None:
    """Every message becomes a request, a rejection, or a notification that is ignored."""
    check(event)


@pytest.mark.slow
@settings(max_examples=4000, deadline=None, derandomize=True)
@given(EVENTS)
def test_no_event_of_many_raises_an_exception(event: object) -> None:
    """The same with 4,000 events."""
    check(event)


def test_the_fuzz_is_not_blind() -> None:
    """The strategy draws nested CloudEvents with odd types."""
    found: list[object] = []

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(EVENTS)
    def draw(event: object) -> None:
        text = json.dumps(event, default=str)
        if "specversion" in text and "type" in text:
            found.append(event)

    draw()
    assert found


def test_every_limit_is_on_the_page() -> None:
    """docs/limits.md has the number of each limit."""
    page = (CHECKOUT / "docs" / "limits.md").read_text(encoding="utf-8")
    numbers = {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}

    missing = {name for name, value in numbers.items() if f"{value:,}" not in page}
    assert numbers
    assert not missing
