"""What every trigger has in common: an event with messages in it, each with a payload somebody wrote."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.backups.errors import InvalidRequestError
from shared.backups.validation import excerpt, explain


ModelT = TypeVar("ModelT", bound=BaseModel)


class EventModel(BaseModel):
    """The shape of a trigger's event. Built when the first event of its kind arrives: cold start pays for one only."""

    model_config = ConfigDict(defer_build=True)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an event, not yet validated.

    Attributes:
        payload: what somebody wrote; JSON text, or the object itself where the trigger delivers one.
        position: where it stands in the event, such as "record.1.smn.message"; "" if it is the event.
        identity: what tells it from every other message and is the same at a redelivery; None if the trigger
            delivers no such thing.
        is_final: whether `identity` outranks an idempotency key that the payload holds.
        time: when it was sent or due, if the trigger says so.
        event_type: the CloudEvents type, if it is a CloudEvent.
        fault: why the trigger's own wrapping of the message cannot be read; it must not cost the others.
    """

    payload: object
    position: str = ""
    identity: tuple[str, ...] | None = None
    is_final: bool = False
    time: datetime | None = None
    event_type: str | None = None
    fault: InvalidRequestError | None = None

    def decode(self) -> object:
        """The payload, its JSON text read; a blank text, such as a timer's without a user event, is an empty object.

        Raises:
            InvalidRequestError: it is no JSON, or the message has a fault.
        """
        if self.fault:
            raise self.fault
        if not isinstance(self.payload, str):
            return self.payload
        if not self.payload.strip():
            return {}
        try:
            decoded: object = json.loads(self.payload)
        except (ValueError, RecursionError) as error:
            found = excerpt(self.payload)
            raise InvalidRequestError([f"not JSON ({error}); found {found}"]) from error
        return decoded

    def read(self, model: type[ModelT]) -> ModelT:
        """The payload as `model`.

        Raises:
            InvalidRequestError: it is no JSON or does not fit the model; all faults at once.
        """
        return validate(self.decode(), model)


class Envelope(ABC):
    """A trigger: how its events look and where their messages are.

    Attributes:
        trigger: its name in reports and logs.
        is_asynchronous: whether nobody waits for the answer, so that only an exception brings the event again.
        is_recurring: whether the same payload is delivered again and again and means a new event each time.
    """

    trigger: ClassVar[str]
    is_asynchronous: ClassVar[bool] = True
    is_recurring: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def recognizes(cls, event: object) -> bool:
        """Whether `event` bears the mark of this trigger."""

    @classmethod
    @abstractmethod
    def open(cls, event: object) -> list[Message]:
        """The messages of an event.

        Raises:
            InvalidRequestError: the event bears the mark of this trigger but not its shape.
        """


class SingleEnvelope(Envelope):
    """A trigger whose events carry one message."""

    @classmethod
    def parse(cls, event: object, model: type[ModelT]) -> ModelT:
        """The event's payload as `model`; raises InvalidRequestError."""
        (message,) = cls.open(event)
        return message.read(model)


class BatchEnvelope(Envelope):
    """A trigger whose events carry any number of messages."""

    @classmethod
    def parse(cls, event: object, model: type[ModelT]) -> list[ModelT]:
        """The payload of each message as `model`; raises InvalidRequestError with the faults of all of them."""
        parsed: list[ModelT] = []
        errors: list[str] = []
        for message in cls.open(event):
            try:
                parsed.append(message.read(model))
            except InvalidRequestError as error:
                errors += (f"{message.position}: {line}" for line in error.errors)
        if errors:
            raise InvalidRequestError(errors)
        return parsed


def open_each(records: list[object], position: str, open_one: Callable[[object, str], list[Message]]) -> list[Message]:
    """The messages of each record; of one that cannot be read, a message that has the fault."""
    messages: list[Message] = []
    for number, record in enumerate(records):
        place = f"{position}{number}"
        try:
            messages += open_one(record, place)
        except InvalidRequestError as error:
            messages.append(Message(record, place, fault=error))
    return messages


def validate(value: object, model: type[ModelT]) -> ModelT:
    """`value` as `model`; raises InvalidRequestError with all faults at once."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidRequestError(explain(error, model)) from error
