"""The claim of prune_backups: delivered until it succeeds, it keeps what the rules and safeguards keep, and no more.

The function runs on the local cloud through the real SDK, under faults and kills at its calls, and on a fleet.
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
from tests.deliveries import FAULTS, READ_TIMEOUT, CloudClock
from tests.fakes import FakeContext, Steady
from tests.system.killable import Killed, KillSwitch, connect_behind
from tests.triggers import documented as doc


INSTANCES = ("2c5e8b7d4f6a49d1b3c08e9a7f51d264in02", "7b0f1d93a8e24c65905dcb48e2713f0ain02")
DELETED_INSTANCE = "21f0e9d8c7b64a5392817f6e5d4c3b2ain02"
KEY = f"key:{'0' * 32}"


def start_cloud(nights: int, instances: tuple[str, ...] = (*INSTANCES, DELETED_INSTANCE)) -> LocalCloud:
    """Return a local cloud with the backups of the seed and a nightly backup of each instance by this application."""
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
def seeded_cloud() -> Iterator[LocalCloud]:
    """Ten nights of two existing instances and a deleted one: 30 backups, of which 18 are kept."""
    with start_cloud(10) as cloud:
        yield cloud


class Pruning:
    """A timer event of prune_backups, delivered as often as FunctionGraph would deliver it."""

    def __init__(self, cloud: LocalCloud, **given: str) -> None:
        self.cloud = cloud
        connection = cloud.connection()
        self.context = FakeContext(
            {
                "NOTIFY_TOPIC_URN": connection["topic_urn"],
                "DDS_ENDPOINT": connection["endpoint"],
                "SMN_ENDPOINT": connection["endpoint"],
                "READ_TIMEOUT": "20",
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
        self.switch = KillSwitch()
        self.function = prune_backups(
            connect=connect_behind(self.switch), clock=self.clock, rng=Steady(), environment={}
        )
        self.before = self.existing()

    def existing(self) -> set[str]:
        """Return the ids of the manual backups that exist and are not being deleted."""
        return {b["id"] for b in self.cloud.state()["backups"] if b["status"] != "DISABLED" and b["type"] == "Manual"}

    def deliver(self) -> dict[str, Any] | None:
        """Deliver once. Returns None if the function raised for a redelivery or was killed."""
        try:
            return self.function.handle(self.event, self.context)
        except (UnfinishedEventError, Killed):
            return None

    def deliver_until_it_succeeds(self) -> dict[str, Any]:
        """Deliver, a minute apart, until the function raises nothing."""
        for _ in range(12):
            if report := self.deliver():
                return report
            self.clock.sleep(60)
        raise AssertionError("not done after 12 deliveries")

    def published(self) -> list[dict[str, Any]]:
        """Return the CloudEvents on the topic."""
        return [json.loads(message["message"]) for message in self.cloud.messages()]

    def assert_claim(self, kept: int = 6) -> None:
        """The newest `kept` backups of each instance exist, no other backup is touched, and the report is published."""
        gone = {b for b in self.before if b.startswith("0" * 12) and int(b[16:32], 16) >= kept}
        assert self.existing() == self.before - gone
        last = self.published()[-1]
        assert (last["type"], last["data"]["totals"]["left"]) == ("dds.backup.pruned", 0)


@pytest.fixture
def pruning(seeded_cloud: LocalCloud) -> Pruning:
    """A timer event on the seeded cloud, which is reset."""
    seeded_cloud.reset()
    return Pruning(seeded_cloud)


CALLS: dict[str, dict[str, Any]] = {
    "the list": {"method": "GET", "path": "/backups$", "nth": [1]},
    "a deletion": {"method": "DELETE", "nth": [5]},
    "a deletion and the list after it": {"path": "/backups", "nth": [2, 14]},
    "the publish": {"path": "/publish$", "nth": [1]},
}
LASTING_CALLS: dict[str, dict[str, Any]] = {
    "all deletions for a while": {"method": "DELETE", "times": 26},
    "everything for a while": {"times": 14},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_the_claim_holds_under_each_fault_at_each_call(pruning: Pruning, call: str, fault: str) -> None:
    """A call may be lost, refused, or carried out without a response."""
    if fault == "slow success":
        pruning.context.user_data["READ_TIMEOUT"] = str(READ_TIMEOUT)
    pruning.cloud.set_faults([{**CALLS[call], **FAULTS[fault]}])

    pruning.deliver_until_it_succeeds()

    pruning.assert_claim()


@pytest.mark.parametrize(
    "fault", ["busy", "throttled", "internal error", "dropped before", "dropped after", "empty 202"]
)
@pytest.mark.parametrize("call", LASTING_CALLS)
def test_the_claim_holds_under_faults_that_outlast_an_invocation(pruning: Pruning, call: str, fault: str) -> None:
    """A redelivery finishes the run."""
    pruning.cloud.set_faults([{**LASTING_CALLS[call], **FAULTS[fault]}])

    pruning.deliver_until_it_succeeds()

    pruning.assert_claim()


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rules=st.lists(
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
    kills=st.lists(st.none() | st.tuples(st.integers(0, 13), st.booleans()), max_size=3),
    redeliveries=st.integers(0, 2),
)
def test_the_claim_holds_under_any_faults_and_kills(
    seeded_cloud: LocalCloud, rules: list[dict[str, Any]], kills: list[tuple[int, bool] | None], redeliveries: int
) -> None:
    """The process is killed before or after any call, and the event is delivered again even after a success."""
    seeded_cloud.reset()
    pruning = Pruning(seeded_cloud)
    seeded_cloud.set_faults(rules)
    for kill in kills:
        call, after = kill or (None, False)
        pruning.switch.arm(call, after=after)
        pruning.deliver()
    pruning.switch.arm(None, after=False)

    pruning.deliver_until_it_succeeds()
    seeded_cloud.set_faults([])
    for _ in range(redeliveries):
        assert pruning.deliver()

    pruning.assert_claim()


@pytest.mark.parametrize("operation", ["restore", "other"])
def test_a_busy_instance_is_pruned_after_its_operation(pruning: Pruning, operation: str) -> None:
    """The other instances are pruned at once."""
    action = "RESTORING" if operation == "restore" else "RESIZE_VOLUME"
    pruning.cloud.change_instance(INSTANCES[0], actions=[action], busy_for=200)

    first = pruning.deliver()

    assert len(pruning.before) - len(pruning.existing()) == 8
    # The list shows a restore, so the backups are protected until the next timer event. DDS refuses deletions during
    # any other operation, so this event is delivered again.
    assert bool(first) is (operation == "restore")
    pruning.clock.sleep(300)
    pruning.deliver_until_it_succeeds()
    pruning.assert_claim()


def test_two_simultaneous_deliveries_delete_the_same_backups(pruning: Pruning) -> None:
    """A backup that the other delivery has deleted is DISABLED or gone, and counts as deleted."""
    other = Pruning(pruning.cloud)

    def connect_and_be_overtaken(settings: Settings, project_id: str, clock: Clock) -> Cloud:
        cloud: Any = connect(settings, project_id, clock)
        list_all = cloud.backups.list

        def list_and_be_overtaken(**criteria: Any) -> Any:
            found = list_all(**criteria)
            if not other.published():
                assert other.deliver()
            return found

        cloud.backups.list = list_and_be_overtaken
        return cloud  # type: ignore[no-any-return]

    pruning.function = prune_backups(
        connect=connect_and_be_overtaken, clock=pruning.clock, rng=Steady(), environment={}
    )

    report = pruning.deliver()

    assert report
    assert report["runs"][0]["totals"]["deleted"] == 12
    assert [event["data"]["totals"]["deleted"] for event in pruning.published()] == [12, 12]
    pruning.assert_claim()


@pytest.fixture(scope="module")
def long_cloud() -> Iterator[LocalCloud]:
    """Sixty nights of three instances: the list has two pages."""
    with start_cloud(60) as cloud:
        yield cloud


@pytest.mark.parametrize("fault", ["the second page is empty", "the second page fails"])
def test_an_incomplete_list_deletes_nothing(long_cloud: LocalCloud, fault: str) -> None:
    """The report says that the run is not finished."""
    long_cloud.reset()
    pruning = Pruning(long_cloud, RETENTION="daily=50")
    empty = {"answer": {"status": 200, "body": {"backups": [], "total_count": 183}}}
    rule = empty if fault == "the second page is empty" else FAULTS["unavailable"]
    long_cloud.set_faults([{"method": "GET", "path": "/backups$", "nth": list(range(2, 200)), **rule}])

    assert pruning.deliver() is None

    assert pruning.existing() == pruning.before
    assert pruning.published()[-1]["data"]["outcome"] == "UNFINISHED"


def fleet(count: int) -> tuple[str, ...]:
    """Return the ids of instances that need not exist; their backups do."""
    return tuple(f"{number:032x}in02" for number in range(count))


@pytest.mark.parametrize("instances", [1, pytest.param(100, marks=pytest.mark.slow)])
def test_the_calls_of_a_run_are_the_computed_ones(instances: int) -> None:
    """docs/prune_backups.md has the computed numbers. The list has the backups of the seed too."""
    with start_cloud(11, fleet(instances)) as cloud:
        pruning = Pruning(cloud, RETENTION="daily=10", MAX_DELETES="1000")

        assert pruning.deliver()

        methods = [(request["method"], request["path"].rpartition("/")[2]) for request in cloud.requests()]
        listed = 11 * instances + len(load_seed().backups)
        expected = calls.prune_calls(listed, instances, instances, month=listed)
        assert methods.count(("GET", "backups")) == expected[calls.LIST_BACKUPS]
        assert sum(method == "DELETE" for method, _ in methods) == expected[calls.DELETE]
        assert methods.count(("GET", "jobs")) == expected[calls.LIST_TASKS]
        assert methods.count(("POST", "publish")) == expected[calls.PUBLISH]
        assert len(methods) == sum(expected.values())


@pytest.mark.slow
def test_a_throttled_fleet_is_pruned_over_several_deliveries() -> None:
    """15 calls a minute leave a part of 120 instances to the next delivery."""
    with start_cloud(8, fleet(120)) as cloud:
        pruning = Pruning(cloud, RETENTION="daily=7", MAX_DELETES="10000", MAX_CONCURRENCY="8")
        cloud.set_faults([{"per_minute": 15, "path": "/v3/", "answer": {"status": 429, "code": "APIGW.0308"}}])
        deliveries = 1
        while pruning.deliver() is None:
            deliveries += 1
            assert deliveries < 5
            pruning.clock.sleep(60)

        assert deliveries > 1
        pruning.assert_claim(kept=7)
