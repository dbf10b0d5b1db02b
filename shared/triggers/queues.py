"""What the message queues' triggers share: batches of texts without an id."""

import json
from datetime import datetime

from pydantic import Field

from shared.triggers.envelope import EventModel, Message, open_each, validate


class QueueRecord(EventModel):
    """The messages of one topic or exchange; older events name the instance here instead of at the top."""

    messages: list[object]
    instance_id: str | None = None
    topic_id: str | None = None
    exchange: str | None = None

    @property
    def topic(self) -> str:
        """The topic, or RabbitMQ's exchange."""
        return self.topic_id or self.exchange or ""


class QueueEvent(EventModel):
    """A batch of QueueRecords; `event_time` is in seconds since 1970."""

    event_version: str | None = None
    event_time: datetime | None = None
    region: str | None = None
    instance_id: str | None = None
    records: list[object] = Field(min_length=1)


def open_batch(event: QueueEvent, trigger: str) -> list[Message]:
    """The messages of a batch.

    No id is delivered: a message is identified by its topic, the batch's time, its place in the batch and its text.
    """
    time = event.event_time

    def open_record(value: object, place: str) -> list[Message]:
        record = validate(value, QueueRecord)
        return [
            Message(
                payload,
                position := f"{place}.messages.{number}",
                (trigger, record.topic, time.isoformat() if time else "", position, _text(payload)),
                time=time,
            )
            for number, payload in enumerate(map(_unwrapped, record.messages))
        ]

    return open_each(event.records, "records.", open_record)


def has_trigger_type(event: object, trigger_type: str) -> bool:
    """Whether the event is a batch of this kind of queue."""
    return isinstance(event, dict) and event.get("trigger_type") == trigger_type


def _unwrapped(message: object) -> object:
    """Some runtimes deliver {"message": text} in place of the text."""
    if isinstance(message, dict) and message.keys() == {"message"}:
        return message["message"]
    return message


def _text(payload: object) -> str:
    return payload if isinstance(payload, str) else json.dumps(payload, sort_keys=True)
