"""The HTTP server of a local cloud, and what goes on while it serves."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from localcloud.app import make_app
from localcloud.cloud import Cloud
from localcloud.connection import CuttableProtocol


class HttpServer(uvicorn.Server):
    """uvicorn's server, which says when it has started. `url` is where the functions in the cloud reach it."""

    def __init__(self, cloud: Cloud, url: str, *, on_started: Callable[[], object]) -> None:
        super().__init__(
            uvicorn.Config(
                make_app(cloud),
                http=CuttableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # Longer than any client pauses between two calls: a POST on a connection that is just being closed
                # would look like a fault.
                timeout_keep_alive=120,
                timeout_graceful_shutdown=1,
            )
        )
        self._cloud = cloud
        self._cloud_url = url
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the server; unlike uvicorn's own, this does not raise them again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, and say so."""
        await super().startup(sockets)
        self._background = asyncio.create_task(self._cloud.functiongraph.go_on(self._cloud_url))
        self._on_started()


def listen(host: str, port: int) -> socket.socket:
    """A listener. Raises OSError when the port is taken."""
    return socket.create_server((host, port), backlog=512)


def url_of(listener: socket.socket) -> str:
    """Where a listener is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"
