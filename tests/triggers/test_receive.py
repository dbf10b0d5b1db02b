"""From an event to requests: what identifies each, and what becomes of the other messages."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.create.request import BackupRequest
from shared.errors import InvalidRequestError
from shared.identity import EventNames
from shared.notify import HEADLINES
from shared.triggers.receive import Incoming, Received, receive
from tests.fakes import name_request
from tests.triggers import documented as doc


def received(event: object, request_id: str = "request-1") -> Received[BackupRequest]:
    return receive(event, BackupRequest, request_id=request_id)


def named(incoming: Incoming[BackupRequest]) -> EventNames:
    return name_request(
        incoming.request,
        incoming.identity,
        incoming.time,
        prefix="dds-backup",
        recurring=incoming.is_recurring,
    )


def names(event: object, request_id: str = "request-1") -> list[str]:
    """Return the names of the backups of the first instance of each request."""
    got = received(event, request_id)
    assert not got.rejected
    return [named(incoming).name(incoming.request.instances[0]) for incoming in got.requests]


def payload(**fields: object) -> str:
    return json.dumps({**doc.PAYLOAD, **fields})


EVENTS: dict[str, Any] = {
    "timer": doc.timer(),
    "smn": doc.smn(doc.smn_record(message_id="m1"), doc.smn_record(message_id="m2")),
    "kafka": doc.kafka(doc.TEXT, doc.TEXT),
    "rabbitmq": doc.rabbitmq(doc.TEXT, doc.TEXT),
    "rocketmq": doc.rocketmq(doc.TEXT, doc.TEXT),
    "eventgrid": doc.eventgrid(),
    "eventgrid list": [doc.eventgrid(id="1"), doc.eventgrid(id="2")],
    "apig": doc.apig(),
}


@pytest.mark.parametrize("trigger", EVENTS)
def test_a_redelivery_gives_the_same_names_in_another_invocation(trigger: str) -> None:
    """The names do not depend on the invocation."""
    event = EVENTS[trigger]

    assert names(event, "request-1") == names(json.loads(json.dumps(event)), "request-2")


@pytest.mark.parametrize("trigger", EVENTS)
def test_each_message_of_a_batch_is_an_event_of_its_own(trigger: str) -> None:
    """So are two messages with the same text."""
    made = names(EVENTS[trigger])

    assert len(set(made)) == len(made)


@pytest.mark.parametrize("trigger", sorted(EVENTS.keys() - {"eventgrid list"}))
def test_the_trigger_of_an_event_is_known(trigger: str) -> None:
    """All triggers but the API gateway are asynchronous."""
    got = received(EVENTS[trigger])

    assert got.trigger == trigger
    assert got.is_asynchronous is (trigger != "apig")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (doc.timer(), doc.timer(time="2023-06-02T08:30:00+08:00")),
        (doc.timer(), doc.timer(trigger_name="Timer_002")),
        (doc.smn(doc.smn_record(message_id="m1")), doc.smn(doc.smn_record(message_id="m2"))),
        (doc.eventgrid(), doc.eventgrid(id="2")),
        (doc.eventgrid(), doc.eventgrid(source="other")),
        (doc.kafka(), doc.kafka() | {"event_time": 1}),
        (doc.kafka(), doc.rocketmq()),
        (doc.apig(), doc.apig(requestContext={"requestId": "another"})),
        (doc.apig(), doc.apig(headers={"Idempotency-Key": "k"})),
    ],
    ids=range(9),
)
def test_different_events_give_different_names(one: object, other: object) -> None:
    """Each part of the identity counts."""
    assert names(one) != names(other)


def test_a_time_of_the_timer_is_the_same_in_every_zone() -> None:
    """The identity has the time in UTC."""
    assert names(doc.timer()) == names(doc.timer(time="2023-06-01T00:30:00Z"))


def test_a_direct_call_is_identified_by_the_request_id() -> None:
    """Two calls are two events."""
    assert names(dict(doc.PAYLOAD), "request-1") == names(dict(doc.PAYLOAD), "request-1")
    assert names(dict(doc.PAYLOAD), "request-1") != names(dict(doc.PAYLOAD), "request-2")


KEYED: dict[str, Callable[[], Any]] = {
    "direct": lambda: {**doc.PAYLOAD, "idempotency_key": "release-42"},
    "apig header": lambda: doc.apig(headers={"Idempotency-Key": "release-42"}),
    "apig quoted header": lambda: doc.apig(headers={"idempotency-key": ' "release-42" '}),
    "apig body": lambda: doc.apig(payload(idempotency_key="release-42")),
    "smn": lambda: doc.smn(doc.smn_record(payload(idempotency_key="release-42"))),
    "kafka": lambda: doc.kafka(payload(idempotency_key="release-42")),
    "rabbitmq": lambda: doc.rabbitmq(payload(idempotency_key="release-42")),
    "rocketmq": lambda: doc.rocketmq(payload(idempotency_key="release-42")),
    "eventgrid": lambda: doc.eventgrid({**doc.PAYLOAD, "idempotency_key": "release-42"}),
}


@pytest.mark.parametrize("way", KEYED)
def test_one_idempotency_key_is_one_event_for_all_triggers(way: str) -> None:
    """A pipeline that repeats its request through another trigger gets the same backup."""
    assert names(KEYED[way](), "request-1") == names(KEYED["direct"](), "request-2")


def test_a_message_published_twice_under_one_key_is_one_event() -> None:
    """The second copy has another message id and another timestamp."""
    first = doc.smn(doc.smn_record(payload(idempotency_key="k"), message_id="m1"))
    second = doc.smn(doc.smn_record(payload(idempotency_key="k"), message_id="m2"))
    second["record"][0]["smn"]["timestamp"] = "2018-01-09T07:12:00Z"

    assert names(first) == names(second)


def test_the_key_in_the_payload_of_a_timer_does_not_identify_its_events() -> None:
    """The payload is the same every night."""
    monday = doc.timer(payload(idempotency_key="nightly"))
    tuesday = doc.timer(payload(idempotency_key="nightly"), time="2023-06-02T08:30:00+08:00")

    assert names(monday) != names(tuesday)


def test_the_header_takes_precedence_over_the_key_in_the_body() -> None:
    """HTTP clients repeat the header when they retry."""
    event = doc.apig(payload(idempotency_key="other"), headers={"Idempotency-Key": "release-42"})

    assert names(event) == names(KEYED["direct"]())


def test_a_gateway_request_without_an_id_is_identified_by_a_header_or_the_invocation() -> None:
    """The header is X-Request-Id."""
    headerless = doc.apig(requestContext={})
    with_header = doc.apig(requestContext={}, headers={"X-Request-ID": "abc"})

    assert names(headerless, "1") != names(headerless, "2")
    assert names(with_header, "1") == names(with_header, "2")


@pytest.mark.parametrize("timestamp", [None, "", "yesterday", "2018-01-09T07:11:40"])
def test_an_smn_timestamp_that_cannot_be_read_is_left_out(timestamp: object) -> None:
    """The name of the backup has no time then."""
    event = doc.smn()
    event["record"][0]["smn"]["timestamp"] = timestamp

    (name,) = names(event)
    assert name.count("-") == 3


@pytest.mark.parametrize("kind", doc.FOREIGN)
def test_an_event_of_an_unsupported_trigger_is_rejected(kind: str) -> None:
    """The error names that trigger and the supported ones."""
    got = received(doc.FOREIGN[kind])

    (rejection,) = got.rejected
    assert rejection.error.code == "unknown_event"
    assert f"found an event of {kind}," in str(rejection.error)
    assert "known: timer, kafka" in str(rejection.error)
    assert not got.requests


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"key": "value"}, "an object with the keys key"),
        ({}, "an empty object"),
        ({"trigger_type": "FOO"}, "trigger_type 'FOO'"),
        ("text", "found a text;"),
        (None, "found null;"),
        ([], "found a list;"),
        ([1], "found a list;"),
        ({"record": [{"event_source": "SMN"}]}, "an object with the keys record"),
        ({"trigger_type": "TIMER", "specversion": "1.0"}, "an event of timer and eventgrid at once"),
    ],
    ids=range(9),
)
def test_an_event_of_no_trigger_is_rejected(event: object, found: str) -> None:
    """The error says what was found, such as the blank template of the console."""
    got = received(event)

    (rejection,) = got.rejected
    assert found in str(rejection.error)
    assert (rejection.position, got.trigger) == ("event", "unknown")


def test_a_bad_message_does_not_affect_the_others() -> None:
    """Of three records, one is not a request, and one is not a record."""
    got = received(doc.smn(doc.smn_record(message_id="m1"), doc.smn_record("Hello", "m2"), {"event_source": "smn"}))

    assert len(got.requests) == 1
    assert [rejection.position for rejection in got.rejected] == ["record.1.smn.message", "record.2"]
    assert got.rejected[0].payload == {}


def test_a_request_that_cannot_be_carried_out_is_rejected() -> None:
    """The rejection has the position, the payload and the identity of its message."""
    (incoming,) = received(doc.timer(payload(name="n" * 30))).requests
    error = InvalidRequestError(["name: too long"])

    rejection = incoming.reject(error)

    assert (rejection.position, rejection.error) == ("user_event", error)
    assert rejection.payload == json.loads(payload(name="n" * 30))
    assert rejection.identity == incoming.identity


@pytest.mark.parametrize("kind", HEADLINES)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda note: doc.smn(doc.smn_record(json.dumps(note))),
        lambda note: note,
        lambda note: doc.kafka(json.dumps(note)),
    ],
    ids=["smn", "eventgrid", "kafka"],
)
def test_a_notification_of_this_application_is_ignored(wrap: Callable[[object], object], kind: str) -> None:
    """The notification topic triggers the function."""
    note = doc.eventgrid({"instance_id": "a"}, type=kind)

    got = received(wrap(note))

    assert (got.ignored, got.requests, got.rejected) == (1, [], [])


PAYLOAD_ENVELOPES: dict[str, Callable[[Any], Any]] = {
    "timer": lambda payload: doc.timer(json.dumps(payload)),
    "timer with an object": doc.timer,
    "smn": lambda payload: doc.smn(doc.smn_record(json.dumps(payload)), doc.smn_record(message_id="m2")),
    "kafka": lambda payload: doc.kafka(json.dumps(payload), doc.TEXT),
    "kafka, wrapped": lambda payload: doc.kafka({"message": payload}, doc.TEXT),
    "rabbitmq": lambda payload: doc.rabbitmq(json.dumps(payload), doc.TEXT),
    "rocketmq": lambda payload: doc.rocketmq(json.dumps(payload), doc.TEXT),
    "eventgrid": doc.eventgrid,
    "eventgrid list": lambda payload: [doc.eventgrid(payload), doc.eventgrid(id="2")],
    "eventgrid, base64": lambda payload: doc.eventgrid(
        None, data_base64=base64.b64encode(json.dumps(payload).encode()).decode()
    ),
    "apig": lambda payload: doc.apig(json.dumps(payload)),
}
BATCHES = {"smn", "kafka", "kafka, wrapped", "rabbitmq", "rocketmq", "eventgrid list"}
"""The envelopes that carry a valid message after the payload."""


def assert_only_the_valid_message_is_taken(envelope: str, payload: object) -> None:
    got = received(PAYLOAD_ENVELOPES[envelope](payload))
    valid = [BackupRequest.model_validate(doc.PAYLOAD)] if envelope in BATCHES else []
    assert [incoming.request for incoming in got.requests] == valid
    assert [rejection.error.code for rejection in got.rejected] == ["invalid_request"]


@pytest.mark.parametrize("envelope", PAYLOAD_ENVELOPES)
def test_a_foreign_cloudevent_as_a_payload_is_rejected(envelope: str) -> None:
    """It is not a request, whatever its type is; the message after it is taken."""
    for kind in ("com.example.order", "", None, 5, True):
        assert_only_the_valid_message_is_taken(envelope, doc.eventgrid(type=kind))


@pytest.mark.parametrize("envelope", PAYLOAD_ENVELOPES)
def test_a_cloudevent_whose_type_is_not_a_text_is_rejected(envelope: str) -> None:
    """A list or an object as the type does not stop the message after it."""
    kinds: tuple[object, ...] = (["dds.backup.started"], {})
    for kind in kinds:
        assert_only_the_valid_message_is_taken(envelope, doc.eventgrid(type=kind))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
MARKS = st.fixed_dictionaries(
    {},
    optional={
        "trigger_type": st.sampled_from(["TIMER", "KAFKA", "RABBITMQ", "ROCKETMQ", "X"]),
        "record": st.lists(st.fixed_dictionaries({"event_source": st.just("smn"), "smn": JSON})),
        "records": JSON,
        "specversion": st.just("1.0"),
        "id": JSON,
        "source": JSON,
        "type": JSON,
        "data": JSON,
        "time": JSON,
        "trigger_name": st.text(),
        "user_event": JSON,
        "httpMethod": JSON,
        "requestContext": JSON,
        "body": JSON,
        "headers": JSON,
        "instance_ids": JSON,
    },
)


# To be drawn from JSON as soon as the test above with a list as the type passes.
TYPES = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(sorted(HEADLINES))
CLOUDEVENTS = st.fixed_dictionaries(
    {"specversion": JSON}, optional={"type": TYPES, "id": JSON, "source": JSON, "data": JSON, "instance_ids": JSON}
)
NESTED = st.builds(
    lambda envelope, payload: PAYLOAD_ENVELOPES[envelope](payload),
    st.sampled_from(sorted(PAYLOAD_ENVELOPES)),
    CLOUDEVENTS,
)


@given(JSON | MARKS | st.lists(MARKS) | NESTED)
def test_every_event_leads_to_requests_rejections_or_ignored_messages(event: object) -> None:
    """No event crashes, and reading it again leads to the same."""
    got = received(event)

    assert got.requests or got.rejected or got.ignored or got.trigger in {"kafka", "rabbitmq", "rocketmq"}
    again = received(event)
    assert got == again or [named(one) for one in got.requests] == [named(one) for one in again.requests]
