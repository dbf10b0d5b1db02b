"""The claim of audit_backups over real HTTP through the real SDK: what did not happen is announced, and nothing else.

Whatever fails: never "all well" nor "missed" without having seen everything.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from localcloud import LocalCloud
from localcloud.seed import Seed, load_seed
from shared.bootstrap import audit_backups
from shared.errors import UnfinishedEventError
from tests.create.test_claim import FAULTS
from tests.deliveries import Deliveries
from tests.fakes import Steady
from tests.system.killable import Killed, KillSwitch, connect_behind
from tests.triggers import documented as doc


POLICY = {"name": "nightly", "expected_interval": "1d", "grace": "2h"}


def fleet(instances: int, backups: int) -> Seed:
    """A project with so many instances, the first of which have a good backup of this application."""
    seed = load_seed().model_dump()
    ids = [f"{number:032x}in02" for number in range(instances)]
    seed["instances"] = [{"id": one, "name": f"db-{one[:32]}", "mode": "Single", "days_old": 9} for one in ids]
    seed["backups"] = [
        {
            "id": f"{number:032x}br02",
            "name": f"nightly-{number}",
            "instance_id": ids[number % instances],
            "description": f"key:{number:032x}",
            "days_old": 0.2,
        }
        for number in range(backups)
    ]
    return Seed.model_validate(seed)


@pytest.fixture(scope="module")
def _three() -> Iterator[LocalCloud]:
    with LocalCloud(seed=fleet(3, 1)) as cloud:
        yield cloud


@pytest.fixture
def three(_three: LocalCloud) -> LocalCloud:
    """A local cloud with three instances, of which the first has a good backup."""
    _three.reset()
    return _three


class Night:
    """Audits of a local cloud's instances, each by the official SDK."""

    def __init__(self, cloud: LocalCloud, **settings: str) -> None:
        self.cloud = cloud
        self.ids = cloud.connection()["instance_ids"][:4]
        self.deliveries = Deliveries(cloud, self.ids, **settings)
        self.clock = self.deliveries.clock
        self.function = audit_backups(clock=self.clock, rng=Steady(), environment={})

    def back_up(self, *ids: str, event: str = "first") -> None:
        """Back instances up, and let some time go by."""
        self.deliveries.event = doc.smn(doc.smn_record(json.dumps({"instance_ids": ids}), event))
        self.deliveries.deliver_until_it_succeeds()
        self.clock.sleep(3600)

    def tick(self, *policies: dict[str, Any], at: datetime | None = None) -> dict[str, Any]:
        """A tick at this moment, or at another, for a policy that covers all of the instances."""
        request = {"policies": policies or [{**POLICY, "instance_ids": self.ids}]}
        return doc.timer(json.dumps(request), time=(at or self.clock.now()).isoformat(timespec="seconds"))

    def deliver(self, event: object) -> Any:
        """One delivery; None if it raised for a redelivery."""
        try:
            return self.function.handle(event, self.deliveries.context)
        except UnfinishedEventError:
            return None

    def deliver_until_it_succeeds(self, event: object, most: int = 10) -> Any:
        """Deliver, a minute apart, until the function raises nothing."""
        for _ in range(most):
            if report := self.deliver(event):
                return report
            self.clock.sleep(60)
        raise AssertionError(f"not done after {most} deliveries")

    def told(self) -> list[dict[str, Any]]:
        """What the audits published."""
        events = [json.loads(message["message"]) for message in self.cloud.messages()]
        return [event for event in events if event["type"] != "dds.backup.started"]

    def assert_claim(self, missed: Sequence[str]) -> None:
        """The report and each missed instance was announced under one id, and nobody else was."""
        told = self.told()
        assert {event["subject"] for event in told if event["type"] == "dds.backup.missed"} == set(missed)
        assert {event["type"] for event in told} <= {"dds.backup.missed", "dds.backup.audited"}
        verdicts = {event["data"]["verdict"] for event in told if event["type"] == "dds.backup.audited"}
        assert verdicts - {"failed"} == {"findings" if missed else "all_well"}
        assert len({event["id"] for event in told}) == len(missed) + len(verdicts)


CALLS: dict[str, dict[str, Any]] = {
    "the list of instances": {"method": "GET", "path": "/instances$", "nth": [1]},
    "the list of backups": {"method": "GET", "path": "/backups$", "nth": [1]},
    "the publish of the report": {"path": "/publish$", "nth": [1]},
    "the publish of a finding": {"path": "/publish$", "nth": [2]},
}
ALL_OF: dict[str, dict[str, Any]] = {
    "all lists of instances for a while": {"method": "GET", "path": "/instances$", "times": 7},
    "all lists of backups for a while": {"method": "GET", "path": "/backups$", "times": 7},
    "all publishes for a while": {"path": "/publish$", "times": 11},
    "everything for a while": {"times": 12},
}


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "slow success"])
@pytest.mark.parametrize("call", CALLS)
def test_the_claim_holds_under_each_fault_at_each_call(three: LocalCloud, call: str, fault: str) -> None:
    """Delivered until it succeeds: what was missed is announced, and nothing else ever."""
    night = Night(three)
    event = night.tick()
    three.set_faults([{**CALLS[call], **FAULTS[fault]}])

    night.deliver_until_it_succeeds(event)

    night.assert_claim(night.ids[1:])


@pytest.mark.parametrize("fault", ["throttled", "internal error", "dropped after", "truncated"])
@pytest.mark.parametrize("call", ALL_OF)
def test_the_claim_holds_under_faults_that_last(three: LocalCloud, call: str, fault: str) -> None:
    """Longer than one invocation is ready to try."""
    night = Night(three)
    event = night.tick()
    three.set_faults([{**ALL_OF[call], **FAULTS[fault]}])

    night.deliver_until_it_succeeds(event)

    night.assert_claim(night.ids[1:])


@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
@pytest.mark.parametrize("call", range(5))
def test_the_claim_holds_when_the_process_is_killed_at_any_call(three: LocalCloud, call: int, *, after: bool) -> None:
    """Two lists, the report and two findings: whatever was done is done again by the redelivery, under the same ids."""
    night = Night(three)
    event = night.tick()
    switch = KillSwitch()
    night.function = audit_backups(connect=connect_behind(switch), clock=night.clock, rng=Steady(), environment={})
    switch.arm(call, after=after)
    with pytest.raises(Killed):
        night.deliver(event)

    night.function = audit_backups(clock=night.clock, rng=Steady(), environment={})
    night.deliver_until_it_succeeds(event)

    night.assert_claim(night.ids[1:])


@pytest.mark.parametrize("field", ["instances", "backups"])
def test_a_list_that_ends_too_early_is_not_believed(three: LocalCloud, field: str) -> None:
    """DDS counts three and shows none: that is no fleet without instances or backups. Later it shows them."""
    night = Night(three)
    event = night.tick()
    three.set_faults([{"path": f"/{field}$", "answer": {"status": 200, "body": {field: [], "total_count": 3}}}])

    assert night.deliver(event) is None
    assert [note["data"]["verdict"] for note in night.told()] == ["failed"]

    three.set_faults([])
    night.deliver_until_it_succeeds(event)
    night.assert_claim(night.ids[1:])


def test_the_same_tick_again_announces_the_same(three: LocalCloud) -> None:
    """From another instance of the function, later, in any order with the next night's."""
    night = Night(three)
    tonight, tomorrow = night.tick(), night.tick(at=night.clock.now() + timedelta(hours=20))
    for event in (tomorrow, tonight, tomorrow, tonight):
        night.function = audit_backups(clock=night.clock, rng=Steady(), environment={})
        assert night.deliver(event)

    ids = [event["id"] for event in night.told()]
    assert len(ids) == 4 * 3
    assert len(set(ids)) == 2 * 3


def test_a_good_backup_silences_the_audit_until_its_time_is_over(cloud: LocalCloud) -> None:
    """Made by create_backup; a day and two hours later the next one is missed."""
    night = Night(cloud)
    night.back_up(night.ids[0])
    verdicts = []
    for hours in (0, 22, 5):
        night.clock.sleep(hours * 3600)
        event = night.tick({**POLICY, "instance_ids": night.ids[:1]})
        verdicts.append(night.deliver(event)["audits"][0]["verdict"])

    assert verdicts == ["all_well", "all_well", "findings"]


def test_failed_and_stuck_backups_are_told(cloud: LocalCloud) -> None:
    """And an instance that is not well is missed with its status."""
    night = Night(cloud)
    night.back_up(*night.ids)
    failing, slow, ill, _ = night.ids
    night.clock.sleep(30 * 3600)
    cloud.change_instance(failing, fails_with="no room")
    night.back_up(failing, event="second")
    cloud.switch(backup_rate=0.001)
    night.back_up(slow, event="third")
    night.clock.sleep(7 * 3600)
    cloud.change_instance(ill, status="abnormal")

    (audit,) = night.deliver(night.tick())["audits"]

    assert [failed["instance_id"] for failed in audit["failed_backups"]] == [failing]
    assert [stuck["instance_id"] for stuck in audit["stuck_backups"]] == [slow]
    missed = {found["instance_id"]: found for found in audit["missed"]}
    assert missed.keys() == set(night.ids)
    assert missed[failing]["last_attempt"]["status"] == "FAILED"
    assert missed[slow]["last_attempt"]["status"] == "BUILDING"
    assert missed[ill]["instance_status"] == "abnormal"


def test_automatic_backups_do_not_count(cloud: LocalCloud) -> None:
    """They go with their instance, and whoever wrote the policy did not choose their time."""
    night = Night(cloud)
    night.clock.sleep(3 * 86_400)

    of_the_first = [backup for backup in cloud.state()["backups"] if backup["instance_id"] == night.ids[0]]
    assert [backup["type"] for backup in of_the_first] == ["Auto"] * 3
    missed = night.deliver(night.tick())["audits"][0]["missed"]
    assert {found["code"] for found in missed} == {"no_backup"}


def calls(cloud: LocalCloud) -> dict[str, int]:
    """How often each API was called."""
    paths = [request["path"].rpartition("/")[2] for request in cloud.requests()]
    return {name: paths.count(name) for name in ("instances", "backups", "publish")}


@pytest.mark.parametrize(
    ("instances", "missed", "expected"),
    [
        (1, 0, {"instances": 1, "backups": 1, "publish": 1}),
        (10, 2, {"instances": 1, "backups": 1, "publish": 3}),
        (99, 50, {"instances": 1, "backups": 1, "publish": 51}),
        (100, 0, {"instances": 2, "backups": 2, "publish": 1}),
        (1000, 51, {"instances": 11, "backups": 10, "publish": 1}),
        (1000, 1000, {"instances": 11, "backups": 1, "publish": 1}),
    ],
)
def test_what_an_audit_calls(
    local_cloud_factory: Callable[..., LocalCloud], instances: int, missed: int, expected: dict[str, int]
) -> None:
    """The table in docs/audit_backups.md: a page holds 100, and a full one is followed by another look."""
    cloud = local_cloud_factory(seed=fleet(instances, instances - missed))
    night = Night(cloud)
    policy = {**POLICY, "select": {"name": "*"}}

    (audit,) = night.deliver(night.tick(policy))["audits"]

    assert calls(cloud) == expected
    assert (audit["totals"]["covered"], audit["totals"]["missed"]) == (instances, missed)


def test_a_fleet_of_2000_under_throttling(local_cloud_factory: Callable[..., LocalCloud]) -> None:
    """Of 60 calls a minute, half are left for this program: it waits, here by moving the clock."""
    cloud = local_cloud_factory(seed=fleet(2000, 1990))
    night = Night(cloud, READ_TIMEOUT="20")
    cloud.set_faults([{"path": "/(instances|backups)$", "per_minute": 30}])

    (audit,) = night.deliver(night.tick({**POLICY, "select": {"name": "*"}}))["audits"]

    assert (audit["totals"]["covered"], audit["totals"]["missed"]) == (2000, 10)
    assert {event["subject"] for event in night.told() if event["type"] == "dds.backup.missed"} == {
        f"{number:032x}in02" for number in range(1990, 2000)
    }
