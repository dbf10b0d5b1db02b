"""The claim of audit_backups on the local cloud: every missed backup is published, and nothing else.

The function calls the local cloud through the real SDK. Under faults it never publishes "all well" or "missed" without
having read both lists completely.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from cli.cost import calls
from localcloud import LocalCloud
from localcloud.seed import Seed, load_seed
from shared.bootstrap import audit_backups
from shared.errors import UnfinishedEventError
from tests.deliveries import FAULTS, Deliveries
from tests.fakes import Steady
from tests.system.killable import Killed, KillSwitch, connect_behind
from tests.triggers import documented as doc


POLICY = {"name": "nightly", "expected_interval": "1d", "grace": "2h"}


def make_seed(instances: int, backups: int) -> Seed:
    """Return the seed of a project in which the first `backups` instances have a young good backup."""
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
def _small_cloud() -> Iterator[LocalCloud]:
    with LocalCloud(seed=make_seed(3, 1)) as cloud:
        yield cloud


@pytest.fixture
def small_cloud(_small_cloud: LocalCloud) -> LocalCloud:
    """A local cloud with three instances, the first of which has a young good backup."""
    _small_cloud.reset()
    return _small_cloud


class Night:
    """Backups by create_backup, and audits of at most four instances, on the local cloud."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.ids = cloud.connection()["instance_ids"][:4]
        self.deliveries = Deliveries(cloud, self.ids, READ_TIMEOUT="20")
        self.clock = self.deliveries.clock
        self.function = audit_backups(clock=self.clock, rng=Steady(), environment={})

    def back_up(self, *ids: str, event: str = "first") -> None:
        """Back instances up, and move the clock by an hour."""
        self.deliveries.event = doc.smn(doc.smn_record(json.dumps({"instance_ids": ids}), event))
        self.deliveries.deliver_until_it_succeeds()
        self.clock.sleep(3600)

    def timer_event(self, *policies: dict[str, Any], due: datetime | None = None) -> dict[str, Any]:
        """Return a timer event that is due now or at another time. By default one policy covers the instances."""
        request = {"policies": policies or [{**POLICY, "instance_ids": self.ids}]}
        return doc.timer(json.dumps(request), time=(due or self.clock.now()).isoformat(timespec="seconds"))

    def deliver(self, event: object) -> Any:
        """Deliver once. Returns None if the function raised for a redelivery."""
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

    def published(self) -> list[dict[str, Any]]:
        """Return the CloudEvents that the audits published."""
        events = [json.loads(message["message"]) for message in self.cloud.messages()]
        return [event for event in events if event["type"] != "dds.backup.started"]

    def assert_claim(self, missed: Sequence[str]) -> None:
        """The report and each missed instance are published under one id each, and nothing else is."""
        published = self.published()
        assert {event["subject"] for event in published if event["type"] == "dds.backup.missed"} == set(missed)
        assert {event["type"] for event in published} <= {"dds.backup.missed", "dds.backup.audited"}
        verdicts = {event["data"]["verdict"] for event in published if event["type"] == "dds.backup.audited"}
        assert verdicts - {"failed"} == {"findings" if missed else "all_well"}
        assert len({event["id"] for event in published}) == len(missed) + len(verdicts)


CALLS: dict[str, dict[str, Any]] = {
    "the list of instances": {"method": "GET", "path": "/instances$", "nth": [1]},
    "the list of backups": {"method": "GET", "path": "/backups$", "nth": [1]},
    "the publish of the report": {"path": "/publish$", "nth": [1]},
    "the publish of a finding": {"path": "/publish$", "nth": [2]},
}
LASTING_CALLS: dict[str, dict[str, Any]] = {
    "all lists of instances for a while": {"method": "GET", "path": "/instances$", "times": 7},
    "all lists of backups for a while": {"method": "GET", "path": "/backups$", "times": 7},
    "all publishes for a while": {"path": "/publish$", "times": 11},
    "everything for a while": {"times": 12},
}


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "slow success"])
@pytest.mark.parametrize("call", CALLS)
def test_the_claim_holds_under_each_fault_at_each_call(small_cloud: LocalCloud, call: str, fault: str) -> None:
    """The event is delivered until the function succeeds."""
    night = Night(small_cloud)
    event = night.timer_event()
    small_cloud.set_faults([{**CALLS[call], **FAULTS[fault]}])

    night.deliver_until_it_succeeds(event)

    night.assert_claim(night.ids[1:])


@pytest.mark.parametrize("fault", ["throttled", "internal error", "dropped after", "truncated"])
@pytest.mark.parametrize("call", LASTING_CALLS)
def test_the_claim_holds_under_faults_that_outlast_an_invocation(
    small_cloud: LocalCloud, call: str, fault: str
) -> None:
    """A redelivery finishes the audit."""
    night = Night(small_cloud)
    event = night.timer_event()
    small_cloud.set_faults([{**LASTING_CALLS[call], **FAULTS[fault]}])

    night.deliver_until_it_succeeds(event)

    night.assert_claim(night.ids[1:])


@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
@pytest.mark.parametrize("call", range(5))
def test_the_claim_holds_when_the_process_is_killed_at_any_call(
    small_cloud: LocalCloud, call: int, *, after: bool
) -> None:
    """The calls are two lists, the report and two findings. The redelivery repeats them under the same ids."""
    night = Night(small_cloud)
    event = night.timer_event()
    switch = KillSwitch()
    night.function = audit_backups(connect=connect_behind(switch), clock=night.clock, rng=Steady(), environment={})
    switch.arm(call, after=after)
    with pytest.raises(Killed):
        night.deliver(event)

    night.function = audit_backups(clock=night.clock, rng=Steady(), environment={})
    night.deliver_until_it_succeeds(event)

    night.assert_claim(night.ids[1:])


@pytest.mark.parametrize("field", ["instances", "backups"])
def test_an_incomplete_list_fails_the_audit(small_cloud: LocalCloud, field: str) -> None:
    """DDS counts three items and shows none, so the list does not mean that there are none."""
    night = Night(small_cloud)
    event = night.timer_event()
    small_cloud.set_faults([{"path": f"/{field}$", "answer": {"status": 200, "body": {field: [], "total_count": 3}}}])

    assert night.deliver(event) is None
    assert [note["data"]["verdict"] for note in night.published()] == ["failed"]

    small_cloud.set_faults([])
    night.deliver_until_it_succeeds(event)
    night.assert_claim(night.ids[1:])


def test_another_instance_of_the_function_publishes_the_same_ids(small_cloud: LocalCloud) -> None:
    """The events of two nights are delivered twice and in any order."""
    night = Night(small_cloud)
    tonight, tomorrow = night.timer_event(), night.timer_event(due=night.clock.now() + timedelta(hours=20))
    for event in (tomorrow, tonight, tomorrow, tonight):
        night.function = audit_backups(clock=night.clock, rng=Steady(), environment={})
        assert night.deliver(event)

    ids = [event["id"] for event in night.published()]
    assert len(ids) == 4 * 3
    assert len(set(ids)) == 2 * 3


def test_a_backup_by_create_backup_counts_until_the_next_one_is_due(cloud: LocalCloud) -> None:
    """After a day and two hours the next backup is missed."""
    night = Night(cloud)
    night.back_up(night.ids[0])
    missed = []
    for hours in (0, 22, 5):
        night.clock.sleep(hours * 3600)
        event = night.timer_event({**POLICY, "instance_ids": night.ids[:1]})
        missed.append(len(night.deliver(event)["audits"][0]["missed"]))

    assert missed == [0, 0, 1]


def test_failed_and_stuck_backups_are_findings(cloud: LocalCloud) -> None:
    """An instance that DDS cannot back up is missed with its status."""
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

    (audit,) = night.deliver(night.timer_event())["audits"]

    assert [failed["instance_id"] for failed in audit["failed_backups"]] == [failing]
    assert [stuck["instance_id"] for stuck in audit["stuck_backups"]] == [slow]
    missed = {found["instance_id"]: found for found in audit["missed"]}
    assert missed.keys() == set(night.ids)
    assert missed[failing]["last_attempt"]["status"] == "FAILED"
    assert missed[slow]["last_attempt"]["status"] == "BUILDING"
    assert missed[ill]["instance_status"] == "abnormal"


def test_automatic_backups_do_not_count(cloud: LocalCloud) -> None:
    """DDS deletes them with their instance, and the policies do not set their time."""
    night = Night(cloud)
    night.clock.sleep(3 * 86_400)

    of_the_first = [backup for backup in cloud.state()["backups"] if backup["instance_id"] == night.ids[0]]
    assert [backup["type"] for backup in of_the_first] == ["Auto"] * 3
    missed = night.deliver(night.timer_event())["audits"][0]["missed"]
    assert {found["code"] for found in missed} == {"no_backup"}


@pytest.mark.parametrize(("instances", "missed"), [(10, 2), (99, 50), (100, 0), (1000, 51)])
def test_the_calls_of_an_audit_are_the_computed_ones(
    local_cloud_factory: Callable[..., LocalCloud], instances: int, missed: int
) -> None:
    """docs/audit_backups.md has the computed numbers. More than 50 findings are not published one by one."""
    backups = instances - missed
    cloud = local_cloud_factory(seed=make_seed(instances, backups))
    night = Night(cloud)

    (audit,) = night.deliver(night.timer_event({**POLICY, "select": {"name": "*"}}))["audits"]

    counted = Counter(request["path"].rpartition("/")[2] for request in cloud.requests())
    expected = calls.audit_calls(instances, backups, findings=missed if missed <= 50 else 0)
    assert counted == {
        "instances": expected[calls.LIST_INSTANCES],
        "backups": expected[calls.LIST_BACKUPS],
        "publish": expected[calls.PUBLISH],
    }
    assert (audit["totals"]["covered"], audit["totals"]["missed"]) == (instances, missed)


@pytest.mark.slow
def test_a_throttled_fleet_is_audited_completely(local_cloud_factory: Callable[..., LocalCloud]) -> None:
    """The function waits where DDS allows 30 calls a minute."""
    cloud = local_cloud_factory(seed=make_seed(2000, 1990))
    night = Night(cloud)
    cloud.set_faults([{"path": "/(instances|backups)$", "per_minute": 30}])

    (audit,) = night.deliver(night.timer_event({**POLICY, "select": {"name": "*"}}))["audits"]

    assert (audit["totals"]["covered"], audit["totals"]["missed"]) == (2000, 10)
    assert {event["subject"] for event in night.published() if event["type"] == "dds.backup.missed"} == {
        f"{number:032x}in02" for number in range(1990, 2000)
    }
