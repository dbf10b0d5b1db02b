"""The listeners: one on 127.0.0.1 for each instance that can be used, in the event loop of the server."""

import asyncio
import contextlib
import itertools
import logging
import socket
import ssl
import struct
from dataclasses import dataclass, field
from typing import cast

from localcloud.dds.model import Instance
from localcloud.dds.state import DdsState
from localcloud.mongo import tls
from localcloud.mongo.call import Client, Server
from localcloud.mongo.commands import answer
from localcloud.mongo.wire import ProtocolError, encode, length_of, parse
from localcloud.store import Store


HOST = "127.0.0.1"
MAX_CONNECTIONS = 1000
# Before a client has signed in, its messages are small.
MAX_UNKNOWN = 64 * 1024
HANDSHAKE_TIMEOUT = 10.0
# Seconds to wait when the process has no file descriptor left for another connection.
_PAUSE = 0.1
# Close with a reset, without waiting for the other side.
_AT_ONCE = struct.pack("ii", 1, 0)
_log = logging.getLogger("localcloud")


@dataclass(slots=True)
class Listener:
    """The listening socket of an instance, the task that accepts its connections, and these."""

    server: Server
    socket: socket.socket
    connections: set["Connection"] = field(default_factory=set)
    opening: set["asyncio.Task[None]"] = field(default_factory=set)
    task: "asyncio.Task[None] | None" = None

    def close(self) -> None:
        """Stop listening, and end all connections."""
        for task in (self.task, *self.opening):
            if task is not None:
                task.cancel()
        self.socket.close()
        for connection in tuple(self.connections):
            connection.abort()


@dataclass(frozen=True, slots=True)
class Port:
    """The port of the instance with this id, which it keeps after a restart if it is still free."""

    id: str
    port: int


class DataPlane:
    """The listeners of a cloud. It is used within the event loop that it was made in."""

    def __init__(self, dds: DdsState, store: Store) -> None:
        self._dds = dds
        self._commit = store.commit
        self._ports = store.table("port", Port)
        self._loop = asyncio.get_running_loop()
        self._listeners: dict[str, Listener] = {}
        self._numbers = itertools.count(1)

    def address(self, instance: Instance) -> tuple[str, int] | None:
        """Where an instance listens; None while it is not usable. The first call for a usable one opens the port."""
        self._close_deleted()
        listener = self._listeners.get(instance.id)
        if listener is None and instance.status == "normal":
            listener = self._open(instance)
        return None if listener is None else (HOST, listener.server.port)

    def close(self) -> None:
        """Close all listeners and connections."""
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()

    def _open(self, instance: Instance) -> Listener:
        earlier = self._ports.get(instance.id)
        opened = _listen(earlier.port if earlier else 0)
        port = opened.getsockname()[1]
        if earlier is None or earlier.port != port:
            self._ports.put(Port(instance.id, port))
        server = Server(self._dds, instance.id, port, self._commit)
        listener = self._listeners[instance.id] = Listener(server, opened)
        listener.task = self._loop.create_task(self._accept(listener))
        return listener

    def _close_deleted(self) -> None:
        for instance_id, listener in tuple(self._listeners.items()):
            if listener.server.instance is None:
                listener.close()
                del self._listeners[instance_id]
                self._ports.remove(instance_id)

    async def _accept(self, listener: Listener) -> None:
        while True:
            try:
                client, _ = await self._loop.sock_accept(listener.socket)
            except OSError as error:
                _log.warning("cannot accept a connection to an instance: %s", error)
                await asyncio.sleep(_PAUSE)
                continue
            busy = len(listener.connections) + len(listener.opening) >= MAX_CONNECTIONS
            if busy or not listener.server.is_up:
                _reset(client)
                continue
            task = self._loop.create_task(self._connect(listener, client))
            listener.opening.add(task)
            task.add_done_callback(listener.opening.discard)

    async def _connect(self, listener: Listener, client: socket.socket) -> None:
        instance = listener.server.instance
        secured = _context(instance) if instance is not None and instance.ssl else None
        try:
            await self._loop.connect_accepted_socket(
                lambda: Connection(listener, next(self._numbers)),
                client,
                ssl=secured,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT if secured else None,
            )
        # A client that gives up, or that does not speak TLS, ends its own connection only.
        except (OSError, asyncio.TimeoutError):
            _reset(client)


class Connection(asyncio.Protocol):
    """One client: its messages are answered one after the other, as fast as it reads the answers."""

    def __init__(self, listener: Listener, number: int) -> None:
        self._listener = listener
        self._number = number
        self._answers = itertools.count(1)
        self._received = bytearray()
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        client = transport.get_extra_info("socket")
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = Client(self._number, transport.get_extra_info("peername") or (HOST, 0))
        self._listener.connections.add(self)
        self._listener.server.connections = len(self._listener.connections)
        self._listener.server.total_connections += 1

    def connection_lost(self, _error: Exception | None) -> None:
        """End."""
        # Python 3.10 does not mark the transport of a TLS connection that the client has closed as closed.
        self._transport.close()
        self._received.clear()
        self._listener.connections.discard(self)
        self._listener.server.connections = len(self._listener.connections)

    def data_received(self, data: bytes) -> None:
        """Answer the messages that are complete."""
        self._received += data
        self._answer()

    def pause_writing(self) -> None:
        """Read no more while the client does not read its answers."""
        self._is_paused = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on with what has been received meanwhile."""
        self._is_paused = False
        self._transport.resume_reading()
        self._answer()

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def _answer(self) -> None:
        try:
            while not self._is_paused and len(self._received) >= 4 and not self._transport.is_closing():
                length = length_of(self._received)
                if self._client.user is None and length > MAX_UNKNOWN:
                    raise ProtocolError("a client has to sign in first")  # noqa: TRY301
                if len(self._received) < length:
                    return
                message = bytes(memoryview(self._received)[:length])
                del self._received[:length]
                self._answer_message(message)
        except ProtocolError as error:
            _log.info("closed a connection to an instance: %s", error)
            self.abort()

    def _answer_message(self, message: bytes) -> None:
        server = self._listener.server
        if not server.is_up:
            self.abort()
            return
        request = parse(message)
        answered = encode(request, answer(server, self._client, request), next(self._answers))
        if request.is_answered:
            self._transport.write(answered)


def _listen(port: int) -> socket.socket:
    try:
        opened = socket.create_server((HOST, port), backlog=128)
    except OSError:
        if not port:
            raise
        return _listen(0)
    opened.setblocking(False)
    return opened


def _context(instance: Instance) -> ssl.SSLContext:
    # All certificates are for the address of a node in a private network.
    return tls.context(f"192.168.{int(instance.id[:4], 16) % 250}.11")


def _reset(client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    client.close()
