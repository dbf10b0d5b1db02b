"""From an event to the backup requests in it, the messages that are none, and those that are our own."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.backups.errors import InvalidRequestError, RequestError
from shared.backups.names import name_event
from shared.backups.notifications import ANNOUNCEMENTS
from shared.backups.outcomes import Rejection
from shared.backups.requests import BackupRequest
from shared.backups.side_by_side import NamedRequest
from shared.triggers.envelope import BatchEnvelope, Envelope, Message, SingleEnvelope, validate
from shared.triggers.recognition import recognize


@dataclass(frozen=True, slots=True)
class Received:
    """What an event holds.

    Attributes:
        trigger: the trigger's name, "unknown" if it is none that we know.
        is_asynchronous: whether only an exception brings the event again; true of an unknown trigger, to be safe.
        ignored: how many messages are this application's own announcements, from a topic wired in a circle.
    """

    trigger: str
    is_asynchronous: bool
    requests: Sequence[NamedRequest] = ()
    rejected: Sequence[Rejection] = ()
    ignored: int = 0


def receive(event: object, *, prefix: str, request_id: str) -> Received:
    """Take an event of any trigger apart. A message that is no valid request costs the others nothing.

    `prefix` begins the names of the backups; `request_id`, the invocation's, identifies an event that nothing else
    does.
    """
    try:
        envelope = recognize(event, BackupRequest)
    except RequestError as error:
        rejection = Rejection("event", error, event, ("request_id", request_id))
        return Received("unknown", is_asynchronous=True, rejected=[rejection])
    requests: list[NamedRequest] = []
    rejected: list[Rejection] = []
    ignored = 0
    for message in _open(envelope, event):
        try:
            payload = message.decode()
            if _is_ours(message, payload):
                ignored += 1
                continue
            requests.append(_name(validate(payload, BackupRequest), message, envelope, prefix, request_id))
        except RequestError as error:
            identity = message.identity or ("request_id", request_id, message.position)
            rejected.append(Rejection(message.position or "event", error, message.payload, identity))
    return Received(envelope.trigger, envelope.is_asynchronous, requests, rejected, ignored)


def _open(envelope: type[SingleEnvelope] | type[BatchEnvelope], event: object) -> list[Message]:
    try:
        return envelope.open(event)
    except InvalidRequestError as error:
        return [Message(event, "event", fault=error)]


def _is_ours(message: Message, payload: object) -> bool:
    kind = payload.get("type") if isinstance(payload, dict) and "specversion" in payload else message.event_type
    return kind in ANNOUNCEMENTS


def _name(
    request: BackupRequest, message: Message, envelope: type[Envelope], prefix: str, request_id: str
) -> NamedRequest:
    """Name the request's backups: by the message if it is final, else by the key it holds, else by what there is."""
    identity, time = message.identity or ("request_id", request_id), message.time
    if request.idempotency_key and not message.is_final:
        # Sent twice under one key, a message has two times: the key alone has to make the names.
        identity, time = ("idempotency_key", request.idempotency_key), None
    names = name_event(request, identity, time, prefix=prefix, recurring=envelope.is_recurring)
    return NamedRequest(request, names)
