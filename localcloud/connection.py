"""Cutting a TCP connection, for which ASGI has no message."""

import socket
from asyncio import Transport
from typing import cast

from starlette.types import Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol


KEY = "connection"


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, which passes its transport to the application in the scope's state."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Add the transport to the state of every request of this connection."""
        # Head and body are two writes. Nagle's algorithm would delay the second one by 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self.app_state = {**self.app_state, KEY: transport}


async def cut(scope: Scope, receive: Receive, *, flush: bool = False) -> None:
    """Close the connection of a call and wait until it is closed. `flush` sends pending output first.

    Raises ConnectionResetError if there is no real connection, because the application was called in-process.
    """
    transport = cast("Transport | None", scope["state"].get(KEY))
    if transport is None:
        raise ConnectionResetError("the connection was cut by a fault rule")
    if flush:
        transport.close()
    else:
        transport.abort()
    # uvicorn must notice the disconnect before the application returns, or it would send an error response.
    while (await receive())["type"] != "http.disconnect":
        pass
