"""A call as it arrives, before anybody has looked at it."""

import uuid
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from localcloud.auth.authenticate import Call, access_key_of


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call as it came, and the ends of its connection."""

    scope: Scope
    receive: Receive
    send: Send
    call: Call
    path: str
    request_id: str


def arrive(scope: Scope, receive: Receive, send: Send, body: bytes) -> Arrival:
    """Take a call in: its id, its access key, and everything as text."""
    headers = {name.decode("latin-1"): _text(value) for name, value in scope["headers"]}
    request_id = uuid.uuid4().hex
    state = {
        **scope.get("state", {}),
        "request_id": request_id,
        "access_key": access_key_of(headers),
        "authenticated": False,
        "agency_id": None,
    }
    target = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    # Only JSON is spoken here, so it is taken for JSON whatever curl -d calls it.
    typed = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    scope = {**scope, "state": state, "headers": [*typed, (b"content-type", b"application/json")]}
    call = Call(scope["method"], f"{target}?{query}" if query else target, headers, body)
    return Arrival(scope, receive, send, call, scope["path"], request_id)


async def read_body(receive: Receive) -> bytes | None:
    """The whole body; None when the client went away before it was there."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _text(header: bytes) -> str:
    # The SDK sends UTF-8 where HTTP says latin-1.
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")
