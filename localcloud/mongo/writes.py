"""Commands that write: insert, update, delete, and those that make and drop collections, indexes and databases."""

from collections.abc import Callable
from typing import Any

from bson import ObjectId

from localcloud.mongo.call import Call
from localcloud.mongo.content import ID_INDEX, Collection, Index, decoded
from localcloud.mongo.errors import MongoError, bad_value, not_implemented
from localcloud.mongo.matching import compile_filter
from localcloud.mongo.reads import selected
from localcloud.mongo.updates import compile_update, upserted
from localcloud.mongo.values import Document, key_of


_Step = Callable[[Collection, Document, int], Collection]


def insert(call: Call) -> dict[str, Any]:
    """Add documents. Each has an error of its own; if `ordered`, the first one ends the command."""
    before = call.collection()
    ordered = call.body.get("ordered", True) is not False
    after, errors = before.insert(call.documents("documents"), ordered=ordered)
    call.write(call.content.put(call.database, call.collection_name, after))
    return {"n": len(after) - len(before), **_write_errors(errors)}


def delete(call: Call) -> dict[str, Any]:
    """Remove the documents that filters select, one or all."""
    number = 0

    def step(collection: Collection, statement: Document, _position: int) -> Collection:
        nonlocal number
        _check_fields("delete", statement, {"q", "limit", "hint"})
        limit = statement.get("limit")
        if isinstance(limit, bool) or limit not in (0, 1):
            raise MongoError(9, "FailedToParse", "the limit of a delete must be 0 or 1")
        keys = _keys(collection, statement.get("q"), only_first=limit == 1)
        number += len(keys)
        return collection.change(dict.fromkeys(keys))

    errors = _write(call, "deletes", step)
    return {"n": number, **errors}


def update(call: Call) -> dict[str, Any]:
    """Change or replace the documents that filters select, one or all, or insert one if there is none (`upsert`)."""
    counts = {"n": 0, "nModified": 0}
    inserted: list[dict[str, Any]] = []

    def step(collection: Collection, statement: Document, position: int) -> Collection:
        _check_fields("update", statement, {"q", "u", "multi", "upsert", "hint"})
        filter_, is_multi = statement.get("q"), bool(statement.get("multi"))
        found, missing = compile_update(statement.get("u"))
        if is_multi and not next(iter(statement["u"]), "").startswith("$"):
            raise MongoError(9, "FailedToParse", "multi update is not supported for replacement-style update")
        keys = _keys(collection, filter_, only_first=not is_multi)
        if not keys and statement.get("upsert") and isinstance(filter_, dict):
            document = missing(upserted(filter_))
            document = {"_id": document.get("_id", ObjectId()), **document}
            collection, errors = collection.insert([document])
            for error in errors.values():
                raise error
            inserted.append({"index": position, "_id": document["_id"]})
            counts["n"] += 1
            return collection
        changed: dict[Any, Document | None] = {}
        for key in keys:
            before = decoded(collection.stored[key])
            after = found(before)
            if key_of(after) != key_of(before):
                changed[key] = after
        collection = collection.change(changed)
        counts["n"] += len(keys)
        counts["nModified"] += len(changed)
        return collection

    errors = _write(call, "updates", step)
    return {**counts, **({"upserted": inserted} if inserted else {}), **errors}


def create(call: Call) -> dict[str, Any]:
    """Make an empty collection."""
    if call.content.collection(call.database, call.collection_name) is not None:
        raise MongoError(48, "NamespaceExists", f"a collection '{call.namespace}' already exists")
    call.write(call.content.put(call.database, call.collection_name, Collection()))
    return {}


def drop(call: Call) -> dict[str, Any]:
    """Remove a collection."""
    collection = _existing(call)
    call.write(call.content.drop(call.database, call.collection_name))
    return {"nIndexesWas": 1 + len(collection.indexes), "ns": call.namespace}


def drop_database(call: Call) -> dict[str, Any]:
    """Remove a database."""
    if call.database not in call.content.databases:
        return {}
    call.write(call.content.drop(call.database))
    return {"dropped": call.database}


def create_indexes(call: Call) -> dict[str, Any]:
    """Add indexes, and the collection if there is none. An index that exists stays as it is."""
    is_new = call.content.collection(call.database, call.collection_name) is None
    before = collection = call.collection()
    for given in call.documents("indexes"):
        index = _index(given)
        present = {one.name: one for one in (ID_INDEX, *collection.indexes)}
        if index.name in present and present[index.name] != index:
            raise MongoError(86, "IndexKeySpecsConflict", f"an index named {index.name} exists with other options")
        if index.name not in present and not any(one.keys == index.keys for one in present.values()):
            collection = collection.with_index(index)
    if is_new or collection is not before:
        call.write(call.content.put(call.database, call.collection_name, collection))
    numbers = {"numIndexesBefore": 1 + len(before.indexes), "numIndexesAfter": 1 + len(collection.indexes)}
    note = {} if collection is not before else {"note": "all indexes already exist"}
    return {"createdCollectionAutomatically": is_new, **numbers, **note}


def _index(given: Document) -> Index:
    for option, value in given.items():
        if option not in {"key", "name", "unique", "background", "v", "ns"} and value not in (False, None):
            raise not_implemented(f"the option {option} of an index")
    keys, name = given.get("key"), given.get("name")
    if not isinstance(keys, dict) or not keys or not isinstance(name, str) or not name:
        raise MongoError(67, "CannotCreateIndex", "an index needs a key and a name")
    for path, kind in keys.items():
        if isinstance(kind, bool) or kind not in (1, -1):
            raise not_implemented(f"the index key {path}: {kind!r}")
    made = tuple((path, int(direction)) for path, direction in keys.items())
    return ID_INDEX if made == ID_INDEX.keys else Index(name, made, bool(given.get("unique")))


def _existing(call: Call) -> Collection:
    collection = call.content.collection(call.database, call.collection_name)
    if collection is None:
        raise MongoError(26, "NamespaceNotFound", "ns not found")
    return collection


def _write(call: Call, name: str, step: _Step) -> dict[str, Any]:
    """Run the statements of a command one after the other, and store what they change. Returns their errors."""
    before = collection = call.collection()
    errors: dict[int, MongoError] = {}
    for position, statement in enumerate(call.documents(name)):
        try:
            collection = step(collection, statement, position)
        except MongoError as error:
            errors[position] = error
            if call.body.get("ordered", True) is not False:
                break
    if collection is not before:
        call.write(call.content.put(call.database, call.collection_name, collection))
    return _write_errors(errors)


def _keys(collection: Collection, filter_: Any, *, only_first: bool) -> list[Any]:
    compile_filter(filter_)
    keys = []
    for body in selected(collection, filter_):
        keys.append(key_of(decoded(body)["_id"]))
        if only_first:
            break
    return keys


def _check_fields(command: str, statement: Document, known: set[str]) -> None:
    for field, value in statement.items():
        if field not in known and value not in (False, None):
            raise not_implemented(f"the field {field} of {command}")
    if not isinstance(statement.get("q"), dict):
        raise bad_value(f"the filter q of {command} must be a document")


def _write_errors(errors: dict[int, Any]) -> dict[str, Any]:
    found = [{"index": at, "code": error.code, "errmsg": str(error)} for at, error in errors.items()]
    return {"writeErrors": found} if found else {}
