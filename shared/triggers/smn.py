"""Simple Message Notification (SMN): records, each with a message published to a topic."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from shared.fields import event_time
from shared.triggers.envelope import Envelope, EventModel, Message, open_each, validate


_TIME = TypeAdapter(datetime, config=ConfigDict(defer_build=True))


class SmnMessage(EventModel):
    """A message as SMN delivers it. `message_attributes` is null, "" or an object."""

    topic_urn: str | None = None
    message_id: str = Field(min_length=1)
    message: object
    subject: str | None = None
    timestamp: str | None = None
    message_attributes: object = None
    type: str | None = None


class SmnRecord(EventModel):
    """One element of `record`."""

    event_version: str | None = None
    event_subscription_urn: str | None = None
    event_source: Literal["smn"]
    smn: SmnMessage


class SmnEvent(EventModel):
    """The event of a topic's subscription: a list of SmnRecords. Other keys at the top are ignored."""

    record: list[object] = Field(min_length=1)


class SmnEnvelope(Envelope):
    """The message of each record, identified by SMN's message id."""

    trigger = "smn"

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By `record[].event_source`."""
        records = event.get("record") if isinstance(event, dict) else None
        return isinstance(records, list) and any(
            isinstance(r, dict) and r.get("event_source") == "smn" for r in records
        )

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """Return the message of each record."""
        return open_each(validate(event, SmnEvent).record, "record.", _open_record)


def _open_record(value: object, position: str) -> list[Message]:
    message = validate(value, SmnRecord).smn
    identity = ("smn", message.message_id)
    time, topic_urn = _time(message.timestamp), message.topic_urn
    return [Message(message.message, f"{position}.smn.message", identity, time=time, topic_urn=topic_urn)]


def _time(timestamp: str | None) -> datetime | None:
    """Parse a timestamp; None if it cannot be read, since it only makes names readable."""
    try:
        return event_time(_TIME.validate_python(timestamp))
    except ValidationError:
        return None
