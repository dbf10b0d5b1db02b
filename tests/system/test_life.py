"""The life of backups under everything at once: faults, kills, repeated deliveries in any order, missed ticks, pruning.

The claim: no backup lost, none doubled, no end unannounced, nothing deleted that a rule keeps.
"""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from localcloud import LocalCloud
from shared.bootstrap import create_backup, prune_backups, track_backups
from shared.errors import UnfinishedEventError
from tests.create.test_claim import FAULTS
from tests.deliveries import CloudClock
from tests.fakes import FakeContext, Steady
from tests.system.killable import Killed, KillSwitch, connect_behind
from tests.triggers import documented as doc


EVENTS = 6
INSTANCES = 2
PERIOD = timedelta(hours=1)
MAX_EVENT_AGE = timedelta(days=1)  # FunctionGraph, asynchronous invocation: an event is delivered for a day at most
SETTINGS = {
    "READ_TIMEOUT": "0.3",
    "MAX_CONCURRENCY": "1",
    "SETTLING_TIME": "5",
    "RETENTION": "last=1",
    "DRY_RUN": "false",
    "TRACK_PERIOD": "1h",
    "TRACK_LOOKBACK": "1",
}
QUICK_FAULTS = sorted(FAULTS.keys() - {"slow success"})
PLACES = ["/backups$", "/publish$", "/jobs$", "/backups/"]
faults = st.lists(
    st.builds(
        lambda fault, path, nth: {**FAULTS[fault], "path": path, "nth": [nth]},
        st.sampled_from(QUICK_FAULTS),
        st.sampled_from(PLACES),
        st.integers(min_value=1, max_value=4),
    ),
    max_size=2,
)
kills = st.none() | st.tuples(st.integers(min_value=0, max_value=7), st.booleans())


class Life(RuleBasedStateMachine):
    """Events come, time passes, ticks track and prune."""

    cloud: LocalCloud

    @initialize()
    def begin(self) -> None:
        """A cloud as it comes from the seed, and three functions on it."""
        self.cloud.reset()
        self.clock = CloudClock(self.cloud)
        self.switch = KillSwitch()
        connection = self.cloud.connection()
        self.instances = connection["instance_ids"][:INSTANCES]
        endpoints = dict.fromkeys(("DDS_ENDPOINT", "SMN_ENDPOINT"), connection["endpoint"])
        self.context = FakeContext(
            {"NOTIFY_TOPIC_URN": connection["topic_urn"], **endpoints, **SETTINGS},
            access_key=connection["access_key"],
            secret_key=connection["secret_key"],
            security_token=connection["security_token"],
            project_id=connection["project_id"],
        )
        given: dict[str, Any] = {
            "connect": connect_behind(self.switch),
            "clock": self.clock,
            "rng": Steady(),
            "environment": {},
        }
        self.create, self.track, self.prune = create_backup(**given), track_backups(**given), prune_backups(**given)
        self.born: dict[int, Any] = {}
        self.unfinished: set[int] = set()
        self.finished: set[int] = set()
        self.seen: dict[str, Any] = {}
        self.next_tick = self.clock.now()
        self.missed = False

    def deliver(self, function: Any, event: object, kill: tuple[int, bool] | None) -> bool:
        """One delivery; whether it succeeded."""
        self.switch.arm(kill[0] if kill else None, after=bool(kill and kill[1]))
        try:
            function.handle(event, self.context)
        except (UnfinishedEventError, Killed):
            return False
        return True

    def finish(self, function: Any, event: object) -> None:
        """Deliver an event, without further faults, until it succeeds."""
        self.cloud.set_faults([])
        for _ in range(12):
            if self.deliver(function, event, None):
                return
            self.clock.sleep(60)
        raise AssertionError(f"never done: {event}")

    def backup_event(self, number: int) -> object:
        return doc.smn(doc.smn_record(json.dumps({"instance_ids": self.instances}), f"message-{number}"))

    @rule(number=st.integers(min_value=0, max_value=EVENTS - 1), faults=faults, kill=kills)
    def an_event_comes(self, number: int, faults: list[dict[str, Any]], kill: tuple[int, bool] | None) -> None:
        """A new one or one that came before, in any order; none is delivered when it is too old."""
        self.catch_up()
        if self.clock.now() - self.born.setdefault(number, self.clock.now()) > MAX_EVENT_AGE:
            return
        self.cloud.set_faults(faults)
        if self.deliver(self.create, self.backup_event(number), kill):
            self.finished.add(number)
            self.unfinished.discard(number)
        elif number not in self.finished:
            self.unfinished.add(number)
        self.look()

    @rule(minutes=st.integers(min_value=1, max_value=59) | st.sampled_from([12 * 60, 26 * 60]))
    def time_passes(self, minutes: int) -> None:
        """And the ticks that are due come; what is unfinished is delivered again before it is too old."""
        for number in sorted(self.unfinished) if minutes > 60 else ():
            self.finish(self.create, self.backup_event(number))
            self.unfinished.discard(number)
            self.finished.add(number)
            self.look()
        self.clock.sleep(minutes * 60)
        self.catch_up()

    @rule(faults=faults, kill=kills, twice=st.booleans())
    def a_tick_tracks(self, faults: list[dict[str, Any]], kill: tuple[int, bool] | None, *, twice: bool) -> None:
        """The next tick, under faults or killed, delivered again until it succeeds, or even twice."""
        self.clock.sleep(max(0.0, (self.next_tick - self.clock.now()).total_seconds()))
        self.tick(faults, kill)
        if twice:
            self.finish(self.track, self.tick_event(self.next_tick - PERIOD))

    @precondition(lambda self: not self.missed)
    @rule()
    def a_tick_is_missed(self) -> None:
        """One in a row, as TRACK_LOOKBACK allows."""
        self.clock.sleep(max(0.0, (self.next_tick - self.clock.now()).total_seconds()))
        self.next_tick += PERIOD
        self.missed = True

    @rule(faults=faults, kill=kills)
    def backups_are_pruned(self, faults: list[dict[str, Any]], kill: tuple[int, bool] | None) -> None:
        """By a tick, killed or not, run again to its end; what the rule keeps is still there."""
        self.catch_up()
        self.look()
        kept = self.kept_by_the_rule()
        event = doc.timer("", time=self.clock.now().isoformat(), trigger_name="prune")
        self.cloud.set_faults(faults)
        self.deliver(self.prune, event, kill)
        self.finish(self.prune, event)
        there = {b["id"] for b in self.cloud.state()["backups"] if b["status"] != "DISABLED"}
        assert kept <= there, "a backup was deleted that the rule keeps"

    def catch_up(self) -> None:
        """Ticks that are due come in time: the platform misses one at most."""
        while self.clock.now() >= self.next_tick:
            self.tick([], None)

    def tick(self, faults: list[dict[str, Any]], kill: tuple[int, bool] | None) -> None:
        event = self.tick_event(self.next_tick)
        self.cloud.set_faults(faults)
        self.deliver(self.track, event, kill)
        self.finish(self.track, event)
        self.next_tick += PERIOD
        self.missed = False

    @staticmethod
    def tick_event(time: Any) -> object:
        return doc.timer("", time=time.isoformat(), trigger_name="track")

    def kept_by_the_rule(self) -> set[str]:
        """An oracle for last=1: the newest completed backup of each instance, and all that are not completed."""
        ours = [b for b in self.cloud.state()["backups"] if "key:" in (b["description"] or "")]
        kept = {b["id"] for b in ours if b["status"] == "BUILDING"}
        for instance in self.instances:
            done = [b for b in ours if b["instance_id"] == instance and b["status"] == "COMPLETED"]
            kept |= {b["id"] for b in sorted(done, key=lambda b: b["begin_time"])[-1:]}
        return kept

    def teardown(self) -> None:
        """What is unfinished is delivered again; then the claim holds."""
        if not hasattr(self, "seen"):
            return
        for number in sorted(self.unfinished):
            self.finish(self.create, self.backup_event(number))
            self.finished.add(number)
            self.look()
        for _ in range(4):
            self.clock.sleep(PERIOD.total_seconds())
            self.catch_up()
        self.look()
        self.check_created()
        self.check_announced()

    def look(self) -> None:
        """Remember every backup of ours as it is now: pruning takes them away."""
        for backup in self.cloud.state()["backups"]:
            if "key:" in (backup["description"] or ""):
                self.seen[backup["id"]] = backup

    def check_created(self) -> None:
        """Each instance has exactly one backup of each event that was finished, and none of another."""
        created = Counter((backup["instance_id"], backup["description"]) for backup in self.seen.values())
        assert set(created.values()) <= {1}, f"doubled: {created}"
        assert len(created) == len(self.finished) * INSTANCES, f"lost: {created} of {self.finished}"

    def check_announced(self) -> None:
        """The start and the end of each backup were announced, each under one id."""
        ids: dict[tuple[str, str], set[str]] = {}
        for message in self.cloud.messages():
            note = json.loads(message["message"])
            if backup_id := note["data"].get("backup_id"):
                ids.setdefault((note["type"], backup_id), set()).add(note["id"])
        assert all(len(found) == 1 for found in ids.values()), f"two ids for one thing: {ids}"
        for backup_id, backup in self.seen.items():
            assert ("dds.backup.started", backup_id) in ids, f"start unannounced: {backup}"
            assert ("dds.backup.completed", backup_id) in ids, f"end unannounced: {backup}"


@pytest.fixture
def life(cloud: LocalCloud) -> type[Life]:
    """The machine on the session's local cloud."""
    return type("LifeOnCloud", (Life,), {"cloud": cloud})


def test_the_claim_holds_for_a_whole_life(life: type[Life]) -> None:
    """Any order of events, ticks, faults and kills."""
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
