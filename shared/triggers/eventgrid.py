"""EventGrid: CloudEvents 1.0, one at a time or, from an event stream, several in a list."""

import base64
import binascii
from datetime import datetime

from pydantic import Field

from shared.backups.errors import InvalidRequestError
from shared.backups.validation import excerpt
from shared.triggers.envelope import BatchEnvelope, EventModel, Message, SingleEnvelope, open_each, validate


class CloudEvent(EventModel):
    """A CloudEvent in the JSON format; `data_base64` is the format's other way to carry data."""

    specversion: str
    id: str = Field(min_length=1)
    source: str = Field(min_length=1)
    type: str
    subject: str | None = None
    time: datetime | None = None
    datacontenttype: str | None = None
    data: object = None
    data_base64: str | None = None

    def open(self, position: str) -> Message:
        """The event's data as a message, identified by source and id (CloudEvents 1.0, id)."""
        time = self.time if self.time and self.time.tzinfo else None
        return Message(self._payload(), position, ("cloudevent", self.source, self.id), time=time, event_type=self.type)

    def _payload(self) -> object:
        if self.data_base64 is not None:
            try:
                return base64.b64decode(self.data_base64, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise InvalidRequestError([f"data_base64: not base64 of UTF-8 text ({error})"]) from error
        # A message of a RabbitMQ or RocketMQ source is in `context`.
        if isinstance(self.data, dict) and self.data.keys() == {"context"}:
            return self.data["context"]
        return self.data


class EventGridEnvelope(SingleEnvelope):
    """One CloudEvent: its data."""

    trigger = "eventgrid"

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By `specversion`."""
        return _is_cloud_event(event)

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """The event's data."""
        return [validate(event, CloudEvent).open("data")]


class EventGridBatchEnvelope(BatchEnvelope):
    """A list of CloudEvents: the data of each."""

    trigger = "eventgrid"

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By the `specversion` of every element."""
        return isinstance(event, list) and bool(event) and all(map(_is_cloud_event, event))

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """The data of each event."""
        if not isinstance(event, list):
            raise InvalidRequestError([f"event: must be a list of CloudEvents; found {excerpt(event)}"])
        return open_each(event, "", lambda value, place: [validate(value, CloudEvent).open(f"{place}.data")])


def _is_cloud_event(event: object) -> bool:
    return isinstance(event, dict) and "specversion" in event
