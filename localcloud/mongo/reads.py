"""Commands that read documents: find, getMore, killCursors, count, distinct, aggregate."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import bson

from localcloud.mongo.aggregate import compile_pipeline
from localcloud.mongo.call import Call
from localcloud.mongo.content import Collection, decoded
from localcloud.mongo.cursors import bodies
from localcloud.mongo.errors import MongoError, bad_value, not_implemented
from localcloud.mongo.matching import compile_filter, is_operators
from localcloud.mongo.results import compile_projection, distinct, ordered
from localcloud.mongo.values import key_of


def find(call: Call) -> dict[str, Any]:
    """Documents by filter, sorted, cut and projected."""
    collection = call.collection()
    filter_, sort, projection = (call.document(name) for name in ("filter", "sort", "projection"))
    skip, limit, size = call.whole("skip", 0), call.whole("limit", 0), call.whole("batchSize")
    project = compile_projection(projection)
    found: Iterable[bytes] = collection if not filter_ else selected(collection, filter_)
    if sort:
        found = bodies(ordered(map(decoded, found), sort))
    found = itertools.islice(found, skip or 0, (skip or 0) + limit if limit else None)
    if project is not None:
        found = bodies(map(project, map(decoded, found)))
    single = bool(call.body.get("singleBatch"))
    return call.server.cursors.first(call.namespace, found, call.server.now(), size, single=single)


def selected(collection: Collection, filter_: dict[str, Any]) -> Iterator[bytes]:
    """The documents that a filter selects, as BSON. Raises MongoError for an invalid filter."""
    condition = compile_filter(filter_)
    identity = filter_.get("_id")
    if identity is not None and not is_operators(identity) and not isinstance(identity, list):
        # At most one document has it, unless its _id is an array, which none is.
        body = collection.stored.get(key_of(identity))
        candidates: Iterable[bytes] = () if body is None else (body,)
    else:
        candidates = collection
    return (body for body in candidates if condition(decoded(body)))


def get_more(call: Call) -> dict[str, Any]:
    """The next batch of a cursor."""
    identity, collection = call.body["getMore"], call.body.get("collection")
    if not isinstance(identity, int) or not isinstance(collection, str):
        raise MongoError(14, "TypeMismatch", "getMore needs the id of a cursor and the name of its collection")
    size = call.whole("batchSize") or None
    return call.server.cursors.more(identity, f"{call.database}.{collection}", call.server.now(), size)


def kill_cursors(call: Call) -> dict[str, Any]:
    """Close cursors."""
    identities = call.body.get("cursors")
    if not isinstance(identities, list) or not all(isinstance(one, int) for one in identities):
        raise MongoError(14, "TypeMismatch", "killCursors.cursors must be an array of cursor ids")
    killed, unknown = call.server.cursors.kill(identities)
    return {
        "cursorsKilled": list(map(bson.Int64, killed)),
        "cursorsNotFound": list(map(bson.Int64, unknown)),
        "cursorsAlive": [],
        "cursorsUnknown": [],
    }


def count(call: Call) -> dict[str, Any]:
    """The number of documents that a filter selects."""
    collection, filter_ = call.collection(), call.document("query")
    limit = call.body.get("limit")
    if isinstance(limit, int | float) and limit < 0:
        call.body["limit"] = -limit  # a negative limit is the same as a positive one
    number = sum(1 for _ in selected(collection, filter_)) if filter_ else len(collection)
    number = max(0, number - (call.whole("skip") or 0))
    return {"n": min(number, call.whole("limit") or number)}


def distinct_values(call: Call) -> dict[str, Any]:
    """The different values of a field."""
    key = call.body.get("key")
    if not isinstance(key, str):
        raise MongoError(14, "TypeMismatch", "distinct.key must be a string")
    found = map(decoded, selected(call.collection(), call.document("query")))
    return {"values": distinct(found, key.split("."))}


def aggregate(call: Call) -> dict[str, Any]:
    """What a pipeline makes of the documents of a collection."""
    if not isinstance(call.body["aggregate"], str):
        raise not_implemented("a pipeline of a database")
    cursor = call.body.get("cursor")
    if not isinstance(cursor, dict):
        raise MongoError(9, "FailedToParse", "the 'cursor' option is required")
    size = cursor.get("batchSize")
    if size is not None and (isinstance(size, bool) or not isinstance(size, int | float) or size < 0):
        raise bad_value("cursor.batchSize must be a whole number of at least 0")
    pipeline = compile_pipeline(call.body.get("pipeline"), call.server.random)
    found = bodies(pipeline(call.collection().documents()))
    batch = None if size is None else int(size)
    return call.server.cursors.first(call.namespace, found, call.server.now(), batch)
