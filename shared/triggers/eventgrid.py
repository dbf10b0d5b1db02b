"""EventGrid: CloudEvents 1.0, one at a time, or several in a list from an event stream."""

import base64
from datetime import datetime

from pydantic import Field

from shared.errors import InvalidRequestError
from shared.fields import event_time
from shared.triggers.envelope import Envelope, EventModel, Message, open_each, validate


class CloudEvent(EventModel):
    """A CloudEvent in the JSON format. `data_base64` is the format's other way to carry data."""

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
        """Return the event's data as a message, identified by source and id (CloudEvents 1.0, id)."""
        identity, time = ("cloudevent", self.source, self.id), event_time(self.time)
        try:
            return Message(self._payload(), position, identity, time=time, event_type=self.type)
        except InvalidRequestError as error:
            return Message(None, position, identity, time=time, event_type=self.type, fault=error)

    def _payload(self) -> object:
        if self.data_base64 is not None:
            try:
                return base64.b64decode(self.data_base64, validate=True).decode()
            except ValueError as error:
                raise InvalidRequestError([f"data_base64: not base64 of UTF-8 text ({error})"]) from error
        # The message of a RabbitMQ or RocketMQ source is in `context`.
        if isinstance(self.data, dict) and self.data.keys() == {"context"}:
            return self.data["context"]
        return self.data


class EventGridEnvelope(Envelope):
    """The data of a CloudEvent, or of each CloudEvent in a list."""

    trigger = "eventgrid"

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By the `specversion` of the event, or of every element of the list."""
        events = event if isinstance(event, list) else [event]
        return bool(events) and all(isinstance(one, dict) and "specversion" in one for one in events)

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """Return the data of each event."""
        if isinstance(event, list):
            return open_each(event, "", lambda value, place: [validate(value, CloudEvent).open(f"{place}.data")])
        return [validate(event, CloudEvent).open("data")]
