"""What becomes of selected documents: their order, and the fields that are returned."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from localcloud.mongo.errors import MongoError, bad_value, not_implemented
from localcloud.mongo.values import MISSING, Document, Key, key_of, values_at


Tree = dict[str, Any]
"""Fields of a projection: True for a whole field, a tree for some of its fields."""

# An empty array is before everything but MinKey.
_EMPTY: Key = (0, 1)


def ordered(documents: Iterable[dict[str, Any]], sort: object) -> list[dict[str, Any]]:
    """Sort documents by fields, each 1 or -1. Raises MongoError for another direction."""
    if not isinstance(sort, Mapping):
        raise bad_value(f"a sort must be a document, not {sort!r}")
    found = list(documents)
    for name, direction in reversed(list(sort.items())):
        if isinstance(direction, bool) or direction not in (1, -1):
            raise not_implemented(f"sorting by {name}: {direction!r}")
        path = name.split(".")
        best = min if direction == 1 else max
        found.sort(key=lambda document: _sort_key(document, path, best), reverse=direction == -1)
    return found


def _sort_key(document: Document, path: list[str], best: Callable[[list[Key]], Key]) -> Key:
    keys = []
    for value in values_at(document, path):
        if not isinstance(value, list):
            keys.append(key_of(None if value is MISSING else value))
        elif value:
            keys.extend(map(key_of, value))
        else:
            keys.append(_EMPTY)
    return best(keys) if keys else key_of(None)


def compile_projection(projection: object) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
    """What reduces a document to the fields of a projection, or None for all fields.

    Raises MongoError for an invalid projection, and for anything but 0 and 1, true and false.
    """
    if not isinstance(projection, Mapping):
        raise bad_value(f"a projection must be a document, not {projection!r}")
    if not projection:
        return None
    for name, value in projection.items():
        if not isinstance(value, bool | int | float) or name.startswith("$") or ".$" in name:
            raise not_implemented(f"{name}: {value!r} in a projection")
    kinds = {bool(value) for name, value in projection.items() if name != "_id"} or {bool(projection["_id"])}
    if len(kinds) > 1:
        raise bad_value("a projection cannot both include and exclude fields")
    includes = kinds.pop()
    with_id = bool(projection.get("_id", True))
    tree: Tree = {"_id": True} if with_id == includes else {}
    for name in projection:
        if name != "_id":
            _add(tree, name.split("."), name)
    return (lambda document: _include(document, tree)) if includes else (lambda document: _exclude(document, tree))


def _add(tree: Tree, path: list[str], name: str) -> None:
    for part in path[:-1]:
        below = tree.setdefault(part, {})
        if below is True:
            raise MongoError(31249, "Location31249", f"Path collision at {name}")
        tree = below
    if tree.setdefault(path[-1], True) is not True:
        raise MongoError(31250, "Location31250", f"Path collision at {name}")


def _include(value: Document, tree: Tree) -> dict[str, Any]:
    result = {}
    for name, one in value.items():
        wanted = tree.get(name)
        if wanted is True:
            result[name] = one
        elif wanted is not None and isinstance(one, Mapping | list):
            result[name] = _inside(one, wanted, _include, keep=False)
    return result


def _exclude(value: Document, tree: Tree) -> dict[str, Any]:
    result = {}
    for name, one in value.items():
        unwanted = tree.get(name)
        if unwanted is None:
            result[name] = one
        elif unwanted is not True:
            result[name] = _inside(one, unwanted, _exclude, keep=True)
    return result


def _inside(value: object, tree: Tree, apply: Callable[[Document, Tree], dict[str, Any]], *, keep: bool) -> object:
    """A projection within a field. In arrays it applies to the documents; `keep` keeps the other elements."""
    if isinstance(value, Mapping):
        return apply(value, tree)
    if isinstance(value, list):
        return [_inside(one, tree, apply, keep=keep) for one in value if keep or isinstance(one, Mapping | list)]
    return value


def distinct(documents: Iterable[Document], path: list[str]) -> list[Any]:
    """The different values of a field, those of an array one by one, in the order of their first appearance."""
    found: dict[Key, Any] = {}
    for document in documents:
        for value in values_at(document, path):
            if isinstance(value, list):
                found.update((key_of(one), one) for one in value if key_of(one) not in found)
            elif value is not MISSING:
                found.setdefault(key_of(value), value)
    return list(found.values())
