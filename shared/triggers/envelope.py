"""What all triggers share: an event is an envelope around messages, each with a payload that somebody wrote."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import InvalidRequestError
from shared.fields import explain
from shared.limits import MAX_DEPTH, MAX_FAULTS, MAX_MESSAGES, MAX_PAYLOAD


ModelT = TypeVar("ModelT", bound=BaseModel)

_MANY_FAULTS = 300


class EventModel(BaseModel):
    """Base of the models of events. Built when the first event of its kind arrives, so cold start pays for one only."""

    model_config = ConfigDict(defer_build=True)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an event, not yet validated.

    Attributes:
        payload: JSON text, or the object itself where the trigger delivers one.
        position: where it stands in the event, such as "record.1.smn.message"; "" if it is the whole event.
        identity: identifies the message and is the same at every redelivery; None if the trigger delivers no id.
        is_final: whether `identity` takes precedence over an idempotency key in the payload.
        time: when it was sent or due, if the trigger says so.
        event_type: the CloudEvents type, if it is a CloudEvent.
        topic_urn: the SMN topic that it was published to.
        fault: why the envelope of this message cannot be read.
    """

    payload: object
    position: str = ""
    identity: tuple[str, ...] | None = None
    is_final: bool = False
    time: datetime | None = None
    event_type: str | None = None
    topic_urn: str | None = None
    fault: InvalidRequestError | None = None

    def decode(self) -> object:
        """Return the payload, parsed if it is JSON text. A blank text, such as an empty user event, is an empty object.

        Raises:
            InvalidRequestError: the payload is not JSON, exceeds a limit, or the message has a fault.
        """
        if self.fault:
            raise self.fault
        text = self.payload
        if not isinstance(text, str):
            check_json(text)
            return text
        if len(text) > MAX_PAYLOAD:
            raise InvalidRequestError([f"must be at most {MAX_PAYLOAD:,} characters; found {len(text):,}"])
        payload = parse_json(text) if text.strip() else {}
        check_json(payload, text)
        return payload


def parse_json(text: str) -> object:
    """Parse a text.

    Raises:
        InvalidRequestError: it is not JSON.
    """
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise InvalidRequestError([f"not JSON ({reason}); found a text of {len(text):,} characters"]) from error
    return parsed


def check_json(value: object, text: str | None = None) -> None:
    """Check the limits of a message: its size, its depth, and that its texts are valid Unicode.

    `text` is the JSON that it was parsed from, if it was. Most messages pass by a look at their JSON.

    Raises:
        InvalidRequestError: it exceeds a limit.
    """
    try:
        text = json.dumps(value) if text is None else text
    except (TypeError, ValueError, RecursionError):
        text = None
    if text is None or len(text) > MAX_PAYLOAD or not _is_harmless(text):
        _check_each(value)


def _is_harmless(text: str) -> bool:
    """Whether a JSON text has so few brackets that it is not deep, and nothing that may be half of a surrogate pair."""
    return text.isascii() and text.count("[") + text.count("{") <= MAX_DEPTH and "\\ud" not in text.lower()


def _check_each(value: object) -> None:
    size, level = 0, [value]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for one in level:
            size += len(one) if isinstance(one, (str, dict, list)) else 8
            if isinstance(one, dict):
                inner += one.keys()
                inner += one.values()
            elif isinstance(one, list):
                inner += one
            elif isinstance(one, str) and not one.isascii() and any("\ud800" <= c <= "\udfff" for c in one):
                raise InvalidRequestError(["has a text with half of a surrogate pair, which is not Unicode"])
            if size > MAX_PAYLOAD:
                raise InvalidRequestError([f"must be at most {MAX_PAYLOAD:,} characters"])
        if not inner:
            return
        level = inner
    raise InvalidRequestError([f"must be nested at most {MAX_DEPTH} levels deep"])


class Envelope(ABC):
    """A trigger: how to recognize its events, and where their messages are.

    Attributes:
        trigger: the trigger's name in reports and logs.
        is_asynchronous: whether nobody waits for the answer, so that only an exception leads to a redelivery.
        is_recurring: whether the same payload is delivered again and again, each time as a new event.
    """

    trigger: ClassVar[str]
    is_asynchronous: ClassVar[bool] = True
    is_recurring: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def recognizes(cls, event: object) -> bool:
        """Whether `event` has the marks of this trigger."""

    @classmethod
    @abstractmethod
    def open(cls, event: object) -> list[Message]:
        """Return the messages of an event.

        Raises:
            InvalidRequestError: the event has the marks of this trigger, but not its shape.
        """


def open_each(records: list[object], position: str, open_one: Callable[[object, str], list[Message]]) -> list[Message]:
    """Return the messages of each record. A record that cannot be read becomes a message with a fault.

    Messages above the limit of an event become one message with a fault.
    """
    messages: list[Message] = []
    for number, record in enumerate(records):
        place = f"{position}{number}"
        try:
            messages += open_one(record, place)
        except InvalidRequestError as error:
            messages.append(Message(None, place, fault=error))
        if len(messages) > MAX_MESSAGES:
            fault = InvalidRequestError([f"the event has more than {MAX_MESSAGES:,} messages; the rest is not read"])
            return [*messages[:MAX_MESSAGES], Message(None, place, fault=fault)]
    return messages


def validate(value: object, model: type[ModelT]) -> ModelT:
    """Validate `value` against `model`.

    Raises:
        InvalidRequestError: it does not fit; names all faults at once.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = _faults(error, value, model)
    # Outside of the handler: as its context, pydantic's error would keep every fault in memory.
    raise InvalidRequestError(faults)


def _faults(error: ValidationError, value: object, model: type[BaseModel]) -> tuple[str, ...]:
    """Describe the faults. If there are very many, only the beginning of each list and object is looked at."""
    count = error.error_count()
    quote = not issubclass(model, EventModel)  # the envelope around a message has headers, which no fault may quote
    if count <= _MANY_FAULTS:
        return explain(error, model, quote=quote)
    try:
        model.model_validate(_beginning(value))
    except ValidationError as first:
        return explain(first, model, quote=quote, count=count)
    return (f"event: {count:,} faults, none of them within the first {MAX_FAULTS} items of a list",)


def _beginning(value: object) -> object:
    """Return a value with the first items of each list and object only."""
    if isinstance(value, dict):
        return {key: _beginning(one) for key, one in islice(value.items(), MAX_FAULTS)}
    return [_beginning(one) for one in value[:MAX_FAULTS]] if isinstance(value, list) else value
