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
from localcloud.dds import backups, lifecycle, restores
from localcloud.dds.instance_schemas import RestartInstance, RestoreNewInstance
from localcloud.dds.schemas import NewPolicy
from localcloud.dds.snapshot import snapshot
from localcloud.dds.specification import NODE_TYPES, SECURITY_GROUP, SUBNET, VPC, usual_flavors
from localcloud.errors import CloudError
from localcloud.seed import load_seed


SEED = load_seed()
INSTANCES = st.sampled_from([instance.id for instance in SEED.instances])
NAMES = st.sampled_from(["nightly", "weekly", "before-release-41", "auto-1"])
NEVER = "18e4b7c93d5f4a60b2f1a5d6e07c984bin02"  # it is being created forever
BODY = {
    "name": "copy",
    "availability_zone": "cn-north-4a",
    "vpc_id": VPC,
    "subnet_id": SUBNET,
    "security_group_id": SECURITY_GROUP,
}
FLAVORS = {
    mode: [
        {"type": flavor.type, "num": flavor.num, "size": flavor.disk_gb, "spec_code": flavor.spec_code}
        for flavor in usual_flavors(mode, 200)
    ]
    for mode in NODE_TYPES
}
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
            assert error.code in {"DBS.201201", "DBS.200019", "DBS.201000", "DBS.201014", "DBS.200018", "DBS.200002"}  # noqa: PT017
            return multiple()

    @rule(backup_id=made)
    def delete(self, backup_id: str) -> None:
        """Delete a backup, or get a documented error."""
        try:
            backups.delete(self.cloud.dds, [backup_id])
        except CloudError as error:
            assert error.code in {"DBS.201214", "DBS.201014", "DBS.200019", "DBS.201319"}  # noqa: PT017

    @rule(backup_id=made)
    def restore(self, backup_id: str) -> None:
        """Restore a backup to a new instance, or get a documented error."""
        try:
            mode = self.cloud.dds.backup(backup_id, self.cloud.dds.present()).instance_mode
            body = RestoreNewInstance.model_validate(
                BODY | {"flavor": FLAVORS[mode], "restore_point": {"backup_id": backup_id}}
            )
            started = restores.restore_new(self.cloud.dds, body)
        except CloudError as error:
            assert error.code in {"DBS.201214", "DBS.280124", "DBS.200019", "DBS.280280"}  # noqa: PT017
        else:
            assert self.cloud.dds.instances.get(started.id) is not None

    @rule(instance_id=INSTANCES)
    def restart_instance(self, instance_id: str) -> None:
        """Restart an instance, or get a documented error."""
        try:
            lifecycle.restart(self.cloud.dds, instance_id, RestartInstance(target_id=instance_id))
        except CloudError as error:
            assert error.code in {"DBS.201000", "DBS.200019", "DBS.200002"}  # noqa: PT017

    @rule(number=st.integers(0, 30))
    def delete_instance(self, number: int) -> None:
        """Delete an instance of the seed or a restored one, or get a documented error."""
        instance_id = [*self.cloud.dds.instances][number % len(self.cloud.dds.instances)].id
        try:
            lifecycle.delete(self.cloud.dds, instance_id)
        except CloudError as error:
            assert error.code in {"DBS.280406", "DBS.201000", "DBS.200019"}  # noqa: PT017

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
            assert error.status in {403, 404}  # noqa: PT017

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
    def one_operation_at_a_time(self) -> None:
        """No instance does two things at once, and one that is being created does nothing else."""
        for instance in snapshot(self.cloud.dds)["instances"]:
            assert len(instance["actions"]) <= (0 if instance["status"] == "creating" else 1)

    @invariant()
    def instances_come_and_go(self) -> None:
        """An instance is being created as long as its job runs. What is in the recycle bin is not listed."""
        state = snapshot(self.cloud.dds)
        running = {job["instance_id"] for job in state["jobs"] if job["status"] == "Running"}
        creating = {one["id"] for one in state["instances"] if one["status"] == "creating"} - {NEVER}
        targets = {restore["target_id"] for restore in state["restores"]}
        listed = {one["id"] for one in state["instances"]}

        assert creating == running & targets - {NEVER}
        assert not listed & {one["id"] for one in state["recycle_bin"]}

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
