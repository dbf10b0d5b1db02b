"""The data plane of the local cloud with the official driver, over TCP."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import ObjectId
from huaweicloudsdkdds.v3 import ListInstancesRequest
from pymongo import ASCENDING, DESCENDING, MongoClient, ReadPreference
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    OperationFailure,
    ServerSelectionTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from localcloud import LocalCloud
from localcloud.seed import RWUSER
from tests.localcloud.mongo_clients import Client, Raw, connect, port, uri
from tests.localcloud.sdk import new_backup


CATALOGUE = "7b0f1d93a8e24c65905dcb48e2713f0ain02"


@pytest.fixture
def client(cloud: LocalCloud) -> Iterator[Client]:
    """A client of the replica set catalogue, which does without TLS."""
    with connect(cloud, "catalogue") as client:
        yield client


@pytest.fixture
def authority(cloud: LocalCloud, tmp_path: Path) -> str:
    """The file of the authority of the instances with TLS."""
    path = tmp_path / "ca.pem"
    path.write_text(cloud.authority(), encoding="utf-8")
    return str(path)


def code(call: Callable[[], Any]) -> int | None:
    """The code of the error of a call."""
    with pytest.raises(OperationFailure) as error:
        call()
    return error.value.code


# Connecting


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_signing_in(cloud: LocalCloud, mechanism: str) -> None:
    """Both mechanisms sign in the administrator of the instance."""
    with connect(cloud, "catalogue", authMechanism=mechanism) as client:
        status = client.admin.command("connectionStatus")

    assert status["authInfo"]["authenticatedUsers"] == [{"user": "rwuser", "db": "admin"}]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
@pytest.mark.parametrize(
    "wrong",
    [{"password": "wrong"}, {"username": "root"}, {"authSource": "catalogue"}],
    ids=["password", "user", "database"],
)
def test_who_cannot_sign_in(cloud: LocalCloud, mechanism: str, wrong: dict[str, str]) -> None:
    """A wrong password, user or database is code 18, whichever it is."""
    with connect(cloud, "catalogue", authMechanism=mechanism, **wrong) as client:
        assert code(lambda: client.admin.command("ping")) == 18


def test_without_signing_in(cloud: LocalCloud) -> None:
    """Without signing in, the server tells what it is, and nothing else."""
    with MongoClient[dict[str, Any]]("127.0.0.1", port(cloud, "catalogue")) as client:
        assert client.admin.command("ping")["ok"] == 1
        assert client.admin.command("hello")["setName"] == "replica"
        assert code(client.catalogue.products.find_one) == 13
        assert code(client.list_database_names) == 13
        assert code(lambda: client.admin.command("nosuchcommand")) == 13


def test_tls(cloud: LocalCloud, authority: str) -> None:
    """An instance with ssl speaks TLS only. As in DDS, the name in its certificate is not that of the connection."""
    with connect(cloud, "customers", tlsCAFile=authority, tlsAllowInvalidHostnames=True) as client:
        assert client.crm.customers.count_documents({}) == 48
    for options in (
        {"tlsCAFile": authority},
        {"tlsAllowInvalidHostnames": True},
        {"tls": False},
    ):
        with (
            connect(cloud, "customers", **options, serverSelectionTimeoutMS=300) as client,
            pytest.raises(ServerSelectionTimeoutError),
        ):
            client.admin.command("ping")


@pytest.mark.parametrize(
    ("name", "topology"), [("catalogue", "ReplicaSetWithPrimary"), ("metrics-cluster", "Sharded"), ("lab", "Single")]
)
def test_topologies(local_cloud_factory: Callable[..., LocalCloud], tmp_path: Path, name: str, topology: str) -> None:
    """A replica set has one member, the primary; a cluster is a mongos; a single node is a standalone."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(
        """
        instances:
          - {id: 90b6f2a47c1d4e38b5f0d7a3c9e8612din02, ssl: false}
          - {id: 11111111111111111111111111111111in02, name: lab, mode: Single, ssl: false, version: "5.0"}
        """,
        encoding="utf-8",
    )
    with connect(local_cloud_factory(seed=seed), name) as client:
        client.app.items.insert_one({"_id": 1})
        assert client.app.items.find_one({"_id": 1}) == {"_id": 1}
        assert client.topology_description.topology_type_name == topology


def test_an_old_version_says_so(cloud: LocalCloud) -> None:
    """An instance of version 3.4 has that wire version, which current drivers refuse."""
    with connect(cloud, "scratch") as client, pytest.raises(ConfigurationError, match="wire version 5"):
        client.admin.command("ping")


def test_where_an_instance_listens(cloud: LocalCloud, dds: Any) -> None:
    """The instance list has port and address of an instance that can be used, and document-shaped ones of others."""
    found = {one.name: one for one in dds.list_instances(ListInstancesRequest()).instances}

    assert int(found["catalogue"].port) == port(cloud, "catalogue")
    assert {node.private_ip for group in found["catalogue"].groups for node in group.nodes} == {"127.0.0.1"}
    assert found["legacy-search"].port == "8635"
    assert found["legacy-search"].groups[0].nodes[0].private_ip.startswith("192.168.")
    assert (found["catalogue"].ssl, found["customers"].ssl) == (0, 1)


def test_an_instance_that_is_not_normal_refuses(cloud: LocalCloud) -> None:
    """Connections of an instance that becomes abnormal end, and new ones are refused until it is normal again."""
    number = port(cloud, "catalogue")
    with connect(cloud, "catalogue", serverSelectionTimeoutMS=300, retryReads=False) as client:
        client.admin.command("ping")

        cloud.change_instance(CATALOGUE, status="abnormal")
        with pytest.raises((AutoReconnect, ServerSelectionTimeoutError)):
            client.admin.command("ping")
        with Raw(number) as refused, pytest.raises(ConnectionError):
            refused.call({"ping": 1, "$db": "admin"})

        cloud.change_instance(CATALOGUE, status="normal")
        assert port(cloud, "catalogue") == number
        with Raw(number) as accepted:
            assert accepted.call({"ping": 1, "$db": "admin"})["ok"] == 1


def test_nothing_listens_after_the_end(local_cloud_factory: Callable[..., LocalCloud]) -> None:
    """The end of a local cloud closes its listeners and connections."""
    with LocalCloud() as cloud:
        number = port(cloud, "catalogue")
        open_connection = Raw(number)
    assert open_connection.is_closed()
    open_connection.close()
    with pytest.raises(ConnectionRefusedError):
        Raw(number)


# Reading


def test_what_the_seed_holds(client: Client) -> None:
    """The databases of the seed are there, beside those of the server, with collections and indexes."""
    assert client.list_database_names() == ["admin", "catalogue", "config", "local"]
    assert set(client.catalogue.list_collection_names()) == {"products", "categories"}
    assert set(client.catalogue.products.index_information()) == {"_id_", "sku_1", "price_1"}
    newest = client.catalogue.products.find_one(sort=[("_id", DESCENDING)])
    assert newest is not None
    assert datetime.now(timezone.utc) - newest["_id"].generation_time < timedelta(minutes=10)


def test_batches(client: Client) -> None:
    """A cursor returns every document once, in order, whatever the size of its batches."""
    client.app.items.insert_many([{"_id": number} for number in range(500)])

    for size in (1, 7, 101, 499, 500, 501):
        assert [one["_id"] for one in client.app.items.find(batch_size=size)] == list(range(500))
    assert len(list(client.app.items.find(limit=150, batch_size=100))) == 150
    assert len(list(client.app.items.find(limit=-3))) == 3
    assert [one["_id"] for one in client.app.items.find({"_id": {"$gte": 490}}, skip=3, limit=2)] == [493, 494]


def test_large_batches(client: Client) -> None:
    """A batch has at most 16 MB, and a document too."""
    client.app.items.insert_many([{"_id": number, "bytes": bytes(6_000_000)} for number in range(3)])

    assert [len(one["bytes"]) for one in client.app.items.find()] == [6_000_000] * 3
    with pytest.raises(OperationFailure, match="at most 16777216 bytes"):
        raise_errors(client.app.command("insert", "items", documents=[{"bytes": bytes(16 * 1024**2)}]))


def test_a_cursor_reads_what_was_there_when_it_was_opened(client: Client) -> None:
    """Writes after its first batch do not change what a cursor returns."""
    client.app.items.insert_many([{"_id": number} for number in range(10)])
    cursor = client.app.items.find(batch_size=2)
    next(cursor)
    client.app.items.delete_many({})

    assert len(list(cursor)) == 9


def test_cursors_end(cloud: LocalCloud, client: Client) -> None:
    """A closed cursor is gone, and so is one that has not been used for ten minutes."""
    client.app.items.insert_many([{"_id": number} for number in range(10)])
    closed, forgotten = (client.app.command("find", "items", batchSize=2)["cursor"]["id"] for _ in range(2))
    answer = client.app.command("killCursors", "items", cursors=[closed, bson.Int64(77)])
    assert (answer["cursorsKilled"], answer["cursorsNotFound"]) == ([closed], [77])
    assert len(client.app.command("getMore", forgotten, collection="items", batchSize=2)["cursor"]["nextBatch"]) == 2
    cloud.advance(601)

    assert code(lambda: client.app.command("getMore", closed, collection="items")) == 43
    assert code(lambda: client.app.command("getMore", forgotten, collection="items")) == 43


def test_counting(client: Client) -> None:
    """The ways to count agree."""
    items = client.app.items
    items.insert_many([{"kind": "ab"[number % 2], "tags": ["x", number]} for number in range(20)])

    assert items.count_documents({}) == items.estimated_document_count() == 20
    assert items.count_documents({"kind": "a"}, skip=2, limit=5) == 5
    assert client.app.command("count", "items", query={"kind": "a"}, skip=8, limit=5)["n"] == 2
    assert items.distinct("kind") == ["a", "b"]
    assert len(items.distinct("tags")) == 21


def test_aggregating(client: Client) -> None:
    """A pipeline filters, samples, groups and counts, over batches."""
    items = client.app.items
    items.insert_many([{"_id": number, "kind": "ab"[number % 2]} for number in range(300)])

    assert list(items.aggregate([{"$group": {"_id": "$kind", "n": {"$sum": 1}}}])) == [
        {"_id": "a", "n": 150},
        {"_id": "b", "n": 150},
    ]
    assert len({one["_id"] for one in items.aggregate([{"$sample": {"size": 200}}], batchSize=30)}) == 200
    assert list(items.aggregate([{"$match": {"kind": "a"}}, {"$count": "n"}])) == [{"n": 150}]


def test_statistics(client: Client) -> None:
    """dbStats, collStats and listDatabases agree with the documents."""
    client.app.items.insert_many([{"_id": number} for number in range(100)])
    size = 100 * len(bson.encode({"_id": 1}))

    database, collection = client.app.command("dbStats"), client.app.command("collStats", "items")
    assert (database["collections"], database["objects"], database["dataSize"]) == (1, 100, size)
    assert (collection["count"], collection["size"], collection["nindexes"]) == (100, size, 1)
    [listed] = list(client.list_databases(filter={"name": "app"}))
    assert listed["sizeOnDisk"] == database["totalSize"] == database["storageSize"] + database["indexSize"]
    assert client.app.command("dbStats", scale=1024)["dataSize"] == size / 1024
    assert client.app.command("collStats", "none")["count"] == 0


def test_what_the_server_is(client: Client) -> None:
    """Version and status."""
    assert client.server_info()["version"] == "4.4.3"
    assert client.admin.command("serverStatus")["connections"]["current"] >= 1
    assert client.admin.command("getParameter", 1, featureCompatibilityVersion=1)["featureCompatibilityVersion"]
    assert client.admin.command("whatsmyuri")["you"].startswith("127.0.0.1:")


# Writing


def test_writing(client: Client) -> None:
    """Documents are inserted, changed, replaced and deleted, one or many."""
    items = client.app.items
    assert items.insert_one({"_id": 1, "n": 1}).inserted_id == 1
    assert len(items.insert_many([{"n": number} for number in range(2, 5)]).inserted_ids) == 3

    assert items.update_many({"n": {"$gt": 2}}, {"$inc": {"n": 10}}).modified_count == 2
    assert items.update_one({"_id": 1}, {"$set": {"n": 1}}).modified_count == 0
    assert items.replace_one({"_id": 1}, {"other": True}).matched_count == 1
    assert items.find_one({"_id": 1}) == {"_id": 1, "other": True}
    upsert = items.update_one({"_id": 7, "kind": "x"}, {"$set": {"n": 3}}, upsert=True)
    assert (upsert.upserted_id, items.find_one({"_id": 7})) == (7, {"_id": 7, "kind": "x", "n": 3})
    assert items.delete_one({"n": {"$exists": True}}).deleted_count == 1
    assert items.delete_many({}).deleted_count == 4
    assert items.delete_many({}).deleted_count == 0


def test_errors_of_writes(client: Client) -> None:
    """An ordered write ends at its first error, an unordered one goes on; each error has its position."""
    items = client.app.items
    items.insert_one({"_id": 1})
    documents = [{"_id": 0}, {"_id": 1}, {"_id": 2}]
    for ordered, ids in ((True, [1, 0]), (False, [1, 0, 2])):
        items.delete_many({"_id": {"$ne": 1}})
        with pytest.raises(BulkWriteError) as error:
            items.insert_many(documents, ordered=ordered)
        details = error.value.details or {}
        assert [(one["index"], one["code"]) for one in details["writeErrors"]] == [(1, 11000)]
        assert [one["_id"] for one in items.find()] == ids
    with pytest.raises(DuplicateKeyError):
        items.insert_one({"_id": 1})


def test_unacknowledged_writes(client: Client) -> None:
    """A write without an answer is carried out all the same."""
    items = client.app.get_collection("items", write_concern=WriteConcern(w=0))
    items.insert_one({"_id": 1})
    items.insert_many([{"_id": 2}, {"_id": 3}])

    deadline = time.monotonic() + 5
    while client.app.items.count_documents({}) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert client.app.items.count_documents({}) == 3


def test_collections_and_databases(client: Client) -> None:
    """Collections and databases are made and dropped."""
    client.app.create_collection("items")
    assert client.app.list_collection_names() == ["items"]
    assert code(lambda: client.app.command("create", "items")) == 48
    client.app.drop_collection("items")
    assert client.app.list_collection_names() == []
    client.app.drop_collection("items")
    client.app.items.insert_one({})
    client.drop_database("app")
    client.drop_database("app")
    assert "app" not in client.list_database_names()


def test_indexes(client: Client) -> None:
    """Indexes are made, listed, and unique ones enforced."""
    items = client.app.items
    assert items.create_index([("a", ASCENDING), ("b", DESCENDING)]) == "a_1_b_-1"
    assert items.create_index("n", unique=True) == "n_1"
    assert items.create_index("n", unique=True) == "n_1"
    assert items.index_information()["n_1"] == {"v": 2, "key": [("n", 1)], "unique": True}
    items.insert_one({"n": 1})
    with pytest.raises(DuplicateKeyError):
        items.insert_one({"n": 1})
    assert code(lambda: items.create_index("t", expireAfterSeconds=1)) == 238
    assert code(lambda: items.create_index([("t", "text")])) == 238
    assert code(lambda: items.create_index("a", name="n_1")) == 86


def test_sessions_and_concerns(client: Client) -> None:
    """Sessions, preferences and concerns are accepted; transactions are not."""
    with client.start_session(causal_consistency=True) as session:
        items = client.app.get_collection(
            "items",
            read_preference=ReadPreference.SECONDARY_PREFERRED,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority"),
        )
        items.insert_one({"_id": 1}, session=session)
        assert items.find_one({}, session=session) == {"_id": 1}
    with client.start_session() as session:
        session.start_transaction()
        assert code(lambda: client.app.items.insert_one({}, session=session)) == 238
        session.abort_transaction()
    assert client.app.items.count_documents({}) == 1


def test_a_repeated_write_is_not_done_again(client: Client) -> None:
    """A driver that repeats a write, since the answer was lost, gets the first answer."""
    session = {"id": bson.Binary(bytes(16), 4)}
    update = [{"q": {"_id": 1}, "u": {"$inc": {"n": 1}}, "upsert": True}]
    answers = [
        client.app.command("update", "items", updates=update, lsid=session, txnNumber=bson.Int64(number))
        for number in (1, 1, 2)
    ]

    assert client.app.items.find_one({"_id": 1}) == {"_id": 1, "n": 2}
    assert [one["upserted"] for one in answers[:2]] == [[{"index": 0, "_id": 1}]] * 2


# What is refused


@pytest.mark.parametrize(
    "command",
    ["dbHash", "validate", "hostInfo", "getLog", "getCmdLineOpts", "compact", "setParameter", "replSetGetConfig"],
)
def test_what_dds_forbids(client: Client, command: str) -> None:
    """Commands that users of DDS cannot run are code 13."""
    assert code(lambda: client.admin.command(command, 1)) == 13


@pytest.mark.parametrize("command", ["findAndModify", "explain", "replSetGetStatus", "nosuchcommand"])
def test_what_is_not_implemented(client: Client, command: str) -> None:
    """Other commands are code 59."""
    assert code(lambda: client.admin.command(command, 1)) == 59


@pytest.mark.parametrize(
    "command",
    [
        {"find": "items", "collation": {"locale": "de"}},
        {"find": "items", "filter": {"a": {"$near": 1}}},
        {"find": "items", "tailable": True},
        {"aggregate": "items", "pipeline": [{"$lookup": {}}], "cursor": {}},
        {"aggregate": 1, "pipeline": [], "cursor": {}},
        {"create": "items", "capped": True},
        {"update": "items", "updates": [{"q": {}, "u": {"$set": {"a": 1}}, "arrayFilters": [{"x": 1}]}]},
        {"find": "items", "readConcern": {"level": "snapshot"}},
    ],
)
def test_options_that_are_not_implemented(client: Client, command: dict[str, Any]) -> None:
    """An option that would change the result is an error, never ignored."""
    client.app.items.insert_one({"_id": 1})
    with pytest.raises(OperationFailure, match="not implemented"):
        raise_errors(client.app.command(command))


def raise_errors(answer: dict[str, Any]) -> None:
    """Raise the first error of a write."""
    for error in answer.get("writeErrors", []):
        raise OperationFailure(error["errmsg"], error["code"])


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ({"find": 1}, 73),
        ({"find": "a$b"}, 73),
        ({"find": ""}, 73),
        ({"find": "x" * 300}, 73),
        ({"find": "items", "filter": 1}, 14),
        ({"find": "items", "limit": -1}, 2),
        ({"find": "items", "skip": "1"}, 14),
        ({"insert": "items", "documents": []}, 16),
        ({"delete": "items", "deletes": [{"q": {}, "limit": 2}]}, 9),
        ({"aggregate": "items", "pipeline": []}, 9),
        ({"aggregate": "items", "pipeline": 1, "cursor": {}}, 14),
        ({"getMore": 1, "collection": "items"}, 43),
        ({"drop": "none"}, 26),
        ({"listIndexes": "none"}, 26),
        ({"dbStats": 1, "scale": 0}, 2),
        ({"distinct": "items"}, 14),
    ],
)
def test_wrong_arguments(client: Client, command: dict[str, Any], expected: int) -> None:
    """A wrong argument is an error with MongoDB's code."""
    with pytest.raises(OperationFailure) as error:
        raise_errors(client.app.command(command))
    assert error.value.code == expected


def test_the_databases_of_the_server(client: Client) -> None:
    """Nothing can be written to admin, config and local."""
    for database in (client.admin, client.config, client.local):
        with pytest.raises(OperationFailure, match="not authorized"):
            database.items.insert_one({})


# Backups


def test_a_backup_has_the_data_of_its_moment(cloud: LocalCloud, dds: Any, client: Client) -> None:
    """What a client inserts before a backup is in it, and what it inserts afterwards is not."""
    client.app.items.insert_one({"_id": "before"})
    backup = dds.create_manual_backup(new_backup(CATALOGUE, "nightly"))
    client.app.items.insert_one({"_id": "after"})
    client.catalogue.products.delete_many({})

    kept = cloud._cloud.dds.content(backup.backup_id)  # read only: no client changes it
    items, products = kept.collection("app", "items"), kept.collection("catalogue", "products")
    assert items is not None
    assert [one["_id"] for one in items.documents()] == ["before"]
    assert len(products or ()) == 50


def test_a_state_file_keeps_what_was_written(local_cloud_factory: Callable[..., LocalCloud], tmp_path: Path) -> None:
    """A document is there after a restart with the same file."""
    for expected in ([], [1]):
        with LocalCloud(state_file=tmp_path / "state.db") as cloud, connect(cloud, "catalogue") as client:
            assert [one["_id"] for one in client.app.items.find()] == expected
            if not expected:
                client.app.items.insert_one({"_id": 1, "id": ObjectId(), "at": datetime.now(timezone.utc)})


def test_the_password_is_that_of_the_seed(cloud: LocalCloud) -> None:
    """The documented password, and a connection string without it."""
    assert RWUSER == "LocalCloud-1"
    assert uri(cloud, "catalogue").startswith("mongodb://rwuser@127.0.0.1:")
