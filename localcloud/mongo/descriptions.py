"""Commands that describe the server, its databases, collections and indexes."""

import os
from collections.abc import Iterable
from typing import Any

import bson
from bson import DatetimeMS

from localcloud.mongo.call import SYSTEM_DATABASES, Call
from localcloud.mongo.content import ID_INDEX, MAX_DOCUMENT, Index, Statistics
from localcloud.mongo.cursors import bodies
from localcloud.mongo.errors import MongoError, bad_value, not_implemented
from localcloud.mongo.matching import compile_filter
from localcloud.mongo.scram import MECHANISMS
from localcloud.mongo.wire import MAX_MESSAGE


# The wire versions of MongoDB's releases: a driver goes by them.
WIRE_VERSIONS = {"3.4": 5, "3.6": 6, "4.0": 7, "4.2": 8, "4.4": 9, "5.0": 13}
PATCH = 3
SET_NAME = "replica"
SESSION_MINUTES = 30
GB = 1024**3


def hello(call: Call) -> dict[str, Any]:
    """What the server is: a mongos, the primary of a replica set of one member, or a standalone."""
    address = f"127.0.0.1:{call.server.port}"
    primary = "isWritablePrimary" if call.name == "hello" else "ismaster"
    answer: dict[str, Any] = {primary: True}
    if call.body.get("helloOk"):
        answer["helloOk"] = True
    if call.instance.mode == "Sharding":
        answer["msg"] = "isdbgrid"
    elif call.instance.mode == "ReplicaSet":
        members = {"setName": SET_NAME, "setVersion": 1, "secondary": False, "hosts": [address]}
        answer |= {**members, "primary": address, "me": address}
    wire_version = WIRE_VERSIONS.get(call.instance.version, WIRE_VERSIONS["4.4"])
    if call.instance.mode != "Single":
        # Drivers do not repeat writes, nor offer sessions, without it.
        answer["logicalSessionTimeoutMinutes"] = SESSION_MINUTES
    user = call.body.get("saslSupportedMechs")
    if isinstance(user, str):
        answer["saslSupportedMechs"] = mechanisms(call)
    return answer | {
        "maxBsonObjectSize": MAX_DOCUMENT,
        "maxMessageSizeBytes": MAX_MESSAGE,
        "maxWriteBatchSize": 100_000,
        "localTime": _now(call),
        "connectionId": call.client.number,
        "minWireVersion": 0,
        "maxWireVersion": wire_version,
        "readOnly": False,
    }


def mechanisms(call: Call) -> list[str]:
    """How a user can sign in. MongoDB knows SCRAM-SHA-256 since 4.0."""
    return [one for one in MECHANISMS if one != "SCRAM-SHA-256" or call.instance.version >= "4.0"]


def ping(_call: Call) -> dict[str, Any]:
    """Nothing."""
    return {}


def build_info(call: Call) -> dict[str, Any]:
    """The version of the server."""
    major, _, minor = call.instance.version.partition(".")
    return {
        "version": f"{call.instance.version}.{PATCH}",
        "versionArray": [int(major), int(minor or 0), PATCH, 0],
        "gitVersion": "local cloud",
        "modules": [],
        "bits": 64,
        "debug": False,
        "maxBsonObjectSize": MAX_DOCUMENT,
    }


def connection_status(call: Call) -> dict[str, Any]:
    """Who has signed in on this connection."""
    users = [{"user": call.client.user, "db": "admin"}] if call.client.user else []
    roles = [{"role": "root", "db": "admin"}] if call.client.user else []
    return {"authInfo": {"authenticatedUsers": users, "authenticatedUserRoles": roles}}


def whats_my_uri(call: Call) -> dict[str, Any]:
    """The client's address."""
    host, port = call.client.address
    return {"you": f"{host}:{port}"}


def get_parameter(call: Call) -> dict[str, Any]:
    """The one parameter that there is."""
    if "featureCompatibilityVersion" not in call.body:
        raise MongoError(
            72, "InvalidOptions", "no option found to get: the local cloud has featureCompatibilityVersion"
        )
    return {"featureCompatibilityVersion": {"version": call.instance.version}}


def server_status(call: Call) -> dict[str, Any]:
    """A few facts about the server."""
    server = call.server
    return {
        "host": f"127.0.0.1:{server.port}",
        "version": f"{call.instance.version}.{PATCH}",
        "process": "mongos" if call.instance.mode == "Sharding" else "mongod",
        "pid": bson.Int64(os.getpid()),
        "uptime": server.uptime(),
        "localTime": _now(call),
        "connections": {"current": server.connections, "totalCreated": server.total_connections},
        "metrics": {"cursor": {"open": {"total": len(server.cursors)}}},
    }


def list_databases(call: Call) -> dict[str, Any]:
    """The databases with their sizes, among them those of the server."""
    condition = compile_filter(call.document("filter"))
    content = call.content
    found = []
    for name in sorted({*SYSTEM_DATABASES, *content.databases}):
        size = _size_on_disk(content.statistics(name))
        database = {"name": name, "sizeOnDisk": bson.Int64(size), "empty": size == 0}
        if condition(database):
            found.append(database)
    if call.body.get("nameOnly"):
        return {"databases": [{"name": one["name"]} for one in found]}
    total = sum(_size_on_disk(content.statistics(str(one["name"]))) for one in found)
    return {"databases": found, "totalSize": bson.Int64(total)}


def list_collections(call: Call) -> dict[str, Any]:
    """The collections of a database."""
    condition = compile_filter(call.document("filter"))
    names_only = bool(call.body.get("nameOnly"))
    found = []
    for name in call.content.databases.get(call.database, {}):
        collection: dict[str, Any] = {"name": name, "type": "collection"}
        if not names_only:
            collection |= {"options": {}, "info": {"readOnly": False}, "idIndex": _shown(ID_INDEX)}
        if condition(collection):
            found.append(collection)
    return _cursor(call, f"{call.database}.$cmd.listCollections", found)


def list_indexes(call: Call) -> dict[str, Any]:
    """The indexes of a collection."""
    collection = call.content.collection(call.database, call.collection_name)
    if collection is None:
        raise MongoError(26, "NamespaceNotFound", f"ns does not exist: {call.namespace}")
    return _cursor(call, call.namespace, map(_shown, (ID_INDEX, *collection.indexes)))


def db_stats(call: Call) -> dict[str, Any]:
    """The numbers and sizes of a database, in units of `scale` bytes."""
    scale = _scale(call)
    found = call.content.statistics(call.database)
    return {
        "db": call.database,
        "collections": found.collections,
        "views": 0,
        "objects": found.objects,
        "avgObjSize": found.data_size / found.objects if found.objects else 0.0,
        "dataSize": found.data_size / scale,
        "storageSize": found.storage_size / scale,
        "indexes": found.indexes,
        "indexSize": found.index_size / scale,
        "totalSize": _size_on_disk(found) / scale,
        "scaleFactor": float(scale),
        "fsTotalSize": call.instance.spec.disk_gb * GB / scale,
    }


def coll_stats(call: Call) -> dict[str, Any]:
    """The numbers and sizes of a collection, in units of `scale` bytes. One that does not exist is empty."""
    scale = _scale(call)
    collection = call.content.collection(call.database, call.collection_name)
    found = Statistics() if collection is None else collection.statistics()
    indexes = () if collection is None else (ID_INDEX, *collection.indexes)
    sizes = {index.name: found.index_size // found.indexes // scale for index in indexes}
    return {
        "ns": call.namespace,
        "size": found.data_size // scale,
        "count": found.objects,
        **({"avgObjSize": found.data_size // found.objects} if found.objects else {}),
        "storageSize": found.storage_size // scale,
        "capped": False,
        "nindexes": found.indexes,
        "totalIndexSize": found.index_size // scale,
        "totalSize": _size_on_disk(found) // scale,
        "indexSizes": sizes,
        "scaleFactor": scale,
    }


def end_sessions(_call: Call) -> dict[str, Any]:
    """Sessions hold nothing here, so there is nothing to end."""
    return {}


def _cursor(call: Call, namespace: str, found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    options = call.document("cursor")
    size = options.get("batchSize")
    if size is not None and (isinstance(size, bool) or not isinstance(size, int)):
        raise not_implemented(f"the batchSize {size!r}")
    return call.server.cursors.first(namespace, bodies(found), call.server.now(), size)


def _shown(index: Index) -> dict[str, Any]:
    unique = {"unique": True} if index.unique else {}
    return {"v": 2, "key": dict(index.keys), "name": index.name, **unique}


def _scale(call: Call) -> int:
    scale = call.whole("scale", 1)
    if not scale:
        raise bad_value("scale must be at least 1")
    return scale


def _size_on_disk(found: Statistics) -> int:
    return found.storage_size + found.index_size


def _now(call: Call) -> DatetimeMS:
    return DatetimeMS(int(call.server.now() * 1000))
