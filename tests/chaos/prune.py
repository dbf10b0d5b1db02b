"""Rounds of prune_backups: histories, rules, zones, brakes, deliveries in trouble, and what has to be left then.

The rules are those of docs/prune_backups.md, calculated here once more.
"""

import calendar
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from localcloud.seed import SeedBackup, SeedInstance
from tests.chaos.fleet import BLUE, backup_of, draw_description, draw_instances, seed_of
from tests.chaos.oracle import Violation, check_deliveries, check_ids, is_own
from tests.chaos.platform import Delivery, Platform
from tests.chaos.trouble import HEALTHY, Trouble, draw_trouble
from tests.triggers import documented as doc


RULES = (
    "last=1",
    "last=3",
    "last=10",
    "last=3 daily=7 weekly=4 monthly=12",
    "daily=5",
    "hourly=6 daily=3",
    "weekly=4",
    "monthly=3 yearly=2",
    "last=2 max_age=90d",
    "max_age=30d",
    "daily=10 weekly=3 max_age=400d",
)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "Pacific/Chatham")
_MOST_DELIVERIES = 6
_STALE = timedelta(days=1)
_FAILED_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Old:
    """A backup of this application as the cloud lists it. Times are whole seconds in UTC."""

    id: str
    instance_id: str
    began: datetime
    ended: datetime | None
    status: str

    @classmethod
    def of(cls, state: dict[str, Any]) -> "Old":
        """Read a backup of the cloud's state."""
        ended = state["end_time"]
        status = str(state["status"])
        began = _time(state["begin_time"])
        return cls(state["id"], state["instance_id"], began, _time(ended) if ended else None, status)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the page says of one list of backups.

    Attributes:
        due: the backups to delete, the oldest first, without what the guard holds back.
        held_back: the backups that the guard holds back.
    """

    due: list[str]
    held_back: set[str]


def expected_of(
    backups: Sequence[Old], rules: str, zone: tzinfo, now: datetime, *, force: bool, restoring: Iterable[str] = ()
) -> Expected:
    """Calculate what a run as of `now` deletes, from the page alone."""
    by_instance: dict[str, list[Old]] = defaultdict(list)
    for backup in backups:
        by_instance[backup.instance_id].append(backup)
    doomed: dict[str, list[Old]] = {}
    for instance_id, own in by_instance.items():
        kept = _kept(own, rules, zone, now)
        is_restoring = instance_id in set(restoring)
        doomed[instance_id] = [b for b in own if b.id not in kept and not is_restoring]
    held: set[str] = set()
    if not force:
        held = {i for i, gone in doomed.items() if _is_mass(_completed(gone), _completed(by_instance[i]))}
        rest = [b for i, gone in doomed.items() if i not in held for b in gone]
        if _is_mass(_completed(rest), _completed(backups)):
            held = set(doomed)
    due = sorted((b for i, gone in doomed.items() if i not in held for b in gone), key=lambda b: (b.began, b.id))
    return Expected([b.id for b in due], {b.id for i in held for b in doomed[i]})


def _kept(own: Sequence[Old], rules: str, zone: tzinfo, now: datetime) -> set[str]:
    """The backups of one instance that a rule keeps or a protection covers."""
    counts = dict(rule.split("=") for rule in rules.split())
    max_age = timedelta(days=int(counts.pop("max_age").rstrip("d"))) if "max_age" in counts else None
    over = [b for b in own if b.began <= now and (b.ended is None or b.ended <= now)]
    good = sorted((b for b in over if b.status == "COMPLETED"), key=lambda b: (b.began, b.id), reverse=True)
    young = [b for b in good if max_age is None or now - b.began <= max_age]
    kept = {b.id for b in own if b not in over or b.status not in {"COMPLETED", "FAILED"}}
    kept |= {b.id for b in own if now - b.began < _STALE}
    kept |= {b.id for b in own if b.status == "FAILED" and now - b.began <= _FAILED_KEPT}
    kept |= {b.id for b in good[:1]}
    kept |= {b.id for b in [b for b in good if now - b.began >= _STALE][:1] if b in young}
    for rule, count in counts.items():
        newest_of: dict[Any, str] = {}
        for backup in young:
            newest_of.setdefault(_period(rule, backup, zone), backup.id)
        kept |= set(list(newest_of.values())[: int(count)])
    if not counts:
        kept |= {b.id for b in young}
    return kept


def _period(rule: str, backup: Old, zone: tzinfo) -> Any:
    if rule == "last":
        return backup.id
    local = backup.began.astimezone(zone)
    if rule == "hourly":  # counted in real time, since one hour comes twice when the clocks go back
        offset = local.utcoffset() or timedelta()
        return int((calendar.timegm(backup.began.timetuple()) + offset.total_seconds()) // 3600), offset
    forms = {"daily": "%Y-%m-%d", "weekly": "%G-%V", "monthly": "%Y-%m", "yearly": "%Y"}
    return local.strftime(forms[rule])


def _is_mass(gone: int, all_of_them: int) -> bool:
    return gone > 3 and gone > all_of_them / 2


def _completed(backups: Iterable[Old]) -> int:
    return sum(backup.status == "COMPLETED" for backup in backups)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


@dataclass(frozen=True, slots=True)
class PruneRound:
    """A round as it is drawn.

    Attributes:
        restoring: the instance that is being restored.
        minutes: the event's time, as minutes from now.
    """

    instances: list[SeedInstance]
    backups: list[SeedBackup]
    restoring: str | None
    settings: dict[str, str]
    request: dict[str, Any]
    minutes: int
    troubles: list[tuple[Trouble, bool]]

    @classmethod
    def draw(cls, rng: Random, name: str) -> "PruneRound":
        """Draw a round."""
        instances = draw_instances(rng, 1, 3, data_gb=0.05, oddities=False)
        stack = rng.choice((None, None, BLUE))
        ids = [one.id for one in instances] + [f"{rng.getrandbits(128):032x}in02"] * (rng.random() < 0.3)
        backups = [
            backup_of(
                rng,
                instance_id,
                days,
                description=draw_description(rng, stack),
                fails_with="Out of space." if rng.random() < 0.1 else None,
            )
            for instance_id in ids
            for days in _draw_ages(rng)
        ]
        request: dict[str, Any] = {}
        if rng.random() < 0.5:
            request["force"] = True
        if rng.random() < 0.15:
            request["instance_ids"] = rng.sample(ids, 1)
        if rng.random() < 0.1:
            request["retention"] = "last=1"
        return cls(
            instances,
            backups,
            restoring=rng.choice(ids) if rng.random() < 0.1 else None,
            settings={
                "RETENTION": rng.choice(RULES),
                "RETENTION_TIME_ZONE": rng.choice(ZONES),
                "MAX_DELETES": rng.choice(("3", "20", *["200"] * 4)),
                "DRY_RUN": rng.choice(("true", *["false"] * 11)),
                "MAX_CONCURRENCY": rng.choice(("1", "8")),
                **({"STACK": stack} if stack else {}),
            },
            request=request,
            minutes=rng.choice((-3, -30, -600, 60 * 24 * 40)),
            troubles=[(draw_trouble(rng, "prune_backups"), rng.random() < 0.2) for _ in range(rng.randint(0, 2))],
        )

    @property
    def is_dry(self) -> bool:
        """Whether nothing may be deleted."""
        return self.settings["DRY_RUN"] == "true" or "retention" in self.request

    def play(self, platform: Platform, story: list[str]) -> Iterator[Violation]:
        """Play the round and yield what breaks a rule."""
        platform.begin(seed_of(self.instances, self.backups))
        known = {one.id for one in self.instances}
        if self.restoring in known:
            platform.cloud.change_instance(str(self.restoring), actions=["RESTORING"])
        story.append(
            f"{len(self.backups)} backups, {self.settings}, request {self.request}, {self.minutes} min from now"
        )
        moment = datetime.fromtimestamp(platform.now(), timezone.utc) + timedelta(minutes=self.minutes)
        event = doc.timer(_text(self.request), time=moment.isoformat(timespec="seconds"), trigger_name="prune")
        before = platform.state()["backups"]
        for trouble, twice in self.troubles:
            platform.cloud.set_faults(trouble.faults)
            with ThreadPoolExecutor(2) as pool:
                done = pool.map(lambda one: self._deliver(platform, event, one), [trouble] * (1 + twice))
                story += [f"delivered, {trouble.name}: {delivery.describe()}" for delivery in done]
            platform.cloud.set_faults([])
        for _ in range(_MOST_DELIVERIES):
            last = self._deliver(platform, event, HEALTHY)
            story.append(f"delivered, healthy: {last.describe()}")
            if last.invocation.ok:
                break
        else:
            yield Violation("never-finished", f"unfinished after {_MOST_DELIVERIES} healthy deliveries")
            return
        yield from check_deliveries(platform.deliveries)
        yield from self._check(platform, before, last)

    def _deliver(self, platform: Platform, event: Any, trouble: Trouble) -> Delivery:
        return platform.deliver("prune_backups", event, "prune", trouble.interference, **self.settings)

    def _check(self, platform: Platform, before: list[dict[str, Any]], last: Delivery) -> Iterator[Violation]:
        messages = platform.messages()
        runs = [message["data"] for message in messages if message["type"] == "dds.backup.pruned"]
        if not runs:
            yield Violation("report-published", "no dds.backup.pruned was published")
            return
        yield from check_ids(messages)
        run = last.report["runs"][0]
        now = _time(run["time"])
        due = _time(last.event["time"])
        clock = datetime.fromtimestamp(last.ended, timezone.utc)
        if (
            now != min(due, now)
            or now > clock + timedelta(seconds=5)
            or (due < clock - timedelta(minutes=2) and now != due)
        ):
            yield Violation("as-of", f"the run is as of {now}, the event's time is {due}, the clock {clock}")
        stack = self.settings.get("STACK")
        own = [Old.of(b) for b in before if is_own(b["description"], stack)]
        if "instance_ids" in self.request:
            own = [backup for backup in own if backup.instance_id in self.request["instance_ids"]]
        zone = ZoneInfo(self.settings["RETENTION_TIME_ZONE"])
        restoring = [self.restoring] if self.restoring in {one.id for one in self.instances} else []
        rules = self.request.get("retention", self.settings["RETENTION"])
        expected = expected_of(
            own, rules, zone, now, force=bool(self.request.get("force")), restoring=[r for r in restoring if r]
        )
        left = {b["id"] for b in platform.state()["backups"] if b["status"] != "DISABLED"}
        gone = {b["id"] for b in before} - left
        yield from self._check_deleted(before, gone, expected)
        yield from self._check_limits(platform)
        told = [
            b["backup_id"] for run in runs for i in run["instances"] for b in i["backups"] if b["outcome"] == "DELETED"
        ]
        if set(told) - gone:
            yield Violation("published-untrue", f"published as deleted, but still there: {sorted(set(told) - gone)}")

    def _check_deleted(self, before: list[dict[str, Any]], gone: set[str], expected: Expected) -> Iterator[Violation]:
        by_id = {backup["id"]: backup for backup in before}

        def show(ids: Iterable[str]) -> list[str]:
            return [f"{by_id[i]['begin_time']} {by_id[i]['status']} {by_id[i]['description']}" for i in sorted(ids)]

        if self.is_dry and gone:
            yield Violation("dry-run", f"a dry run deleted {show(gone)}")
        if foreign := {i for i in gone if not is_own(by_id[i]["description"], self.settings.get("STACK"))}:
            yield Violation("not-ours", f"deleted, but not made by this deployment: {show(foreign)}")
        if held := gone & expected.held_back:
            yield Violation("guard", f"deleted, although the mass-deletion guard holds it back: {show(held)}")
        if wrong := gone - set(expected.due) - expected.held_back:
            yield Violation("keeps-what-the-rules-keep", f"deleted, although a rule keeps it: {show(wrong)}")
        most = int(self.settings["MAX_DELETES"])
        if self.is_dry:
            return
        if len(expected.due) <= most and (kept := set(expected.due) - gone):
            yield Violation("deletes-what-no-rule-keeps", f"still there, although no rule keeps it: {show(kept)}")
        if len(gone) < min(most, len(expected.due)):
            yield Violation("deletes-what-no-rule-keeps", f"{len(gone)} deleted of {len(expected.due)}, {most} a run")
        if gone - set(expected.due[: max(len(gone), most)]):
            yield Violation("oldest-first", f"{len(gone)} were deleted, but not the oldest ones")

    def _check_limits(self, platform: Platform) -> Iterator[Violation]:
        """No invocation deletes more than MAX_DELETES, nor more than its report allows it."""
        most = int(self.settings["MAX_DELETES"])
        for delivery in platform.deliveries:
            deleted = {call["path"] for call in delivery.calls if call["method"] == "DELETE"}
            for run in delivery.report.get("runs", [{}]):
                allowed = min(most, run.get("daily_limit", {}).get("allowed", most))
                if len(deleted) > allowed:
                    what = (
                        f"{delivery.describe()}: {len(deleted)} deletions, {allowed} are allowed, MAX_DELETES is {most}"
                    )
                    yield Violation("max-deletes", what)


def _draw_ages(rng: Random) -> list[float]:
    """Draw ages in days: some nights, some days with several backups, some long ago. None is just a day old."""
    ages = [rng.uniform(0.05, 0.9) for _ in range(rng.choice((0, 0, 1, 3)))]
    ages += [night + rng.choice((0.2, 0.4, 0.41, 0.8)) for night in range(1, rng.randint(2, 22))]
    ages += [rng.uniform(2, 500) for _ in range(rng.randint(0, 12))]
    return [age + rng.random() / 1000 for age in ages if rng.random() < 0.85]


def _text(request: dict[str, Any]) -> str:
    return json.dumps(request) if request else ""
