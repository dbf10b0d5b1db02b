"""Where the facts are kept: in memory, and in a SQLite file too when one is given.

What is kept are facts only (this backup was asked for then); everything that moves with time is computed from
them and the clock, so a restart gives the same answers.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError


class Fact(Protocol):
    """Anything with an id: the frozen dataclasses and pydantic models of this package."""

    @property
    def id(self) -> str: ...


F = TypeVar("F", bound=Fact)

SCHEMA = """
create table if not exists facts (
    seq integer primary key, kind text not null, id text not null, body blob not null, unique (kind, id))
"""


class Store:
    """Facts by kind. With a `path` each change is in the file once `commit` has returned.

    Raises ValueError when the file is something else or in use.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._db = None if path is None else _open(path)

    def table(self, kind: str, fact: type[F]) -> "Table[F]":
        """The facts of one kind, those of an earlier run included.

        Raises ValueError when the file has facts of another version of the local cloud.
        """
        try:
            return Table(kind, TypeAdapter(fact), self._db)
        except ValidationError as error:
            self.close()
            raise ValueError(f"the state file {self._path} was made by another version: remove it") from error

    def commit(self) -> None:
        """Make every change so far survive a `kill -9`."""
        if self._db is not None and self._db.in_transaction:
            self._db.commit()

    def close(self) -> None:
        """Commit and let go of the file."""
        if self._db is not None:
            self._db.commit()
            self._db.close()


class Table(Generic[F]):
    """The facts of one kind by id, in the order in which they were first put."""

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
        """Add the fact, or replace the one with the same id."""
        self._facts[fact.id] = fact
        if self._db is not None:
            self._db.execute(
                "insert into facts (kind, id, body) values (?, ?, ?)"
                " on conflict (kind, id) do update set body = excluded.body",
                (self._kind, fact.id, self._adapter.dump_json(fact, exclude_unset=True)),
            )

    def remove(self, key: str) -> None:
        """Forget the fact with this id, if there is one."""
        self._facts.pop(key, None)
        if self._db is not None:
            self._db.execute("delete from facts where kind = ? and id = ?", (self._kind, key))

    def clear(self) -> None:
        """Forget them all."""
        self._facts.clear()
        if self._db is not None:
            self._db.execute("delete from facts where kind = ?", (self._kind,))


def _open(path: Path) -> sqlite3.Connection:
    try:
        # One connection, used by one thread at a time: opened where the server is set up, used where it runs.
        db = sqlite3.connect(path, timeout=0.2, check_same_thread=False)
    except sqlite3.OperationalError as error:
        raise ValueError(f"the state file {path} cannot be used: {error}") from error
    try:
        # Two local clouds on one file would each overwrite what the other one remembers.
        db.execute("pragma locking_mode = exclusive")
        # With a write-ahead log a commit is safe from the death of this process without waiting for the disk.
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = normal")
        db.execute(SCHEMA)
        db.commit()
    except sqlite3.DatabaseError as error:
        db.close()
        if "locked" in str(error):
            raise ValueError(f"the state file {path} is in use by another local cloud") from error
        raise ValueError(f"the state file {path} is not one of a local cloud: {error}") from error
    return db
