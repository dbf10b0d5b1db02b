"""Rounds of create_backup and track_backups: events, deliveries in trouble, redeliveries, and what has to be then.

The rules are those of docs/create_backup.md and docs/track_backups.md.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from random import Random
from typing import Any

from localcloud.seed import SeedInstance
from tests.chaos.events import Event, EventSource
from tests.chaos.fleet import BLUE, draw_instances, seed_of
from tests.chaos.oracle import KEY, Violation, check_deliveries, check_ids
from tests.chaos.platform import Delivery, Platform
from tests.chaos.trouble import HEALTHY, Trouble, draw_trouble


SLOW_GB, QUICK_GB = 4.0, 0.05  # 68 and 1 seconds at the cloud's 60 MB/s
_MOST_DELIVERIES = 12
_PAUSE = 90.0  # seconds between two deliveries of an event that is not finished
_FINAL = {"invalid_request", "unknown_event", "empty_selection", "too_many_instances"}


@dataclass(frozen=True, slots=True)
class Step:
    """A delivery of one event, or of two at the same time."""

    events: tuple[int, ...]
    trouble: Trouble
    pause: float


@dataclass(frozen=True, slots=True)
class CreateRound:
    """A round as it is drawn."""

    instances: list[SeedInstance]
    events: list[Event]
    steps: list[Step]
    switches: dict[str, Any]
    settings: dict[str, str]
    tick: Trouble

    @classmethod
    def draw(cls, rng: Random, name: str) -> "CreateRound":
        """Draw a round."""
        in_pairs = rng.random() < 0.25
        unique_names = rng.random() < 0.35
        # Without unique names, two deliveries at once make one backup as long as it takes more than 30 seconds.
        slow = in_pairs and not unique_names
        instances = draw_instances(rng, 3, 9, data_gb=SLOW_GB if slow else QUICK_GB)
        source = EventSource(rng, instances, name)
        events = [source.draw(number) for number in range(rng.choice((1, 1, 2)))]
        stack = rng.choice((None, None, BLUE))
        return cls(
            instances,
            events,
            [step for number in range(len(events)) for step in _draw_steps(rng, number, in_pairs=in_pairs)],
            switches={
                "unique_names": unique_names,
                "newer_filters": rng.random() < 0.7,
                "job_id_in_answer": rng.random() < 0.7,
                # A job that is not listed yet, and another one a few seconds older, cannot be told apart.
                "job_delay": rng.choice((0.0, 1.0)) if slow else 0.0,
            },
            settings={
                "MAX_CONCURRENCY": rng.choice(("1", "2", "8")),
                "START_SPREAD": "0.3",
                **({"STACK": stack} if stack else {}),
            },
            tick=draw_trouble(rng, "track_backups"),
        )

    def play(self, platform: Platform, story: list[str]) -> Iterator[Violation]:
        """Play the round and yield what breaks a rule."""
        platform.begin(seed_of(self.instances), **self.switches)
        play = _Play(self, platform, story)
        return play.run()


def _draw_steps(rng: Random, event: int, *, in_pairs: bool) -> Iterator[Step]:
    for _ in range(rng.choice((0, 1, 1, 2, 2))):
        trouble = draw_trouble(rng, "create_backup")
        pause = rng.choice((0.0, 0.0, 5.0, 100.0))
        at_once = in_pairs and rng.random() < 0.6 and not trouble.interference.jump
        yield Step((event, event) if at_once else (event,), trouble, pause)


class _Play:
    """A round that is being played."""

    def __init__(self, drawn: CreateRound, platform: Platform, story: list[str]) -> None:
        self._round = drawn
        self._platform = platform
        self._story = story
        self._bodies = [event.build(platform.now()) for event in drawn.events]

    def run(self) -> Iterator[Violation]:
        for number, event in enumerate(self._round.events):
            self._story.append(f"event {number}: {event.trigger}, {event.hours:g} h from now, {self._bodies[number]}")
        for step in self._round.steps:
            yield from self._play_step(step)
        for number in range(len(self._round.events)):
            yield from self._finish(number)
        yield from self._track()
        yield from check_deliveries(self._platform.deliveries)
        yield from self._check_backups()
        yield from self._check_messages()

    def _deliver(self, number: int, trouble: Trouble) -> Delivery:
        event = self._round.events[number]
        delivery = self._platform.deliver(
            "create_backup",
            self._bodies[number],
            event.request_id,
            trouble.interference,
            **self._round.settings,
        )
        self._story.append(f"event {number} delivered, {trouble.name}: {delivery.describe()}")
        return delivery

    def _play_step(self, step: Step) -> Iterator[Violation]:
        before = self._begun()
        idle = self._idle_instances()
        self._platform.cloud.set_faults(step.trouble.faults)
        with ThreadPoolExecutor(len(step.events)) as pool:
            deliveries = list(pool.map(lambda number: self._deliver(number, step.trouble), step.events))
        self._platform.cloud.set_faults([])
        for delivery in deliveries:
            yield from _check_order(delivery)
        if step.trouble.only_smn_is_sick:
            for message, instance_id in self._round.events[step.events[0]].wanted:
                there = (message.marker, instance_id)
                if instance_id in idle and there not in before and there not in self._begun():
                    what = f"{message.marker} of {instance_id} was not begun: {step.trouble.name}"
                    yield Violation("creating-waits-for-telling", what)
        self._pause(step.pause)

    def _finish(self, number: int) -> Iterator[Violation]:
        """Deliver an event without trouble until it is done."""
        for _ in range(_MOST_DELIVERIES):
            delivery = self._deliver(number, HEALTHY)
            yield from _check_order(delivery)
            results = delivery.report.get("results", [])
            unfinished = any(result.get("retryable") or not result["notified"] for result in results)
            if delivery.invocation.ok and not unfinished:
                yield from self._check_report(number, delivery)
                return
            self._pause(_PAUSE)
        yield Violation("never-finished", f"event {number} is not finished after {_MOST_DELIVERIES} healthy deliveries")

    def _track(self) -> Iterator[Violation]:
        """Let all backups end, and deliver the timer event of track_backups, once in trouble and then without."""
        self._platform.cloud.advance(200)
        moment = datetime.fromtimestamp(self._platform.now(), timezone.utc)
        tick = {
            "version": "v2.0",
            "time": moment.isoformat(timespec="seconds"),
            "trigger_type": "TIMER",
            "trigger_name": "track",
            "user_event": "",
        }
        stack = {name: value for name, value in self._round.settings.items() if name == "STACK"}
        settings = {"TRACK_PERIOD": "12h", **stack}
        for trouble in (self._round.tick, HEALTHY):
            self._platform.cloud.set_faults(trouble.faults)
            delivery = self._platform.deliver("track_backups", tick, "tick", trouble.interference, **settings)
            self._story.append(f"tick of track_backups, {trouble.name}: {delivery.describe()}")
        self._platform.cloud.set_faults([])
        if not delivery.invocation.ok:
            yield Violation("never-finished", f"a healthy tick of track_backups failed: {delivery.describe()}")

    # The rules.

    def _check_report(self, number: int, delivery: Delivery) -> Iterator[Violation]:
        """Every instance of the event has an outcome in the last report, and every rejected message is in it."""
        event = self._round.events[number]
        failing = {one.id for one in self._round.instances if one.fails_with}
        outcomes = Counter(
            (result["instance_id"], result["outcome"] if result["outcome"] != "CREATED" else "ALREADY_EXISTS")
            for result in delivery.report.get("results", [])
        )
        expected: Counter[tuple[str, str]] = Counter()
        for message in event.accepted:
            expected.update((one, "ALREADY_EXISTS") for one in message.targets if one not in failing)
            expected.update((one, "FAILED") for one in message.absent)
            expected.update((one, "SKIPPED") for one in message.unready)
        found = Counter({outcome: count for outcome, count in outcomes.items() if outcome[0] not in failing})
        if found != expected:
            yield Violation(
                "every-instance-has-an-outcome", f"event {number}: {dict(found)} in place of {dict(expected)}"
            )
        rejected = len(delivery.report.get("rejected", []))
        if rejected != event.rejections:
            what = f"event {number}: {rejected} messages are rejected in place of {event.rejections}"
            yield Violation("rejected-alone", what)

    def _check_backups(self) -> Iterator[Violation]:
        """Each event has exactly one backup of each instance that it names, and there is no other."""
        backups = self._platform.state()["backups"]
        found = Counter((_marker(backup), backup["instance_id"]) for backup in backups)
        expected = {(m.marker, i): m for event in self._round.events for m, i in event.wanted}
        for marker, instance_id in sorted(found.keys() | expected.keys()):
            count = found[marker, instance_id]
            if count != ((marker, instance_id) in expected):
                what = (
                    f"{count} backups of {instance_id} for {marker}, expected {int((marker, instance_id) in expected)}"
                )
                yield Violation("one-backup", what)
        keys: dict[str, set[str]] = {}
        for backup in backups:
            mark = KEY.search(backup["description"])
            message = expected.get((_marker(backup), backup["instance_id"]))
            if mark is None or mark[1] != self._round.settings.get("STACK"):
                yield Violation("key", f"the description of {backup['name']} ends without key: {backup['description']}")
                continue
            keys.setdefault(mark[2], set()).add(_marker(backup))
            if message and message.name and not backup["name"].startswith(message.name):
                yield Violation("name", f"{backup['name']} does not begin with the requested {message.name}")
        for key, markers in keys.items():
            if len(markers) > 1:
                yield Violation("key", f"two events have the key {key}: {sorted(markers)}")

    def _check_messages(self) -> Iterator[Violation]:
        """What happened is published, what did not happen is not."""
        messages = self._platform.messages()
        backups = {backup["id"]: backup for backup in self._platform.state()["backups"]}
        yield from check_ids(messages)
        told = {(message["type"].rpartition(".")[2], message["data"].get("backup_id")) for message in messages}
        for backup_id, backup in backups.items():
            has_failed = backup["status"] == "FAILED"
            if ("started", backup_id) not in told and not (has_failed and ("failed", backup_id) in told):
                yield Violation("start-published", f"the start of {backup['name']} was not published")
            if ("failed" if has_failed else "completed", backup_id) not in told:
                yield Violation("end-published", f"the end of {backup['name']}, {backup['status']}, was not published")
        for message in messages:
            yield from _check_message(message, backups)
        yield from self._check_final_failures(messages)
        yield from self._check_rejections(messages)

    def _check_final_failures(self, messages: list[dict[str, Any]]) -> Iterator[Violation]:
        wanted = {instance_id for event in self._round.events for _, instance_id in event.wanted}
        absent = {i for event in self._round.events for message in event.messages for i in message.absent}
        for message in messages:
            data = message["data"]
            if message["type"] != "dds.backup.failed" or data.get("backup_id") or data["retryable"]:
                continue
            if message["subject"] in wanted - absent or data["code"] != "not_found":
                yield Violation("gave-up", f"a final failure was published: {data['code']}, {data['message']}")

    def _check_rejections(self, messages: list[dict[str, Any]]) -> Iterator[Violation]:
        for number, event in enumerate(self._round.events):
            found = {
                message["id"]
                for message in messages
                if message["type"] == "dds.backup.rejected"
                and message["data"]["request_id"] == event.request_id
                and message["data"]["code"] in _FINAL
            }
            if len(found) != event.rejections:
                what = f"event {number}: rejections under {len(found)} ids in place of {event.rejections}"
                yield Violation("rejection-published", what)

    # The cloud.

    def _begun(self) -> set[tuple[str, str]]:
        return {(_marker(backup), backup["instance_id"]) for backup in self._platform.state()["backups"]}

    def _idle_instances(self) -> set[str]:
        busy = {b["instance_id"] for b in self._platform.state()["backups"] if b["status"] == "BUILDING"}
        return {one.id for one in self._round.instances} - busy

    def _pause(self, seconds: float) -> None:
        if seconds:
            self._platform.cloud.advance(seconds)
            self._story.append(f"the cloud's clock moves {seconds:g} s")


def _check_order(delivery: Delivery) -> Iterator[Violation]:
    """No invocation publishes anything before it has begun, or tried to begin, every backup."""
    published = False
    tried: set[tuple[str, str]] = set()
    for call in delivery.calls:
        published = published or call["path"].endswith("/publish")
        if call["method"] == "POST" and call["path"].endswith("/backups"):
            backup = call["body"]["backup"]
            instance = (backup["instance_id"], backup["name"])
            if published and instance not in tried:
                what = f"{delivery.describe()}: {backup['name']} was first tried after a notification"
                yield Violation("creating-before-telling", what)
            tried.add(instance)


def _check_message(message: dict[str, Any], backups: dict[str, Any]) -> Iterator[Violation]:
    """A notification about a backup tells the truth about it."""
    data = message["data"]
    backup_id = data.get("backup_id")
    if message["type"] in {"dds.backup.started", "dds.backup.completed"} and backup_id not in backups:
        yield Violation("published-unmade", f"{message['type']} of {backup_id}, which does not exist")
        return
    if not backup_id or backup_id not in backups:
        return
    backup = backups[backup_id]
    ended = {"dds.backup.completed": "COMPLETED", "dds.backup.failed": "FAILED"}.get(message["type"])
    if ended and backup["status"] != ended:
        yield Violation("published-untrue", f"{message['type']} of {backup['name']}, which is {backup['status']}")
    if (data["instance_id"], data["name"]) != (backup["instance_id"], backup["name"]):
        yield Violation("published-untrue", f"{message['type']} of {backup_id} names another backup: {data}")
    jobs = {None, *(other["job_id"] for other in backups.values() if _may_be_taken_for(other, backup))}
    if data["job_id"] not in jobs:
        yield Violation("job-id", f"{message['type']} of {backup['name']} has the job of another backup")
    if message["type"] == "dds.backup.started" and data["job_id"] is None and not data.get("job_id_missing"):
        yield Violation("job-id", f"{message['type']} of {backup['name']} does not say why it has no job id")


def _may_be_taken_for(other: dict[str, Any], backup: dict[str, Any]) -> bool:
    """Whether a backup is this one, or began so shortly before it that the job of one may be taken for the other's.

    A job of the last 5 seconds before the backup counts as its own, and times of DDS are whole seconds.
    """
    began, other_began = (datetime.fromisoformat(one["begin_time"].rstrip("Z")) for one in (backup, other))
    return other["instance_id"] == backup["instance_id"] and abs((began - other_began).total_seconds()) <= 6


def _marker(backup: dict[str, Any]) -> str:
    return str(backup["description"]).partition(";")[0]
