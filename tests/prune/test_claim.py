"""The claim of prune_backups: delivered until it succeeds, what the rules and interlocks keep is there, the rest gone.

Through the real SDK on the local cloud, under each fault at each call, killed at any call, and on a fleet.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.cost import calls
from localcloud import LocalCloud
from localcloud.seed import SeedBackup, load_seed
from shared.bootstrap import connect, prune_backups
from shared.errors import UnfinishedEventError
from shared.model import Clock
from shared.runtime.invocation import Cloud
from shared.runtime.settings import Settings
from tests.create.test_claim import FAULTS
from tests.deliveries import READ_TIMEOUT, CloudClock
from tests.fakes import FakeContext, Steady
from tests.triggers import documented as doc


INSTANCES = ("2c5e8b7d4f6a49d1b3c08e9a7f51d264in02", "7b0f1d93a8e24c65905dcb48e2713f0ain02")
GONE_INSTANCE = "21f0e9d8c7b64a5392817f6e5d4c3b2ain02"
KEY = f"key:{'0' * 32}"


class Killed(BaseException):
    """The platform ends the process."""


def seeded(nights: int, instances: tuple[str, ...] = (*INSTANCES, GONE_INSTANCE)) -> LocalCloud:
    """A local cloud with a backup of this application a night, of each instance, beside those that others made."""
    seed = load_seed()
    ours = [
        SeedBackup(
            id=f"{place:016x}{night:016x}br02",
            name=f"nightly-{place}-{night}",
            instance_id=instance_id,
            description=f"Every night;{KEY}",
            days_old=night + 0.5,
        )
        for place, instance_id in enumerate(instances)
        for night in range(nights)
    ]
    return LocalCloud(seed=seed.model_copy(update={"backups": (*seed.backups, *ours)}))


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalCloud]:
    """Ten nights of two instances and of one that was deleted: 30 backups, of which 18 are kept."""
    with seeded(10) as cloud:
        yield cloud


class Ticks:
    """A tick of the timer, delivered to the function as often as FunctionGraph would."""

    def __init__(self, cloud: LocalCloud, **given: str) -> None:
        self.cloud = cloud
        connection = cloud.connection()
        self.context = FakeContext(
            {
                "NOTIFY_TOPIC_URN": connection["topic_urn"],
                "DDS_ENDPOINT": connection["endpoint"],
                "SMN_ENDPOINT": connection["endpoint"],
                "READ_TIMEOUT": str(READ_TIMEOUT),
                "MAX_CONCURRENCY": "2",
                "RETENTION": "daily=6",
                "DRY_RUN": "false",
                **given,
            },
            access_key=connection["access_key"],
            secret_key=connection["secret_key"],
            security_token=connection["security_token"],
            project_id=connection["project_id"],
        )
        self.clock = CloudClock(cloud)
        self.event = doc.timer("", time=self.clock.now().isoformat())
        self.kill_at: int | None = None
        self.function = prune_backups(connect=self.connect, clock=self.clock, rng=Steady(), environment={})
        self.before = self.there()

    def connect(self, settings: Settings, project_id: str, clock: Clock) -> Cloud:
        """The real connection, whose backups kill the invocation at a call if that is wanted."""
        cloud: Any = connect(settings, project_id, clock)
        delete = cloud.backups.delete

        def killing(backup_id: str) -> None:
            delete(backup_id)
            if self.kill_at is not None:
                self.kill_at -= 1
                if self.kill_at < 0:
                    raise Killed

        cloud.backups.delete = killing
        return cloud  # type: ignore[no-any-return]

    def there(self) -> set[str]:
        """The ids of the backups that exist and are not being deleted."""
        return {b["id"] for b in self.cloud.state()["backups"] if b["status"] != "DISABLED" and b["type"] == "Manual"}

    def deliver(self) -> dict[str, Any] | None:
        """One delivery; None if it raised for a redelivery or was killed."""
        try:
            return self.function.handle(self.event, self.context)
        except (UnfinishedEventError, Killed):
            return None

    def deliver_until_it_succeeds(self) -> dict[str, Any]:
        """A minute apart."""
        for _ in range(12):
            if report := self.deliver():
                return report
            self.clock.sleep(60)
        raise AssertionError("not done after 12 deliveries")

    def reports(self) -> list[dict[str, Any]]:
        """What was published."""
        return [json.loads(message["message"]) for message in self.cloud.messages()]

    def assert_claim(self, kept: int = 6) -> None:
        """Of each instance the newest `kept` are there, the others gone; nothing else was touched; it was reported."""
        gone = {b for b in self.before if b.startswith("0" * 12) and int(b[16:32], 16) >= kept}
        assert self.there() == self.before - gone
        last = self.reports()[-1]
        assert (last["type"], last["data"]["totals"]["left"]) == ("dds.backup.pruned", 0)


@pytest.fixture
def ticks(shared: LocalCloud) -> Ticks:
    """The cloud as it was, and a tick."""
    shared.reset()
    return Ticks(shared)


CALLS: dict[str, dict[str, Any]] = {
    "the list": {"method": "GET", "path": "/backups$", "nth": [1]},
    "a delete": {"method": "DELETE", "nth": [5]},
    "a delete and the list after it": {"path": "/backups", "nth": [2, 14]},
    "the publish": {"path": "/publish$", "nth": [1]},
}
ALL_OF: dict[str, dict[str, Any]] = {
    "all deletes for a while": {"method": "DELETE", "times": 26},
    "everything for a while": {"times": 14},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_the_claim_holds_under_each_fault_at_each_call(ticks: Ticks, call: str, fault: str) -> None:
    """Whatever is lost, refused or repeated."""
    ticks.cloud.set_faults([{**CALLS[call], **FAULTS[fault]}])

    ticks.deliver_until_it_succeeds()

    ticks.assert_claim()


@pytest.mark.parametrize(
    "fault", ["busy", "throttled", "internal error", "dropped before", "dropped after", "empty 202"]
)
@pytest.mark.parametrize("call", ALL_OF)
def test_the_claim_holds_under_faults_that_last(ticks: Ticks, call: str, fault: str) -> None:
    """Longer than one invocation is ready to try."""
    ticks.cloud.set_faults([{**ALL_OF[call], **FAULTS[fault]}])

    ticks.deliver_until_it_succeeds()

    ticks.assert_claim()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(
            lambda call, nth, fault: {**call, "nth": nth, **FAULTS[fault]},
            st.sampled_from(
                [
                    {"method": "GET", "path": "/backups$"},
                    {"method": "DELETE"},
                    {"path": "/publish$"},
                    {"path": "/backups"},
                ]
            ),
            st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True),
            st.sampled_from(sorted(FAULTS.keys() - {"slow success"})),
        ),
        max_size=4,
    ),
    st.lists(st.none() | st.integers(0, 11), max_size=3),
    st.integers(0, 2),
)
def test_the_claim_holds_under_any_faults_and_kills(
    shared: LocalCloud, rules: list[dict[str, Any]], kills: list[int | None], again: int
) -> None:
    """Killed after any delete, delivered again, and delivered again after it succeeded."""
    shared.reset()
    ticks = Ticks(shared)
    shared.set_faults(rules)
    for kill_at in kills:
        ticks.kill_at = kill_at
        ticks.deliver()
    ticks.kill_at = None

    ticks.deliver_until_it_succeeds()
    shared.set_faults([])
    for _ in range(again):
        assert ticks.deliver()

    ticks.assert_claim()


@pytest.mark.parametrize("how", ["restore", "backup"])
def test_a_busy_instance_is_pruned_when_it_is_over(ticks: Ticks, how: str) -> None:
    """Nothing of it is deleted before: the others are."""
    action = "RESTORING" if how == "restore" else "RESIZE_VOLUME"
    ticks.cloud.change_instance(INSTANCES[0], actions=[action], busy_for=200)

    first = ticks.deliver()

    assert len(ticks.before) - len(ticks.there()) == 8
    # A restore is told by the list: it is protected until the next tick. Another operation is told by DDS's refusal.
    assert bool(first) is (how == "restore")
    ticks.clock.sleep(300)
    ticks.deliver_until_it_succeeds()
    ticks.assert_claim()


def test_two_ticks_at_the_same_time_delete_the_same(ticks: Ticks) -> None:
    """What one deletes is DISABLED or gone for the other: neither fails for it."""
    other = Ticks(ticks.cloud)

    def connect_and_be_overtaken(settings: Settings, project_id: str, clock: Clock) -> Cloud:
        cloud: Any = ticks.connect(settings, project_id, clock)
        list_all = cloud.backups.list

        def list_and_be_overtaken() -> Any:
            found = list_all()
            if not other.reports():
                assert other.deliver()
            return found

        cloud.backups.list = list_and_be_overtaken
        return cloud  # type: ignore[no-any-return]

    ticks.function = prune_backups(connect=connect_and_be_overtaken, clock=ticks.clock, rng=Steady(), environment={})

    report = ticks.deliver()

    assert report
    assert report["runs"][0]["totals"]["deleted"] == 12
    assert [event["data"]["totals"]["deleted"] for event in ticks.reports()] == [12, 12]
    ticks.assert_claim()


@pytest.mark.parametrize("fault", ["a page is missing", "the second page fails"])
def test_an_incomplete_list_deletes_nothing(fault: str) -> None:
    """Not one, however clear its case."""
    with seeded(60) as cloud:
        ticks = Ticks(cloud, RETENTION="daily=50")
        empty = {"answer": {"status": 200, "body": {"backups": [], "total_count": 183}}}
        rule = empty if fault == "a page is missing" else FAULTS["unavailable"]
        cloud.set_faults([{"method": "GET", "path": "/backups$", "nth": list(range(2, 200)), **rule}])

        assert ticks.deliver() is None

        assert ticks.there() == ticks.before
        assert ticks.reports()[-1]["data"]["outcome"] == "UNFINISHED"


def fleet(count: int) -> tuple[str, ...]:
    """Instances that need not exist: their backups do."""
    return tuple(f"{number:032x}in02" for number in range(count))


@pytest.mark.parametrize("instances", [1, 10, 100])
def test_the_calls_are_those_that_are_computed(instances: int) -> None:
    """As the table of docs/prune_backups.md has them; the backups of the seed are listed too."""
    with seeded(11, fleet(instances)) as cloud:
        ticks = Ticks(cloud, RETENTION="daily=10", MAX_DELETES="1000", READ_TIMEOUT="20")

        assert ticks.deliver()

        methods = [(request["method"], request["path"].rpartition("/")[2]) for request in cloud.requests()]
        expected = calls.prune_calls(11 * instances + len(load_seed().backups), instances)
        assert methods.count(("GET", "backups")) == expected[calls.LIST_BACKUPS]
        assert sum(method == "DELETE" for method, _ in methods) == expected[calls.DELETE]
        assert methods.count(("POST", "publish")) == expected[calls.PUBLISH]
        assert len(methods) == sum(expected.values())


def test_a_fleet_under_throttling_is_pruned_over_several_deliveries() -> None:
    """15 calls a minute, and an invocation of five minutes: what does not fit comes again, and ends."""
    with seeded(8, fleet(120)) as cloud:
        ticks = Ticks(cloud, RETENTION="daily=7", MAX_DELETES="10000", MAX_CONCURRENCY="8", READ_TIMEOUT="20")
        cloud.set_faults([{"per_minute": 15, "path": "/v3/", "answer": {"status": 429, "code": "APIGW.0308"}}])
        deliveries = 1
        while ticks.deliver() is None:
            deliveries += 1
            assert deliveries < 5
            ticks.clock.sleep(60)

        assert deliveries > 1
        ticks.assert_claim(kept=7)
