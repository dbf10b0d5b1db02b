"""The life of backups: created, tracked and pruned under faults, kills, redeliveries in any order and missed events.

The claim: each event has one backup of each instance, whose start and end are published, and no backup is deleted that
a rule keeps.
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
from tests.deliveries import FAULTS, CloudClock
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
    """A state machine: events arrive, time passes, and the timers of track_backups and prune_backups fire."""

    cloud: LocalCloud

    @initialize()
    def begin(self) -> None:
        """Reset the local cloud, and start three functions on it."""
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
        self.next_due = self.clock.now()
        self.missed = False

    def deliver(self, function: Any, event: object, kill: tuple[int, bool] | None) -> bool:
        """Deliver an event once; return whether the function succeeded."""
        self.switch.arm(kill[0] if kill else None, after=bool(kill and kill[1]))
        try:
            function.handle(event, self.context)
        except (UnfinishedEventError, Killed):
            return False
        return True

    def finish(self, function: Any, event: object) -> None:
        """Deliver an event without faults until the function succeeds."""
        self.cloud.set_faults([])
        for _ in range(12):
            if self.deliver(function, event, None):
                return
            self.clock.sleep(60)
        raise AssertionError(f"never finished: {event}")

    def backup_event(self, number: int) -> object:
        return doc.smn(doc.smn_record(json.dumps({"instance_ids": self.instances}), f"message-{number}"))

    @rule(number=st.integers(min_value=0, max_value=EVENTS - 1), faults=faults, kill=kills)
    def deliver_an_event(self, number: int, faults: list[dict[str, Any]], kill: tuple[int, bool] | None) -> None:
        """Deliver a new event or an earlier one, in any order, unless it is too old."""
        self.catch_up()
        if self.clock.now() - self.born.setdefault(number, self.clock.now()) > MAX_EVENT_AGE:
            return
        self.cloud.set_faults(faults)
        if self.deliver(self.create, self.backup_event(number), kill):
            self.finished.add(number)
            self.unfinished.discard(number)
        elif number not in self.finished:
            self.unfinished.add(number)
        self.remember()

    @rule(minutes=st.integers(min_value=1, max_value=59) | st.sampled_from([12 * 60, 26 * 60]))
    def pass_time(self, minutes: int) -> None:
        """Redeliver unfinished events before they are too old, and let the timer of track_backups fire."""
        for number in sorted(self.unfinished) if minutes > 60 else ():
            self.finish(self.create, self.backup_event(number))
            self.unfinished.discard(number)
            self.finished.add(number)
            self.remember()
        self.clock.sleep(minutes * 60)
        self.catch_up()

    @rule(faults=faults, kill=kills, twice=st.booleans())
    def track_the_backups(self, faults: list[dict[str, Any]], kill: tuple[int, bool] | None, *, twice: bool) -> None:
        """Deliver the next event of the timer, under faults or killed, until it succeeds, and maybe once more."""
        self.clock.sleep(max(0.0, (self.next_due - self.clock.now()).total_seconds()))
        self.fire_timer(faults, kill)
        if twice:
            self.finish(self.track, self.timer_event(self.next_due - PERIOD))

    @precondition(lambda self: not self.missed)
    @rule()
    def miss_an_event_of_the_timer(self) -> None:
        """Skip one event, which TRACK_LOOKBACK allows, but never two in a row."""
        self.clock.sleep(max(0.0, (self.next_due - self.clock.now()).total_seconds()))
        self.next_due += PERIOD
        self.missed = True

    @rule(faults=faults, kill=kills)
    def prune_the_backups(self, faults: list[dict[str, Any]], kill: tuple[int, bool] | None) -> None:
        """Prune, under faults or killed, until it succeeds; the backups that the rule keeps are still there."""
        self.catch_up()
        self.remember()
        kept = self.kept_by_the_rule()
        event = doc.timer("", time=self.clock.now().isoformat(), trigger_name="prune")
        self.cloud.set_faults(faults)
        self.deliver(self.prune, event, kill)
        self.finish(self.prune, event)
        there = {b["id"] for b in self.cloud.state()["backups"] if b["status"] != "DISABLED"}
        assert kept <= there, "a backup was deleted that the rule keeps"

    def catch_up(self) -> None:
        """Deliver the events of the timer that are due."""
        while self.clock.now() >= self.next_due:
            self.fire_timer([], None)

    def fire_timer(self, faults: list[dict[str, Any]], kill: tuple[int, bool] | None) -> None:
        event = self.timer_event(self.next_due)
        self.cloud.set_faults(faults)
        self.deliver(self.track, event, kill)
        self.finish(self.track, event)
        self.next_due += PERIOD
        self.missed = False

    @staticmethod
    def timer_event(time: Any) -> object:
        return doc.timer("", time=time.isoformat(), trigger_name="track")

    def kept_by_the_rule(self) -> set[str]:
        """Return what last=1 keeps: the newest completed backup of each instance, and all that are BUILDING."""
        ours = [b for b in self.cloud.state()["backups"] if "key:" in (b["description"] or "")]
        kept = {b["id"] for b in ours if b["status"] == "BUILDING"}
        for instance in self.instances:
            done = [b for b in ours if b["instance_id"] == instance and b["status"] == "COMPLETED"]
            kept |= {b["id"] for b in sorted(done, key=lambda b: b["begin_time"])[-1:]}
        return kept

    def teardown(self) -> None:
        """Redeliver unfinished events until they succeed, and check the claim."""
        if not hasattr(self, "seen"):
            return
        for number in sorted(self.unfinished):
            self.finish(self.create, self.backup_event(number))
            self.finished.add(number)
            self.remember()
        for _ in range(4):
            self.clock.sleep(PERIOD.total_seconds())
            self.catch_up()
        self.remember()
        self.check_created()
        self.check_published()

    def remember(self) -> None:
        """Remember the backups of create_backup as they are now, since pruning deletes them."""
        for backup in self.cloud.state()["backups"]:
            if "key:" in (backup["description"] or ""):
                self.seen[backup["id"]] = backup

    def check_created(self) -> None:
        """Check that each finished event has one backup of each instance, and that there are no others."""
        created = Counter((backup["instance_id"], backup["description"]) for backup in self.seen.values())
        assert set(created.values()) <= {1}, f"doubled: {created}"
        assert len(created) == len(self.finished) * INSTANCES, f"lost: {created} of {self.finished}"

    def check_published(self) -> None:
        """Check that the start and the end of each backup were published, each under one id."""
        ids: dict[tuple[str, str], set[str]] = {}
        for message in self.cloud.messages():
            note = json.loads(message["message"])
            if backup_id := note["data"].get("backup_id"):
                ids.setdefault((note["type"], backup_id), set()).add(note["id"])
        assert all(len(found) == 1 for found in ids.values()), f"two ids for one thing: {ids}"
        for backup_id, backup in self.seen.items():
            assert ("dds.backup.started", backup_id) in ids, f"start not published: {backup}"
            assert ("dds.backup.completed", backup_id) in ids, f"end not published: {backup}"


@pytest.fixture
def life(cloud: LocalCloud) -> type[Life]:
    """Return the state machine on the session's local cloud."""
    return type("LifeOnCloud", (Life,), {"cloud": cloud})


@pytest.mark.slow
def test_the_claim_holds_for_a_whole_life(life: type[Life]) -> None:
    """Events, timers, faults and kills come in any order."""
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
