"""The store: tables of facts in memory and, optionally, in a SQLite file.

Only facts are stored, such as when a backup was requested. Everything that changes with time is computed from them and
the clock, so a restart does not change any answer.
"""

import os
import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

from pydantic import TypeAdapter, ValidationError


class Fact(Protocol):
    """A frozen dataclass or pydantic model with an id."""

    @property
    def id(self) -> str: ...


F = TypeVar("F", bound=Fact)

PRIVATE = 0o600
SCHEMA = """
create table if not exists facts (
    seq integer primary key, kind text not null, id text not null, body blob not null, unique (kind, id))
"""


class Store:
    """Tables of facts. With a `path`, changes are in the file once `commit` has returned.

    The file and those that SQLite keeps beside it can be read by their owner only.

    Raises ValueError if the file is in use or not a state file.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._db = None if path is None else _open(path)

    def table(self, kind: str, fact: type[F]) -> "Table[F]":
        """The table of one kind of facts, with the facts of earlier runs.

        Raises ValueError if the file was written by another version of the local cloud.
        """
        try:
            return Table(kind, cast("TypeAdapter[F]", _adapter(fact)), self._db)
        except ValidationError as error:
            self.close()
            raise ValueError(f"the state file {self._path} was made by another version: remove it") from error

    def commit(self) -> None:
        """Write all changes to the file. They survive a `kill -9`."""
        if self._db is not None and self._db.in_transaction:
            self._db.commit()

    def close(self) -> None:
        """Commit and release the file."""
        if self._db is not None:
            self._db.commit()
            self._db.close()


class Table(Generic[F]):
    """The facts of one kind by id, in insertion order."""

    def __init__(self, kind: str, adapter: TypeAdapter[F], db: sqlite3.Connection | None) -> None:
        self._kind = kind
        self._adapter = adapter
        self._db = db
        self._facts: dict[str, F] = {}
        if db is not None:
            rows = db.execute("select id, body from facts where kind = ? order by seq", (kind,))
            self._facts = {key: adapter.validate_json(body) for key, body in rows}

    def __iter__(self) -> Iterator[F]:
        return iter(self._facts.values())

    def __len__(self) -> int:
        return len(self._facts)

    def get(self, key: str) -> F | None:
        """The fact with this id, or None."""
        return self._facts.get(key)

    def put(self, fact: F) -> None:
        """Add a fact, or replace the one with the same id."""
        self._facts[fact.id] = fact
        if self._db is not None:
            self._db.execute(
                "insert into facts (kind, id, body) values (?, ?, ?)"
                " on conflict (kind, id) do update set body = excluded.body",
                (self._kind, fact.id, self._adapter.dump_json(fact, exclude_unset=True)),
            )

    def remove(self, key: str) -> None:
        """Remove the fact with this id, if there is one."""
        self._facts.pop(key, None)
        if self._db is not None:
            self._db.execute("delete from facts where kind = ? and id = ?", (self._kind, key))

    def clear(self) -> None:
        """Remove all facts."""
        self._facts.clear()
        if self._db is not None:
            self._db.execute("delete from facts where kind = ?", (self._kind,))


@cache
def _adapter(fact: type[Any]) -> TypeAdapter[Any]:
    # Making those of all tables takes pydantic longer than everything else at the start.
    return TypeAdapter(fact)


def _open(path: Path) -> sqlite3.Connection:
    try:
        # SQLite gives the files beside this one the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))
    except OSError as error:
        raise ValueError(f"the state file {path} cannot be used: unable to open it: {error.strerror}") from error
    try:
        # Opened in the thread that sets up the server, used in the thread that runs it: one at a time.
        db = sqlite3.connect(path, timeout=0.2, check_same_thread=False)
    except sqlite3.OperationalError as error:
        raise ValueError(f"the state file {path} cannot be used: {error}") from error
    try:
        # Two local clouds on one file would overwrite each other's facts.
        db.execute("pragma locking_mode = exclusive")
        # With a write-ahead log, a commit survives the end of this process without waiting for the disk.
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = normal")
        db.execute(SCHEMA)
        db.commit()
        for file in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal"))):
            if file.exists():
                file.chmod(PRIVATE)
    except PermissionError as error:
        db.close()
        raise ValueError(f"the state file {path} belongs to another user: use a file of your own") from error
    except sqlite3.DatabaseError as error:
        db.close()
        if "locked" in str(error):
            raise ValueError(f"the state file {path} is in use by another local cloud") from error
        raise ValueError(f"{path} is not a state file of a local cloud: {error}") from error
    return db
