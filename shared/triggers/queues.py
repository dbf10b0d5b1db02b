"""Distributed Message Service for Kafka, RabbitMQ and RocketMQ, and open-source Kafka: batches of texts without ids."""

import json
from datetime import datetime

from pydantic import Field

from shared.errors import InvalidRequestError
from shared.fields import event_time
from shared.limits import MAX_DEPTH, MAX_MESSAGES
from shared.triggers.envelope import Envelope, EventModel, Message, open_each, validate


class QueueRecord(EventModel):
    """The messages of one topic or exchange. Older events have the instance here instead of at the top."""

    messages: list[object]
    instance_id: str | None = None
    topic_id: str | None = None
    exchange: str | None = None

    @property
    def topic(self) -> str:
        """The topic, or RabbitMQ's exchange."""
        return self.topic_id or self.exchange or ""


class QueueEvent(EventModel):
    """A batch of records; `event_time` is in seconds since 1970."""

    event_version: str | None = None
    event_time: datetime | None = None
    trigger_type: str
    region: str | None = None
    instance_id: str | None = None
    records: list[object] = Field(min_length=1)


class QueueEnvelope(Envelope):
    """Each message of each record.

    The queues deliver no message ids. A message is identified by its topic, the time of the batch, its position in the
    batch and its text.
    """

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By `trigger_type`."""
        return isinstance(event, dict) and event.get("trigger_type") == cls.trigger.upper()

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """Return the messages of all records."""
        batch = validate(event, QueueEvent)
        sent = batch.event_time.isoformat() if batch.event_time else ""
        time = event_time(batch.event_time)

        def open_record(value: object, place: str) -> list[Message]:
            record = validate(value, QueueRecord)
            messages = record.messages[: MAX_MESSAGES + 1]  # one more shows that there are more
            return [
                open_message(payload, f"{place}.messages.{number}", record.topic)
                for number, payload in enumerate(messages)
            ]

        def open_message(payload: object, position: str, topic: str) -> Message:
            try:
                text = _text(payload)
            except InvalidRequestError as error:
                return Message(None, position, fault=error)
            return Message(text, position, (cls.trigger, topic, sent, position, text), time=time)

        return open_each(batch.records, "records.", open_record)


class KafkaEnvelope(QueueEnvelope):
    """DMS for Kafka and open-source Kafka, which deliver the same event (`trigger_type` KAFKA)."""

    trigger = "kafka"


class RabbitMqEnvelope(QueueEnvelope):
    """DMS for RabbitMQ (`trigger_type` RABBITMQ)."""

    trigger = "rabbitmq"


class RocketMqEnvelope(QueueEnvelope):
    """DMS for RocketMQ (`trigger_type` ROCKETMQ)."""

    trigger = "rocketmq"


def _text(message: object) -> str:
    """Return the text of a message. Some runtimes deliver {"message": text}, or the parsed object, instead of it.

    Raises:
        InvalidRequestError: the object is nested too deep to be a text.
    """
    if isinstance(message, dict) and message.keys() == {"message"}:
        message = message["message"]
    if isinstance(message, str):
        return message
    try:
        return json.dumps(message, sort_keys=True)
    except RecursionError:
        raise InvalidRequestError([f"must be nested at most {MAX_DEPTH} levels deep"]) from None
