"""The wire protocol of the data plane: messages, limits, and what is no message."""

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from localcloud import LocalCloud
from localcloud.mongo.wire import ProtocolError, encode, parse
from tests.localcloud.mongo_clients import Raw, connect, message, port


PING = {"ping": 1, "$db": "admin"}
STATM = Path("/proc/self/statm")


@pytest.fixture
def number(cloud: LocalCloud) -> int:
    """The port of a replica set without TLS."""
    return port(cloud, "catalogue")


@pytest.fixture
def raw(number: int) -> Iterator[Raw]:
    """A bare connection."""
    with Raw(number) as connection:
        yield connection


def query(command: dict[str, Any], collection: str = "admin.$cmd") -> bytes:
    """An OP_QUERY."""
    body = struct.pack("<I", 0) + collection.encode() + b"\0" + struct.pack("<ii", 0, -1) + bson.encode(command)
    return struct.pack("<iiii", 16 + len(body), 7, 0, 2004) + body


def with_sequence(command: dict[str, Any], name: str, documents: list[dict[str, Any]]) -> bytes:
    """An OP_MSG with a sequence of documents before its command, as some clients send it."""
    content = name.encode() + b"\0" + b"".join(map(bson.encode, documents))
    body = struct.pack("<IBi", 0, 1, 4 + len(content)) + content + b"\0" + bson.encode(command)
    return struct.pack("<iiii", 16 + len(body), 7, 0, 2013) + body


def test_a_message_in_pieces(raw: Raw) -> None:
    """A message may come byte by byte, and several in one piece."""
    for byte in message(PING):
        raw.send(bytes([byte]))
    assert raw.answer()["ok"] == 1
    raw.send(message(PING) * 3)
    assert [raw.answer()["ok"] for _ in range(3)] == [1, 1, 1]


def test_the_first_message_of_older_drivers(raw: Raw) -> None:
    """OP_QUERY asks what the server is, and is refused for any other command."""
    raw.send(query({"isMaster": 1}))
    assert raw.answer()["ismaster"] is True
    raw.send(query({"$query": {"hello": 1, "helloOk": True}}))
    assert (answer := raw.answer())["isWritablePrimary"] is True
    assert answer["helloOk"] is True
    raw.send(query({"ping": 1}))
    assert raw.answer()["code"] == 352


def test_a_checksum_is_accepted(raw: Raw) -> None:
    """A message may end with a checksum."""
    body = struct.pack("<IB", 1, 0) + bson.encode(PING) + b"\1\2\3\4"
    raw.send(struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body)

    assert raw.answer()["ok"] == 1


def test_sequences_of_documents() -> None:
    """A sequence of documents is an argument of the command."""
    request = parse(with_sequence({"insert": "items", "$db": "app"}, "documents", [{"_id": 1}, {"_id": 2}]))

    assert request.command == {"insert": "items", "$db": "app", "documents": [{"_id": 1}, {"_id": 2}]}


@pytest.mark.parametrize(
    "broken",
    [
        message(PING, flags=1 << 3),
        struct.pack("<iiii", 16 + 5, 1, 0, 2013) + bytes(5),
        struct.pack("<iiii", 20, 1, 0, 2013) + bytes(4),
        struct.pack("<iiii", 20, 1, 0, 2012) + bytes(4),
        message(PING)[:-1] + b"x",
        query({"ping": 1}, "admin.users"),
        query({"$query": 1}),
        with_sequence({"insert": "a", "documents": []}, "documents", []),
    ],
    ids=range(8),
)
def test_what_is_no_message(number: int, broken: bytes) -> None:
    """Unknown flags and operations, and bodies that are not as the header says, end the connection."""
    with pytest.raises(ProtocolError):
        parse(broken)
    with Raw(number) as connection:
        connection.send(broken)
        assert connection.is_closed()


@pytest.mark.parametrize("length", [-1, 0, 16, 48_000_001, 2**31 - 1])
def test_lengths_that_no_message_has(raw: Raw, length: int) -> None:
    """A length that no message has ends the connection before anything else is read."""
    raw.send(struct.pack("<i", length))

    assert raw.is_closed()


def test_large_messages_are_for_those_who_have_signed_in(raw: Raw) -> None:
    """A client that has not signed in can announce 64 KB at most, and so fills no memory."""
    raw.send(struct.pack("<iiii", 65_537, 1, 0, 2013))

    assert raw.is_closed()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(garbage=st.binary(min_size=1, max_size=200))
@example(garbage=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
@example(garbage=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
def test_garbage_ends_its_own_connection_only(number: int, raw: Raw, garbage: bytes) -> None:
    """Whatever one connection sends, another is answered."""
    with Raw(number) as other:
        other.send(garbage)
        assert raw.call(PING)["ok"] == 1


@given(data=st.binary(max_size=300), position=st.integers(16, 60), byte=st.integers(0, 255))
def test_parsing_ends_with_a_request_or_a_protocol_error(data: bytes, position: int, byte: int) -> None:
    """No bytes raise anything else: neither random ones nor a message with one byte changed."""
    changed = bytearray(message({"find": "items", "filter": {"a": [1, {"b": "c"}]}, "$db": "app"}))
    changed[position] = byte
    for body in (struct.pack("<iiii", 16 + len(data), 1, 0, 2013) + data, bytes(changed)):
        try:
            request = parse(body)
        except ProtocolError:
            continue
        assert parse(encode(request, request.command, 1)).command == request.command


def test_deeply_nested_documents_end(number: int, raw: Raw) -> None:
    """A document that is nested too deeply ends its connection, not the server."""
    body = b"\x05\0\0\0\0"
    for _ in range(8000):
        element = b"\x03a\0" + body
        body = struct.pack("<i", 5 + len(element)) + element + b"\0"
    with Raw(number) as other:
        other.send(struct.pack("<iiii", 21 + len(body), 1, 0, 2013) + bytes(5) + body)
        assert other.is_closed()

    assert raw.call(PING)["ok"] == 1


@pytest.mark.slow
@pytest.mark.skipif(not STATM.exists(), reason="the system does not tell the memory of a process")
def test_five_hundred_connections(cloud: LocalCloud, number: int) -> None:
    """500 connections at a time take less than 60 MB, and each is answered."""
    with connect(cloud, "catalogue") as client:
        before = memory()
        with ExitStack() as stack:
            connections = [stack.enter_context(Raw(number)) for _ in range(500)]
            for connection in Random(1).sample(connections, 500):
                assert connection.call(PING)["ok"] == 1
            assert client.admin.command("serverStatus")["connections"]["current"] >= 500
            assert memory() - before < 60_000_000
        assert client.admin.command("ping")["ok"] == 1


def memory() -> int:
    """The memory of this process in bytes."""
    return int(STATM.read_text(encoding="ascii").split()[1]) * 4096
