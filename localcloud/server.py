"""The HTTP server of a local cloud, and `serve`, which runs it until a signal."""

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from localcloud.admin.schemas import Connection
from localcloud.app import make_app
from localcloud.cloud import Cloud
from localcloud.connection import CuttableProtocol
from localcloud.key_file import published
from localcloud.mongo.listener import DataPlane
from localcloud.seed import load_seed


# Seconds between two looks at signals, and between two looks at connections that are about to close.
_TICK = 0.1
_CLOSING_TICK = 0.001
_log = logging.getLogger("localcloud")


def serve(
    host: str = "127.0.0.1",
    port: int = 8600,
    *,
    state_file: Path | None = None,
    seed_file: Path | None = None,
    region: str | None = None,
    switches: Mapping[str, Any] | None = None,
    fixed_credentials: bool = False,
    allow_hosts: Iterable[str] = (),
    announce: Callable[[Connection], None] | None = None,
) -> int | None:
    """Serve until SIGINT or SIGTERM, and return its number.

    `announce` is called with the connection once the server accepts calls.

    Port 0 picks a free port. `region` replaces that of the seed. The credentials are new ones, or with
    `fixed_credentials` those of the seed. The server answers under the names of loopback, the address it listens on,
    and `allow_hosts`.
    Raises OSError if the port is taken, ValueError for an invalid seed file, state file or switch.
    """
    cloud = Cloud(load_seed(seed_file, region), dict(switches or {}), state_file, fixed_credentials=fixed_credentials)
    try:
        with listen(host, port) as listener:
            connection = cloud.connection(url_of(listener))
            server = HttpServer(
                cloud,
                listener,
                allow_hosts=allow_hosts,
                on_started=lambda: announce and announce(connection),
            )
            with published(connection):
                server.run(sockets=[listener])
            return server.ended_by
    finally:
        cloud.close()


class HttpServer(uvicorn.Server):
    """uvicorn's server with the background work of the cloud, and a quick end.

    `on_started` is called once the server accepts calls. The server answers under the names of loopback, the address
    of `listener`, and `allow_hosts`.
    """

    def __init__(
        self,
        cloud: Cloud,
        listener: socket.socket,
        *,
        allow_hosts: Iterable[str] = (),
        on_started: Callable[[], object],
    ) -> None:
        url = url_of(listener)
        super().__init__(
            uvicorn.Config(
                make_app(cloud, (url.removeprefix("http://"), *allow_hosts)),
                http=CuttableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # Longer than the pauses of any client: a POST on a connection that is just being closed would look
                # like a fault.
                timeout_keep_alive=120,
                timeout_graceful_shutdown=1,
            )
        )
        self._cloud = cloud
        self._url = url
        self._on_started = on_started
        self.ended_by: int | None = None
        """The number of the signal that stopped the server."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop on a signal."""
        self.ended_by = sig
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """Ask the server to stop, from any thread. It stops within milliseconds if no call is in flight."""
        self.should_exit = True
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._stopping.set)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM. Unlike uvicorn's method, this does not raise the signals again afterwards."""
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
        """Start to accept calls and to do background work."""
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        await super().startup(sockets)
        self._data_plane = DataPlane(self._cloud.dds, self._cloud.store)
        self._cloud.dds.address = self._data_plane.address
        self._background = asyncio.create_task(self._cloud.functiongraph.run(self._url))
        self._on_started()

    async def main_loop(self) -> None:
        """Wait for the end. Unlike uvicorn's loop, `stop` interrupts the pause between two ticks."""
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close idle connections at once, give calls in flight a second, then cancel them.

        uvicorn's method does the same in steps of 100 ms.
        """
        self._data_plane.close()
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            await asyncio.wait_for(self._calls_have_ended(), self.config.timeout_graceful_shutdown)
        except asyncio.TimeoutError:
            _log.error("cancelled %d calls that had not ended", len(self.server_state.tasks))
            for task in self.server_state.tasks:
                task.cancel()

    async def _calls_have_ended(self) -> None:
        server = self.server_state
        while (server.connections or server.tasks) and not self.force_exit:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(_CLOSING_TICK)


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket. Raises OSError if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=512)


def url_of(listener: socket.socket) -> str:
    """The base URL of a listening socket for clients on this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - all addresses include that of loopback
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
