"""Creating an empty instance, restarting, renaming and deleting it, its password, and the recycle bin."""

from pathlib import Path
from typing import Any

import huaweicloudsdkdds.v3 as sdk
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from localcloud import LocalCloud
from localcloud.dds.instance_schemas import NewFlavor
from localcloud.dds.model import Instance
from localcloud.dds.nodes import check_flavors, check_restored
from localcloud.dds.recycle_bin import PLACES, RecycleBin
from localcloud.errors import CloudError
from localcloud.store import Store
from tests.localcloud.instances_sdk import (
    CLUSTER,
    CUSTOMERS,
    KEPT,
    NO_BACKUPS,
    ORDERS,
    REPLICA,
    SCRATCH,
    SINGLE,
    UNKNOWN,
    created,
    creation,
    delete,
    job,
    password,
    restart,
    restore,
    show,
    tasks,
)
from tests.localcloud.sdk import build, new_backup, rejection


ABNORMAL = "c6d9e2f10a8b4375916cfb3d84e7a50fin02"
CREATING = "18e4b7c93d5f4a60b2f1a5d6e07c984bin02"
FAILED = "7c1e9a04b8d24f53965ae0c7f2b3d816in02"


@pytest.mark.parametrize(
    ("flavors", "mode", "version", "task", "engine"),
    [
        ((REPLICA,), "ReplicaSet", "4.4", "CreateMongoDBReplica", "rocksDB"),
        ((SINGLE,), "Single", "4.0", "CreateMongoDBReplicaSingle", "wiredTiger"),
        (CLUSTER, "Sharding", "5.0", "CreateMongoDB", "rocksDB"),
    ],
)
def test_an_empty_instance(
    cloud: LocalCloud, dds: Any, flavors: tuple[dict[str, Any], ...], mode: str, version: str, task: str, engine: str
) -> None:
    """An instance of each mode is created in minutes, with a task of its own name, and its tags."""
    tags = [sdk.TagWithKeyValue(key="env", value="test")]
    answer = dds.create_instance(creation(*flavors, mode=mode, version=version, tags=tags, port="27017"))
    assert (answer.status_code, answer.status, answer.port) == (202, "creating", 27017)
    cloud.advance(360)
    assert job(dds, answer.job_id).name == task
    cloud.advance(13 * 60)
    made = show(dds, answer.id)

    assert (made.status, made.mode, made.datastore.version, made.engine) == ("normal", mode, version, engine)
    assert [(tag.key, tag.value) for tag in made.tags] == [("env", "test")]
    assert job(dds, answer.job_id).status == "Completed"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mode": "Cluster"}, "DBS.280342"),
        ({"mode": "Single", "version": "5.0"}, "DBS.280342"),
        ({"version": "3.2"}, "DBS.200041"),
        (
            {"datastore": sdk.Datastore(type="DDS-Community", version="4.4", storage_engine="wiredTiger")},
            "DBS.280122",
        ),
        ({"datastore": None}, "DBS.200001"),
        ({"region": None}, "DBS.200001"),
        ({"mode": None}, "DBS.200001"),
        ({"port": "80"}, "DBS.200060"),
        ({"tags": [sdk.TagWithKeyValue(key="a b", value="")]}, "DBS.280482"),
        ({"flavor": [sdk.CreateInstanceFlavorOption(**REPLICA, storage="FLOPPY")]}, "DBS.280241"),
        ({"flavor": [sdk.CreateInstanceFlavorOption(**(REPLICA | {"size": None}))]}, "DBS.200306"),
    ],
)
def test_wrong_requests(cloud: LocalCloud, dds: Any, changes: dict[str, Any], code: str) -> None:
    """A request for an empty instance that lacks something or has an invalid value is refused."""
    assert rejection(dds.create_instance, creation(**changes)) == (400, code)
    assert len(cloud.state()["instances"]) == 15


def test_names_may_repeat(cloud: LocalCloud, dds: Any) -> None:
    """Two instances may have the same name, unless names are unique as in older regions."""
    first = created(cloud, dds)
    second = created(cloud, dds)
    cloud.switch(unique_instance_names=True)
    rename = sdk.UpdateInstanceNameRequest(
        instance_id=second, body=sdk.UpdateNameRequestBody(new_instance_name="customers")
    )

    assert first != second
    assert rejection(dds.create_instance, creation()) == (400, "DBS.280234")
    assert rejection(dds.update_instance_name, rename) == (400, "DBS.280234")


FLAVORS = st.builds(
    NewFlavor,
    type=st.sampled_from(["replica", "single", "shard", "mongos", "config"]),
    num=st.integers(0, 20) | st.none(),
    size=st.integers(0, 2100) | st.none(),
    spec_code=st.sampled_from([REPLICA["spec_code"], SINGLE["spec_code"], "dds.mongodb.c9.x.repset"]),
)


@given(flavor=FLAVORS, disk=st.integers(1, 200).map(lambda number: 10 * number))
@example(flavor=NewFlavor(type="replica", num=1, size=40, spec_code=REPLICA["spec_code"]), disk=40)
@example(flavor=NewFlavor(type="replica", num=1, size=40, spec_code=REPLICA["spec_code"]), disk=50)
def test_a_disk_is_in_tens_and_not_below_the_source(flavor: NewFlavor, disk: int) -> None:
    """Whatever nodes are asked for, those of a restore have disks in tens, in range, and not below the source's."""
    try:
        [made] = check_restored([flavor], "ReplicaSet", disk, None)
    except CloudError as error:
        assert error.status == 400  # noqa: PT017
        fits = (flavor.type, flavor.num, flavor.spec_code) == ("replica", 1, REPLICA["spec_code"])
        assert not fits or (flavor.size is not None and (flavor.size % 10 or not disk <= flavor.size <= 2000))
    else:
        assert made.disk_gb >= disk
        assert made.disk_gb % 10 == 0
        assert made.disk_gb <= 2000


def test_nodes_of_one_series() -> None:
    """All nodes of a cluster are of one series."""
    mongos, shard, config = (NewFlavor(**flavor) for flavor in CLUSTER)
    mixed = mongos.model_copy(update={"spec_code": "dds.mongodb.s6.large.2.mongos"})

    assert len(check_flavors([mongos, shard, config], "Sharding")) == 3
    with pytest.raises(CloudError, match=r"DBS\.280267"):
        check_flavors([mixed, shard, config], "Sharding")


def test_deleting(cloud: LocalCloud, dds: Any) -> None:
    """A deleted instance is busy, then gone. It keeps its manual backups, and loses the automatic ones."""
    instance_id = created(cloud, dds, backup_strategy=None)
    cloud.advance(60)
    manual = dds.create_manual_backup(new_backup(instance_id)).backup_id
    cloud.advance(60)
    answer = delete(dds, instance_id)
    assert show(dds, instance_id).actions == ["DELETE_INSTANCE"]
    assert rejection(delete, dds, instance_id) == (403, "DBS.200019")
    assert rejection(restart, dds, instance_id) == (403, "DBS.200019")
    assert job(dds, answer.job_id).status == "Running"
    cloud.advance(180)

    assert show(dds, instance_id) is None
    assert rejection(delete, dds, instance_id) == (404, "DBS.200002")
    assert [one["id"] for one in cloud.backups() if one["instance_id"] == instance_id] == [manual]
    assert job(dds, answer.job_id).status == "Completed"
    copy = dds.restore_new_instance(restore(restore_point=sdk.RestorePoint(backup_id=manual)))
    assert copy.status == "creating"


@pytest.mark.parametrize(
    ("instance_id", "expected"),
    [
        (ORDERS, (403, "DBS.280406")),
        (CREATING, (403, "DBS.201000")),
        (UNKNOWN, (404, "DBS.200002")),
        ("orders", (400, "DBS.280404")),
    ],
)
def test_what_cannot_be_deleted(dds: Any, instance_id: str, expected: tuple[int, str]) -> None:
    """Instances that are billed monthly, those that are being created, and those that do not exist."""
    assert rejection(delete, dds, instance_id) == expected


def test_the_recycle_bin(cloud: LocalCloud, dds: Any) -> None:
    """A deleted instance is in the recycle bin for 7 days, or for as long as the policy was when it was deleted."""
    first = created(cloud, dds, name="first")
    second = created(cloud, dds, name="second")
    delete(dds, first)
    cloud.advance(3600)
    policy = sdk.RecyclePolicyRequestBody(sdk.RecyclePolicy(enabled=True, retention_period_in_days=1))
    dds.set_recycle_policy(sdk.SetRecyclePolicyRequest(body=policy))
    delete(dds, second)
    cloud.advance(3600)

    def names() -> list[str]:
        found = dds.list_recycle_instances(sdk.ListRecycleInstancesRequest())
        assert found.total_count == len(found.instances)
        return [one.name for one in found.instances]

    shown = dds.show_recycle_policy(sdk.ShowRecyclePolicyRequest()).recycle_policy
    assert (shown.enabled, shown.retention_period_in_days) == (True, 1)
    assert names() == ["second", "first"]
    assert [one["name"] for one in cloud.state()["recycle_bin"]] == ["second", "first"]
    cloud.advance(86_400)
    assert names() == ["first"]
    cloud.advance(6 * 86_400)
    assert names() == []


@pytest.mark.parametrize("days", [0, 8])
def test_the_bin_keeps_one_to_seven_days(dds: Any, days: int) -> None:
    """Other policies are refused, and the bin cannot be disabled."""
    policy = sdk.RecyclePolicy(enabled=True, retention_period_in_days=days)
    request = sdk.SetRecyclePolicyRequest(body=sdk.RecyclePolicyRequestBody(policy))
    disabled = sdk.SetRecyclePolicyRequest(body=sdk.RecyclePolicyRequestBody(sdk.RecyclePolicy(enabled=False)))

    assert rejection(dds.set_recycle_policy, request) == (400, "DBS.200001")
    assert rejection(dds.set_recycle_policy, disabled) == (400, "DBS.200001")


def test_a_full_bin_takes_nothing() -> None:
    """The bin has 100 places. What is deleted while it is full is gone for good, until one has expired."""
    recycled = RecycleBin(Store())
    for number in range(PLACES + 5):
        recycled.put(Instance(f"{number}", "a", "ReplicaSet", "normal", "4.0", 0.0), float(number))
    assert [one.id for one in recycled.at(1000.0)] == [f"{number}" for number in reversed(range(PLACES))]

    week = 7 * 86_400.0
    recycled.put(Instance("late", "a", "ReplicaSet", "normal", "4.0", 0.0), week)
    assert recycled.at(week)[0].id == "late"


@pytest.mark.parametrize(
    ("instance_id", "task"),
    [
        (ORDERS, "RestartInstance"),
        (CUSTOMERS, "RestartReplicaSetInstance"),
        (SCRATCH, "RestartReplicaSingleInstance"),
    ],
)
def test_restarting(cloud: LocalCloud, dds: Any, instance_id: str, task: str) -> None:
    """An instance is busy with a restart for a minute or two. The task list has it under the name of the mode."""
    restart(dds, instance_id)
    restarting = show(dds, instance_id)
    assert restarting.actions == ["RESTARTING"]
    assert {node.status for group in restarting.groups for node in group.nodes} == {"reboot"}
    assert rejection(restart, dds, instance_id) == (403, "DBS.200019")
    assert rejection(dds.create_manual_backup, new_backup(instance_id)) == (403, "DBS.200019")
    cloud.advance(120)

    assert (show(dds, instance_id).actions, show(dds, instance_id).status) == ([], "normal")
    assert [(one["instance_id"], one["status"]) for one in tasks(cloud, task)] == [(instance_id, "Completed")]


def test_restarting_a_part(cloud: LocalCloud, dds: Any) -> None:
    """A group or node of a cluster is restarted alone, except a primary node that is normal."""
    shard = next(group for group in show(dds, ORDERS).groups if group.type == "shard")
    nodes = {node.role: node.id for node in shard.nodes}
    wrong = {"target_type": "shard", "target_id": "0" * 32 + "gr02"}

    assert rejection(lambda: restart(dds, ORDERS, **wrong)) == (404, "DBS.200013")
    assert rejection(lambda: restart(dds, ORDERS, target_type="shard", target_id=nodes["Primary"])) == (
        403,
        "DBS.200018",
    )
    restart(dds, ORDERS, target_type="shard", target_id=nodes["Secondary"])
    cloud.advance(120)
    restart(dds, ORDERS, target_type="shard", target_id=shard.id)
    assert (len(tasks(cloud, "RestartNode")), len(tasks(cloud, "RestartGroup"))) == (1, 1)


def test_only_a_normal_instance_is_restarted(dds: Any) -> None:
    """An instance in another state is not restarted, and its password is not changed."""
    for instance_id in (ABNORMAL, CREATING, FAILED):
        assert rejection(restart, dds, instance_id) == (403, "DBS.201000")
        assert rejection(dds.reset_password, password(instance_id)) == (403, "DBS.201000")


def test_renaming(dds: Any) -> None:
    """An instance gets another name, unless it is being created or its creation failed."""

    def to(name: str, instance_id: str = CUSTOMERS) -> Any:
        body = sdk.UpdateNameRequestBody(new_instance_name=name)
        return sdk.UpdateInstanceNameRequest(instance_id=instance_id, body=body)

    dds.update_instance_name(to("clients"))
    assert show(dds, CUSTOMERS).name == "clients"
    assert rejection(dds.update_instance_name, to("x")) == (400, "DBS.280234")
    assert rejection(dds.update_instance_name, to("clients", CREATING)) == (403, "DBS.201000")
    assert rejection(dds.update_instance_name, to("clients", FAILED)) == (403, "DBS.201000")


def test_passwords(cloud: LocalCloud, dds: Any) -> None:
    """The password of rwuser is changed, and the instance busy for a moment. No password is in the log of calls."""
    dds.reset_password(password(CUSTOMERS, "Str0ng#enough"))
    assert show(dds, CUSTOMERS).actions == ["RESET_PASSWORD"]
    assert rejection(restart, dds, CUSTOMERS) == (403, "DBS.200019")
    cloud.advance(2)
    assert show(dds, CUSTOMERS).actions == []
    dds.create_instance(creation(password="Str0ng#enough"))

    assert rejection(dds.reset_password, password(CUSTOMERS, "weak")) == (400, "DBS.200052")
    assert rejection(dds.reset_password, password(CUSTOMERS, "Wh1te space#")) == (400, "DBS.280200")
    assert rejection(dds.reset_password, password(CUSTOMERS, user_name="root")) == (400, "DBS.280292")
    assert "Str0ng#enough" not in str(cloud.requests())


@pytest.mark.filterwarnings("ignore:Method 'list_flavors'")  # the SDK, of the older call
def test_what_is_on_offer(dds: Any) -> None:
    """Specifications for each type of node are on offer, for single nodes not with version 5.0. They are paged."""
    every = dds.list_flavor_infos(sdk.ListFlavorInfosRequest(engine_name="DDS-Community"))
    newest = dds.list_flavor_infos(sdk.ListFlavorInfosRequest(engine_version="5.0"))
    page = dds.list_flavor_infos(sdk.ListFlavorInfosRequest(offset=1, limit=2))
    seeds = {
        node.spec_code
        for instance in dds.list_instances(sdk.ListInstancesRequest()).instances
        for group in instance.groups
        for node in group.nodes
    }

    assert {flavor.type for flavor in every.flavors} == {"mongos", "shard", "config", "replica", "single"}
    assert {flavor.type for flavor in newest.flavors} == {"mongos", "shard", "config", "replica"}
    assert seeds <= {flavor.spec_code for flavor in every.flavors}
    assert [flavor.spec_code for flavor in page.flavors] == [one.spec_code for one in every.flavors[1:3]]
    assert page.total_count == every.total_count == len(every.flavors)
    assert len(dds.list_flavors(sdk.ListFlavorsRequest()).flavors) == every.total_count
    assert dds.list_flavors(sdk.ListFlavorsRequest(region="mars-1")).flavors == []


def test_a_region_without_single_nodes(cloud: LocalCloud, dds: Any) -> None:
    """Where single nodes are not on offer, none is created, and none is restored to a new instance."""
    point = sdk.RestorePoint(backup_id=dds.create_manual_backup(new_backup(SCRATCH)).backup_id)
    cloud.advance(3600)
    cloud.switch(single_nodes=False)

    assert rejection(dds.create_instance, creation(SINGLE, mode="Single")) == (400, "DBS.280342")
    assert rejection(dds.restore_new_instance, restore(SINGLE, restore_point=point)) == (400, "DBS.280342")
    offered = dds.list_flavor_infos(sdk.ListFlavorInfosRequest()).flavors
    assert "single" not in {flavor.type for flavor in offered}


def test_versions(dds: Any) -> None:
    """DDS has versions, and no other database."""
    found = dds.list_datastore_versions(sdk.ListDatastoreVersionsRequest(datastore_name="DDS-Community"))
    other = sdk.ListDatastoreVersionsRequest(datastore_name="MySQL")

    assert found.versions == ["3.4", "4.0", "4.2", "4.4", "5.0"]
    assert rejection(dds.list_datastore_versions, other) == (400, "DBS.280122")


def test_quotas_follow(cloud: LocalCloud, dds: Any) -> None:
    """Instances count from the moment that they are asked for until they are gone."""

    def used() -> int:
        resources = dds.show_quotas(sdk.ShowQuotasRequest()).quotas.resources
        return next(int(one.used) for one in resources if one.mode == "ReplicaSet")

    before = used()
    made = dds.create_instance(creation()).id
    assert used() == before + 1
    cloud.advance(3600)
    delete(dds, made)
    assert used() == before + 1
    cloud.advance(3600)
    assert used() == before


def test_no_times_without_automatic_backups(cloud: LocalCloud, dds: Any) -> None:
    """Without incremental backups there is no time to restore to, for a single node no such call, and no wrong date."""
    today = "2026-01-01"
    none = dds.list_restore_times(sdk.ListRestoreTimesRequest(instance_id=CUSTOMERS, date=today)).restore_time
    single = sdk.ListRestoreTimesRequest(instance_id=SCRATCH, date=today)
    wrong = sdk.ListRestoreTimesRequest(instance_id=CUSTOMERS, date="yesterday")

    assert none == []
    assert rejection(dds.list_restore_times, single) == (400, "DBS.280343")
    assert rejection(dds.list_restore_times, wrong) == (400, "DBS.280409")


@pytest.mark.slow
def test_a_restart_of_the_cloud(tmp_path: Path) -> None:
    """What was created, deleted and restored is kept in the state file, with its times."""
    state_file = tmp_path / "state.db"
    with LocalCloud(state_file=state_file) as cloud:
        client = build(sdk.DdsClient, cloud)
        made = created(cloud, client, name="kept", backup_strategy=NO_BACKUPS)
        delete(client, CUSTOMERS)
        cloud.advance(3600)
        cloud.set_backup_fault(KEPT, keeps=0.5)
        restoring = client.restore_new_instance(restore()).id
        before = cloud.state()
    with LocalCloud(state_file=state_file) as cloud:
        client = build(sdk.DdsClient, cloud)
        after = cloud.state()
        assert [one["id"] for one in after["recycle_bin"]] == [CUSTOMERS]
        for instance in [*before["instances"], *after["instances"]]:
            instance["uri"] = None  # it listens elsewhere
        assert after["instances"] == before["instances"]
        assert after["restores"] == before["restores"]
        assert next(one for one in after["backups"] if one["id"] == KEPT)["fault"] == {"keeps": 0.5}
        cloud.advance(3600)
        assert (show(client, made).status, show(client, restoring).status) == ("normal", "normal")
