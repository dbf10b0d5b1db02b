"""What a restored instance holds: what the backup had, what the instance held at a time, and what a fault leaves."""

from datetime import datetime, timezone
from typing import Any

import huaweicloudsdkdds.v3 as sdk
import pymongo
import pymongo.errors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.clock import Clock
from localcloud.cloud import Cloud
from localcloud.dds import backups, databases, instance_schemas, lifecycle, restore_times, restores
from localcloud.dds.content_faults import BackupFault, ContentFault
from localcloud.dds.schemas import NewPolicy
from localcloud.dds.specification import SECURITY_GROUP, SUBNET, VPC
from localcloud.mongo.content import Content
from localcloud.seed import load_seed
from tests.localcloud.instances_sdk import (
    CUSTOMERS,
    KEPT,
    ORDERS,
    REPLICA,
    SCRATCH,
    created,
    password,
    restart,
    restore,
    show,
)
from tests.localcloud.sdk import new_backup, rejection


NOW = 1_700_568_000.0  # a Tuesday at noon
SOURCE = CUSTOMERS


class Time:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    """The time of `here`."""
    return Time()


@pytest.fixture
def here(time: Time) -> Cloud:
    """A cloud without HTTP, whose time stands still."""
    return Cloud(load_seed(), {}, clock=Clock(wall=time))


def request(**point: Any) -> instance_schemas.RestoreNewInstance:
    """The body of a request to restore a replica set."""
    return instance_schemas.RestoreNewInstance.model_validate(
        {
            "name": "copy",
            "availability_zone": "cn-north-4a",
            "vpc_id": VPC,
            "subnet_id": SUBNET,
            "security_group_id": SECURITY_GROUP,
            "flavor": [REPLICA],
            "backup_strategy": {"start_time": "00:00-01:00", "keep_days": 0},
            "restore_point": point,
        }
    )


def add(here: Cloud, instance_id: str, number: int) -> None:
    """Insert a document."""
    here.dds.write(instance_id, here.dds.content(instance_id).insert("shop", "orders", {"_id": number}))


def ids(content: Content) -> list[Any]:
    """The ids of the documents that `add` inserted."""
    collection = content.collection("shop", "orders")
    return [document["_id"] for document in collection.documents()] if collection else []


def test_a_backup_has_the_data_of_its_moment(here: Cloud, time: Time) -> None:
    """A document inserted before the backup is in the restored instance, one inserted while it runs or after is not."""
    add(here, SOURCE, 1)
    backup = backups.create(here.dds, SOURCE, "mine", "")
    time.now += 1
    add(here, SOURCE, 2)
    time.now += 600
    add(here, SOURCE, 3)
    copy = restores.restore_new(here.dds, request(backup_id=backup.id)).id
    add(here, SOURCE, 4)

    assert ids(here.dds.content(copy)) == [1]
    assert ids(here.dds.content(SOURCE)) == [1, 2, 3, 4]


def test_a_copy_is_independent(here: Cloud, time: Time) -> None:
    """What is written to the copy is not in the source, nor in the backup."""
    copy = restores.restore_new(here.dds, request(backup_id=KEPT)).id
    before = here.dds.content(SOURCE), here.dds.content(KEPT)
    time.now += 3600
    add(here, copy, 1)

    assert (here.dds.content(SOURCE), here.dds.content(KEPT)) == before
    assert ids(here.dds.content(copy)) == [1]


def test_a_restore_to_a_time(here: Cloud, time: Time) -> None:
    """An instance restored to a time has what was written until then. The names to restore are those of that time."""
    policy = NewPolicy(keep_days=7, start_time="01:00-02:00", period="1,2,3,4,5,6,7", enable_incremental_backup=True)
    backups.set_policy(here.dds, SOURCE, policy)
    time.now += 900
    here.dds.write(SOURCE, Content().insert("shop", "first", {"_id": 1}))
    time.now += 300
    between = int(time.now * 1000)
    time.now += 300
    here.dds.write(SOURCE, here.dds.content(SOURCE).insert("later", "second", {"_id": 1}))
    time.now += 600
    end = restore_times.restore_times(here.dds, SOURCE, "2023-11-21").restore_time[0].end_time

    def names(at: int) -> list[str]:
        return databases.restore_databases(here.dds, SOURCE, at, 0, 100).databases

    assert (names(between), names(end)) == (["shop"], ["later", "shop"])
    assert databases.restore_databases(here.dds, SOURCE, end, 1, 1).databases == ["shop"]
    assert databases.restore_collections(here.dds, SOURCE, "later", between, 0, 100).collections == []
    assert databases.restore_collections(here.dds, SOURCE, "later", end, 0, 100).collections == ["second"]
    point = {"type": "timestamp", "instance_id": SOURCE, "restore_time": between}
    copy = restores.restore_new(here.dds, request(**point)).id
    assert sorted(here.dds.content(copy).databases) == ["shop"]


def test_over_the_original(here: Cloud, time: Time) -> None:
    """A restore over an instance replaces all its data."""
    backup = backups.create(here.dds, SOURCE, "mine", "")
    time.now += 3600
    add(here, SOURCE, 1)
    source = instance_schemas.RestoreSource(instance_id=SOURCE, backup_id=backup.id)
    body = instance_schemas.RestoreInstance(source=source, target=instance_schemas.RestoreTarget(instance_id=SOURCE))
    restores.restore_over(here.dds, body)

    assert here.dds.content(SOURCE) == here.dds.content(backup.id)


def test_a_deleted_instance_holds_nothing(here: Cloud, time: Time) -> None:
    """The data of a deleted instance is gone, that of its backups is not."""
    lifecycle.delete(here.dds, SOURCE)
    time.now += 3600
    here.dds.present()

    assert here.dds.content(SOURCE) == Content()
    assert here.dds.content(KEPT).databases


@pytest.mark.parametrize("database", ["app", "shop"])
def test_a_missing_collection(here: Cloud, database: str) -> None:
    """The copy lacks one collection, or nothing if the backup does not have it."""
    whole = here.dds.content(KEPT)
    name = next(iter(whole.databases.get(database, {"x": None})))
    here.dds.backup_faults.put(BackupFault(KEPT, ContentFault(lacks_collection=f"{database}.{name}")))
    copy = here.dds.content(restores.restore_new(here.dds, request(backup_id=KEPT)).id)

    assert copy == whole.drop(database, name)


def test_a_stale_backup(here: Cloud) -> None:
    """The copy of a stale backup has no document of the days before the backup."""
    begin = here.dds.backup(KEPT, NOW).begin
    here.dds.backup_faults.put(BackupFault(KEPT, ContentFault(stale_days=3)))
    copy = here.dds.content(restores.restore_new(here.dds, request(backup_id=KEPT)).id)
    newest = max(
        document["_id"].generation_time.timestamp()
        for collections in copy.databases.values()
        for collection in collections.values()
        for document in collection.documents()
    )

    assert newest <= begin - 3 * 86_400
    assert {name: set(one) for name, one in copy.databases.items()} == {
        name: set(one) for name, one in here.dds.content(KEPT).databases.items()
    }


@settings(max_examples=40)
@given(part=st.floats(0, 1), count=st.integers(0, 30))
def test_a_part_of_the_documents(part: float, count: int) -> None:
    """Of each collection the given part is left, rounded down, spread over all of it. The collection stays."""
    whole = Content().insert("shop", "orders", *({"_id": number} for number in range(count)))
    left = ids(ContentFault(keeps=part).of(whole, NOW))

    assert len(left) == int(count * part)
    assert left == sorted(left)
    assert ids(ContentFault().of(whole, NOW)) == list(range(count))


def test_sizes_follow_the_content(here: Cloud, time: Time) -> None:
    """The size of a copy with half of the documents is about half, in the list of databases and of the instance."""
    here.dds.backup_faults.put(BackupFault(KEPT, ContentFault(keeps=0.5)))
    copy = restores.restore_new(here.dds, request(backup_id=KEPT)).id
    time.now += 3600

    def size(instance_id: str) -> float:
        return sum(float(one.data_size) for one in databases.list_databases(here.dds, instance_id, 0, 100).databases)

    assert size(SOURCE) == pytest.approx(2.5, abs=0.03)
    assert size(copy) == pytest.approx(1.25, abs=0.1)


def documents(dds: Any, instance_id: str, user_pwd: str, *new: dict[str, Any]) -> list[Any]:
    """The ids of the documents of an instance, after inserting new ones, with MongoDB's own driver."""
    shown = show(dds, instance_id)
    host, port = shown.groups[0].nodes[0].private_ip, int(shown.port)
    options: dict[str, Any] = {"directConnection": True, "serverSelectionTimeoutMS": 5000}
    with pymongo.MongoClient(host, port, username="rwuser", password=user_pwd, **options) as client:
        orders = client.shop.orders
        if new:
            orders.insert_many(new)
        return [document["_id"] for document in orders.find()]


def test_the_whole_way_with_the_driver(cloud: Any, dds: Any) -> None:
    """A document from before the backup comes back in the copy, and the copy has a password of its own."""
    mine, copys, third = "Str0ng#one", "Str0ng#two", "Str0ng#three"
    source = created(cloud, dds, password=mine, ssl_option="0", version="4.4")
    documents(dds, source, mine, {"_id": 1})
    backup_id = dds.create_manual_backup(new_backup(source)).backup_id
    documents(dds, source, mine, {"_id": 2})
    cloud.advance(600)
    point = sdk.RestorePoint(backup_id=backup_id)
    copy = dds.restore_new_instance(restore(restore_point=point, password=copys, ssl_option="0")).id
    cloud.advance(3600)

    assert documents(dds, copy, copys) == [1]
    assert documents(dds, copy, copys, {"_id": 3}) == [1, 3]
    assert documents(dds, source, mine) == [1, 2]
    dds.reset_password(password(copy, third))
    assert documents(dds, copy, third) == [1, 3]
    with pytest.raises(pymongo.errors.OperationFailure):
        documents(dds, copy, copys)


def names(dds: Any, instance_id: str, **page: Any) -> list[str]:
    """The names of the databases of an instance."""
    answer = dds.list_databases(sdk.ListDatabasesRequest(instance_id=instance_id, **page))
    return [one.name for one in answer.databases]


def test_databases_through_the_sdk(cloud: Any, dds: Any) -> None:
    """A copy has the databases of its backup, with the numbers of their collections."""
    copy = dds.restore_new_instance(restore()).id
    assert rejection(names, dds, copy) == (403, "DBS.201000")
    cloud.advance(3600)
    request = [sdk.ListDatabasesRequest(instance_id=one) for one in (CUSTOMERS, copy)]
    source, restored = (dds.list_databases(one) for one in request)

    assert [(one.name, one.collection_num) for one in restored.databases] == [
        (one.name, one.collection_num) for one in source.databases
    ]
    assert restored.total_count == len(restored.databases) > 0
    assert {f"{float(one.data_size):.2f}" for one in restored.databases} == {
        one.data_size for one in restored.databases
    }
    assert names(dds, created(cloud, dds)) == []
    assert names(dds, copy, offset=100) == []


def test_databases_of_a_busy_instance(cloud: Any, dds: Any) -> None:
    """A restarting instance does not tell its databases, one that is being backed up does."""
    dds.restore_new_instance(restore())
    assert names(dds, CUSTOMERS)
    restart(dds, SCRATCH)
    assert rejection(names, dds, SCRATCH) == (403, "DBS.200019")


def test_what_can_be_restored_through_the_sdk(cloud: Any, dds: Any) -> None:
    """The names that can be restored are told for replica sets, and for times in their periods."""
    source = created(cloud, dds, backup_strategy=None)
    cloud.advance(3600)
    now = datetime.now(timezone.utc).timestamp() + cloud.clock_offset()
    moment = str(int((now - now % 300) * 1000))
    found = dds.list_restore_databases(sdk.ListRestoreDatabasesRequest(instance_id=source, restore_time=moment))
    wanted = {"instance_id": source, "db_name": "shop", "restore_time": moment}
    within = dds.list_restore_collections(sdk.ListRestoreCollectionsRequest(**wanted))
    early = sdk.ListRestoreDatabasesRequest(instance_id=source, restore_time="1000")
    cluster = sdk.ListRestoreDatabasesRequest(instance_id=ORDERS, restore_time=moment)

    assert (found.databases, found.total_count, within.collections) == ([], 0, [])
    assert rejection(dds.list_restore_databases, early) == (400, "DBS.280409")
    assert rejection(dds.list_restore_databases, cluster) == (400, "DBS.280343")
