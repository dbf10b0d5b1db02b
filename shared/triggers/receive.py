"""Takes an event of any trigger apart: into requests, rejected messages, and notifications of our own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from shared.errors import BackupError, InvalidRequestError, RequestError
from shared.notify import HEADLINES, Rejection
from shared.triggers.envelope import Envelope, Message, ModelT, validate
from shared.triggers.recognition import recognize


@dataclass(frozen=True, slots=True)
class Incoming(Generic[ModelT]):
    """A valid request, and what identifies the event that carried it.

    Attributes:
        position: where it stood in the event.
        payload: the message as it was written.
        identity: identifies the event; the same at every redelivery.
        time: when the event was sent or due, if that is the same at every redelivery too.
        is_recurring: whether the same payload comes again and again, each time as a new event.
    """

    request: ModelT
    position: str
    payload: object
    identity: tuple[str, ...]
    time: datetime | None
    is_recurring: bool

    def reject(self, error: BackupError) -> Rejection:
        """Return the rejection of a request that cannot be carried out after all."""
        return Rejection(self.position or "event", error, self.payload, self.identity)


@dataclass(frozen=True, slots=True)
class Received(Generic[ModelT]):
    """The content of an event.

    Attributes:
        trigger: the trigger's name; "unknown" if no trigger's marks were found.
        is_asynchronous: whether only an exception leads to a redelivery; true of an unknown trigger, to be safe.
        ignored: how many messages are this application's own notifications, from a topic wired in a circle.
    """

    trigger: str
    is_asynchronous: bool
    requests: Sequence[Incoming[ModelT]] = ()
    rejected: Sequence[Rejection] = ()
    ignored: int = 0


def receive(event: object, model: type[ModelT], *, request_id: str) -> Received[ModelT]:
    """Take an event of any trigger apart. A message that is not a valid request does not affect the others.

    The invocation's `request_id` identifies an event that has no id of its own. A `model` with a field
    ``idempotency_key`` lets the author of a message identify it.
    """
    try:
        envelope = recognize(event, model)
    except RequestError as error:
        rejection = Rejection("event", error, event, ("request_id", request_id))
        return Received("unknown", is_asynchronous=True, rejected=[rejection])
    requests: list[Incoming[ModelT]] = []
    rejected: list[Rejection] = []
    ignored = 0
    for message in _open(envelope, event):
        try:
            payload = message.decode()
            if _is_ours(message, payload):
                ignored += 1
                continue
            request = validate(payload, model)
        except RequestError as error:
            identity = message.identity or ("request_id", request_id, message.position)
            rejected.append(Rejection(message.position or "event", error, message.payload, identity))
        else:
            identity, time = _identify(message, getattr(request, "idempotency_key", None), request_id)
            where = (message.position, message.payload)
            requests.append(Incoming(request, *where, identity, time, is_recurring=envelope.is_recurring))
    return Received(envelope.trigger, envelope.is_asynchronous, requests, rejected, ignored)


def _open(envelope: type[Envelope], event: object) -> list[Message]:
    try:
        return envelope.open(event)
    except InvalidRequestError as error:
        return [Message(event, "event", fault=error)]


def _is_ours(message: Message, payload: object) -> bool:
    kind = payload.get("type") if isinstance(payload, dict) and "specversion" in payload else message.event_type
    return kind in HEADLINES


def _identify(message: Message, key: str | None, request_id: str) -> tuple[tuple[str, ...], datetime | None]:
    """Identify a message by its identity if that is final, else by the key in its payload, else by what there is."""
    if key and not message.is_final:
        # A message sent twice under one key has two times, so the key alone identifies it.
        return ("idempotency_key", key), None
    return message.identity or ("request_id", request_id), message.time
