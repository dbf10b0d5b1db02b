"""Filters: which documents a query selects (MongoDB manual, "Query and Projection Operators").

An operator that is not here is an error.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bson import MaxKey, MinKey, Regex

from localcloud.mongo.errors import bad_value, not_implemented
from localcloud.mongo.values import MISSING, NULL, NUMBER, Document, Key, key_of, values_at, with_elements


Condition = Callable[[Document], bool]
_Test = Callable[[list[Any]], bool]

# Deeper filters and documents are errors, as in MongoDB.
MAX_DEPTH = 100


def compile_filter(filter_: object, depth: int = 0) -> Condition:
    """The condition that a filter is. Raises MongoError for an invalid filter and for an unknown operator."""
    if not isinstance(filter_, Mapping):
        raise bad_value(f"the filter must be a document, not {filter_!r}")
    if depth > MAX_DEPTH:
        raise bad_value(f"the filter is nested more than {MAX_DEPTH} levels deep")
    conditions = [
        _logical(name, value, depth) if name.startswith("$") else _field(name, value)
        for name, value in filter_.items()
        if name != "$comment"
    ]
    if len(conditions) == 1:
        return conditions[0]
    return lambda document: all(condition(document) for condition in conditions)


def _logical(name: str, value: object, depth: int) -> Condition:
    if name not in {"$and", "$or", "$nor"}:
        raise not_implemented(f"the operator {name}")
    if not isinstance(value, list) or not value:
        raise bad_value(f"{name} must be a nonempty array")
    conditions = [compile_filter(one, depth + 1) for one in value]
    if name == "$and":
        return lambda document: all(condition(document) for condition in conditions)
    wanted = name == "$or"
    return lambda document: any(condition(document) for condition in conditions) is wanted


def _field(name: str, value: object) -> Condition:
    path = tuple(name.split("."))
    tests = _tests(value) if is_operators(value) else [_equal(value)]
    return lambda document: all(test(found) for found in [list(values_at(document, path))] for test in tests)


def is_operators(value: object) -> bool:
    """Whether a value is a document of operators, such as {"$gt": 1}. Raises MongoError if only some of it is."""
    if not isinstance(value, Mapping) or not next(iter(value), "").startswith("$"):
        return False
    for name in value:
        if not name.startswith("$"):
            raise bad_value(f"unknown operator: {name}")
    return True


def _tests(operators: Any) -> list[_Test]:
    tests: list[_Test] = []
    for name, value in operators.items():
        if name not in _OPERATORS:
            raise not_implemented(f"the operator {name}")
        tests.append(_OPERATORS[name](value))
    return tests


def _equal(value: object) -> _Test:
    if isinstance(value, Regex):
        raise not_implemented("a regular expression in a filter")
    key = key_of(value)
    if key[0] == NULL:
        # What an array holds is compared, too, but an array without documents has no fields that could be missing.
        return lambda found: any(one is None or one is MISSING for one in with_elements(found))
    return lambda found: any(one is not MISSING and key_of(one) == key for one in with_elements(found))


def _not(test: _Test) -> _Test:
    return lambda found: not test(found)


def _in(value: object) -> _Test:
    if not isinstance(value, list):
        raise bad_value("$in and $nin need an array")
    if any(is_operators(one) for one in value):
        raise bad_value("cannot nest $ under $in")
    has_null = any(one is None for one in value)
    if any(isinstance(one, Regex) for one in value):
        raise not_implemented("a regular expression in a filter")
    keys = {key_of(one) for one in value}
    return lambda found: any(has_null if one is MISSING else key_of(one) in keys for one in with_elements(found))


def _range(compare: Callable[[Key, Key], bool], *, or_equal: bool = False) -> Callable[[object], _Test]:
    """A comparison. Only values of the same type compare (MongoDB manual, "Type Bracketing")."""

    def make(value: object) -> _Test:
        if isinstance(value, Regex):
            raise bad_value("a regular expression cannot be compared by order")
        if isinstance(value, MinKey | MaxKey):
            raise not_implemented("a comparison with MinKey or MaxKey")
        key = key_of(value)
        if key[0] == NULL:
            return _equal(value) if or_equal else (lambda _found: False)
        return lambda found: any(
            one is not MISSING and key_of(one)[0] == key[0] and compare(key_of(one), key) and not _unordered(one, value)
            for one in with_elements(found)
        )

    return make


def _unordered(one: object, other: object) -> bool:
    """Whether exactly one of two numbers is NaN, which is neither less nor greater than any other."""
    keys = key_of(one), key_of(other)
    return keys[0][0] == NUMBER and (keys[0][1] == _NAN[1]) != (keys[1][1] == _NAN[1])


def _exists(value: object) -> _Test:
    wanted = bool(value)
    return lambda found: any(one is not MISSING for one in found) is wanted


def _not_operator(value: object) -> _Test:
    if not is_operators(value):
        raise bad_value("$not needs a document of operators")
    tests = _tests(value)
    return lambda found: not all(test(found) for test in tests)


_NAN = key_of(float("nan"))
_OPERATORS: dict[str, Callable[[object], _Test]] = {
    "$eq": _equal,
    "$ne": lambda value: _not(_equal(value)),
    "$gt": _range(lambda one, other: one > other),
    "$gte": _range(lambda one, other: one >= other, or_equal=True),
    "$lt": _range(lambda one, other: one < other),
    "$lte": _range(lambda one, other: one <= other, or_equal=True),
    "$in": _in,
    "$nin": lambda value: _not(_in(value)),
    "$exists": _exists,
    "$not": _not_operator,
}
