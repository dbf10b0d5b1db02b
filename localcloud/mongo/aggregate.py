"""Pipelines of `aggregate` (MongoDB manual, "Aggregation Stages"). A stage that is not here is an error."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import Any

from localcloud.mongo.errors import MongoError, bad_value, not_implemented
from localcloud.mongo.matching import compile_filter
from localcloud.mongo.results import compile_projection, ordered
from localcloud.mongo.values import MISSING, Document, Key, key_of


Documents = Iterable[dict[str, Any]]
Stage = Callable[[Documents], Documents]


def compile_pipeline(pipeline: object, random: Random) -> Stage:
    """What a pipeline makes of documents. Raises MongoError for an invalid pipeline and an unknown stage."""
    if not isinstance(pipeline, list):
        raise MongoError(14, "TypeMismatch", "'pipeline' must be an array")
    stages = []
    for stage in pipeline:
        if not isinstance(stage, Mapping) or len(stage) != 1:
            raise MongoError(40323, "Location40323", "a pipeline stage must be a document with exactly one field")
        [(name, value)] = stage.items()
        if name == "$sample":
            stages.append(_sample(value, random))
        elif name in _STAGES:
            stages.append(_STAGES[name](value))
        else:
            raise not_implemented(f"the stage {name}")

    def run(documents: Documents) -> Documents:
        for stage in stages:
            documents = stage(documents)
        return documents

    return run


def _match(value: object) -> Stage:
    condition = compile_filter(value)
    return lambda documents: filter(condition, documents)


def _sort(value: object) -> Stage:
    if not isinstance(value, Mapping) or not value:
        raise bad_value("$sort needs a document with at least one field")
    ordered([], value)
    return lambda documents: ordered(documents, value)


def _limit(value: object) -> Stage:
    number = _whole(value, "$limit", 1)
    return lambda documents: itertools.islice(documents, number)


def _skip(value: object) -> Stage:
    number = _whole(value, "$skip", 0)
    return lambda documents: itertools.islice(documents, number, None)


def _sample(value: object, rng: Random) -> Stage:
    if not isinstance(value, Mapping) or set(value) != {"size"}:
        raise bad_value("$sample needs a document with the field size")
    size = _whole(value["size"], "$sample.size", 1)

    def run(documents: Documents) -> Documents:
        found = list(documents)
        return rng.sample(found, min(size, len(found)))

    return run


def _project(value: object) -> Stage:
    project = compile_projection(value)
    if project is None:
        raise bad_value("$project needs at least one field")
    return lambda documents: map(project, documents)


def _count(value: object) -> Stage:
    if not isinstance(value, str) or not value or value.startswith("$") or "." in value:
        raise bad_value("$count needs the name of a field")

    def run(documents: Documents) -> Iterator[dict[str, Any]]:
        number = sum(1 for _ in documents)
        if number:
            yield {value: number}

    return run


def _group(value: object) -> Stage:
    if not isinstance(value, Mapping) or "_id" not in value:
        raise bad_value("$group needs an _id")
    evaluate = _expression(value["_id"])
    sums = {name: _addend(name, one) for name, one in value.items() if name != "_id"}

    def run(documents: Documents) -> Iterator[dict[str, Any]]:
        groups: dict[Key, tuple[Any, int]] = {}
        for document in documents:
            identity = evaluate(document)
            key = key_of(identity)
            first, number = groups.get(key, (identity, 0))
            groups[key] = first, number + 1
        for identity, number in groups.values():
            yield {"_id": identity, **{name: number * addend for name, addend in sums.items()}}

    return run


def _addend(name: str, accumulator: object) -> int | float:
    if not isinstance(accumulator, Mapping) or len(accumulator) != 1:
        raise bad_value(f"the field {name!r} of $group must be an accumulator")
    [(operator, value)] = accumulator.items()
    if operator != "$sum" or isinstance(value, bool) or not isinstance(value, int | float):
        raise not_implemented(f"{operator}: {value!r} in $group")
    return value


def _expression(value: object) -> Callable[[Document], Any]:
    """A constant, or "$field.field" of a document, null where there is none."""
    if isinstance(value, str) and value.startswith("$"):
        path = value[1:].split(".")
        if not all(path) or value.startswith("$$"):
            raise not_implemented(f"the expression {value}")
        return lambda document: None if (found := _value(document, path)) is MISSING else found
    if isinstance(value, Mapping | list) and value:
        raise not_implemented(f"the expression {value!r}")
    return lambda _document: value


def _value(value: object, path: list[str]) -> Any:
    if not path:
        return value
    if isinstance(value, Mapping):
        return _value(value.get(path[0], MISSING), path[1:])
    if isinstance(value, list):
        found = (_value(one, path) for one in value if isinstance(one, Mapping | list))
        return [one for one in found if one is not MISSING]
    return MISSING


def _whole(value: object, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1 or value < least:
        raise bad_value(f"{name} must be a whole number of at least {least}, not {value!r}")
    return int(value)


_STAGES: dict[str, Callable[[object], Stage]] = {
    "$match": _match,
    "$sort": _sort,
    "$limit": _limit,
    "$skip": _skip,
    "$project": _project,
    "$count": _count,
    "$group": _group,
}
