"""What an instance holds: databases, collections, documents and indexes, as an immutable value.

A write returns a new Content that shares with the old one everything it does not change, so a backup is a reference.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import bson
from bson import ObjectId

from localcloud.mongo.errors import MongoError
from localcloud.mongo.values import MISSING, OBJECT_ID, OPTIONS, Document, Key, key_of, values_at, with_elements


MAX_DOCUMENT = 16 * 1024**2
# What an instance of the local cloud holds at most, in bytes and in collections.
MAX_CONTENT = 64 * 1024**2
MAX_COLLECTIONS = 1000
# WiredTiger's files are made of pages of 4 KB.
PAGE = 4096


class WriteError(MongoError):
    """A document, or an amount of them, that cannot be stored."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index. `keys` are the fields with their directions or, such as "hashed", their types."""

    name: str
    keys: tuple[tuple[str, int | str], ...]
    unique: bool = False

    def entries(self, document: Document) -> set[tuple[Key, ...]]:
        """What the index holds of a document: an entry for each element of an array."""
        entries: set[tuple[Key, ...]] = {()}
        for path, _ in self.keys:
            found = list(values_at(document, tuple(path.split("."))))
            values = [one for one in with_elements(found) if not isinstance(one, list)] or found or [None]
            keys = {key_of(None if one is MISSING else one) for one in values}
            entries = {(*entry, key) for entry in entries for key in keys}
        return entries


ID_INDEX = Index("_id_", (("_id", 1),))


@dataclass(frozen=True, slots=True)
class Statistics:
    """Numbers of collections, documents and indexes, and the sizes of the documents and on disk, in bytes."""

    collections: int = 0
    objects: int = 0
    indexes: int = 0
    data_size: int = 0
    storage_size: int = 0
    index_size: int = 0

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(
            self.collections + other.collections,
            self.objects + other.objects,
            self.indexes + other.indexes,
            self.data_size + other.data_size,
            self.storage_size + other.storage_size,
            self.index_size + other.index_size,
        )


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents as BSON, by the key of their `_id`, in the order of their insertion, and indexes beside that of `_id`.

    `size` is that of all documents in bytes.
    """

    stored: Mapping[Key, bytes] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()
    size: int = 0

    def __len__(self) -> int:
        return len(self.stored)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.stored.values())

    def documents(self) -> Iterator[dict[str, Any]]:
        """The documents, decoded, in the order of their insertion."""
        return map(decoded, self.stored.values())

    def insert(
        self, documents: Iterable[Document], *, ordered: bool = True
    ) -> tuple["Collection", dict[int, WriteError]]:
        """Add documents, with an ObjectId where `_id` is missing.

        Also returns the errors by the position of the document. If `ordered`, the documents after the first error are
        not added.
        """
        stored = dict(self.stored)
        unique = _unique_entries(self)
        errors: dict[int, WriteError] = {}
        size = self.size
        for number, document in enumerate(documents):
            try:
                key, body, entries = _checked(document, self.indexes)
                if key in stored:
                    raise _duplicate(ID_INDEX, document)
                for index, used in unique.items():
                    if not used.isdisjoint(entries[index]):
                        raise _duplicate(index, document)
            except WriteError as error:
                errors[number] = error
                if ordered:
                    break
                continue
            stored[key] = body
            size += len(body)
            for index, used in unique.items():
                used.update(entries[index])
        return replace(self, stored=stored, size=size), errors

    def change(self, changed: Mapping[Key, Document | None]) -> "Collection":
        """Replace documents by the key of their `_id`, or delete them if the new one is None. They keep their places.

        Raises WriteError if a new document is not allowed.
        """
        if not changed:
            return self
        stored = dict(self.stored)
        size = self.size
        for key, document in changed.items():
            size -= len(stored[key])
            if document is None:
                del stored[key]
                continue
            new, stored[key], _ = _checked(document, ())
            if new != key:
                raise WriteError(66, "ImmutableField", "the (immutable) field '_id' was found to have been altered")
            size += len(stored[key])
        collection = replace(self, stored=stored, size=size)
        if any(document is not None for document in changed.values()):
            _unique_entries(collection)
        return collection

    def with_index(self, index: Index) -> "Collection":
        """Add an index. Raises WriteError if it is unique and the documents are not."""
        collection = replace(self, indexes=(*self.indexes, index))
        _unique_entries(collection)
        return collection

    def statistics(self) -> Statistics:
        """The numbers and sizes of this collection."""
        return Statistics(
            collections=1,
            objects=len(self.stored),
            indexes=1 + len(self.indexes),
            data_size=self.size,
            storage_size=_pages(self.size),
            index_size=sum(_pages(32 * len(self.stored)) for _ in range(1 + len(self.indexes))),
        )


@dataclass(frozen=True, slots=True)
class Content:
    """The databases of an instance by name, and their collections by name. A database without collections is none."""

    databases: Mapping[str, Mapping[str, Collection]] = field(default_factory=dict)

    def collection(self, database: str, name: str) -> Collection | None:
        """The collection of this name, or None."""
        return self.databases.get(database, {}).get(name)

    def put(self, database: str, name: str, collection: Collection) -> "Content":
        """Add a collection, or replace the one of this name.

        Raises WriteError if that is more than an instance of the local cloud holds.
        """
        content = Content({**self.databases, database: {**self.databases.get(database, {}), name: collection}})
        held = [one for collections in content.databases.values() for one in collections.values()]
        if len(held) > MAX_COLLECTIONS or sum(one.size for one in held) > MAX_CONTENT:
            most = f"{MAX_COLLECTIONS} collections and {MAX_CONTENT // 1024**2} MB"
            raise WriteError(14031, "OutOfDiskSpace", f"an instance of the local cloud holds at most {most}")
        return content

    def drop(self, database: str, name: str | None = None) -> "Content":
        """Remove a collection or, without a name, a database. It need not exist."""
        databases = dict(self.databases)
        left = {key: one for key, one in databases.pop(database, {}).items() if name not in (None, key)}
        return Content({**self.databases, database: left} if left else databases)

    def insert(self, database: str, name: str, *documents: Document) -> "Content":
        """Add documents to a collection, which need not exist. Raises WriteError if one is not allowed."""
        before = self.collection(database, name)
        collection, errors = (Collection() if before is None else before).insert(documents)
        for error in errors.values():
            raise error
        return self.put(database, name, collection)

    def keep(self, wanted: Callable[[str, str, dict[str, Any]], bool]) -> "Content":
        """Only the documents for which `wanted(database, collection, document)` is true. All collections stay."""
        return self._without(lambda database, name, _, body: not wanted(database, name, decoded(body)))

    def until(self, time: float) -> "Content":
        """Without the documents whose `_id` is an ObjectId made after `time` (seconds since the epoch)."""
        return self._without(lambda _database, _name, key, _body: _made_after(key, time))

    def _without(self, unwanted: Callable[[str, str, Key, bytes], bool]) -> "Content":
        content = self
        for database, collections in self.databases.items():
            for name, collection in collections.items():
                changed = {key: None for key, body in collection.stored.items() if unwanted(database, name, key, body)}
                content = content.put(database, name, collection.change(changed)) if changed else content
        return content

    def statistics(self, database: str | None = None) -> Statistics:
        """The numbers and sizes of a database or, without one, of all."""
        chosen = self.databases.values() if database is None else [self.databases.get(database, {})]
        return sum((one.statistics() for collections in chosen for one in collections.values()), Statistics())

    def dump(self) -> bytes:
        """All of it as one BSON document, which `load` reads."""
        return bson.encode(
            {
                database: {
                    name: {
                        "documents": b"".join(collection),
                        "indexes": [
                            [one.name, [list(key) for key in one.keys], one.unique] for one in collection.indexes
                        ],
                    }
                    for name, collection in collections.items()
                }
                for database, collections in self.databases.items()
            }
        )

    @classmethod
    def load(cls, dumped: bytes) -> "Content":
        """Read what `dump` returned."""
        return cls(
            {
                database: {name: _loaded(**collection) for name, collection in collections.items()}
                for database, collections in bson.decode(dumped).items()
            }
        )


def decoded(body: bytes) -> dict[str, Any]:
    """A stored document."""
    return bson.decode(body, OPTIONS)


def _unique_entries(collection: Collection) -> dict[Index, set[tuple[Key, ...]]]:
    """What the unique indexes hold. Raises WriteError if an entry is there twice."""
    unique: dict[Index, set[tuple[Key, ...]]] = {index: set() for index in collection.indexes if index.unique}
    for document in collection.documents() if unique else ():
        for index, used in unique.items():
            entries = index.entries(document)
            if not used.isdisjoint(entries):
                raise _duplicate(index, document)
            used.update(entries)
    return unique


def _loaded(documents: bytes, indexes: list[list[Any]]) -> Collection:
    stored: dict[Key, bytes] = {}
    start = 0
    while start < len(documents):
        end = start + int.from_bytes(documents[start : start + 4], "little")
        body = documents[start:end]
        stored[key_of(decoded(body)["_id"])] = body
        start = end
    made = tuple(Index(name, tuple((path, kind) for path, kind in keys), unique) for name, keys, unique in indexes)
    return Collection(stored, made, len(documents))


def _checked(document: Document, indexes: Iterable[Index]) -> tuple[Key, bytes, dict[Index, set[tuple[Key, ...]]]]:
    """The key, the BSON with `_id` first, and the entries of the unique indexes. Raises WriteError."""
    document = {"_id": document.get("_id", MISSING), **document}
    if document["_id"] is MISSING:
        document["_id"] = ObjectId()
    if isinstance(document["_id"], list):
        raise WriteError(53, "InvalidIdField", "The '_id' value cannot be of type array")
    for name in document:
        if name.startswith("$"):
            raise WriteError(52, "DollarPrefixedFieldName", f"The dollar ($) prefixed field '{name}' is not valid")
    body = bson.encode(document, codec_options=OPTIONS)
    if len(body) > MAX_DOCUMENT:
        raise WriteError(10334, "BSONObjectTooLarge", f"a document has at most {MAX_DOCUMENT} bytes, not {len(body)}")
    entries = {index: index.entries(document) for index in indexes if index.unique}
    return key_of(document["_id"]), body, entries


def _duplicate(index: Index, document: Document) -> WriteError:
    values = {path: next(values_at(document, tuple(path.split("."))), MISSING) for path, _ in index.keys}
    shown = ", ".join(f"{path}: {None if value is MISSING else value!r}" for path, value in values.items())
    return WriteError(11000, "DuplicateKey", f"E11000 duplicate key error: index: {index.name} dup key: {{ {shown} }}")


def _made_after(key: Key, time: float) -> bool:
    kind, value = key
    # An ObjectId begins with its time, in seconds since the epoch (BSON specification, ObjectId).
    return kind == OBJECT_ID and isinstance(value, bytes) and int.from_bytes(value[:4], "big") > time


def _pages(size: int) -> int:
    return max(1, -(-size // PAGE)) * PAGE
