"""Rounds of track_backups: backups that ended in the last hours, ticks of a timer in trouble, and some that are missed.

The rules are those of docs/track_backups.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random

from localcloud.seed import SeedBackup, SeedInstance
from tests.chaos.fleet import BLUE, backup_of, draw_description, draw_instances, seed_of
from tests.chaos.oracle import Violation, check_deliveries, check_ids, is_own
from tests.chaos.platform import Platform
from tests.chaos.trouble import HEALTHY, Trouble, draw_trouble
from tests.triggers import documented as doc


PERIOD = timedelta(minutes=20)
DELAY = timedelta(minutes=1)
_MOST_DELIVERIES = 6


@dataclass(frozen=True, slots=True)
class Tick:
    """One timer event. A missed one is never delivered, or only in trouble.

    Attributes:
        minutes: when it is due, as minutes before now.
    """

    minutes: int
    troubles: list[Trouble]
    is_missed: bool


@dataclass(frozen=True, slots=True)
class TrackRound:
    """A round as it is drawn. Its backups have ended before it begins, so that each tick comes late."""

    instances: list[SeedInstance]
    backups: list[SeedBackup]
    ticks: list[Tick]
    settings: dict[str, str]

    @classmethod
    def draw(cls, rng: Random, name: str) -> "TrackRound":
        """Draw a round. Of two ticks in a row at most one is missed."""
        instances = draw_instances(rng, 1, 6, data_gb=0.05, oddities=False)
        stack = rng.choice((None, None, BLUE))
        backups = [
            backup_of(
                rng,
                one.id,
                # Not within a minute of another one, which leaves open whose job is whose.
                (rng.choice(range(5, 150, 5)) + rng.uniform(0.1, 2)) / 1440,
                description=draw_description(rng, stack),
                fails_with="Out of space." if rng.random() < 0.2 else None,
            )
            for one in instances
            for _ in range(rng.randint(0, 3))
        ]
        ticks: list[Tick] = []
        for minutes in range(100, 0, -20):
            is_missed = rng.random() < 0.2 and not (ticks and ticks[-1].is_missed)
            troubles = [draw_trouble(rng, "track_backups") for _ in range(rng.choice((0, 0, 1)))]
            ticks.append(Tick(minutes, troubles, is_missed))
        return cls(instances, backups, ticks, {"TRACK_PERIOD": "20m", **({"STACK": stack} if stack else {})})

    def play(self, platform: Platform, story: list[str]) -> Iterator[Violation]:
        """Play the round and yield what breaks a rule."""
        platform.begin(seed_of(self.instances, self.backups))
        now = datetime.fromtimestamp(platform.now(), timezone.utc).replace(microsecond=0)
        story.append(f"{len(self.backups)} backups, {self.settings}, now {now}")
        windows: list[tuple[datetime, datetime]] = []
        for number, tick in enumerate(self.ticks):
            due = now - timedelta(minutes=tick.minutes)
            event = doc.timer("", time=due.isoformat(), trigger_name="track")
            for trouble in (*tick.troubles, *(() if tick.is_missed else (HEALTHY,))):
                platform.cloud.set_faults(trouble.faults)
                delivery = platform.deliver(
                    "track_backups", event, f"tick-{number}", trouble.interference, **self.settings
                )
                story.append(f"tick of {due}, {trouble.name}: {delivery.describe()}")
            platform.cloud.set_faults([])
            if not tick.is_missed:
                if not delivery.invocation.ok:
                    yield Violation("never-finished", f"a healthy tick of {due} failed: {delivery.describe()}")
                windows.append((due - DELAY - 2 * PERIOD, due - DELAY))
        yield from check_deliveries(platform.deliveries)
        yield from check_ids(platform.messages())
        yield from self._check(platform, windows)

    def _check(self, platform: Platform, windows: list[tuple[datetime, datetime]]) -> Iterator[Violation]:
        """Every end in a window is published, and nothing but ends of our own backups is."""
        messages = platform.messages()
        told = {(message["type"], message["data"].get("backup_id")) for message in messages}
        own = {b["id"]: b for b in platform.state()["backups"] if is_own(b["description"], self.settings.get("STACK"))}
        types = {"COMPLETED": "dds.backup.completed", "FAILED": "dds.backup.failed"}
        for backup in own.values():
            ended = datetime.fromisoformat(backup["end_time"].replace("Z", "+00:00"))
            is_due = any(since < ended <= until for since, until in windows)
            if is_due and (types[backup["status"]], backup["id"]) not in told:
                what = f"the end of {backup['name']} at {ended}, {backup['status']}, was not published"
                yield Violation("end-published", what)
        for message in messages:
            data = message["data"]
            backup = own.get(data.get("backup_id"))
            if backup is None:
                yield Violation(
                    "published-unmade", f"{message['type']} of {data.get('backup_id')}, not a backup of ours"
                )
            elif message["type"] != types[backup["status"]]:
                yield Violation("published-untrue", f"{message['type']} of {backup['name']}, {backup['status']}")
            elif data["job_id"] not in (None, backup["job_id"]):
                yield Violation("job-id", f"{message['type']} of {backup['name']} has the job of another backup")
