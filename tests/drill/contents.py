"""What instances of random drills hold, how it grows until the drill, and what can be wrong with the copy."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from shared.drill.checks import Drilled
from shared.drill.documents import Connect, DamagedError, Documents, Index, Namespace, UnreadableError
from shared.model import Backup, Database, Instance, InstanceTask, NodeGroup
from shared.retry import Deadline
from tests.fakes import START


DAY = 86_400.0
BEGIN = START.timestamp()
CANARY = "ops.heartbeat.at"
_MB = 1 / 1024


@dataclass(frozen=True)
class Held:
    """A collection: the times of its documents in seconds since the epoch, and GB for each document."""

    times: tuple[float, ...]
    gigabytes: float = 0.0

    @property
    def size(self) -> float:
        return len(self.times) * self.gigabytes


Content = Mapping[str, Mapping[str, Held]]


def listed(content: Content) -> list[Database]:
    """The content as DDS lists it: a database without collections is none, and sizes have two decimals."""
    found = []
    for name, collections in content.items():
        if collections:
            size = round(sum(one.size for one in collections.values()), 2)
            found.append(Database(name, len(collections), size, size))
    return found


@dataclass
class FakeDocuments:
    """Implements `Documents` for a content. A collection of `damaged` cannot be decoded, one of `short` gives less."""

    content: Content
    damaged: Sequence[str] = ()
    short: Sequence[str] = ()
    expiring: Sequence[str] = ()
    without_index: Sequence[str] = ()

    def namespaces(self) -> Sequence[Namespace]:
        return [Namespace(database, name) for database, held in self.content.items() for name in held]

    def indexes(self, of: Namespace) -> Sequence[Index]:
        own = [] if str(of) in self.without_index else [Index("_id_")]
        return [*own, Index("at_1", expires=str(of) in self.expiring)]

    def estimate(self, of: Namespace) -> int:
        return self.count(of)

    def count(self, of: Namespace) -> int:
        return len(self._held(of).times)

    def newest_id(self, of: Namespace, until: datetime) -> datetime | None:
        times = [time for time in self._held(of).times if time <= until.timestamp()]
        return datetime.fromtimestamp(max(times), timezone.utc) if times else None

    def newest_time(self, of: Namespace, name: str) -> datetime | None:
        times = self._held(of).times
        return datetime.fromtimestamp(max(times), timezone.utc) if times else None

    def read(self, of: Namespace, sample: int | None) -> int:
        if str(of) in self.damaged:
            raise DamagedError("a document cannot be decoded")
        count = self.count(of) - (str(of) in self.short)
        return count if sample is None else min(sample, count)

    def _held(self, of: Namespace) -> Held:
        return self.content.get(of.database, {}).get(of.name, Held(()))


def connecting(documents: Documents | None) -> Connect:
    """Connects to these documents; to None it cannot."""

    @contextmanager
    def connect(copy: Instance, password: str, deadline: Deadline) -> Iterator[Documents]:
        if documents is None:
            raise UnreadableError("connection refused")
        yield documents

    return connect


@dataclass(frozen=True)
class Drill:
    """A drill: what the source had at the backup and has now, what the copy has, and what is expected of it.

    Attributes:
        age: of the backup at the drill, in days.
        status: of the copy.
    """

    before: Content
    now: Content
    copy: Content
    age: float
    expect: Mapping[str, int] = field(default_factory=dict)
    status: str = "normal"

    @property
    def time(self) -> datetime:
        """When the checks are made."""
        return START + timedelta(days=self.age)

    def drilled(self, password: str | None = "secret") -> Drilled:
        """What the inspector is given."""
        nodes = (NodeGroup("replica", "spec", 10, hosts=("192.168.0.1",)),)
        source = Instance("source", "customers", mode="ReplicaSet", version="4.4", groups=nodes)
        copy = replace(source, id="copy", status=self.status)
        backup = Backup("b" * 32 + "br02", "nightly", "source", "COMPLETED", START, end_time=START)
        task = InstanceTask("1", False, "copy", "drill", "Completed", self.time, self.time)
        return Drilled(copy, source, backup, task, password, self.expect)


def draw_drill(rng: random.Random) -> Drill:
    """A healthy drill: a random content, and a random growth within the documented bounds until the drill."""
    before = {name: _draw_database(rng) for name in rng.sample(_WORDS, rng.randint(1, 8))}
    before["ops"] = {"heartbeat": Held((BEGIN - rng.uniform(0, 60),))}
    age = rng.choice([rng.uniform(0.02, 1), rng.uniform(0.02, 1), rng.uniform(0, 10)])
    # The application's owner expects what was there a week before the backup.
    expect = {
        f"{database}.{name}": sum(time < BEGIN - 7 * DAY for time in held.times)
        for database, collections in before.items()
        for name, held in collections.items()
        if name != "heartbeat"
    }
    expect |= {database: len(collections) for database, collections in before.items()}
    return Drill(before, _grown(before, age, rng), before, age, expect)


_WORDS = [f"{first}{second}" for first in ("shop", "crm", "log", "user") for second in ("", "-eu", "-us", "_old", "2")]


def _draw_database(rng: random.Random) -> dict[str, Held]:
    # From less than DDS shows to hundreds of GB.
    size = 10 ** rng.uniform(-5, 2.5)
    count = rng.choice([1, 2, 3, rng.randint(1, 30)])
    return {f"c{number}": _draw_collection(rng, size / count) for number in range(count)}


def _draw_collection(rng: random.Random, size: float) -> Held:
    documents = rng.randint(10, 40)
    days = rng.uniform(100, 1000)
    return Held(tuple(sorted(BEGIN - rng.uniform(0, days * DAY) for _ in range(documents))), size / documents)


def _grown(before: Content, age: float, rng: random.Random) -> Content:
    """What the source has after `age` days: it grows, drops and creates, most days little, some as much as allowed."""
    most = 1.25 ** max(1.0, age)  # a fifth of what it then has, every day
    after: dict[str, dict[str, Held]] = {}
    for database, collections in before.items():
        if rng.random() < 0.03:
            continue  # dropped
        factor = rng.choice([1.0, 1 + 0.02 * age, rng.uniform(1, most), most])
        kept = {name: held for name, held in collections.items() if rng.random() > 0.02}
        grown = {name: replace(held, gigabytes=held.gigabytes * factor) for name, held in kept.items()}
        created = rng.choice([0, 0, 0, 1, 2, int(len(collections) * (most - 1)) + 2])
        share = 50 * _MB / max(1, created)
        after[database] = grown | {f"new{number}": Held((BEGIN + 1,), share) for number in range(created)}
    if rng.random() < 0.1:
        total = sum(one.size for collections in after.values() for one in collections.values())
        size = rng.choice([0, 50 * _MB, total * (most - 1)])
        after["created"] = {f"c{number}": Held((BEGIN + 1,), size / 2) for number in range(2)}
    return after


Fault = Callable[[Drill, random.Random], Drill]


def lacks_collection(drill: Drill, rng: random.Random) -> Drill:
    """The copy lacks one collection that had documents."""
    names = [(database, name) for database, held in drill.before.items() for name in held if name != "heartbeat"]
    database, lost = rng.choice(names)
    kept = {name: held for name, held in drill.copy[database].items() if name != lost}
    return replace(drill, copy={**drill.copy, database: kept})


def lacks_database(drill: Drill, rng: random.Random) -> Drill:
    """The copy lacks a database of the application's."""
    lost = rng.choice([name for name in drill.before if name != "ops"])
    return replace(drill, copy={name: held for name, held in drill.copy.items() if name != lost})


def half_of_documents(drill: Drill, rng: random.Random) -> Drill:
    """The copy has every other document of each collection, and the newest among them."""
    halved = {
        database: {name: replace(held, times=held.times[-1::-2][::-1]) for name, held in collections.items()}
        for database, collections in drill.copy.items()
    }
    return replace(drill, copy=halved)


def stale(drill: Drill, rng: random.Random) -> Drill:
    """The copy has the data of some days before the backup."""
    until = BEGIN - rng.uniform(2, 30) * DAY
    old = {
        database: {
            name: replace(held, times=(until,) if name == "heartbeat" else tuple(t for t in held.times if t <= until))
            for name, held in collections.items()
        }
        for database, collections in drill.copy.items()
    }
    return replace(drill, copy=old)


def empty(drill: Drill, rng: random.Random) -> Drill:
    """The copy is empty."""
    return replace(drill, copy={})


def broken(drill: Drill, rng: random.Random) -> Drill:
    """The copy does not start."""
    return replace(drill, status=rng.choice(["createfail", "abnormal"]))


FAULTS: dict[str, Fault] = {
    one.__name__: one for one in (lacks_collection, lacks_database, half_of_documents, stale, empty, broken)
}
