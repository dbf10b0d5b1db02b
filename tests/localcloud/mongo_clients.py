"""MongoDB clients for the instances of a local cloud."""

import socket
import struct
import time
from typing import Any

import bson
from pymongo import MongoClient
from typing_extensions import Self

from localcloud import LocalCloud
from localcloud.seed import RWUSER


Client = MongoClient[dict[str, Any]]


def uri(cloud: LocalCloud, name: str) -> str:
    """The connection string of an instance, without the password."""
    found = next(one["uri"] for one in cloud.state()["instances"] if one["name"] == name)
    assert found is not None
    return found


def port(cloud: LocalCloud, name: str) -> int:
    """The port of an instance."""
    return int(uri(cloud, name).partition("@")[2].partition("/")[0].partition(":")[2])


def connect(cloud: LocalCloud, name: str, password: str = RWUSER, **options: Any) -> Client:
    """A client that has signed in. The caller closes it."""
    options = {"serverSelectionTimeoutMS": 5000, **options}
    return MongoClient(uri(cloud, name), password=password, **options)


def message(command: dict[str, Any], *, flags: int = 0, request: int = 1) -> bytes:
    """An OP_MSG."""
    body = struct.pack("<IB", flags, 0) + bson.encode(command)
    return struct.pack("<iiii", 16 + len(body), request, 0, 2013) + body


class Raw:
    """A bare connection, closed at the end of a `with` block."""

    def __init__(self, number: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", number), timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def answer(self) -> dict[str, Any]:
        """Read one answer. Raises ConnectionError if the connection ends instead."""
        header = self._read(16)
        length, _, _, operation = struct.unpack("<iiii", header)
        body = self._read(length - 16)
        return bson.decode(body[5:] if operation == 2013 else body[20:])

    def call(self, command: dict[str, Any], **options: int) -> dict[str, Any]:
        """Send a command and read its answer."""
        self.send(message(command, **options))
        return self.answer()

    def is_closed(self) -> bool:
        """Whether the server has ended the connection, or does so within some seconds."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                if not self._socket.recv(65536):
                    return True
            except ConnectionError:
                return True
            except TimeoutError:
                return False
        return False

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            found = self._socket.recv(length - len(data))
            if not found:
                raise ConnectionError("the server has closed the connection")
            data += found
        return data
