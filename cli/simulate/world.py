"""The world of a simulation: DDS and SMN of the local cloud without a server, and what goes wrong in it."""

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cli.errors import WrongCall, did_you_mean
from cli.simulate.clock import SimulatedClock
from cli.simulate.faults import Busy, FailingBackups, Fault, InstanceCreated, InstanceDeleted, Unavailable
from localcloud.dds.model import Instance
from localcloud.dds.specification import Mode, Specification, usual_flavors
from localcloud.dds.state import DdsState
from localcloud.errors import CloudError, Service, usual_error
from localcloud.region import Region, Switches
from localcloud.seed import Seed, SeedInstance, load_seed, plant
from localcloud.seed_content import DEFAULT, make_content
from localcloud.smn.state import SmnState
from localcloud.store import Store
from shared.drills import is_drill


NAMES = (
    *("orders", "customers", "catalogue", "sessions", "payments", "invoices", "stock", "search", "prices", "reviews"),
    *("wishlist", "shipping", "returns", "loyalty", "accounts", "tickets", "messages", "metrics", "audit", "archive"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """An instance that is or was. Sizes are GB, times seconds since the epoch."""

    id: str
    name: str
    mode: str
    data_gb: float
    disk_gb: int
    created: float
    gone: float | None = None


@dataclass
class World:
    """The state of the cloud.

    Attributes:
        known: every instance that ever was, drills included, by its id.
        refused: how many calls each fault refused, by its position.
    """

    clock: SimulatedClock
    region: Region
    dds: DdsState
    smn: SmnState
    rng: random.Random
    story: str = ""
    faults: Sequence[Fault] = ()
    known: dict[str, Known] = field(default_factory=dict)
    refused: dict[int, int] = field(default_factory=dict)
    _alive: set[str] = field(default_factory=set)
    _outages: list[tuple[float, float, int, Unavailable]] = field(default_factory=list)

    @classmethod
    def make(cls, seed: int, start: float, given: Seed) -> "World":
        """Build the services and plant the instances of a seed. Random ids and sizes follow from `seed`."""
        clock, rng = SimulatedClock(start), random.Random(f"simulate/{seed}")  # noqa: S311 - not for secrets
        ids = random.Random(f"ids/{seed}")  # noqa: S311 - not for secrets
        region = Region(
            id=given.region,
            project_id=given.project.id,
            domain_id=given.domain.id,
            domain_name=given.domain.name,
            clock=clock,
            switches=Switches(),
            new_id=lambda: uuid.UUID(int=ids.getrandbits(128), version=4),
        )
        store = Store()
        world = cls(clock, region, DdsState(region, store), SmnState(region, store), rng)
        plant(given, world.dds, world.smn)
        world.look()
        return world

    def look(self) -> None:
        """Remember the instances that exist, and which of them are gone since the last look."""
        for one in self.dds.instances:
            if one.id not in self.known:
                self.known[one.id] = Known(
                    one.id, one.name, one.mode, one.data_kb / 1024**2, one.spec.disk_gb, one.created
                )
                self._alive.add(one.id)
        if len(self._alive) > len(self.dds.instances):
            for gone in sorted(one for one in self._alive if self.dds.instances.get(one) is None):
                self.known[gone] = replace(self.known[gone], gone=self.clock.now())
                self._alive.discard(gone)

    def sources(self) -> list[Instance]:
        """The instances that exist and belong to no drill."""
        return [one for one in self.dds.instances if not is_drill(one)]  # type: ignore[arg-type]  # it has name and tags

    def set_faults(self, faults: Sequence[Fault], days: int) -> Iterator[tuple[float, int, Fault, float]]:
        """Remember the outages, and yield the other events: moment, position, fault, and its end.

        Raises WrongCall for an instance that never exists.
        """
        self.faults = faults
        start = self.clock.now()
        known = {
            *(one.name for one in self.known.values()),
            *(one.name for one in faults if isinstance(one, InstanceCreated)),
        }
        for number, fault in enumerate(faults):
            named = fault.instances if isinstance(fault, (Busy, FailingBackups)) else ()
            for name in (*named, *((fault.instance,) if isinstance(fault, InstanceDeleted) else ())):
                if name not in known:
                    hint = did_you_mean(name, known)
                    raise WrongCall(
                        f"faults.{number}: there is no instance {name!r}{hint} Known: {', '.join(sorted(known))}"
                    )
            if isinstance(fault, Unavailable):
                self._outages += [(begin, end, number, fault) for begin, end in fault.windows(start, days)]
            elif isinstance(fault, (Busy, FailingBackups)):
                yield from ((begin, number, fault, end) for begin, end in fault.windows(start, days))
            elif isinstance(fault, (InstanceCreated, InstanceDeleted)):
                yield from ((moment, number, fault, moment) for moment in fault.moments(start, days))

    def refuse(self, service: str, operation: str) -> CloudError | None:
        """Return how a service refuses an operation now; None if it carries it out."""
        if not self._outages:
            return None
        now = self.clock.now()
        for begin, end, number, fault in self._outages:
            wanted = (
                not fault.operations or operation.partition(".")[2] in fault.operations or operation in fault.operations
            )
            if begin <= now < end and fault.service == service and wanted:
                self.refused[number] = self.refused.get(number, 0) + 1
                return usual_error(Service(service), fault.status, "simulated outage")
        return None

    def apply(self, fault: Fault, end: float) -> None:
        """Do what a fault other than an outage does, at the present moment."""
        now = self.dds.present()
        if isinstance(fault, InstanceCreated):
            self._create(fault, now)
        elif isinstance(fault, InstanceDeleted):
            for instance in self._named((fault.instance,)):
                self.dds.instances.put(replace(instance, gone_at=now))
            self.dds.present()
        elif isinstance(fault, Busy):
            for instance in self._named(fault.instances):
                # An operation of the owner waits for a backup that runs, and keeps the instance busy after it.
                self.dds.instances.put(replace(instance, actions=("MODIFYING",), busy_until=end))
        elif isinstance(fault, FailingBackups):
            for instance in self._named(fault.instances):
                self.dds.instances.put(replace(instance, fails_with="The backup failed (simulated)."))

    def end(self, fault: Fault) -> None:
        """End what a fault does."""
        if isinstance(fault, FailingBackups):
            for instance in self._named(fault.instances):
                self.dds.instances.put(replace(instance, fails_with=None))

    def _named(self, names: Sequence[str]) -> list[Instance]:
        return [one for one in self.sources() if not names or one.name in names]

    def _create(self, fault: InstanceCreated, now: float) -> None:
        disk = _disk(fault.data_gb)
        instance = Instance(
            id=f"{self.region.new_id().hex}in02",
            name=fault.name,
            mode=fault.mode,
            status="normal",
            version="4.4",
            created=now,
            data_kb=int(fault.data_gb * 1024**2),
            spec=Specification(flavors=usual_flavors(fault.mode, disk)),
            tags=dict(fault.tags),
        )
        self.dds.instances.put(instance)
        self.dds.contents.put(instance.id, make_content(DEFAULT, now), now)
        self.look()

    def forget(self) -> None:
        """Drop what no call can show any more: backups that are gone, old tasks, messages that were delivered."""
        now = self.clock.now()
        for backup in list(self.dds.stored_backups):
            if backup.status(now) is None:
                self.dds.stored_backups.remove(backup.id)
                self.dds.contents.remove(backup.id)
        for job in list(self.dds.jobs):
            if job.begin < now - 31 * 86_400:
                self.dds.jobs.remove(job.id)
        for restore in list(self.dds.restores):
            if restore.end < now:
                self.dds.restores.remove(restore.id)
        self.smn.messages.clear()


def make_seed(seed: int, count: int) -> Seed:
    """Make up instances: mostly replica sets, of sizes that differ widely. The topics are those of the template."""
    rng = random.Random(f"instances/{seed}")  # noqa: S311 - not for secrets
    instances: list[SeedInstance] = []
    modes: tuple[Mode, ...] = ("ReplicaSet", "Single", "Sharding")
    for number in range(count):
        mode = rng.choices(modes, (75, 10, 15))[0]
        if sum(one.mode == "Sharding" for one in instances) >= 5:  # the quota of clusters is 10, and drills need some
            mode = "ReplicaSet"
        size = round(min(800.0, rng.lognormvariate(2.3, 1.1)), 1)
        again = number // len(NAMES)
        instances.append(
            SeedInstance(
                id=f"{rng.getrandbits(128):032x}in02",
                name=f"{NAMES[number % len(NAMES)]}{f'-{again + 1}' if again else ''}",
                mode=mode,
                data_gb=size,
                volume_gb=_disk(size),
                days_old=float(rng.randint(30, 900)),
                tags={"env": "production", "backup": "nightly"},
            )
        )
    return load_seed().model_copy(update={"instances": tuple(instances), "backups": ()})


def read_state(file: Path) -> Seed:
    """Read a seed file of the local cloud. Raises WrongCall."""
    try:
        return load_seed(file)
    except OSError as error:
        raise WrongCall(f"cannot read the state {file}: {error.strerror}") from error
    except ValueError as error:
        raise WrongCall(str(error)) from error


def _disk(data_gb: float) -> int:
    return min(2000, max(20, int(data_gb * 1.6 / 10 + 1) * 10))
