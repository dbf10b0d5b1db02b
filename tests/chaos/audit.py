"""Rounds of audit_backups: histories, policies, events of any time, deliveries in trouble, and what has to be found.

The rules are those of docs/audit_backups.md, calculated here once more.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from localcloud.seed import SeedBackup, SeedInstance
from tests.chaos.fleet import BLUE, backup_of, draw_description, draw_instances, seed_of
from tests.chaos.oracle import Violation, check_deliveries, check_ids, is_own
from tests.chaos.platform import Delivery, Platform
from tests.chaos.trouble import HEALTHY, Trouble, draw_trouble
from tests.triggers import documented as doc


_MOST_DELIVERIES = 6
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class AuditRound:
    """A round as it is drawn.

    Attributes:
        limits: the policies, each with the ids that it covers and the hours that a backup may be old.
        trigger: timer, or one whose time is not believed.
        hours: the event's time, as hours from now.
    """

    instances: list[SeedInstance]
    backups: list[SeedBackup]
    limits: list[tuple[dict[str, Any], set[str], float]]
    trigger: str
    hours: float
    settings: dict[str, str]
    troubles: list[Trouble]

    @classmethod
    def draw(cls, rng: Random, name: str) -> "AuditRound":
        """Draw a round."""
        instances = draw_instances(rng, 2, 6, data_gb=0.05)
        stack = rng.choice((None, None, BLUE))
        backups = [
            backup_of(
                rng,
                one.id,
                hours / 24,
                description=draw_description(rng, stack),
                fails_with="Out of space." if rng.random() < 0.2 else None,
            )
            for one in instances
            for hours in _draw_hours(rng)
        ]
        return cls(
            instances,
            backups,
            limits=[_draw_policy(rng, number, instances) for number in range(rng.randint(1, 3))],
            trigger=rng.choice(("timer", "timer", "eventgrid", "smn", "direct")),
            hours=rng.choice((-0.1, -0.1, -3.3, -10.3, -40.3, -3000.3, 5.3, 300.3)),
            settings={"STACK": stack} if stack else {},
            troubles=[draw_trouble(rng, "audit_backups") for _ in range(rng.randint(0, 2))],
        )

    def build(self, now: float) -> Any:
        """Return the event."""
        request = {"policies": [policy for policy, _, _ in self.limits]}
        moment = datetime.fromtimestamp(now, timezone.utc) + timedelta(hours=self.hours)
        time = moment.isoformat(timespec="seconds")
        if self.trigger == "timer":
            return doc.timer(json.dumps(request), time=time, trigger_name="audit")
        if self.trigger == "eventgrid":
            return doc.eventgrid(request, time=time)
        if self.trigger == "smn":
            record = doc.smn_record(json.dumps(request))
            record["smn"]["timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
            return doc.smn(record)
        return request

    def play(self, platform: Platform, story: list[str]) -> Iterator[Violation]:
        """Play the round and yield what breaks a rule."""
        platform.begin(seed_of(self.instances, self.backups))
        event = self.build(platform.now())
        story.append(f"{self.trigger}, {self.hours:g} h from now, {self.settings}: {event}")
        for trouble in self.troubles:
            platform.cloud.set_faults(trouble.faults)
            delivery = self._deliver(platform, event, trouble)
            story.append(f"delivered, {trouble.name}: {delivery.describe()}")
            platform.cloud.set_faults([])
        for _ in range(_MOST_DELIVERIES):
            last = self._deliver(platform, event, HEALTHY)
            story.append(f"delivered, healthy: {last.describe()}")
            if last.invocation.ok and last.report.get("status") == "SUCCEEDED":
                break
        else:
            yield Violation("never-finished", f"unfinished after {_MOST_DELIVERIES} healthy deliveries")
            return
        yield from check_deliveries(platform.deliveries)
        yield from check_ids(platform.messages())
        state = platform.state()
        for delivery in platform.deliveries:
            yield from self._check(delivery, state, is_last=delivery is last)

    def _deliver(self, platform: Platform, event: Any, trouble: Trouble) -> Delivery:
        return platform.deliver("audit_backups", event, "audit", trouble.interference, **self.settings)

    def _check(self, delivery: Delivery, state: Any, *, is_last: bool) -> Iterator[Violation]:
        """Whatever a delivery publishes is right, and the last one publishes everything."""
        reports = [message["data"] for message in delivery.messages if message["type"] == "dds.backup.audited"]
        found = {m["subject"] for m in delivery.messages if m["type"] == "dds.backup.missed"}
        audited = [report for report in reports if report["verdict"] != "failed"]
        if is_last and len(audited) != 1:
            yield Violation("report-published", f"{delivery.describe()}: {len(audited)} reports of the audit")
            return
        if not audited:
            if found:
                yield Violation("complete-lists", f"{delivery.describe()}: missed {sorted(found)} without a report")
            return
        as_of = datetime.fromisoformat(audited[0]["audited_at"].replace("Z", "+00:00"))
        yield from self._check_time(delivery, as_of)
        missed, is_well = self._expected(state, self._as_of(delivery))
        reported = {one["instance_id"] for one in audited[0]["missed"]}
        if reported != missed or (is_last and found != missed) or found - missed:
            told = f"reported {sorted(reported)}, published {sorted(found)}"
            what = f"{delivery.describe()}: {told}, missed are {sorted(missed)}"
            yield Violation("missed", what)
        if (audited[0]["verdict"] == "all_well") != is_well:
            yield Violation("verdict", f"{delivery.describe()}: {audited[0]['verdict']}, all is well: {is_well}")

    def _as_of(self, delivery: Delivery) -> datetime:
        """The moment of the audit: a timer's time within the last day, otherwise now."""
        now = datetime.fromtimestamp(delivery.began, timezone.utc)
        is_believed = self.trigger == "timer" and -24 < self.hours < 0
        return now + timedelta(hours=self.hours) if is_believed else now

    def _check_time(self, delivery: Delivery, as_of: datetime) -> Iterator[Violation]:
        expected = self._as_of(delivery)
        if abs(as_of - expected) > timedelta(minutes=5):
            yield Violation("as-of", f"{delivery.describe()}: audited as of {as_of}, expected {expected:%c}")

    def _expected(self, state: Any, now: datetime) -> tuple[set[str], bool]:
        """Return the instances whose backup was missed as of `now`, and whether nothing at all is wrong."""
        stack = self.settings.get("STACK")
        own: dict[str, list[tuple[datetime, str]]] = {one.id: [] for one in self.instances}
        for backup in state["backups"]:
            began = datetime.fromisoformat(backup["begin_time"].replace("Z", "+00:00"))
            if is_own(backup["description"], stack) and began <= now:
                own[backup["instance_id"]].append((began, backup["status"]))
        missed, failed, covered = set(), set(), set()
        for one in self.instances:
            newest = max((began for began, status in own[one.id] if status == "COMPLETED"), default=None)
            if any(status == "FAILED" and (newest is None or began > newest) for began, status in own[one.id]):
                failed.add(one.id)
            limits = [hours for _, ids, hours in self.limits if one.id in ids]
            if not limits:
                continue
            covered.add(one.id)
            since = newest or datetime.fromtimestamp(state_created(one, now), timezone.utc)
            if now - since > timedelta(hours=min(limits)):
                missed.add(one.id)
        uncovered = {one.id for one in self.instances if one.tags.get("backup") == "yes"} - covered
        existing = {one.id for one in self.instances}
        unknown = any(ids - existing for _, ids, _ in self.limits)
        empty = any(not ids & existing for _, ids, _ in self.limits)
        return missed, not (missed or failed or uncovered or unknown or empty)


def state_created(instance: SeedInstance, now: datetime) -> float:
    """When an instance was created, in seconds since the epoch: days before the round began, which is about now."""
    return datetime.now(timezone.utc).timestamp() - instance.days_old * 86_400


def _draw_policy(rng: Random, number: int, instances: list[SeedInstance]) -> tuple[dict[str, Any], set[str], float]:
    """Draw a policy. Its limit lies between two whole hours, where no backup is."""
    interval, grace = rng.choice((3, 6, 12, 24, 48, 168)), rng.choice((1, 2))
    policy: dict[str, Any] = {"name": f"policy-{number}", "expected_interval": f"{interval}h", "grace": f"{grace}h"}
    if rng.random() < 0.5:
        env = rng.choice(("prod", "test"))
        ids = {one.id for one in instances if one.tags["env"] == env}
        return {**policy, "select": {"tags": {"env": [env]}}}, ids, float(interval + grace)
    chosen = [one.id for one in rng.sample(instances, rng.randint(1, len(instances)))]
    chosen += ["0" * 31 + "7in02"] * (rng.random() < 0.1)
    return {**policy, "instance_ids": chosen}, set(chosen), float(interval + grace)


def _draw_hours(rng: Random) -> list[float]:
    """Draw ages in hours, each half an hour away from the limits of the policies."""
    most = rng.choice((0, 1, 3, 10))
    return [rng.choice((rng.randint(0, 30), rng.randint(0, 300))) + 0.5 + rng.random() / 20 for _ in range(most)]
