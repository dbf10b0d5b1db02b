"""Takes an event of any trigger apart: into requests, rejected messages, and notifications of our own."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic

from shared.errors import BackupError, InvalidRequestError, RequestError
from shared.limits import MAX_RUNS
from shared.notify import HEADLINES, Rejection
from shared.triggers.envelope import Envelope, Message, ModelT, parse_json, validate
from shared.triggers.recognition import recognize


_log = logging.getLogger(__name__)

_WRAPPINGS = 5
_OUR_TYPES = ("dds.backup.", "dds.drill.")


@dataclass(frozen=True, slots=True)
class Incoming(Generic[ModelT]):
    """A valid request, and what identifies the event that carried it.

    Attributes:
        position: where it stood in the event.
        payload: the fields of the message that the model knows.
        identity: identifies the event; the same at every redelivery.
        time: when the event was sent or due, if that is the same at every redelivery too.
        is_recurring: whether the same payload comes again and again, each time as a new event.
        topic_urn: the SMN topic that the message was published to.
    """

    request: ModelT
    position: str
    payload: dict[str, object]
    identity: tuple[str, ...]
    time: datetime | None
    is_recurring: bool
    topic_urn: str | None = None

    def reject(self, error: BackupError) -> Rejection:
        """Return the rejection of a request that cannot be carried out after all."""
        return Rejection(self.position or "event", error, self.payload, self.identity)


@dataclass(frozen=True, slots=True)
class Received(Generic[ModelT]):
    """The content of an event.

    Attributes:
        trigger: the trigger's name; "unknown" if no trigger's marks were found.
        is_asynchronous: whether only an exception leads to a redelivery; true of an unknown trigger, to be safe.
        ignored: how many messages are this application's own notifications, from a topic wired in a circle, or repeat
            another one.
    """

    trigger: str
    is_asynchronous: bool
    requests: Sequence[Incoming[ModelT]] = ()
    rejected: Sequence[Rejection] = ()
    ignored: int = 0

    def distinct(self) -> "Received[ModelT]":
        """Leave out requests that repeat an earlier one, for functions whose second run changes nothing.

        Each of the others is a run over many backups or instances, so those above MAX_RUNS are rejected.
        """
        seen: dict[str, Incoming[ModelT]] = {}
        for incoming in self.requests:
            seen.setdefault(json.dumps(incoming.payload, sort_keys=True), incoming)
        requests, ignored = list(seen.values()), self.ignored + len(self.requests) - len(seen)
        error = InvalidRequestError([f"found {len(requests):,} different requests in one event, {MAX_RUNS} at most"])
        surplus = [incoming.reject(error) for incoming in requests[MAX_RUNS:]]
        return replace(self, requests=requests[:MAX_RUNS], rejected=[*self.rejected, *surplus], ignored=ignored)


def receive(event: object, model: type[ModelT], *, request_id: str) -> Received[ModelT]:
    """Take an event of any trigger apart. A message that is not a valid request does not affect the others.

    The invocation's `request_id` identifies an event that has no id of its own. A `model` with a field
    ``idempotency_key`` lets the author of a message identify it.
    """
    try:
        envelope = recognize(event, model)
    except RequestError as error:
        rejection = Rejection("event", error, {}, ("request_id", request_id))
        return Received("unknown", is_asynchronous=True, rejected=[rejection])
    requests: list[Incoming[ModelT]] = []
    rejected: list[Rejection] = []
    ignored = 0
    for message in _open(envelope, event):
        read = _read(message, model, request_id)
        if read is None:
            ignored += 1
        elif isinstance(read, Rejection):
            rejected.append(read)
        else:
            request, payload = read
            identity, time = _identify(message, getattr(request, "idempotency_key", None), request_id)
            where = (message.position, payload, identity, time, envelope.is_recurring)
            requests.append(Incoming(request, *where, topic_urn=message.topic_urn))
    return Received(envelope.trigger, envelope.is_asynchronous, requests, rejected, ignored)


def _open(envelope: type[Envelope], event: object) -> list[Message]:
    try:
        return envelope.open(event)
    except InvalidRequestError as error:
        return [Message(None, "event", fault=error)]
    except Exception as error:  # noqa: BLE001 no event may cost more than itself
        return [Message(None, "event", fault=_unreadable(error))]


def _read(
    message: Message, model: type[ModelT], request_id: str
) -> tuple[ModelT, dict[str, object]] | Rejection | None:
    """Return the request of a message with the known part of its payload, its rejection, or None if it is our own."""
    known: dict[str, object] = {}
    error: RequestError
    try:
        payload = message.decode()
        if message.event_type in HEADLINES or (_may_be_ours(message.payload) and _is_ours(payload)):
            return None
        known = (
            {name: payload[name] for name in model.model_fields if name in payload} if isinstance(payload, dict) else {}
        )
        return validate(payload, model), known
    except RequestError as found:
        error = found
    except Exception as found:  # noqa: BLE001 whatever goes wrong with a message is its own rejection
        error = _unreadable(found)
    identity = message.identity or ("request_id", request_id, message.position)
    # The frames of a traceback would keep the whole payload in memory.
    return Rejection(message.position or "event", error.with_traceback(None), known, identity)


def _unreadable(error: Exception) -> InvalidRequestError:
    _log.exception("message not readable", exc_info=error)
    return InvalidRequestError([f"cannot be read ({type(error).__name__}); the function's log has the traceback"])


def _may_be_ours(value: object) -> bool:
    """Whether a value may hold a notification of this application: an object, a list, or a text that names its type."""
    return isinstance(value, (dict, list)) or (isinstance(value, str) and any(part in value for part in _OUR_TYPES))


def _is_ours(payload: object, wrappings: int = _WRAPPINGS) -> bool:
    """Whether a payload is a notification of this application, in whatever it is wrapped.

    SMN's HTTPS message, an EventGrid event and a queue quote the notification as a field or as JSON text.
    """
    if isinstance(payload, str):
        try:
            payload = parse_json(payload)
        except InvalidRequestError:
            return False
    if isinstance(payload, dict):
        kind = payload.get("type")
        if "specversion" in payload and isinstance(kind, str) and kind in HEADLINES:
            return True
        inner: list[object] = list(payload.values())
    else:
        inner = payload if isinstance(payload, list) else []
    return wrappings > 0 and any(_is_ours(one, wrappings - 1) for one in inner if _may_be_ours(one))


def _identify(message: Message, key: str | None, request_id: str) -> tuple[tuple[str, ...], datetime | None]:
    """Identify a message by its identity if that is final, else by the key in its payload, else by what there is."""
    if key and not message.is_final:
        # A message sent twice under one key has two times, so the key alone identifies it.
        return ("idempotency_key", key), None
    return message.identity or ("request_id", request_id), message.time
