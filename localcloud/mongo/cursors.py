"""Cursors: what is left of a result after its first batch."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from localcloud.mongo.errors import MongoError
from localcloud.mongo.values import OPTIONS, RAW


# A result has 101 documents at first, then as many as fit into 16 MB (MongoDB manual, "Cursor Batches").
FIRST_BATCH = 101
MAX_BATCH = 16 * 1024**2
# Seconds after which an unused cursor is closed, and how many there are at a time: the longest unused makes way.
TIMEOUT = 600.0
MAX_CURSORS = 1000


@dataclass(slots=True)
class Cursor:
    """The documents that have not been returned yet, as BSON. `used` is the time of its last batch."""

    namespace: str
    documents: Iterator[bytes]
    next: bytes | None
    used: float

    def batch(self, size: int | None) -> list[RawBSONDocument]:
        """The next documents, at most `size` and at most 16 MB of them."""
        found: list[RawBSONDocument] = []
        total = 0
        while self.next is not None and (size is None or len(found) < size):
            total += len(self.next)
            if found and total > MAX_BATCH:
                break
            found.append(RawBSONDocument(self.next, RAW))
            self.next = next(self.documents, None)
        return found


class Cursors:
    """The open cursors of an instance by their ids."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._cursors: OrderedDict[int, Cursor] = OrderedDict()

    def first(
        self, namespace: str, documents: Iterable[bytes], now: float, size: int | None, *, single: bool = False
    ) -> dict[str, Any]:
        """The answer with the first batch. What is left is kept unless it is a `single` batch."""
        remaining = iter(documents)
        cursor = Cursor(namespace, remaining, next(remaining, None), now)
        batch = cursor.batch(FIRST_BATCH if size is None else size)
        identity = 0
        if cursor.next is not None and not single:
            self._expire(now)
            if len(self._cursors) >= MAX_CURSORS:
                self._cursors.popitem(last=False)
            identity = self._random.randrange(1, 2**63)
            self._cursors[identity] = cursor
        return {"cursor": {"firstBatch": batch, "id": bson.Int64(identity), "ns": namespace}}

    def more(self, identity: int, namespace: str, now: float, size: int | None) -> dict[str, Any]:
        """The answer with the next batch. Raises MongoError if there is no such cursor."""
        self._expire(now)
        cursor = self._cursors.get(identity)
        if cursor is None:
            raise MongoError(43, "CursorNotFound", f"cursor id {identity} not found")
        if cursor.namespace != namespace:
            raise MongoError(13, "Unauthorized", f"cursor id {identity} is of {cursor.namespace}, not of {namespace}")
        cursor.used = now
        self._cursors.move_to_end(identity)
        batch = cursor.batch(size)
        if cursor.next is None:
            del self._cursors[identity]
        left = 0 if cursor.next is None else identity
        return {"cursor": {"nextBatch": batch, "id": bson.Int64(left), "ns": namespace}}

    def kill(self, identities: Iterable[int]) -> tuple[list[int], list[int]]:
        """Close cursors. Returns the ids of those that were open and of those that were not."""
        killed: list[int] = []
        unknown: list[int] = []
        for identity in identities:
            (unknown if self._cursors.pop(identity, None) is None else killed).append(identity)
        return killed, unknown

    def __len__(self) -> int:
        return len(self._cursors)

    def _expire(self, now: float) -> None:
        # The longest unused is the first one.
        while self._cursors and next(iter(self._cursors.values())).used + TIMEOUT <= now:
            self._cursors.popitem(last=False)


def bodies(documents: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Documents as BSON."""
    return (bson.encode(document, codec_options=OPTIONS) for document in documents)
