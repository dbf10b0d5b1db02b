"""The events of every trigger, in every documented shape: recognized, opened, and their payloads validated."""

import base64
import json
from typing import Any

import pytest
from pydantic import BaseModel

from shared.errors import InvalidRequestError
from shared.triggers.apig import ApigEnvelope
from shared.triggers.direct import DirectEnvelope
from shared.triggers.envelope import Envelope, validate
from shared.triggers.eventgrid import EventGridEnvelope
from shared.triggers.queues import KafkaEnvelope, RabbitMqEnvelope, RocketMqEnvelope
from shared.triggers.recognition import recognize
from shared.triggers.smn import SmnEnvelope
from shared.triggers.timer import TimerEnvelope
from tests.triggers import documented as doc


class Order(BaseModel):
    """The request of another function."""

    instance_ids: list[str]


ORDER = Order.model_validate(doc.PAYLOAD)


def orders(event: object, envelope: type[Envelope]) -> list[Order]:
    """Open an event, and validate the payload of each message."""
    return [validate(message.decode(), Order) for message in envelope.open(event)]


SHAPES: dict[str, tuple[type[Envelope], Any]] = {
    "timer": (TimerEnvelope, doc.timer()),
    "timer, version 1": (TimerEnvelope, doc.timer(version="v1.0")),
    "timer with an object": (TimerEnvelope, doc.timer(doc.PAYLOAD)),
    "eventgrid": (EventGridEnvelope, doc.eventgrid()),
    "eventgrid, data as text": (EventGridEnvelope, doc.eventgrid(doc.TEXT)),
    "eventgrid, message of a queue": (EventGridEnvelope, doc.eventgrid({"context": doc.TEXT})),
    "eventgrid, base64": (
        EventGridEnvelope,
        doc.eventgrid(None, data_base64=base64.b64encode(doc.TEXT.encode()).decode()),
    ),
    "eventgrid without time": (EventGridEnvelope, doc.eventgrid(time=None)),
    "apig": (ApigEnvelope, doc.apig()),
    "apig, plain": (ApigEnvelope, doc.apig(body="", isBase64Encoded=False) | {"body": doc.TEXT}),
    "apig without isBase64Encoded": (ApigEnvelope, {k: v for k, v in doc.apig().items() if k != "isBase64Encoded"}),
    "apig, plain, without isBase64Encoded": (ApigEnvelope, doc.apig(isBase64Encoded=None) | {"body": f" {doc.TEXT}"}),
    "dedicated gateway without path, headers and query": (
        ApigEnvelope,
        {k: v for k, v in doc.apig().items() if k in {"requestContext", "httpMethod", "body", "isBase64Encoded"}},
    ),
    "direct": (DirectEnvelope, dict(doc.PAYLOAD)),
    "smn": (SmnEnvelope, doc.smn()),
    "smn, only the record": (SmnEnvelope, {"record": [doc.smn_record()]}),
    "smn with attributes": (
        SmnEnvelope,
        doc.smn({**doc.smn_record(), "smn": {**doc.smn_record()["smn"], "message_attributes": {"a": "b"}}}),
    ),
    "smn with empty attributes": (
        SmnEnvelope,
        doc.smn({**doc.smn_record(), "smn": {**doc.smn_record()["smn"], "message_attributes": ""}}),
    ),
    "kafka": (KafkaEnvelope, doc.kafka()),
    "kafka, older": (KafkaEnvelope, doc.old_kafka()),
    "kafka, wrapped": (KafkaEnvelope, doc.kafka({"message": doc.TEXT})),
    "rabbitmq": (RabbitMqEnvelope, doc.rabbitmq()),
    "rabbitmq, with a topic": (RabbitMqEnvelope, doc.rabbitmq_with_topic()),
    "rocketmq": (RocketMqEnvelope, doc.rocketmq()),
    "eventgrid, list": (EventGridEnvelope, [doc.eventgrid()]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_event_is_recognized_and_opened(shape: str) -> None:
    """Its marks lead to the envelope of its trigger, which finds the payload."""
    envelope, event = SHAPES[shape]

    assert recognize(event, Order) is envelope
    assert orders(event, envelope) == [ORDER]


@pytest.mark.parametrize(
    ("event", "envelope", "fault"),
    [
        (doc.timer("Hello world"), TimerEnvelope, "not JSON (Expecting value); found a text of 11 characters"),
        (doc.timer(time="today"), TimerEnvelope, "time: "),
        (doc.timer(time="2023-06-01T08:30:00"), TimerEnvelope, "time: "),
        (doc.eventgrid(id=""), EventGridEnvelope, "id: "),
        (doc.eventgrid(None, data_base64="%"), EventGridEnvelope, "data_base64: not base64"),
        (doc.apig("", httpMethod="GET"), ApigEnvelope, "body: required, but the GET request has none"),
        (doc.apig(isBase64Encoded=True) | {"body": doc.TEXT}, ApigEnvelope, "body: not base64 of UTF-8 text"),
        (doc.apig() | {"body": base64.b64encode(b"\xff").decode()}, ApigEnvelope, "body: not base64 of UTF-8 text"),
        (doc.apig("[" * 100_000), ApigEnvelope, "not JSON"),
    ],
    ids=range(9),
)
def test_an_event_whose_only_payload_is_unreadable_is_rejected(
    event: object, envelope: type[Envelope], fault: str
) -> None:
    """The error says where the fault is and what was found."""
    with pytest.raises(InvalidRequestError) as caught:
        orders(event, envelope)

    assert caught.value.errors[0].startswith(fault)


@pytest.mark.parametrize(
    ("event", "envelope", "fault"),
    [
        ({"record": []}, SmnEnvelope, "record: "),
        (doc.smn(doc.smn_record(message_id="")), SmnEnvelope, "smn.message_id: "),
        (doc.smn({"event_source": "smn"}), SmnEnvelope, "smn: required, but missing"),
        (doc.kafka() | {"records": []}, KafkaEnvelope, "records: "),
        (doc.kafka() | {"records": ["x"]}, KafkaEnvelope, "event: must be an object"),
        ([{"specversion": "1.0"}], EventGridEnvelope, "id: required, but missing"),
    ],
    ids=range(6),
)
def test_a_batch_of_another_shape_is_rejected(event: object, envelope: type[Envelope], fault: str) -> None:
    """It has the marks of the trigger, but not its shape."""
    with pytest.raises(InvalidRequestError) as caught:
        orders(event, envelope)

    assert caught.value.errors[0].startswith(fault)


def test_a_payload_may_have_any_script() -> None:
    """The body of an API gateway is UTF-8 in base64."""
    payload = json.dumps({"instance_ids": ["实例"]}, ensure_ascii=False)

    assert orders(doc.apig(payload), ApigEnvelope)[0].instance_ids == ["实例"]
