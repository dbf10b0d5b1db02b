"""Restoring to a new instance: what is required, what is refused, how long it takes, and what is busy meanwhile."""

from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import huaweicloudsdkdds.v3 as sdk
import pytest

from localcloud import LocalCloud
from tests.localcloud.instances_sdk import (
    CLUSTER,
    CUSTOMERS,
    KEPT,
    ORDERS,
    REPLICA,
    SCRATCH,
    SINGLE,
    UNKNOWN,
    created,
    creation,
    delete,
    job,
    restore,
    show,
    tasks,
)
from tests.localcloud.sdk import new_backup, rejection


RESTORE_SECONDS = 480 + 2.5 * 1024 / 40  # a replica set, and 2.5 GB at 40 MB/s


def changed(flavor: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A flavor with other values; None leaves one out."""
    return {key: value for key, value in (flavor | changes).items() if value is not None}


def test_a_backup_becomes_an_instance(cloud: LocalCloud, dds: Any) -> None:
    """A restored instance is of the mode and version of its source, and has what was asked for."""
    zone = "cn-north-4c"
    version = show(dds, CUSTOMERS).datastore.version
    answer = dds.restore_new_instance(
        restore(
            changed(REPLICA, size="50", spec_code="dds.mongodb.s6.medium.4.repset"),
            name="copy-of-customers",
            availability_zone=zone,
            subnet_id="11111111-2222-3333-4444-555555555555",
            enterprise_project_id="9c1f6a52-7a52-4d52-9c46-3b5f3f5a6d11",
            ssl_option="0",
        )
    )
    assert answer.status_code == 202
    assert (answer.status, answer.mode, answer.datastore.version) == ("creating", "ReplicaSet", version)
    assert (answer.name, answer.backup_strategy.keep_days, answer.order_id) == ("copy-of-customers", "0", None)
    assert show(dds, answer.id).status == "creating"
    assert job(dds, answer.job_id).status == "Running"

    cloud.advance(RESTORE_SECONDS)
    copy = show(dds, answer.id)
    [group] = copy.groups

    assert (copy.status, copy.actions, copy.mode, copy.datastore.version) == ("normal", [], "ReplicaSet", version)
    assert (copy.subnet_id, copy.ssl, copy.pay_mode) == ("11111111-2222-3333-4444-555555555555", 0, "0")
    assert copy.enterprise_project_id == "9c1f6a52-7a52-4d52-9c46-3b5f3f5a6d11"
    assert (group.volume.size, {node.availability_zone for node in group.nodes}) == ("50", {zone})
    assert {node.spec_code for node in group.nodes} == {"dds.mongodb.s6.medium.4.repset"}
    assert (copy.tags, copy.backup_strategy.keep_days) == ([], 0)
    assert job(dds, answer.job_id).status == "Completed"


def test_it_takes_the_creation_and_the_size(cloud: LocalCloud, dds: Any) -> None:
    """A restore takes the time of a creation, and that of its data at 40 MB/s. Both can be scaled."""
    first = dds.restore_new_instance(restore())
    cloud.advance(RESTORE_SECONDS - 5)
    assert show(dds, first.id).status == "creating"
    cloud.advance(10)
    assert show(dds, first.id).status == "normal"

    cloud.switch(duration_scale=0, restore_rate=25.6)
    second = dds.restore_new_instance(restore())
    cloud.advance(95)
    assert show(dds, second.id).status == "creating"
    cloud.advance(10)
    assert show(dds, second.id).status == "normal"


def test_the_task_list_remembers_it(cloud: LocalCloud, dds: Any) -> None:
    """The task has the name of the mode, and id and name of the new instance. It is listed for 30 days."""
    answer = dds.restore_new_instance(restore(name="drill-1"))
    single = sdk.RestorePoint(backup_id=dds.create_manual_backup(new_backup(SCRATCH)).backup_id)
    cloud.advance(3600)
    dds.restore_new_instance(restore(SINGLE, restore_point=single))
    now = datetime.now(timezone.utc)
    begin, end = (f"{time:%Y-%m-%dT%H:%M:%S}+0000" for time in (now - timedelta(days=1), now + timedelta(days=1)))
    listed = dds.list_tasks(
        sdk.ListTasksRequest(start_time=begin, end_time=end, name="RestoreMongoDB_Replica", status="Completed")
    ).jobs

    assert [(one.instance_id, one.instance_name, one.id) for one in listed] == [(answer.id, "drill-1", answer.job_id)]
    assert [one["status"] for one in tasks(cloud, "RestoreMongoDB_Replica_Single")] == ["Running"]


def test_the_source_is_busy_meanwhile(cloud: LocalCloud, dds: Any) -> None:
    """While it is restored, a source allows no backup and no second restore, and its backups cannot be deleted."""
    dds.restore_new_instance(restore())
    busy = (403, "DBS.200019")
    listed = dds.list_backups(sdk.ListBackupsRequest(instance_id=CUSTOMERS)).backups

    assert show(dds, CUSTOMERS).actions == ["RESTORE_TO_NEW_INSTANCE"]
    assert {backup.is_instance_restoring for backup in listed} == {True}
    assert rejection(dds.create_manual_backup, new_backup(CUSTOMERS)) == busy
    assert rejection(dds.restore_new_instance, restore(name="again")) == busy
    assert rejection(delete, dds, CUSTOMERS) == busy
    for backup in listed:
        request = sdk.DeleteManualBackupRequest(backup_id=backup.id)
        assert rejection(dds.delete_manual_backup, request) == (400, "DBS.201319")

    cloud.advance(RESTORE_SECONDS)
    assert show(dds, CUSTOMERS).actions == []
    assert dds.create_manual_backup(new_backup(CUSTOMERS)).backup_id


def test_a_busy_source_is_not_restored(cloud: LocalCloud, dds: Any) -> None:
    """A source that is being backed up, or does something else, refuses a restore."""
    dds.create_manual_backup(new_backup(CUSTOMERS))
    assert rejection(dds.restore_new_instance, restore()) == (403, "DBS.200019")
    cloud.advance(3600)
    cloud.change_instance(CUSTOMERS, actions=["RESIZE_FLAVOR"])
    assert rejection(dds.restore_new_instance, restore()) == (403, "DBS.200019")
    assert len(cloud.state()["instances"]) == 15


def test_the_source_need_not_exist(cloud: LocalCloud, dds: Any) -> None:
    """A manual backup outlives its instance and can be restored. It cannot be deleted while it is."""
    orphan = "9a6b3c5d2e1f40879d8c7b6a5f4e3d21br02"
    answer = dds.restore_new_instance(restore(restore_point=sdk.RestorePoint(backup_id=orphan)))
    request = sdk.DeleteManualBackupRequest(backup_id=orphan)

    assert rejection(dds.delete_manual_backup, request) == (400, "DBS.201319")
    cloud.advance(3600)
    assert show(dds, answer.id).status == "normal"
    assert dds.delete_manual_backup(request).job_id


def test_a_cluster_is_restored(cloud: LocalCloud, dds: Any) -> None:
    """A cluster is restored with as many shards as it had. Their number may be left out."""
    backup_id = dds.create_manual_backup(new_backup(ORDERS)).backup_id
    cloud.advance(3600)
    mongos, shard, config = CLUSTER
    point = sdk.RestorePoint(backup_id=backup_id)
    answer = dds.restore_new_instance(
        restore(mongos, changed(shard, num=None), config, restore_point=point, availability_zone="cn-north-4b")
    )
    cloud.advance(3600)
    groups = show(dds, answer.id).groups

    assert [group.type for group in groups] == ["mongos", "shard", "shard", "config"]
    assert [group.volume and group.volume.size for group in groups] == [None, "80", "80", "20"]
    assert tasks(cloud, "RestoreMongoDB")[0]["instance_id"] == answer.id
    more = restore(mongos, changed(shard, num="3"), config, restore_point=point)
    assert rejection(dds.restore_new_instance, more) == (400, "DBS.280123")


@pytest.mark.parametrize(
    ("flavors", "code"),
    [
        ([changed(REPLICA, size="30")], "DBS.200306"),
        ([changed(REPLICA, size="45")], "DBS.200302"),
        ([changed(REPLICA, size="2010")], "DBS.280242"),
        ([changed(REPLICA, num="3")], "DBS.280123"),
        ([changed(REPLICA, num=None)], "DBS.280123"),
        ([changed(REPLICA, spec_code="dds.mongodb.c9.huge.repset")], "DBS.200053"),
        ([changed(REPLICA, spec_code="dds.mongodb.c6.large.2.single")], "DBS.280267"),
        ([SINGLE], "DBS.280327"),
        ([*CLUSTER], "DBS.280327"),
        ([REPLICA, REPLICA], "DBS.280327"),
    ],
)
def test_wrong_nodes_are_refused(dds: Any, flavors: list[dict[str, Any]], code: str) -> None:
    """Nodes of the source's mode, with a disk in tens that is not below the source's, of a specification on offer."""
    assert rejection(dds.restore_new_instance, restore(*flavors)) == (400, code)


def test_the_disk_is_that_of_the_source_by_itself(dds: Any) -> None:
    """A disk that is left out is as large as the source's."""
    answer = dds.restore_new_instance(restore(changed(REPLICA, size=None)))

    assert [flavor.size for flavor in answer.flavor] == ["40"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "abc"}, (400, "DBS.280234")),
        ({"name": "1-copy"}, (400, "DBS.280234")),
        ({"name": None}, (400, "DBS.200001")),
        ({"availability_zone": None}, (400, "DBS.200001")),
        ({"availability_zone": "eu-west-0a"}, (400, "DBS.280244")),
        ({"availability_zone": "cn-north-4a,cn-north-4a,cn-north-4b"}, (400, "DBS.280244")),
        ({"vpc_id": "my-vpc"}, (400, "DBS.280247")),
        ({"vpc_id": None}, (400, "DBS.200001")),
        ({"subnet_id": "x"}, (400, "DBS.280248")),
        ({"subnet_id": None}, (400, "DBS.200001")),
        ({"security_group_id": "x"}, (400, "DBS.280249")),
        ({"security_group_id": None}, (400, "DBS.200001")),
        ({"flavor": None}, (400, "DBS.200001")),
        ({"ssl_option": "yes"}, (400, "DBS.239011")),
        ({"enterprise_project_id": "drills"}, (403, "DBS.280433")),
        ({"disk_encryption_id": "key"}, (400, "DBS.280438")),
        ({"password": "Sh#1abc"}, (400, "DBS.200052")),
        ({"password": "nocapitals#1"}, (400, "DBS.200052")),
        ({"password": "Spaces are#1"}, (400, "DBS.280200")),
        ({"backup_strategy": sdk.BackupStrategy(keep_days="0")}, (400, "DBS.200001")),
        ({"backup_strategy": sdk.BackupStrategy(start_time="01:00-03:00")}, (400, "DBS.280216")),
        ({"backup_strategy": sdk.BackupStrategy(start_time="01:07-02:07")}, (400, "DBS.280216")),
        ({"backup_strategy": sdk.BackupStrategy(start_time="01:00-02:00", keep_days="733")}, (400, "DBS.280214")),
        ({"charge_info": sdk.ChargeInfoOption(charge_mode="free")}, (400, "DBS.280365")),
        ({"charge_info": sdk.ChargeInfoOption(charge_mode="prePaid", period_type="month")}, (400, "DBS.280365")),
        ({"restore_point": sdk.RestorePoint()}, (400, "DBS.200001")),
        ({"restore_point": sdk.RestorePoint(type="timestamp", instance_id=CUSTOMERS)}, (400, "DBS.200001")),
        ({"restore_point": sdk.RestorePoint(type="copy", backup_id=KEPT)}, (400, "DBS.200001")),
        ({"restore_point": sdk.RestorePoint(backup_id="0" * 32 + "br02")}, (400, "DBS.201214")),
        ({"restore_point": sdk.RestorePoint(backup_id=KEPT, instance_id=ORDERS)}, (400, "DBS.201214")),
        ({"restore_point": sdk.RestorePoint(backup_id="0c7d1e5f8a934b26b6e0f2d4c8a19375br02")}, (400, "DBS.280124")),
        (
            {"restore_point": sdk.RestorePoint(type="timestamp", instance_id=UNKNOWN, restore_time="1700000000000")},
            (404, "DBS.200002"),
        ),
        (
            {"restore_point": sdk.RestorePoint(type="timestamp", instance_id=CUSTOMERS, restore_time="1700000000000")},
            (400, "DBS.280409"),
        ),
        (
            {"restore_point": sdk.RestorePoint(type="timestamp", instance_id=SCRATCH, restore_time="1700000000000")},
            (400, "DBS.280343"),
        ),
    ],
)
def test_wrong_requests_are_refused(
    cloud: LocalCloud, dds: Any, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    """A request that lacks what is required, or has an invalid value, makes no instance."""
    assert rejection(dds.restore_new_instance, restore(**changes)) == expected
    assert len(cloud.state()["instances"]) == 15
    assert cloud.state()["restores"] == []


def test_a_restore_takes_no_tags(http: httpx.Client, project: str) -> None:
    """Only the request for an empty instance has tags."""
    body = restore().body.to_dict() | {"tags": [{"key": "a", "value": "b"}]}
    response = http.post(f"{project}/instances", json={key: value for key, value in body.items() if value is not None})

    assert (response.status_code, response.json()["error_code"]) == (400, "DBS.200001")


def test_numbers_may_be_numbers(http: httpx.Client, project: str) -> None:
    """Number and size of nodes are text in the SDK and numbers in the documents. Both are accepted."""
    body = {key: value for key, value in restore().body.to_dict().items() if value is not None}
    body["flavor"] = [REPLICA | {"num": 1, "size": 40}]

    assert http.post(f"{project}/instances", json=body).status_code == 202


def test_automatic_backups_are_on_by_themselves(cloud: LocalCloud, dds: Any) -> None:
    """Without a strategy a new instance has automatic backups for 7 days, and the first one at once."""
    answer = dds.restore_new_instance(restore(backup_strategy=None))
    cloud.advance(RESTORE_SECONDS)
    policy = dds.show_backup_policy(sdk.ShowBackupPolicyRequest(instance_id=answer.id)).backup_policy
    [first] = [backup for backup in cloud.backups() if backup["instance_id"] == answer.id]

    assert (policy.keep_days, policy.period, policy.enable_incremental_backup) == (7, "1,2,3,4,5,6,7", True)
    assert (first["type"], first["status"]) == ("Auto", "BUILDING")
    assert show(dds, answer.id).actions == ["BACKUP"]


def test_a_jump_over_everything(cloud: LocalCloud, dds: Any) -> None:
    """A jump of the clock over the end of a creation, and days of backups after it, leaves out nothing."""
    answer = dds.restore_new_instance(restore(backup_strategy=sdk.BackupStrategy(start_time="01:00-02:00")))
    cloud.advance(3 * 86_400)
    found = [backup for backup in cloud.backups() if backup["instance_id"] == answer.id]

    assert len(found) in {3, 4}
    assert {backup["type"] for backup in found} == {"Auto"}


def test_a_restore_to_a_time(cloud: LocalCloud, dds: Any) -> None:
    """An instance with automatic backups can be restored to a time in the periods that it lists, at 30 MB/s."""
    now = datetime.now(timezone.utc)
    noon = (now + timedelta(days=1)).replace(hour=12)
    cloud.advance((noon - now).total_seconds())  # the periods of a day end at midnight
    source = created(cloud, dds, backup_strategy=None, name="source")
    cloud.advance(3600)
    today = f"{noon:%Y-%m-%d}"
    [period] = dds.list_restore_times(sdk.ListRestoreTimesRequest(instance_id=source, date=today)).restore_time

    def to(time: int) -> Any:
        point = sdk.RestorePoint(type="timestamp", instance_id=source, restore_time=str(time))
        return restore(restore_point=point)

    assert period.end_time % 300_000 == 0
    assert rejection(dds.restore_new_instance, to(period.start_time - 1)) == (400, "DBS.280409")
    assert rejection(dds.restore_new_instance, to(period.end_time + 1)) == (400, "DBS.280409")
    copy = dds.restore_new_instance(to(period.end_time))
    assert show(dds, source).actions == ["RESTORE_TO_NEW_INSTANCE"]
    cloud.advance(3600)
    assert show(dds, copy.id).status == "normal"
    assert tasks(cloud, "RestoreMongoDB_Replica_PITR")[0]["instance_id"] == copy.id


@pytest.mark.parametrize(
    ("fault", "status", "task"),
    [
        ({"ends_as": "createfail"}, "createfail", "Failed"),
        ({"ends_as": "abnormal"}, "abnormal", "Completed"),
        ({"never_ends": True}, "creating", "Running"),
    ],
)
def test_an_instance_that_does_not_start(
    cloud: LocalCloud, dds: Any, fault: dict[str, Any], status: str, task: str
) -> None:
    """A faulty backup ends in an instance that fails, is abnormal, or is created forever. The source is free again."""
    cloud.set_backup_fault(KEPT, **fault)
    answer = dds.restore_new_instance(restore())
    cloud.advance(86_400)

    assert show(dds, answer.id).status == status
    assert job(dds, answer.job_id).status == task
    assert show(dds, CUSTOMERS).actions == []


def test_a_failed_instance_can_be_deleted_and_one_that_is_created_cannot(cloud: LocalCloud, dds: Any) -> None:
    """An instance that is being created refuses to be deleted. Once its creation has failed it can be."""
    cloud.set_backup_fault(KEPT, never_ends=True)
    answer = dds.restore_new_instance(restore())
    cloud.advance(86_400)
    assert rejection(delete, dds, answer.id) == (403, "DBS.201000")

    cloud.change_instance(answer.id, status="createfail")
    delete(dds, answer.id)
    cloud.advance(3600)
    assert show(dds, answer.id) is None


def test_a_fault_can_end(cloud: LocalCloud, dds: Any) -> None:
    """A fault without fields is none. Unknown backups and fields are refused."""
    cloud.set_backup_fault(KEPT, ends_as="createfail")
    cloud.set_backup_fault(KEPT)
    answer = dds.restore_new_instance(restore())
    cloud.advance(3600)

    assert show(dds, answer.id).status == "normal"
    with pytest.raises(ValueError, match="there is no backup x"):
        cloud.set_backup_fault("x", ends_as="createfail")
    with pytest.raises(ValueError, match="unknown field: breaks"):
        cloud.set_backup_fault(KEPT, breaks=True)
    with pytest.raises(ValueError, match="exclude each other"):
        cloud.set_backup_fault(KEPT, never_ends=True, ends_as="abnormal")


def test_over_an_instance(cloud: LocalCloud, dds: Any) -> None:
    """A backup can be restored over its own instance, which is busy meanwhile, and over no other."""

    def over(target: str, **source: Any) -> Any:
        return sdk.RestoreInstanceRequest(
            body=sdk.RestoreInstanceRequestBody(
                source=sdk.Source(**{"instance_id": CUSTOMERS, "backup_id": KEPT} | source),
                target=sdk.Target(instance_id=target),
            )
        )

    assert rejection(dds.restore_instance, over(ORDERS)) == (400, "DBS.280343")
    assert rejection(dds.restore_instance, over(CUSTOMERS, backup_id=None)) == (400, "DBS.200001")
    answer = dds.restore_instance(over(CUSTOMERS))
    assert show(dds, CUSTOMERS).actions == ["RESTORING"]
    assert rejection(dds.restore_instance, over(CUSTOMERS)) == (403, "DBS.200019")
    cloud.advance(3600)
    assert job(dds, answer.job_id).name == "MongodbRestoreData2CurrentInstance"
    assert show(dds, CUSTOMERS).actions == []


def test_prepaid_is_possible(cloud: LocalCloud, dds: Any) -> None:
    """A restored instance is billed by use, unless it is asked to be billed monthly. Then it cannot be deleted."""
    charge = sdk.ChargeInfoOption(charge_mode="prePaid", period_type="month", period_num=1)
    answer = dds.restore_new_instance(restore(charge_info=charge))
    cloud.advance(3600)

    assert answer.order_id
    assert show(dds, answer.id).pay_mode == "1"
    assert rejection(delete, dds, answer.id) == (403, "DBS.280406")


def test_the_quota_ends_it(cloud: LocalCloud, dds: Any) -> None:
    """A project has no more instances of a mode than its quota. Instances that are being created count."""
    for number in range(6):
        dds.create_instance(creation(*CLUSTER, mode="Sharding", name=f"cluster-{number}"))
    assert rejection(dds.create_instance, creation(*CLUSTER, mode="Sharding")) == (400, "DBS.280280")
