"""The claim of drill_backups on the local cloud, through the real SDK: what was backed up comes back, and is checked.

Only the time is not real.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from localcloud import LocalCloud
from shared.bootstrap import Function, drill_backups
from shared.drill.function import DrillBackupsSettings
from shared.errors import UnfinishedEventError
from tests.deliveries import FAULTS, Deliveries
from tests.fakes import Steady
from tests.localcloud.instances_sdk import CUSTOMERS
from tests.triggers import documented as doc


PERIOD = timedelta(minutes=5)
DRILLS = "9c1f6a52-7a52-4d52-9c46-3b5f3f5a6d12"


class Day:
    """A backup of an instance by create_backup, and the timer events of drill_backups, on the local cloud."""

    def __init__(self, cloud: LocalCloud, **settings: str) -> None:
        self.cloud, self.connects = cloud, "DRILL_CONNECT" in settings
        drilled = {"DRY_RUN": "false", "DRILL_ENTERPRISE_PROJECT_ID": DRILLS, "READ_TIMEOUT": "20"}
        self.deliveries = Deliveries(cloud, [CUSTOMERS], **drilled, **settings)
        self.clock, self.context = self.deliveries.clock, self.deliveries.context
        self.deliveries.deliver_until_it_succeeds()
        self.clock.sleep(1800)
        (self.backup,) = self.deliveries.backups()
        self.function: Function[DrillBackupsSettings] = drill_backups(clock=self.clock, rng=Steady(), environment={})

    def ask(self, most: int = 1) -> None:
        """Ask for a drill of the instance now, until it has begun."""
        request = {"instance_ids": [CUSTOMERS], "at": self.clock.now().isoformat(timespec="seconds")}
        for _ in range(most):
            slots = self.function.handle(request, self.context).get("slots", [])
            if self.drills() and (not slots or slots[0]["state"] == "BEGUN"):
                return
            self.clock.sleep(20)
        raise AssertionError(f"not begun after {most} messages: {slots}")

    def tick(self) -> Any:
        """Deliver the event of the timer, until the function raises nothing."""
        expect = {"crm": 2, "crm.customers": 45} if self.connects else {"crm": 2}
        request = json.dumps({"instance_ids": [CUSTOMERS], "expect": {CUSTOMERS: expect}})
        due = self.clock.now().isoformat(timespec="seconds")
        for _ in range(10):
            try:
                return self.function.handle(doc.timer(request, time=due), self.context)
            except UnfinishedEventError:
                self.clock.sleep(20)
        raise AssertionError("not done after 10 deliveries")

    def steps(self, most: int = 40) -> Iterator[str]:
        """Yield the steps of the drill until it is over."""
        for _ in range(most):
            self.clock.sleep(PERIOD.total_seconds())
            report = self.tick()
            if not report["drills"]:
                return
            assert report["status"] == "SUCCEEDED", report["drills"]
            yield report["drills"][0]["step"]
        raise AssertionError(f"not over after {most} runs")

    def published(self, kind: str) -> list[dict[str, Any]]:
        """The data of the CloudEvents of a type, each id once."""
        events = {e["id"]: e for e in (json.loads(message["message"]) for message in self.cloud.messages())}
        return [event["data"] for event in events.values() if event["type"] == f"dds.drill.{kind}"]

    def drills(self) -> list[Any]:
        """The instances of drills that are left."""
        return [i for i in self.cloud.state()["instances"] if i["name"].startswith("drill-")]


def test_a_backup_comes_back_and_is_verified(cloud: LocalCloud) -> None:
    """Every call is one of the SDK, and nothing is left of the drill but the recycle bin."""
    day = Day(cloud)

    day.ask()
    steps = list(dict.fromkeys(day.steps()))

    assert steps == ["WAIT", "TAG", "CHECK", "DELETE"]
    (data,) = day.published("verified")
    assert data["backup_id"] == day.backup["id"]
    assert data["instance_name"] == "customers"
    assert all(check["passed"] for check in data["checks"])
    assert data["rto"]["restore"] > 300
    assert day.published("failed") == day.published("inconclusive") == day.published("leaked") == []
    assert day.drills() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "fault", "kind", "stage"),
    [
        ({"DRILL_CONNECT": "true"}, {}, "verified", "checks"),
        ({"DRILL_CONNECT": "true"}, {"lacks_collection": "crm.customers"}, "failed", "checks"),
        ({}, {"lacks_collection": "crm.customers"}, "failed", "checks"),
        ({"DRILL_CONNECT": "true"}, {"keeps": 0.5}, "failed", "checks"),
        ({}, {"ends_as": "createfail"}, "failed", "restore"),
        ({}, {"ends_as": "abnormal"}, "failed", "restore"),
    ],
)
def test_each_fault_of_a_backup_has_its_outcome(
    cloud: LocalCloud, settings: dict[str, str], fault: dict[str, Any], kind: str, stage: str
) -> None:
    """One, and nothing is left of the drill."""
    day = Day(cloud, DRILL_CA=cloud.authority(), **settings)
    if fault:
        cloud.set_backup_fault(day.backup["id"], **fault)

    day.ask()
    assert "WAIT" in list(day.steps())

    (data,) = day.published(kind)
    assert data["stage"] == stage
    others = {"verified", "failed", "inconclusive", "overdue", "leaked"} - {kind}
    assert [data for other in others for data in day.published(other)] == []
    assert day.drills() == []
    if "DRILL_CONNECT" in settings:
        assert {check["level"] for check in data["checks"]} == {0, 1, 2}


@pytest.mark.slow
def test_a_restore_that_never_ends_is_told_every_day(cloud: LocalCloud) -> None:
    """DDS deletes no instance that it is creating, so somebody has to ask it for help."""
    day = Day(cloud, DRILL_MAX_AGE="1h")
    cloud.set_backup_fault(day.backup["id"], never_ends=True)

    day.ask()
    for _ in range(20):
        day.clock.sleep(PERIOD.total_seconds())
        day.tick()

    assert [data["code"] for data in day.published("overdue")] == ["too_old"]
    assert [data["code"] for data in day.published("leaked")] == ["busy"]
    assert len(day.drills()) == 1


CALLS = {
    "restore": {"method": "POST", "path": "/instances$"},
    "tag": {"method": "POST", "path": "/tags/action$"},
    "restart": {"method": "POST", "path": "/restart$"},
    "delete": {"method": "DELETE", "path": "/instances/"},
    "instances": {"method": "GET", "path": "/instances$"},
    "publish": {"path": "/publish$"},
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_each_call_can_fail_once(cloud: LocalCloud, fault: str) -> None:
    """Every call of the drill meets this fault, and the drill still has one outcome and leaves nothing."""
    day = Day(cloud)
    cloud.set_faults([{**call, **FAULTS[fault], "times": 1} for call in CALLS.values()])

    day.ask(most=5)
    for _ in range(20):
        day.clock.sleep(PERIOD.total_seconds())
        day.tick()

    restores = [i for i in cloud.state()["instances"] if i["name"].startswith("drill-")]
    assert restores == []
    assert len(day.published("verified")) == 1
    assert day.published("failed") == day.published("overdue") == day.published("leaked") == []
