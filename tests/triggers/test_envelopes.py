"""Every trigger, in every documented shape, through `parse`."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from shared.backups.errors import InvalidRequestError
from shared.triggers import (
    ApigEnvelope,
    BatchEnvelope,
    DirectEnvelope,
    EventGridBatchEnvelope,
    EventGridEnvelope,
    KafkaEnvelope,
    RabbitMqEnvelope,
    RocketMqEnvelope,
    SingleEnvelope,
    SmnEnvelope,
    TimerEnvelope,
    TimerEvent,
    parse,
    recognize,
)
from tests.triggers import documented as doc


class Order(BaseModel):
    """A model of somebody else's function."""

    instance_ids: list[str]


ORDER = Order.model_validate(doc.PAYLOAD)

SINGLES: dict[str, tuple[type[SingleEnvelope], dict[str, Any]]] = {
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
    "apig, silent about base64": (ApigEnvelope, {k: v for k, v in doc.apig().items() if k != "isBase64Encoded"}),
    "apig, plain and silent": (ApigEnvelope, doc.apig(isBase64Encoded=None) | {"body": f" {doc.TEXT}"}),
    "dedicated gateway without path, headers and query": (
        ApigEnvelope,
        {k: v for k, v in doc.apig().items() if k in {"requestContext", "httpMethod", "body", "isBase64Encoded"}},
    ),
    "direct": (DirectEnvelope, dict(doc.PAYLOAD)),
}

BATCHES: dict[str, tuple[type[BatchEnvelope], Any]] = {
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
    "eventgrid, list": (EventGridBatchEnvelope, [doc.eventgrid()]),
}


@pytest.mark.parametrize("shape", SINGLES)
def test_an_event_with_one_payload_is_parsed_and_recognized(shape: str) -> None:
    """`parse` gives one model, and the envelope is the one that the marks tell."""
    envelope, event = SINGLES[shape]

    assert parse(event, model=Order, envelope=envelope) == ORDER
    assert recognize(event, Order) is envelope


@pytest.mark.parametrize("shape", BATCHES)
def test_an_event_with_a_batch_is_parsed_and_recognized(shape: str) -> None:
    """`parse` gives a list of models."""
    envelope, event = BATCHES[shape]

    assert parse(event, model=Order, envelope=envelope) == [ORDER]
    assert recognize(event, Order) is envelope


def test_without_an_envelope_the_event_itself_is_parsed() -> None:
    """As Powertools does."""
    assert parse(doc.timer(), model=TimerEvent).trigger_name == "Timer_001"


@pytest.mark.parametrize("make", [doc.kafka, doc.rabbitmq, doc.rocketmq], ids=["kafka", "rabbitmq", "rocketmq"])
def test_the_faults_of_all_messages_are_said_at_once(make: Callable[..., dict[str, Any]]) -> None:
    """Each with its place; nothing is parsed then."""
    event = make(doc.TEXT, "kafka message2", "{}")
    envelope = recognize(event, Order)
    assert issubclass(envelope, BatchEnvelope)

    with pytest.raises(InvalidRequestError) as caught:
        parse(event, model=Order, envelope=envelope)

    assert caught.value.errors == (
        "records.0.messages.1: not JSON (Expecting value: line 1 column 1 (char 0)); found 'kafka message2'",
        "records.0.messages.2: instance_ids: required, but missing",
    )


@pytest.mark.parametrize(
    ("event", "envelope", "fault"),
    [
        (doc.timer("Hello world"), TimerEnvelope, "not JSON (Expecting value: line 1 column 1 (char 0)); found 'Hello"),
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
def test_a_single_payload_that_cannot_be_read(event: object, envelope: type[SingleEnvelope], fault: str) -> None:
    """The answer says where and what was found."""
    with pytest.raises(InvalidRequestError) as caught:
        parse(event, model=Order, envelope=envelope)

    assert caught.value.errors[0].startswith(fault)


@pytest.mark.parametrize(
    ("event", "envelope", "fault"),
    [
        ({"record": []}, SmnEnvelope, "record: "),
        (doc.smn(doc.smn_record(message_id="")), SmnEnvelope, "record.0: smn.message_id: "),
        (doc.smn({"event_source": "smn"}), SmnEnvelope, "record.0: smn: required, but missing"),
        (doc.kafka() | {"records": []}, KafkaEnvelope, "records: "),
        (doc.kafka() | {"records": ["x"]}, KafkaEnvelope, "records.0: "),
        ({}, EventGridBatchEnvelope, "event: must be a list of CloudEvents; found {}"),
        ([{"specversion": "1.0"}], EventGridBatchEnvelope, "0: id: required, but missing"),
    ],
    ids=range(7),
)
def test_a_batch_of_another_shape(event: object, envelope: type[BatchEnvelope], fault: str) -> None:
    """It bears the trigger's mark, but is not what the trigger delivers."""
    with pytest.raises(InvalidRequestError) as caught:
        parse(event, model=Order, envelope=envelope)

    assert caught.value.errors[0].startswith(fault)


def test_payloads_may_hold_any_script() -> None:
    """JSON text of any language, base64 or not."""
    payload = json.dumps({"instance_ids": ["实例"]}, ensure_ascii=False)

    assert parse(doc.apig(payload), model=Order, envelope=ApigEnvelope).instance_ids == ["实例"]
