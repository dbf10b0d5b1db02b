"""A drill on the local cloud, by the real SDK: the audit sees it begin, end and leak, and pruning keeps its backup."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from localcloud import LocalCloud
from localcloud.seed import SeedBackup, load_seed
from shared.bootstrap import Function, audit_backups, create_backup, prune_backups
from shared.cloud.restores import DdsRestores
from shared.drills import DrillName
from shared.model import Backup
from shared.restore import plan_restore
from tests.cloud.conftest import Adapters, adapters_for
from tests.deliveries import CloudClock
from tests.fakes import FakeContext, Steady
from tests.triggers import documented as doc


INSTANCE = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
POLICY = {"name": "monthly", "instance_ids": [INSTANCE], "expected_interval": "9d", "verified_within": "30d"}
FUNCTIONS: dict[str, Callable[..., Function[Any]]] = {
    "audit": audit_backups,
    "create": create_backup,
    "prune": prune_backups,
}


def start_cloud() -> LocalCloud:
    """Return a local cloud with ten nightly backups of one instance by this application."""
    seed = load_seed()
    ours = [
        SeedBackup(
            id=f"{night:032x}br02",
            name=f"nightly-{night}",
            instance_id=INSTANCE,
            description=f"key:{'0' * 32}",
            days_old=night + 0.5,
        )
        for night in range(10)
    ]
    return LocalCloud(seed=seed.model_copy(update={"backups": (*seed.backups, *ours)}))


class Stage:
    """The functions on a local cloud, whose clock they share."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.connection = cloud.connection()
        self.clock = CloudClock(cloud)
        self.adapters: Adapters = adapters_for(self.connection)

    def deliver(self, name: str, request: dict[str, Any], **settings: str) -> Any:
        """Deliver a timer event to a new instance of a function."""
        connection = self.connection
        given = {
            "NOTIFY_TOPIC_URN": connection["topic_urn"],
            "DDS_ENDPOINT": connection["endpoint"],
            "SMN_ENDPOINT": connection["endpoint"],
            **settings,
        }
        context = FakeContext(
            given,
            access_key=connection["access_key"],
            secret_key=connection["secret_key"],
            security_token=connection["security_token"],
            project_id=connection["project_id"],
        )
        function = FUNCTIONS[name](clock=self.clock, rng=Steady(), environment={})
        event = doc.timer(json.dumps(request), time=self.clock.now().isoformat())
        return function.handle(event, context)

    def totals(self) -> dict[str, Any]:
        """Return the totals of an audit that asks for drills."""
        audit = self.deliver("audit", {"policies": [POLICY]})["audits"][0]
        assert audit["verification"] == {"state": "known"}
        names = ("verified", "verification_pending", "unverified", "leaked_drills")
        return {name: audit["totals"][name] for name in names if audit["totals"][name]}

    def oldest(self) -> Backup:
        """Return the oldest of the nightly backups."""
        listed = self.adapters.dds.list(instance_id=INSTANCE)
        return next(backup for backup in listed if backup.name == "nightly-9")


@pytest.mark.slow
def test_the_functions_see_a_drill_by_what_dds_lists() -> None:
    """No selector chooses its instance, the restart is the mark, and the backup that came back is not pruned."""
    with start_cloud() as cloud:
        stage = Stage(cloud)
        assert stage.totals() == {"unverified": 1}
        source = next(i for i in stage.adapters.instances.list() if i.id == INSTANCE)
        name = str(DrillName.of(stage.clock.now(), stage.oldest().id))
        restores = DdsRestores(stage.adapters.jobs._service)
        copy = restores.restore(plan_restore(source, name, backup=stage.oldest())).instance_id
        assert stage.totals() == {"verification_pending": 1}
        stage.clock.sleep(3600)
        selected = stage.deliver("create", {"select": {"name": "*"}}, ON_BUSY="skip")["results"]
        assert INSTANCE in {result["instance_id"] for result in selected}
        assert copy not in {result["instance_id"] for result in selected}

        restores.restart(copy)
        stage.clock.sleep(1800)

        assert stage.totals() == {"verified": 1}
        (run,) = stage.deliver("prune", {}, RETENTION="last=6", DRY_RUN="false")["runs"]
        fates = {b["name"]: b["reasons"] for i in run["instances"] for b in i["backups"]}
        assert fates["nightly-9"] == ["newest_verified"]
        assert fates["nightly-8"] == ["no_rule"]
        assert stage.oldest().status == "COMPLETED"
        stage.clock.sleep(6 * 3600)
        assert stage.totals() == {"verified": 1, "leaked_drills": 1}
