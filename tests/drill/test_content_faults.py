"""The whole way by real parts: a backup of the local cloud is restored, and each fault of its content is found."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest
from bson import ObjectId

from localcloud import LocalCloud
from localcloud.seed import RWUSER
from shared.cloud.restores import DdsRestores
from shared.drill.checks import Drilled, Inspection, Verdict
from shared.drill.connect import connector
from shared.drill.databases import DrillInspector
from shared.drill.documents import DocumentChecks, DocumentRules
from shared.model import Backup, Instance
from shared.restore import plan_restore
from shared.retry import Deadline
from shared.runtime.invocation import SystemClock
from tests.cloud.conftest import Adapters, adapters_for


PASSWORD = "Drill#2026-local"
HEARTBEAT = "crm.heartbeat.at"
# What the owner of the data expects, of 48 customers and 60 contacts.
EXPECT = {"crm": 3, "crm.customers": 45, "crm.contacts": 50}


class CloudClock(SystemClock):
    """The time of a local cloud, which tests move."""

    def __init__(self, cloud: LocalCloud) -> None:
        super().__init__()
        self._cloud = cloud

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._cloud.clock_offset())


@dataclass
class Drills:
    """Drills of one backup of the instance customers."""

    cloud: LocalCloud
    adapters: Adapters
    restores: DdsRestores
    clock: CloudClock
    backup: Backup

    def drill(self, *, connects: bool, expect: dict[str, int] | None = None, **fault: Any) -> Inspection:
        """Restore the backup, which has this fault, and check the copy."""
        if fault:
            self.cloud.set_backup_fault(self.backup.id, **fault)
        source = self.listed(self.backup.instance_id)
        started = self.restores.restore(plan_restore(source, "drill", backup=self.backup, password=PASSWORD))
        self.cloud.advance(7200)
        now = self.clock.now()
        tasks = self.adapters.jobs.restoring_between(now - timedelta(days=1), now)
        (task,) = [task for task in tasks if task.instance_id == started.instance_id]
        copy, source = self.listed(started.instance_id), self.listed(self.backup.instance_id)
        rules = DocumentRules(rpo=timedelta(hours=1), canary=HEARTBEAT)
        documents = DocumentChecks(rules, self.clock, connector(self.cloud.authority()))
        inspector = DrillInspector(self.restores.databases, self.clock, documents=documents if connects else None)
        drilled = Drilled(copy, source, self.backup, task, PASSWORD, expect or {})
        return inspector.inspect(drilled, Deadline.after(60, self.clock))

    def listed(self, instance_id: str) -> Instance:
        """An instance as DDS lists it."""
        (found,) = [one for one in self.adapters.instances.list() if one.id == instance_id]
        return found


@pytest.fixture
def drills(cloud: LocalCloud, tmp_path: Path) -> Drills:
    """A backup of customers that began just after the application wrote its heartbeat."""
    adapters = adapters_for(cloud.connection())
    clock = CloudClock(cloud)
    (source,) = [one for one in adapters.instances.list() if one.name == "customers"]
    (tmp_path / "ca.pem").write_text(cloud.authority())
    host = source.groups[0].hosts[0]
    options: dict[str, Any] = {"tls": True, "tlsCAFile": str(tmp_path / "ca.pem"), "tlsAllowInvalidHostnames": True}
    with pymongo.MongoClient(host, source.port, username="rwuser", password=RWUSER, **options) as client:
        for time in (clock.now() - timedelta(days=3), clock.now()):
            client.crm.heartbeat.insert_one({"_id": ObjectId.from_datetime(time), "at": time})
    made = adapters.dds.create(source.id, "nightly", "")
    cloud.advance(3600)
    (backup,) = adapters.dds.list(backup_id=made.backup_id)
    return Drills(cloud, adapters, DdsRestores(adapters.services[0]), clock, backup)


def levels(inspection: Inspection) -> set[int]:
    """The levels on which checks failed."""
    return {check.level for check in inspection.checks if check.passed is False}


def slow(*arguments: Any) -> Any:
    """Arguments of a test of the whole suite."""
    return pytest.param(*arguments, marks=pytest.mark.slow)


@pytest.mark.parametrize("connects", [slow(False), True])
def test_a_good_backup_is_verified(drills: Drills, connects: bool) -> None:
    """By each level, and with what its owner expects. The RPO is the age of the heartbeat."""
    inspection = drills.drill(connects=connects, expect=EXPECT if connects else {})

    assert inspection.verdict is Verdict.VERIFIED, inspection
    if connects:
        assert inspection.rpo == pytest.approx(0, abs=60)


def test_a_backup_that_does_not_start(drills: Drills) -> None:
    """Level 0 finds it, without a connection."""
    assert levels(drills.drill(connects=True, ends_as="abnormal")) == {0}


@pytest.mark.parametrize(
    ("fault", "connects", "expect", "expected"),
    [
        ({"keeps": 0.5}, True, EXPECT, {1, 2}),
        ({"stale_days": 2}, True, {}, {2}),
        slow({"keeps": 0.5}, False, {}, {1}),
        slow({"keeps": 0.9}, False, {}, set()),
        slow({"keeps": 0.9}, True, EXPECT, {2}),
        slow({"keeps": 0.0}, True, {}, {1, 2}),
        slow({"lacks_collection": "crm.contacts"}, False, {"crm": 3}, {1}),
        slow({"lacks_collection": "crm.contacts"}, True, {"crm.contacts": 50}, {1, 2}),
        slow({"lacks_collection": "newsletter.subscribers"}, True, {"newsletter.subscribers": 1}, {2}),
        slow({"stale_days": 200}, False, {}, {1}),
    ],
)
def test_a_fault_of_content_is_found(
    drills: Drills, fault: dict[str, Any], connects: bool, expect: dict[str, int], expected: set[int]
) -> None:
    """By the levels that can see it."""
    assert levels(drills.drill(connects=connects, expect=expect, **fault)) == expected


@pytest.mark.slow
def test_a_restore_that_never_ends_is_no_failure_yet(drills: Drills) -> None:
    """Nothing has failed while it runs."""
    inspection = drills.drill(connects=True, never_ends=True)

    assert inspection.verdict is Verdict.INCONCLUSIVE
    assert not levels(inspection)


@pytest.mark.slow
def test_a_source_that_is_gone_leaves_the_documents(drills: Drills) -> None:
    """Level 1 has nothing to compare with, and level 2 needs no source."""
    inspection = drills.drill(connects=True)
    rules = DocumentRules(rpo=timedelta(hours=1), canary=HEARTBEAT)
    documents = DocumentChecks(rules, drills.clock, connector(drills.cloud.authority()))
    copy = max((one for one in drills.adapters.instances.list() if one.name == "drill"), key=lambda one: one.id)
    drilled = Drilled(copy, None, drills.backup, None, PASSWORD)

    alone = DrillInspector(drills.restores.databases, drills.clock, documents=documents)
    judged = alone.inspect(drilled, Deadline.after(60, drills.clock))

    assert inspection.verdict is Verdict.VERIFIED
    assert [check.name for check in judged.checks if check.passed is None] == ["restore", "kind", "databases"]
    assert not levels(judged)
