"""Any sequence of DDS operations keeps the invariants of backups and jobs, and survives a restart."""

import asyncio
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from localcloud.clock import Clock
from localcloud.cloud import Cloud
from localcloud.dds import backups
from localcloud.dds.schemas import NewPolicy
from localcloud.dds.snapshot import snapshot
from localcloud.errors import CloudError
from localcloud.seed import load_seed


SEED = load_seed()
INSTANCES = st.sampled_from([instance.id for instance in SEED.instances])
NAMES = st.sampled_from(["nightly", "weekly", "before-release-41", "auto-1"])
NEXT: dict[str | None, set[str | None]] = {
    "BUILDING": {"BUILDING", "COMPLETED", "FAILED"},
    "COMPLETED": {"COMPLETED", "DISABLED", None},
    "FAILED": {"FAILED", "DISABLED", None},
    "DISABLED": {"DISABLED", None},
    None: {None},
}


class LocalDds(RuleBasedStateMachine):
    """DDS without HTTP. Only the rules move the clock."""

    made: Bundle[str] = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.cloud = self.start()
        self.before: dict[str, Any] = {}

    def start(self) -> Cloud:
        """Start a cloud with the state file."""
        # A Tuesday at noon.
        return Cloud(SEED, {}, self.folder / "state.db", Clock(wall=lambda: 1_700_568_000.0))

    @rule(target=made, instance_id=INSTANCES, name=NAMES)
    def create(self, instance_id: str, name: str) -> Any:
        """Create a backup, or get a documented error."""
        try:
            return backups.create(self.cloud.dds, instance_id, name, "").id
        except CloudError as error:
            assert error.code in {"DBS.201201", "DBS.200019", "DBS.201000", "DBS.201014", "DBS.200018"}  # noqa: PT017
            return multiple()

    @rule(backup_id=made)
    def delete(self, backup_id: str) -> None:
        """Delete a backup, or get a documented error."""
        try:
            backups.delete(self.cloud.dds, [backup_id])
        except CloudError as error:
            assert error.code in {"DBS.201214", "DBS.201014", "DBS.200019"}  # noqa: PT017

    @rule(backup_id=made)
    def stop(self, backup_id: str) -> None:
        """Stop a backup, or get a documented error."""
        try:
            backups.stop(self.cloud.dds, backup_id)
        except CloudError as error:
            assert error.code in {"DBS.201214", "DBS.201014"}  # noqa: PT017

    @rule(instance_id=INSTANCES, days=st.sampled_from([0, 1, 30]), hour=st.integers(0, 22))
    def set_policy(self, instance_id: str, days: int, hour: int) -> None:
        """Enable or disable automatic backups, or change their hour."""
        window = f"{hour:02}:00-{hour + 1:02}:00"
        new = NewPolicy(keep_days=days, start_time=window, period="1,2,3,4,5,6,7") if days else NewPolicy(keep_days=0)
        try:
            backups.set_policy(self.cloud.dds, instance_id, new)
        except CloudError as error:
            assert error.status == 403  # noqa: PT017

    @rule(seconds=st.sampled_from([1, 30, 300, 3600, 86_400, 40 * 86_400]))
    def advance(self, seconds: int) -> None:
        """Move the clock forward."""
        asyncio.run(self.cloud.advance(seconds))

    @rule()
    def restart(self) -> None:
        """A restart does not change the state."""
        before = snapshot(self.cloud.dds)
        self.cloud.store.close()
        self.cloud = self.start()
        assert snapshot(self.cloud.dds) == before

    @invariant()
    def one_backup_at_a_time(self) -> None:
        """No instance has two running backups."""
        building = Counter(
            backup["instance_id"] for backup in snapshot(self.cloud.dds)["backups"] if backup["status"] == "BUILDING"
        )
        assert set(building.values()) <= {1}

    @invariant()
    def names_are_unique(self) -> None:
        """No two backups of the project have the same name."""
        names = [backup["name"] for backup in snapshot(self.cloud.dds)["backups"]]
        assert len(set(names)) == len(names)

    @invariant()
    def status_moves_forward(self) -> None:
        """A backup goes from BUILDING to COMPLETED or FAILED, then to DISABLED, then it is gone. Its begin stays."""
        now = {backup["id"]: backup for backup in snapshot(self.cloud.dds)["backups"]}
        for backup_id, before in self.before.items():
            status = before["status"].value if before else None
            after = now.get(backup_id)
            reachable = NEXT[status] | NEXT["COMPLETED"] if status == "BUILDING" else NEXT[status]
            assert (after["status"].value if after else None) in reachable
            assert after is None or before is None or after["begin_time"] == before["begin_time"]
        self.before = dict.fromkeys(self.before) | now

    @invariant()
    def jobs_match_backups(self) -> None:
        """The job of a BUILDING, COMPLETED or FAILED backup is Running, Completed or Failed."""
        state = snapshot(self.cloud.dds)
        jobs = {job["id"]: job["status"] for job in state["jobs"]}
        ends = {"BUILDING": "Running", "COMPLETED": "Completed", "FAILED": "Failed"}
        for backup in state["backups"]:
            if backup["status"].value in ends:
                assert jobs[backup["job_id"]] == ends[backup["status"].value]

    def teardown(self) -> None:
        """Release the file."""
        self.cloud.store.close()
        shutil.rmtree(self.folder)


TestLocalDds = LocalDds.TestCase
TestLocalDds.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, derandomize=True, database=None
)
