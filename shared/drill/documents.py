"""Level 2 of a drill's checks: the documents of the copy.

`shared.drill.connect` implements the port `Documents`; the tests, too.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from shared.drill.checks import Check, Drilled, Inspection
from shared.drill.databases import first_few, short
from shared.format import counted, duration, timestamp
from shared.model import Clock, Database, Instance
from shared.retry import Deadline


_ANSWER = "an answer of a node"
_RESERVE = 1.0


class UnreadableError(Exception):
    """The copy could not be read, which says nothing about the backup."""


class OutOfTimeError(UnreadableError):
    """The deadline came first."""


class DamagedError(Exception):
    """The copy has data that cannot be read."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A collection or a view.

    Attributes:
        has_data: whether it is a collection of the application's, neither a view nor the server's own.
        has_ids: whether it has an index of `_id` by that name, as all but a few kinds of collections have.
    """

    database: str
    name: str
    has_data: bool = True
    has_ids: bool = True

    @classmethod
    def parse(cls, text: str) -> "Namespace":
        """Read "database.collection"; only the name of a collection may have dots."""
        database, _, name = text.partition(".")
        return cls(database, name)

    def __str__(self) -> str:
        return short(f"{self.database}.{self.name}")


@dataclass(frozen=True, slots=True)
class Index:
    """An index. `expires` if the server deletes documents by it."""

    name: str
    expires: bool = False


class Documents(Protocol):
    """A connection to the copy, which only reads. Every method raises only UnreadableError and DamagedError."""

    def namespaces(self) -> Sequence[Namespace]:
        """List the collections and views of all databases but the server's own."""

    def indexes(self, of: Namespace) -> Sequence[Index]:
        """List the indexes of a collection."""

    def estimate(self, of: Namespace) -> int:
        """Return how many documents a collection has by its metadata, which may be wrong."""

    def count(self, of: Namespace) -> int:
        """Count the documents of a collection, 0 if there is no such collection."""

    def newest_id(self, of: Namespace, until: datetime) -> datetime | None:
        """Return the newest time in an ObjectId that is `_id`, but none after `until`; None if there is none."""

    def newest_time(self, of: Namespace, name: str) -> datetime | None:
        """Return the newest time in a field; None if there is none."""

    def read(self, of: Namespace, sample: int | None) -> int:
        """Read and decode all documents of a collection, or a random sample of them, and return how many."""


Connect = Callable[[Instance, str, Deadline], AbstractContextManager[Documents]]
"""Connects to an instance with a password. Raises UnreadableError."""


@dataclass(frozen=True, slots=True)
class DocumentRules:
    """What level 2 expects.

    Attributes:
        rpo: how much older than the begin of the backup the newest data may be. With None only the canary is judged,
            by a day.
        canary: "database.collection.field" with the time of the application's last write. If there is one, `rpo` holds
            for it instead of the newest document.
        clock_skew: by how much the clocks of applications may be ahead of the cloud's.
        small: collections of at most so many documents are read whole.
        sample: how many documents of every larger collection are read.
    """

    rpo: timedelta | None = None
    canary: str | None = None
    clock_skew: timedelta = timedelta(minutes=5)
    small: int = 10_000
    sample: int = 1_000


class DocumentChecks:
    """Implements `shared.drill.databases.DocumentInspector`. Keeps neither the password nor a document."""

    def __init__(self, rules: DocumentRules, clock: Clock, connect: Connect) -> None:
        self._rules = rules
        self._clock = clock
        self._connect = connect

    def inspect(self, drilled: Drilled, listed: Sequence[Database] | None, deadline: Deadline) -> Inspection:
        """Connect to the copy and check its documents. What keeps them from being checked is a reason, no failure."""
        if drilled.password is None:
            return Inspection((_unconnected("the password of the copy is not known"),))
        try:
            with self._connect(drilled.copy, drilled.password, deadline) as documents:
                namespaces = documents.namespaces()
                reading = _Reading(documents, namespaces, drilled, listed, self._rules, self._clock.now(), deadline)
                checks = [_made(name, step) for name, step in reading.steps()]
        except UnreadableError as error:
            return Inspection((_unconnected(str(error)),))
        except DamagedError as error:
            return Inspection((Check("connection", 2, _ANSWER, "", passed=False, reason=str(error)),))
        seen = "with TLS" if drilled.copy.has_tls else "without TLS, as the source"
        return Inspection((Check("connection", 2, _ANSWER, seen, passed=True), *checks), reading.rpo)


def _made(name: str, step: Callable[[], Check]) -> Check:
    try:
        return step()
    except DamagedError as error:
        return Check(name, 2, "", "", passed=False, reason=str(error))
    except UnreadableError as error:
        return Check(name, 2, "", "", None, reason=str(error))


@dataclass(slots=True)
class _Reading:
    """The checks through one connection.

    Attributes:
        rpo: seconds between the newest data and the begin of the backup; None until it is measured.
    """

    documents: Documents
    namespaces: Sequence[Namespace]
    drilled: Drilled
    listed: Sequence[Database] | None
    rules: DocumentRules
    now: datetime
    deadline: Deadline
    rpo: float | None = None
    expiring: set[Namespace] = field(default_factory=set)

    def steps(self) -> Iterator[tuple[str, Callable[[], Check]]]:
        """The checks in order: those that tell much in little time come first."""
        yield "collections read", self.check_collections
        yield "indexes", self.check_indexes
        if any("." in name for name in self.drilled.expect):
            yield "expected documents", self.check_expected
        yield "newest document", self.check_newest
        if self.rules.canary:
            yield "canary", self.check_canary
        yield "documents", self.check_documents

    def check_collections(self) -> Check:
        """Check that the copy has every collection that DDS lists, which may or may not count views."""
        found: dict[str, int] = {}
        for one in self.namespaces:
            found[one.database] = found.get(one.database, 0) + 1
        text = f"{counted(len(self.namespaces), 'collection')} in {counted(len(found), 'database')}"
        if self.listed is None:
            # Nothing else tells whether there should be any.
            reason = "" if found else "the copy is empty, and nothing tells whether the source was"
            return Check("collections read", 2, "at least one", text, True if found else None, reason=reason)
        fewer = [
            f"{short(one.name)}: {found.get(one.name, 0)} of {one.collections}"
            for one in self.listed
            if found.get(one.name, 0) < one.collections
        ]
        reason = "DDS lists collections that the copy does not show" if fewer else ""
        return Check("collections read", 2, "those that DDS lists", first_few(fewer) or text, not fewer, reason=reason)

    def check_indexes(self) -> Check:
        """Check that each collection has the index of `_id`."""
        count = 0
        without = []
        for one in self.with_data():
            indexes = self.documents.indexes(one)
            count += len(indexes)
            if any(index.expires for index in indexes):
                self.expiring.add(one)
            if one.has_ids and not any(index.name == "_id_" for index in indexes):
                without.append(str(one))
        found = f"none in {first_few(without)}" if without else f"{count} indexes in all"
        return Check("indexes", 2, "_id_ in each collection", found, not without)

    def check_expected(self) -> Check:
        """Check that the copy has the documents that the request expects."""
        wanted = {name: least for name, least in self.drilled.expect.items() if "." in name}
        fewer = []
        for name, least in wanted.items():
            if (count := self.documents.count(Namespace.parse(name))) < least:
                fewer.append(f"{short(name)}: {count}")
        expected = first_few([f"{short(name)}: {least}" for name, least in wanted.items()])
        found = first_few(fewer) or "enough in each"
        return Check("expected documents", 2, expected, found, not fewer, tolerance="or more")

    def check_newest(self) -> Check:
        """Find the newest document by the time in its ObjectId, and measure the RPO.

        The time is that of the application's clock, or any that the application gives. So a time after the backup does
        not prove that the backup is wrong, and one after now is ignored.
        """
        is_required = self.rules.rpo is not None and self.rules.canary is None
        begin, last = self.begin_and_last()
        if begin is None or last is None:
            return _unmeasured("newest document", "DDS does not tell when the backup began", is_required=is_required)
        newest: datetime | None = None
        found = ""
        is_late = False
        for one in self.with_data():
            time = self.documents.newest_id(one, self.now + self.rules.clock_skew) if one.has_ids else None
            if time and time > last:
                is_late = True
                time = self.documents.newest_id(one, last)
            if time and (newest is None or time > newest):
                newest, found = time, str(one)
        if newest is None:
            reason = "no document has an ObjectId from which to tell its time"
            return _unmeasured("newest document", reason, is_required=is_required)
        self.rpo = max(0.0, (begin - newest).total_seconds())
        limit = self.rules.rpo if is_required else None
        is_old = limit is not None and self.rpo > limit.total_seconds()
        late = "some ObjectIds have times after the backup, which may be the application's doing"
        return Check(
            "newest document",
            2,
            f"before the backup began at {timestamp(begin)}",
            f"{timestamp(newest)} in {found}, {duration(self.rpo)} before",
            False if is_old else None if is_late else True,
            tolerance=duration(limit) if limit else "",
            reason="the newest data is older than it should be" if is_old else late if is_late else "",
            is_required=False,
        )

    def check_canary(self) -> Check:
        """Find the newest time that the application has written, which measures the RPO best."""
        begin, last = self.begin_and_last()
        if begin is None or last is None:
            return _unmeasured("canary", "DDS does not tell when the backup began", is_required=True)
        canary = self.rules.canary or ""
        collection, _, name = canary.rpartition(".")
        time = self.documents.newest_time(Namespace.parse(collection), name)
        limit = self.rules.rpo or timedelta(days=1)
        reason = ""
        if time is None:
            reason = f"{short(canary)} has no time"
        elif time > last:
            reason = "the copy has newer data than the backup can have"
        elif begin - time > limit:
            reason = "the newest data is older than it should be"
        if time:
            self.rpo = max(0.0, (begin - time).total_seconds())
        expected = f"before the backup began at {timestamp(begin)}"
        found = timestamp(time) or "no time"
        return Check("canary", 2, expected, found, not reason, tolerance=duration(limit), reason=reason)

    def check_documents(self) -> Check:
        """Read small collections whole and samples of large ones, the smallest first, while there is time."""
        collections = [(self.documents.estimate(one), one) for one in self.with_data()]
        read: list[int] = []
        wrong: list[str] = []
        for estimate, one in sorted(collections, key=lambda found: found[0]):
            if self.deadline.left() < _RESERVE:
                break
            sample = None if estimate <= self.rules.small else self.rules.sample
            try:
                read.append(self.documents.read(one, sample))
                trouble = self.miscounted(one, read[-1], sample)
            except DamagedError as error:
                trouble = str(error)
            except OutOfTimeError:
                continue
            wrong += [f"{one}: {trouble}"] if trouble else []
        is_read = bool(read) or not collections
        found = f"{sum(read):,} documents of {len(read)} collections"
        found += f"; no time for {len(collections) - len(read)}" if len(read) < len(collections) else ""
        return Check(
            "documents",
            2,
            f"all of collections with up to {self.rules.small:,}, {self.rules.sample:,} of larger ones",
            first_few(wrong) or found,
            False if wrong else True if is_read else None,
            reason="" if is_read or wrong else "there was no time to read a collection",
        )

    def miscounted(self, one: Namespace, read: int, sample: int | None) -> str:
        """What is wrong with the number of documents that were read from a collection."""
        if sample is not None:
            return "" if read else "no document could be read"
        count = self.documents.count(one)
        # The server of the copy deletes what has expired since the backup, also between reading and counting.
        return "" if read == count or one in self.expiring else f"{read} documents were read, {count} are counted"

    def begin_and_last(self) -> tuple[datetime | None, datetime | None]:
        """When the backup began, and the latest time that its data can have."""
        begin = self.drilled.backup.begin_time
        end = self.drilled.backup.end_time or begin
        return begin, end + self.rules.clock_skew if end else None

    def with_data(self) -> Iterator[Namespace]:
        """The collections of the application."""
        return (one for one in self.namespaces if one.has_data)


def _unmeasured(name: str, reason: str, *, is_required: bool) -> Check:
    return Check(name, 2, "", "", None, reason=reason, is_required=is_required)


def _unconnected(reason: str) -> Check:
    return Check("connection", 2, _ANSWER, "", None, reason=reason)
