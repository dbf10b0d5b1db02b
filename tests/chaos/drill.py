"""Rounds of drill_backups: hours of drills, runs in trouble, faults of content, and the other functions beside it.

The rules are those of docs/drill_backups.md.
"""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from localcloud.seed import SeedBackup, SeedInstance
from tests.chaos.fleet import backup_of, draw_instances, seed_of
from tests.chaos.oracle import Violation, check_deliveries, check_ids
from tests.chaos.platform import NOTHING, Delivery, Platform
from tests.chaos.trouble import HEALTHY, Trouble, draw_trouble
from tests.triggers import documented as doc


PLACE = "8f1c2d3e-0000-4000-8000-000000000001"
PERIOD = timedelta(minutes=10)
MAX_AGE = timedelta(hours=2)
_OPEN = timedelta(hours=2)
_TICKS = int((_OPEN + MAX_AGE + timedelta(minutes=50)) / PERIOD)
_MOST_DELIVERIES = 6
_OUTCOMES = {f"dds.drill.{kind}" for kind in ("verified", "failed", "inconclusive", "overdue")}
_FAULTS: tuple[dict[str, Any], ...] = (
    {"ends_as": "createfail"},
    {"ends_as": "abnormal"},
    {"never_ends": True},
    {"lacks_collection": "newsletter.subscribers"},
)
_CONTENT = {
    "shop": {"orders": {"documents": 40, "days": 90}, "customers": {"documents": 20, "days": 90}},
    "newsletter": {"subscribers": {"documents": 10, "days": 90}},
}


@dataclass(frozen=True, slots=True)
class Tick:
    """One timer event of drill_backups.

    Attributes:
        troubles: what goes wrong during the deliveries before the healthy one.
        is_missed: whether it is never delivered.
        comes_twice: whether two instances of the function get it at the same time.
        beside: another function that gets an event first.
    """

    troubles: list[Trouble]
    is_missed: bool
    comes_twice: bool
    beside: str | None


@dataclass(frozen=True, slots=True)
class DrillRound:
    """A round as it is drawn.

    Attributes:
        faulty: the ids of the backups that do not come back as they should.
    """

    instances: list[SeedInstance]
    backups: list[SeedBackup]
    faulty: dict[str, dict[str, Any]]
    ticks: list[Tick]

    @classmethod
    def draw(cls, rng: Random, name: str) -> "DrillRound":
        """Draw a round. Of two ticks in a row at most one is missed."""
        drawn = draw_instances(rng, 1, 2, data_gb=0.05, oddities=False)
        instances = [
            one.model_copy(update={"mode": "ReplicaSet", "days_old": 30, "content": _CONTENT_MODEL}) for one in drawn
        ]
        backups = [
            backup_of(rng, one.id, days + rng.uniform(0.3, 0.6), description="nightly;KEY")
            for one in instances
            for days in range(rng.randint(1, 2))
        ]
        faulty = {one.id: rng.choice(_FAULTS) for one in backups if rng.random() < 0.3}
        ticks: list[Tick] = []
        for _ in range(_TICKS):
            is_missed = rng.random() < 0.04 and not (ticks and ticks[-1].is_missed)
            troubles = [draw_trouble(rng, "drill_backups") for _ in range(rng.choice((0, 0, 0, 1)))]
            beside = rng.choice(("create_backup", "track_backups", "prune_backups", "audit_backups", *[None] * 12))
            ticks.append(Tick(troubles, is_missed, rng.random() < 0.04, beside))
        return cls(instances, backups, faulty, ticks)

    def play(self, platform: Platform, story: list[str]) -> Iterator[Violation]:
        """Play the round and yield what breaks a rule."""
        platform.begin(seed_of(self.instances, self.backups), follows_clock=True)
        for backup_id, fault in self.faulty.items():
            platform.cloud.set_backup_fault(backup_id, **fault)
        opens = (_now(platform) + timedelta(hours=1, minutes=20)).replace(minute=0, second=0, microsecond=0)
        settings = {
            "DRY_RUN": "false",
            "DRILL_ENTERPRISE_PROJECT_ID": PLACE,
            "DRILL_INTERVAL": "1d",
            "DRILL_HOURS": f"{opens:%H:%M}-{opens + _OPEN:%H:%M}",
            "DRILL_PERIOD": "10m",
            "DRILL_MAX_AGE": "2h",
        }
        story.append(f"{len(self.instances)} instances, {len(self.backups)} backups, {self.faulty}, {settings}")
        before = self._sources(platform)
        for number, tick in enumerate(self.ticks):
            due = opens + PERIOD * (number - 1)
            platform.cloud.advance(max(0.0, (due - _now(platform)).total_seconds() + 1))
            if tick.beside:
                delivery = self._beside(platform, tick.beside, number)
                story.append(f"beside: {delivery.describe()}")
            if tick.is_missed:
                story.append(f"tick {number} never came")
                continue
            yield from self._tick(platform, story, number, due, settings)
        yield from check_deliveries(platform.deliveries)
        yield from check_ids(platform.messages())
        if (after := self._sources(platform)) != before:
            yield Violation("source-changed", f"{before} became {after}")
        yield from self._check_calls(platform)
        yield from self._check_outcomes(platform)

    def _tick(
        self, platform: Platform, story: list[str], number: int, due: datetime, settings: dict[str, str]
    ) -> Iterator[Violation]:
        """Deliver a tick until it succeeds, as FunctionGraph does, and look for instances that are too old."""
        tick = self.ticks[number]
        request = {"expect": {one.id: {"shop": 2, "newsletter": 1} for one in self.instances}}
        event = doc.timer(json.dumps(request), time=due.isoformat(), trigger_name="drill")
        for trouble in (*tick.troubles, *[HEALTHY] * _MOST_DELIVERIES):
            platform.cloud.set_faults(trouble.faults)

            def deliver(_: int, trouble: Trouble = trouble) -> Delivery:
                return platform.deliver("drill_backups", event, f"tick-{number}", trouble.interference, **settings)

            with ThreadPoolExecutor(2) as pool:
                delivered = list(pool.map(deliver, range(1 + tick.comes_twice)))
            platform.cloud.set_faults([])
            story += [f"tick {number}, {trouble.name}: {one.describe()}: {_steps(one)}" for one in delivered]
            if trouble is HEALTHY and all(one.invocation.ok for one in delivered):
                break
        else:
            yield Violation("never-finished", f"tick {number} is unfinished after {_MOST_DELIVERIES} deliveries")
        for one in _copies(platform):
            age = _now(platform) - _time(one["created"])
            # DDS refuses to delete an instance that it is creating.
            if age > MAX_AGE + PERIOD and one["status"] != "creating" and "DELETE_INSTANCE" not in one["actions"]:
                yield Violation("too-old", f"after tick {number} {one['name']} is {one['status']} and {age} old")

    def _beside(self, platform: Platform, function: str, number: int) -> Delivery:
        """Deliver an event of another function that means all instances."""
        request: dict[str, Any] = {}
        settings: dict[str, str] = {}
        if function == "create_backup":
            request = {"select": {"name": "*"}, "idempotency_key": f"beside-{number}"}
        if function == "prune_backups":
            settings = {"RETENTION": "last=1", "DRY_RUN": "false"}
        if function == "audit_backups":
            policy = {"name": "nightly", "select": {"name": "*"}, "expected_interval": "1d", "verified_within": "1d"}
            request = {"policies": [policy]}
        event = doc.smn(doc.smn_record(json.dumps(request)))
        return platform.deliver(function, event, f"beside-{number}", NOTHING, **settings)

    def _sources(self, platform: Platform) -> list[Any]:
        """The sources without what passes: they are busy while a backup or a restore of them runs."""
        ids = {one.id for one in self.instances}
        return [{**one, "actions": []} for one in platform.state()["instances"] if one["id"] in ids]

    def _check_calls(self, platform: Platform) -> Iterator[Violation]:
        """No drill is doubled, only the copies are changed, and no other function takes a copy for an instance."""
        restores = platform.state()["restores"]
        copies = {restore["target_id"] for restore in restores}
        for source_id, count in Counter(restore["source_id"] for restore in restores).items():
            if count > 1:
                yield Violation("doubled", f"{count} drills of {source_id} in one slot")
        for delivery in platform.deliveries:
            for call in delivery.calls:
                instance_id = call["path"].partition("/instances/")[2].partition("/")[0]
                if delivery.function == "drill_backups" and call["method"] != "GET" and instance_id:
                    if instance_id not in copies:
                        yield Violation("touches-others", f"{call['method']} {call['path']}")
                elif instance_id in copies and call["method"] != "GET":
                    yield Violation("touches-a-drill", f"{delivery.describe()}: {call['method']} {call['path']}")
        for backup in platform.state()["backups"]:
            if backup["instance_id"] in copies and backup["type"] == "Manual":
                yield Violation("backs-up-a-drill", f"{backup['name']} of {backup['instance_name']}")

    def _check_outcomes(self, platform: Platform) -> Iterator[Violation]:
        """Every slot has one outcome, and it is that of its backup."""
        told: dict[str, list[Any]] = {one.id: [] for one in self.instances}
        for message in platform.messages():
            if message["type"].startswith("dds.drill."):
                told.setdefault(message["data"]["instance_id"], []).append(message)
        begun = {restore["source_id"]: restore["backup_id"] for restore in platform.state()["restores"]}
        for source_id, messages in told.items():
            kinds = {message["type"] for message in messages}
            if not kinds & _OUTCOMES:
                yield Violation("no-outcome", f"{source_id}: {kinds or 'nothing'} was published")
            if source_id in begun and "dds.drill.started" not in kinds:
                yield Violation("not-started", f"{source_id}: {kinds}")
            if {"dds.drill.verified", "dds.drill.failed"} <= kinds:
                yield Violation("contradiction", f"{source_id}: {kinds}")
            fault = self.faulty.get(begun.get(source_id, ""))
            if "dds.drill.failed" in kinds and not fault:
                yield Violation("false-alarm", f"{source_id}: {[m['data']['message'] for m in messages]}")
            if "dds.drill.verified" in kinds and fault:
                yield Violation("false-verification", f"{source_id}: {fault}")


_CONTENT_MODEL = SeedInstance.model_validate(
    {"id": f"{1:032x}in02", "name": "any", "mode": "ReplicaSet", "tags": {}, "content": _CONTENT}
).content


def _steps(delivery: Delivery) -> str:
    """What a run did, in a few words."""
    drills = [f"{one['step']} {one['code']}" for one in delivery.report.get("drills", ())]
    slots = [f"{one['state']} {one['code'] or ''}".strip() for one in delivery.report.get("slots", ())]
    return ", ".join([*drills, *slots]) or "nothing"


def _copies(platform: Platform) -> list[Any]:
    return [one for one in platform.state()["instances"] if one["name"].startswith("drill-")]


def _now(platform: Platform) -> datetime:
    return datetime.fromtimestamp(platform.now(), timezone.utc)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
