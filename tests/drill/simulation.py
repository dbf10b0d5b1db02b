"""Days of drills on a World in which calls fail, answers get lost, invocations are killed, and events come twice.

A schedule is drawn from a seed and a number alone, so that it can be played again. Afterwards an oracle looks for
broken promises in what the World and the topic have seen.
"""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.drill.report import DrillReport
from shared.drill.schedule import Schedule
from shared.drills import DrillName
from shared.errors import AmbiguousError, BusyError, ThrottledError, TransientError
from tests.drill.platform import PERIOD, Platform
from tests.drill.world import NEVER, PROJECT, Fate, World
from tests.fakes import START, FakeClock


BEGIN, END = timedelta(hours=6, minutes=45), timedelta(hours=14, minutes=45)  # 09:45 to 17:45, after START
SOURCES = tuple(f"{number:032x}in02" for number in range(0xA1, 0xA4))
BARE = f"{0xB1:032x}in02"
_WRITES = {"restore", "tag", "reset_password", "restart", "delete"}
_LIMIT = 120.0
_OUTCOMES = {f"dds.drill.{kind}" for kind in ("verified", "failed", "inconclusive", "overdue")}


class Killed(BaseException):
    """The end of an invocation at any point, which nothing of the function can catch."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise."""

    rule: str
    what: str


@dataclass
class Played:
    """A schedule that was played."""

    number: int
    violations: list[Violation] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    counts: "Counter[str]" = field(default_factory=Counter)


class _Baton:
    """Lets two invocations take turns at their calls, in an order that the seed decides."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._condition = threading.Condition()
        self._there: list[int] = []
        self._turn = 0

    def run(self, works: list[Any]) -> None:
        """Run all of them to their ends."""
        self._there = list(range(len(works)))
        self._turn = 0
        threads = [threading.Thread(target=self._work, args=(me, work)) for me, work in enumerate(works)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._there = []

    def _work(self, me: int, work: Any) -> None:
        threading.current_thread().name = str(me)
        with self._condition:
            self._condition.wait_for(lambda: self._turn == me)
        try:
            work()
        finally:
            with self._condition:
                self._there.remove(me)
                self._turn = self._rng.choice(self._there) if self._there else -1
                self._condition.notify_all()

    def switch(self) -> None:
        """Maybe let another one go on first."""
        if len(self._there) < 2:
            return
        me = int(threading.current_thread().name)
        with self._condition:
            self._turn = self._rng.choice(self._there)
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._turn == me)


class Simulation:
    """One schedule."""

    def __init__(self, seed: int, number: int) -> None:
        self.rng = random.Random(f"{seed}:{number}")
        self.clock = FakeClock()
        self.clock.seconds = BEGIN.total_seconds()
        self.world = World(self.clock, self._disturb)
        self.played = Played(number)
        self._baton = _Baton(self.rng)
        self._budget = self.rng.choice([0, 1, 2, 3, 5, 8])
        self._chance = self.rng.choice([0.01, 0.03, 0.1])
        self._is_calm = False
        self._disturbed = False
        self._began: dict[str, float] = {}
        self._outage: str | None = None
        self._draw()
        connects = "true" if self.rng.random() < 0.3 else "false"
        pick = self.rng.choice(["newest", "random"])
        self.platform = Platform(self.world, DRILL_CONNECT=connects, DRILL_PICK=pick)

    def _draw(self) -> None:
        rng, world = self.rng, self.world
        for number, source in enumerate(SOURCES[: rng.randint(1, 3)]):
            world.add_source(source, f"shop-{number}")
            for nights in range(rng.randint(1, 3)):
                world.add_backup(source, timedelta(hours=8, days=nights))
            world.fates[source] = self._fate()
        if rng.random() < 0.2:
            world.add_source(BARE, "bare")
        if rng.random() < 0.1:
            world.add_source(f"{0xD1:032x}in02", "drill-hall", enterprise_project_id=PROJECT)
        if rng.random() < 0.05:
            name = f"drill-20261124T100000Z-{'d' * 32}"
            world.add_source(f"{0xD2:032x}in02", name, enterprise_project_id=PROJECT, status="normal")
        self._sources = [i for i in world.known.values() if not i.name.startswith("drill-")]

    def _fate(self) -> Fate:
        rng = self.rng
        return Fate(
            takes=rng.choice([timedelta(minutes=rng.randint(40, 300)), NEVER])
            if rng.random() < 0.2
            else timedelta(minutes=rng.randint(6, 40)),
            ends=rng.choices(["normal", "createfail", "abnormal", "gone"], [85, 6, 5, 4])[0],
            is_good=rng.random() < 0.8,
            unchecked=rng.choices([0, 1, 3, 99], [70, 15, 8, 7])[0],
            restart_takes=timedelta(minutes=rng.randint(1, 25)),
            restart_fails=rng.random() < 0.05,
            refusals=rng.choices([0, 1, 2], [85, 10, 5])[0],
        )

    # What goes wrong.

    def _disturb(self, name: str, before: bool) -> None:
        self._baton.switch()
        thread = threading.current_thread().name
        if before:
            self.clock.seconds += self.rng.choice([0.05, 0.2, 1.0, 1.0, 15.0 if self.rng.random() < 0.1 else 0.5])
        if self.clock.seconds - self._began.get(thread, self.clock.seconds) > _LIMIT:
            raise Killed("the invocation's time is over")
        if self._outage == name and before:
            raise TransientError("outage")
        if self._is_calm or self._budget <= 0 or self.rng.random() > self._chance:
            return
        self._budget -= 1
        self._disturbed = True
        kind = self.rng.choice(["kill", "error", "lost", "outage"])
        self.played.counts[kind] += 1
        self._note(f"{kind} {'before' if before else 'after'} {name}")
        if kind == "kill":
            raise Killed(name)
        if not before:
            raise AmbiguousError("the answer is lost") if name in _WRITES else TransientError("the answer is lost")
        if kind == "outage":
            self._outage = name
            raise TransientError("outage")
        errors = [TransientError("unavailable"), ThrottledError("too many", retry_after=2.0)]
        errors += [BusyError("busy")] if name in _WRITES else []
        raise self.rng.choice(errors)

    def _note(self, what: str) -> None:
        self.played.story.append(f"{self.clock.now():%H:%M:%S} {what}")

    # What happens.

    def play(self) -> Played:
        """Play the schedule, and judge it."""
        ticks = int((END - BEGIN) / PERIOD)
        late: list[int] = []
        missed = False
        for number in range(ticks):
            self._pass_until(number)
            if self.rng.random() < 0.01 and not missed:
                missed = True
                self._note(f"tick {number} never came")
                continue
            self._deliver(number, calm=missed)
            missed = False
            if self.rng.random() < 0.02:
                late.append(number)
            while late and self.rng.random() < 0.5:
                self._note(f"tick {late[-1]} comes again")
                self._once(late.pop(), calm=True)
        self.world.settle()
        self.played.violations += _judge(self)
        self.played.counts.update(json.loads(n.body)["type"] for n in self.world.sent)
        self.played.counts["ticks"] += ticks
        return self.played

    def _pass_until(self, number: int) -> None:
        due = (BEGIN + PERIOD * number).total_seconds() + self.rng.choice([0, 0, 1, 20])
        self.clock.seconds = max(self.clock.seconds, due)

    def _deliver(self, number: int, *, calm: bool) -> None:
        """Deliver a tick until it is done, as FunctionGraph does."""
        for attempt in range(5):
            is_calm = calm or attempt > 1
            if self.rng.random() < 0.03:
                self.played.counts["twice at once"] += 1
                self._note(f"tick {number} comes twice at once")
                done = self._twice(number, calm=is_calm)
            else:
                done = self._once(number, calm=is_calm)
            if done:
                return
            self.clock.seconds += self.rng.choice([30, 60])

    def _once(self, number: int, *, calm: bool) -> bool:
        self._is_calm, self._disturbed, self._outage = calm, False, None
        refusals = len([name for name in self.world.calls if name == "delete"])
        report = self._invoke(number)
        refused = len([name for name in self.world.calls if name == "delete"]) > refusals
        if report and not self._disturbed and not refused:
            self._check_ages()
        return report is not None and not report.unfinished

    def _twice(self, number: int, *, calm: bool) -> bool:
        self._is_calm, self._disturbed, self._outage = calm, True, None
        reports: list[DrillReport | None] = []
        self._baton.run([lambda: reports.append(self._invoke(number))] * 2)
        return all(report is not None and not report.unfinished for report in reports)

    def _invoke(self, number: int) -> DrillReport | None:
        self._began[threading.current_thread().name] = self.clock.seconds
        try:
            report = self.platform.tick(START + BEGIN + PERIOD * number)
        except Killed:
            self._note("killed")
            return None
        for item in report.items:
            document = item.document()
            self._note(f"{document.get('step') or document.get('state') or document.get('type')} {document}")
        return report

    def _check_ages(self) -> None:
        """Every undisturbed run has begun to delete what is too old, and what it may delete."""
        for instance in self.world.drills():
            if instance.id not in self.made or instance.created is None:
                continue
            age = self.clock.now() - instance.created
            if instance.status == "creating" or "DELETE_INSTANCE" in instance.actions:
                continue  # DDS refuses to delete an instance that it is creating
            if age > self.platform.settings.DRILL_MAX_AGE + PERIOD:
                self.played.violations.append(Violation("too old", f"{instance.name} is {age} old"))

    @property
    def made(self) -> dict[str, str]:
        """The name of the source and the slot, by the id of each instance that a drill has made."""
        return {instance_id: detail for _, what, instance_id, detail in self.world.events if what == "restored"}

    def slots(self) -> Iterator[tuple[str, Any]]:
        """Yield each source with its slot of the day."""
        settings = self.platform.settings
        schedule = Schedule(settings.DRILL_INTERVAL, settings.DRILL_HOURS)
        for source in self._sources:
            yield source.id, schedule.slot(source.id, self.clock.now())


def _judge(simulation: Simulation) -> Iterator[Violation]:
    """Yield the promises that a schedule broke."""
    world, made = simulation.world, simulation.made
    yield from _judge_calls(simulation)
    slots = Counter(_slot_of(detail) for detail in made.values())
    for (source, slot), count in slots.items():
        if count > 1:
            yield Violation("doubled", f"{count} drills of {source} in {slot}")
    events = [json.loads(notification.body) for notification in world.sent]
    leaked = {event["data"]["drill_instance_id"] for event in events if event["type"] == "dds.drill.leaked"}
    for instance in world.drills():
        is_told = instance.id in leaked and instance.status == "creating"
        if instance.id in made and "DELETE_INSTANCE" not in instance.actions and not is_told:
            yield Violation("left behind", f"{instance.name} is {instance.status}")
    yield from _judge_marks(simulation, events)
    yield from _judge_outcomes(simulation, events)
    meanings: dict[str, tuple[str, str, str]] = {}
    for event in events:
        meaning = event["type"], event["data"]["instance_id"], event["data"]["slot"]
        if meanings.setdefault(event["id"], meaning) != meaning:
            yield Violation("one id, two facts", f"{event['id']}: {meanings[event['id']]} and {meaning}")


def _judge_calls(simulation: Simulation) -> Iterator[Violation]:
    """Nothing but what drills have made is changed, and there is one of it at a time."""
    made, alive = simulation.made, set[str]()
    for time, what, instance_id, detail in simulation.world.events:
        if instance_id not in made:
            yield Violation("touches others", f"{time:%H:%M:%S} {what} of {instance_id}")
        elif what == "deleted":
            alive.discard(instance_id)
        elif what == "restored":
            if alive:
                yield Violation("two at once", f"{time:%H:%M:%S} {detail} beside {[made[one] for one in alive]}")
            if simulation.world.fates[detail.split()[0]].ends != "gone":  # nobody has to delete that
                alive.add(instance_id)


def _judge_marks(simulation: Simulation, events: list[dict[str, Any]]) -> Iterator[Violation]:
    """A verified drill whose instance could be restarted in time is marked by the restart."""
    world = simulation.world
    deleted = {instance_id: time for time, what, instance_id, _ in world.events if what == "deleted"}
    marked = {task.instance_id for task in world.tasks if task.is_restart and task.status == "Completed"}
    born = {task.instance_id: task.created_at for task in world.tasks if not task.is_restart}
    for event in events:
        instance_id = event["data"]["drill_instance_id"]
        if event["type"] != "dds.drill.verified" or world.fates[event["data"]["instance_id"]].restart_fails:
            continue
        is_old = deleted[instance_id] - born[instance_id] >= simulation.platform.settings.DRILL_MAX_AGE - PERIOD
        if instance_id not in marked and not is_old:
            yield Violation("no mark", f"{event['data']['drill']} is verified and was not restarted")


def _judge_outcomes(simulation: Simulation, events: list[dict[str, Any]]) -> Iterator[Violation]:
    by_slot: dict[tuple[str, str], set[str]] = {}
    for event in events:
        by_slot.setdefault((event["data"]["instance_id"], event["data"]["slot"]), set()).add(event["type"])
    begun = {_slot_of(detail) for detail in simulation.made.values()}
    for source, slot in simulation.slots():
        key = source, slot.begin.strftime("%Y-%m-%dT%H:%M:%SZ")
        kinds = by_slot.get(key, set())
        if not kinds & _OUTCOMES:
            yield Violation("no outcome", f"{key}: {kinds or 'nothing'} was published")
        if key in begun and "dds.drill.started" not in kinds:
            yield Violation("not started", f"{key}: {kinds}")
        if {"dds.drill.verified", "dds.drill.failed"} <= kinds:
            yield Violation("contradiction", f"{key}: {kinds}")
        fate = simulation.world.fates.get(source, Fate())
        if "dds.drill.failed" in kinds and fate.is_good and fate.ends == "normal":
            yield Violation("false alarm", f"{key}: {fate}")
        if "dds.drill.verified" in kinds and not (fate.is_good and fate.ends == "normal"):
            yield Violation("false verification", f"{key}: {fate}")


def _slot_of(detail: str) -> tuple[str, str]:
    source, name = detail.split()
    drill = DrillName.parse(name)
    return source, drill.slot.strftime("%Y-%m-%dT%H:%M:%SZ") if drill else name


def play(seed: int, number: int) -> Played:
    """Play one schedule of a seed."""
    return Simulation(seed, number).play()
