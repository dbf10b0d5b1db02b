"""Cutting a connection for real: what ASGI has no word for."""

import socket
from asyncio import Transport
from typing import cast

from starlette.types import Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol


KEY = "connection"


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which hands its transport to the application in the scope's state."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Remember the transport for every request of this connection."""
        # Head and body are two writes, and Nagle's algorithm would hold the second back for 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self.app_state = {**self.app_state, KEY: transport}


async def cut(scope: Scope, receive: Receive, *, flush: bool = False) -> None:
    """Close the connection of a call and return when it is closed; `flush` sends first what was written.

    Raises ConnectionResetError where there is no real connection (an application called in-process).
    """
    transport = cast("Transport | None", scope["state"].get(KEY))
    if transport is None:
        raise ConnectionResetError("the connection was cut by a fault rule")
    if flush:
        transport.close()
    else:
        transport.abort()
    # uvicorn must know that the client is gone before the application returns, or it would send an error of its own.
    while (await receive())["type"] != "http.disconnect":
        pass
