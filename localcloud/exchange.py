"""An HTTP exchange: a request as it arrives at the gateway, and the response before it is sent."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from localcloud.auth.authentication import Call, access_key_of
from localcloud.connection import cut
from localcloud.errors import CloudError, Service, error_body, gateway_error


@dataclass(slots=True)
class Response:
    """A complete response. Header names are lower-case."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_response(status: int, body: Any) -> Response:
    """A response with a JSON body."""
    return Response(status, json.dumps(body).encode(), {"content-type": "application/json"})


def error_response(error: CloudError, service: Service, request_id: str) -> Response:
    """The response that reports an error."""
    return json_response(error.status, error_body(service, error.status, error.code, error.message, request_id))


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its id, and the connection on which the response is sent."""

    scope: Scope
    receive: Receive
    send: Send
    call: Call
    path: str
    request_id: str

    async def run(self, app: ASGIApp) -> Response:
        """The response of an application to the request."""
        response = Response(500)

        async def receive() -> Message:
            return {"type": "http.request", "body": self.call.body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                response.status = message["status"]
                response.headers = {
                    name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]
                }
            else:
                response.body += message.get("body", b"")

        await app(self.scope, receive, send)
        return response

    async def respond(self, response: Response, *, truncate: int | None = None) -> None:
        """Send a response. With `truncate`, cut the connection after that many bytes of its body."""
        body = response.body
        headers = response.headers | {"content-length": str(len(body)), "x-request-id": self.request_id}
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": response.status, "headers": raw})
        if truncate is None or truncate >= len(body):
            await self.send({"type": "http.response.body", "body": body})
            return
        await self.send({"type": "http.response.body", "body": body[:truncate], "more_body": True})
        await cut(self.scope, self.receive, flush=True)

    async def cut(self) -> None:
        """Cut the connection without a response."""
        await cut(self.scope, self.receive)


def open_exchange(scope: Scope, receive: Receive, send: Send, body: bytes) -> Exchange:
    """Give a request its id. The state of its scope has this id and the access key of the caller."""
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
    # All bodies are JSON, whatever content type the client gives (curl -d says it is a form).
    others = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    scope = {**scope, "state": state, "headers": [*others, (b"content-type", b"application/json")]}
    call = Call(scope["method"], f"{target}?{query}" if query else target, headers, body)
    return Exchange(scope, receive, send, call, scope["path"], request_id)


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None if the client disconnects before it is complete.

    Raises the gateway's CloudError (413) for more than `limit` bytes: before reading if the client announces them, and
    otherwise once they have come.
    """
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if int(announced) > limit:
        raise gateway_error(413)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise gateway_error(413)
        if not message.get("more_body", False):
            return b"".join(parts)


def _text(header: bytes) -> str:
    # SDKs send UTF-8 where HTTP specifies Latin-1.
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")
