"""Updates: what `update` makes of a document (MongoDB manual, "Update Operators").

An operator that is not here is an error.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from bson import Decimal128, Int64

from localcloud.mongo.errors import MongoError, bad_value, not_implemented
from localcloud.mongo.matching import is_operators
from localcloud.mongo.values import MISSING, Document, key_of


Update = Callable[[dict[str, Any]], dict[str, Any]]


def compile_update(update: object) -> tuple[Update, Update]:
    """What an update makes of a document that was found, and of one that an upsert makes of the filter.

    Neither changes its argument. Raises MongoError for an invalid update and for an unknown operator.
    """
    if isinstance(update, list):
        raise not_implemented("an update by a pipeline")
    if not isinstance(update, Mapping):
        raise MongoError(9, "FailedToParse", "an update must be a document")
    if not next(iter(update), "").startswith("$"):
        if any(name.startswith("$") for name in update):
            raise MongoError(52, "DollarPrefixedFieldName", "a replacement has no fields that begin with $")
        replacement = dict(update)
        return (lambda document: _replaced(document, replacement),) * 2
    changes = _changes(update)
    return _apply(changes, inserts=False), _apply(changes, inserts=True)


def upserted(filter_: Document) -> dict[str, Any]:
    """The document that the equalities of a filter describe."""
    document: dict[str, Any] = {}
    for name, value in filter_.items():
        if name == "$and":
            for one in value:
                document.update(upserted(one))
        elif not name.startswith("$"):
            if not is_operators(value):
                _set(document, name.split("."), value)
            elif "$eq" in value:
                _set(document, name.split("."), value["$eq"])
    return document


def _replaced(document: Document, replacement: Document) -> dict[str, Any]:
    identity = {"_id": document["_id"]} if "_id" in document else {}
    if identity and "_id" in replacement and key_of(replacement["_id"]) != key_of(document["_id"]):
        raise _immutable()
    return {**identity, **replacement, **identity}


def _changes(update: Document) -> list[tuple[str, list[str], Any]]:
    changes: list[tuple[str, list[str], Any]] = []
    for operator, fields in update.items():
        if operator not in _OPERATORS:
            raise (
                not_implemented(f"the update operator {operator}")
                if operator.startswith("$")
                else bad_value(f"{operator} is not an update operator")
            )
        if not isinstance(fields, Mapping):
            raise MongoError(9, "FailedToParse", f"{operator} needs a document of fields")
        for name, value in fields.items():
            path = name.split(".")
            if not all(path):
                raise MongoError(56, "EmptyFieldName", f"the path {name!r} has an empty field name")
            if any(part.startswith("$") for part in path):
                raise not_implemented(f"the path {name} of an update")
            if any(path[: len(other)] == other[: len(path)] for _, other, _ in changes):
                message = f"Updating the path '{name}' would create a conflict"
                raise MongoError(40, "ConflictingUpdateOperators", message)
            changes.append((operator, path, value))
    return changes


def _apply(changes: list[tuple[str, list[str], Any]], *, inserts: bool) -> Update:
    def apply(document: dict[str, Any]) -> dict[str, Any]:
        changed = copy.deepcopy(document)
        for operator, path, value in changes:
            if operator != "$setOnInsert" or inserts:
                _OPERATORS[operator](changed, path, value)
        if "_id" in document and ("_id" not in changed or key_of(changed["_id"]) != key_of(document["_id"])):
            raise _immutable()
        return changed

    return apply


def _set(document: Any, path: list[str], value: object) -> None:
    _at(document, path, lambda _: value)


def _unset(document: Any, path: list[str], _value: object) -> None:
    for part in path[:-1]:
        if isinstance(document, list):
            document = document[int(part)] if part.isdigit() and int(part) < len(document) else None
        else:
            document = document.get(part) if isinstance(document, dict) else None
    if isinstance(document, dict):
        document.pop(path[-1], None)
    elif isinstance(document, list) and path[-1].isdigit() and int(path[-1]) < len(document):
        document[int(path[-1])] = None


def _inc(document: Any, path: list[str], value: object) -> None:
    _at(document, path, lambda before: _sum(before, value, ".".join(path)))


def _sum(before: object, value: object, name: str) -> object:
    if isinstance(before, Decimal128) or isinstance(value, Decimal128):
        raise not_implemented("$inc of a decimal")
    for one in (0 if before is MISSING else before, value):
        if isinstance(one, bool) or not isinstance(one, int | float):
            raise MongoError(14, "TypeMismatch", f"Cannot increment {name} with or of a non-numeric value")
    if before is MISSING:
        return value
    total = before + value  # type: ignore[operator]
    if isinstance(total, int):
        if not -(2**63) <= total < 2**63:
            raise bad_value(f"Failed to apply $inc to {name}: the sum is more than 64 bits")
        return Int64(total) if isinstance(before, Int64) or isinstance(value, Int64) else total
    return total


def _at(document: Any, path: list[str], change: Callable[[Any], object]) -> None:
    """Change the value at a path. Documents on the way are made, elements of an array are not, but for the next one."""
    for number, part in enumerate(path):
        is_last = number == len(path) - 1
        if isinstance(document, dict):
            if is_last:
                document[part] = change(document.get(part, MISSING))
            else:
                document = document.setdefault(part, {})
        elif isinstance(document, list) and part.isdigit() and int(part) <= len(document):
            if int(part) == len(document):
                document.append(MISSING if is_last else {})
            if is_last:
                document[int(part)] = change(document[int(part)])
            else:
                document = document[int(part)]
        else:
            raise MongoError(28, "PathNotViable", f"Cannot create field '{part}' in {document!r}")


def _immutable() -> MongoError:
    message = "Performing an update on the path '_id' would modify the immutable field '_id'"
    return MongoError(66, "ImmutableField", message)


_OPERATORS: dict[str, Callable[[Any, list[str], object], None]] = {
    "$set": _set,
    "$setOnInsert": _set,
    "$unset": _unset,
    "$inc": _inc,
}
