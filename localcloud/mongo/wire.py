"""Messages of the wire protocol (MongoDB manual, "MongoDB Wire Protocol").

OP_MSG, and OP_QUERY as far as drivers need it for their first message, which asks what the server is.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bson
from bson.errors import BSONError

from localcloud.mongo.values import OPTIONS


HEADER = struct.Struct("<iiii")
MAX_MESSAGE = 48_000_000

OP_REPLY = 1
OP_QUERY = 2004
OP_MSG = 2013

CHECKSUM_PRESENT = 1
MORE_TO_COME = 2
# A receiver must refuse the bits below 16 that it does not know, and ignore the others.
REQUIRED_BITS = 0xFFFF


class ProtocolError(Exception):
    """What is not a message. The connection cannot go on: where the next one begins is unknown."""


@dataclass(frozen=True, slots=True)
class Request:
    """A command. `is_legacy` if it came as OP_QUERY; not `is_answered` if the client waits for no answer."""

    id: int
    command: dict[str, Any]
    is_legacy: bool = False
    is_answered: bool = True


def length_of(data: bytes | bytearray) -> int:
    """The length that a message begins with, in bytes. Raises ProtocolError if no message has it."""
    length = int.from_bytes(data[:4], "little", signed=True)
    if not HEADER.size < length <= MAX_MESSAGE:
        raise ProtocolError(f"a message has {HEADER.size} to {MAX_MESSAGE} bytes, not {length}")
    return length


def parse(message: bytes) -> Request:
    """Read a whole message. Raises ProtocolError."""
    _, request_id, _, operation = HEADER.unpack_from(message)
    try:
        if operation == OP_MSG:
            return _parse_msg(request_id, message)
        if operation == OP_QUERY:
            return _parse_query(request_id, message)
    # bson raises RecursionError for a document that is nested too deeply.
    except (BSONError, ValueError, IndexError, struct.error, RecursionError) as error:
        raise ProtocolError(str(error)) from error
    raise ProtocolError(f"the operation {operation} is neither OP_MSG nor OP_QUERY")


def encode(request: Request, answer: Mapping[str, Any], number: int) -> bytes:
    """The message that answers a request. `number` is its id."""
    body = bson.encode(answer, codec_options=OPTIONS)
    if request.is_legacy:
        # Flags: AwaitCapable. Cursor, position, number of documents.
        body = struct.pack("<iqii", 8, 0, 0, 1) + body
        operation = OP_REPLY
    else:
        body = struct.pack("<IB", 0, 0) + body
        operation = OP_MSG
    return HEADER.pack(HEADER.size + len(body), number, request.id, operation) + body


def _parse_msg(request_id: int, message: bytes) -> Request:
    (flags,) = struct.unpack_from("<I", message, HEADER.size)
    if flags & REQUIRED_BITS & ~(CHECKSUM_PRESENT | MORE_TO_COME):
        raise ProtocolError(f"unknown flags {flags:#x}")
    # The checksum is not compared: TCP has one of its own.
    end = len(message) - (4 if flags & CHECKSUM_PRESENT else 0)
    position = HEADER.size + 4
    command: dict[str, Any] | None = None
    sequences: dict[str, list[dict[str, Any]]] = {}
    while position < end:
        kind = message[position]
        (size,) = struct.unpack_from("<i", message, position + 1)
        section = message[position + 1 : position + 1 + size]
        if len(section) != size or position + 1 + size > end:
            raise ProtocolError("a section is longer than its message")
        position += 1 + size
        if kind == 0 and command is None:
            command = bson.decode(section, OPTIONS)
        elif kind == 1:
            name, _, documents = section[4:].partition(b"\0")
            if name.decode() in sequences:
                raise ProtocolError("two sequences of documents with the same name")
            sequences[name.decode()] = bson.decode_all(documents, OPTIONS) if documents else []
        else:
            raise ProtocolError(f"a section of kind {kind} where none is expected")
    if command is None or sequences.keys() & command.keys():
        raise ProtocolError("a message has one command, and each of its fields once")
    return Request(request_id, command | sequences, is_answered=not flags & MORE_TO_COME)


def _parse_query(request_id: int, message: bytes) -> Request:
    position = HEADER.size + 4
    end = message.index(b"\0", position)
    collection = message[position:end].decode()
    database, _, name = collection.partition(".")
    # After the name: how many documents to skip and to return.
    position = end + 1 + 8
    size = int.from_bytes(message[position : position + 4], "little", signed=True)
    query: dict[str, Any] = bson.decode(message[position : position + size], OPTIONS)
    if name != "$cmd":
        raise ProtocolError("OP_QUERY is for commands only")
    query = query.get("$query", query)
    if not isinstance(query, dict):
        raise ProtocolError("a command is a document")
    return Request(request_id, query | {"$db": database}, is_legacy=True)
