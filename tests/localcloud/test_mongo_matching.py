"""Filters, sorts, projections, pipelines and updates of the data plane, against MongoDB's documented behaviour."""

import math
from datetime import datetime, timezone
from random import Random
from typing import Any

import pytest
from bson import Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from hypothesis import given
from hypothesis import strategies as st

from localcloud.mongo.aggregate import compile_pipeline
from localcloud.mongo.errors import MongoError
from localcloud.mongo.matching import compile_filter
from localcloud.mongo.results import compile_projection, distinct, ordered
from localcloud.mongo.updates import compile_update, upserted
from localcloud.mongo.values import key_of


NUMBERS_AND_TEXTS = st.one_of(st.integers(-2, 2), st.sampled_from(["", "a", "b"]))
VALUES = st.one_of(NUMBERS_AND_TEXTS, st.none(), st.lists(NUMBERS_AND_TEXTS, max_size=3))
DOCUMENTS = st.dictionaries(st.sampled_from("abc"), VALUES)
OPERATORS = st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"])
CONDITIONS = st.one_of(
    NUMBERS_AND_TEXTS.map(lambda value: {"$eq": value}),
    st.tuples(OPERATORS, NUMBERS_AND_TEXTS).map(lambda pair: dict([pair])),
    st.lists(st.one_of(NUMBERS_AND_TEXTS, st.none()), max_size=3).map(lambda values: {"$in": values}),
    st.lists(st.one_of(NUMBERS_AND_TEXTS, st.none()), max_size=3).map(lambda values: {"$nin": values}),
    st.booleans().map(lambda wanted: {"$exists": wanted}),
)
FILTERS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), CONDITIONS, max_size=2),
    lambda inner: st.tuples(st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda pair: dict([pair])
    ),
    max_leaves=4,
)


def selects(filter_: dict[str, Any], document: dict[str, Any]) -> bool:
    """What a filter selects, told naively: for integers, texts, null and flat lists of them."""
    for name, condition in filter_.items():
        if name == "$and":
            result = all(selects(one, document) for one in condition)
        elif name in {"$or", "$nor"}:
            result = any(selects(one, document) for one in condition) == (name == "$or")
        else:
            [(operator, wanted)] = condition.items()
            result = holds(operator, wanted, name in document, document.get(name))
        if not result:
            return False
    return True


def holds(operator: str, wanted: Any, is_there: bool, value: Any) -> bool:
    """One condition on one field."""
    if operator == "$exists":
        return bool(is_there == wanted)
    if operator in {"$ne", "$nin"}:
        return not holds({"$ne": "$eq", "$nin": "$in"}[operator], wanted, is_there, value)
    values = value if isinstance(value, list) else [value]
    if operator == "$in":
        return any(one in wanted for one in values)
    if operator == "$eq":
        return bool(wanted in values)
    alike = [one for one in values if type(one) is type(wanted)]
    compare = {
        "$gt": lambda one: one > wanted,
        "$gte": lambda one: one >= wanted,
        "$lt": lambda one: one < wanted,
        "$lte": lambda one: one <= wanted,
    }[operator]
    return any(map(compare, alike))


@given(documents=st.lists(DOCUMENTS, max_size=5), filter_=FILTERS)
def test_filters_against_a_naive_oracle(documents: list[dict[str, Any]], filter_: dict[str, Any]) -> None:
    """A filter selects what its definition says, whatever the documents hold."""
    condition = compile_filter(filter_)

    assert [condition(one) for one in documents] == [selects(filter_, one) for one in documents]


@pytest.mark.parametrize(
    ("document", "filter_", "expected"),
    [
        ({"a": {"b": 1}}, {"a.b": 1}, True),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a.b": 2}, True),
        ({"a": [{"b": 1}, {}]}, {"a.b": None}, True),
        ({"a": [1, 2]}, {"a.b": None}, False),
        ({"a": [1, 2]}, {"a.b": {"$exists": False}}, True),
        ({"a": 4}, {"a.b": None}, True),
        ({"a": [5, 6]}, {"a.1": 6}, True),
        ({"a": [5, 6]}, {"a.2": {"$exists": True}}, False),
        ({"a": [[1, 2]]}, {"a": [1, 2]}, True),
        ({"a": [1, 2]}, {"a": [1, 2]}, True),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}}, False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": Int64(1)}, {"a": Decimal128("1.0")}, True),
        ({"a": True}, {"a": 1}, False),
        ({"a": "1"}, {"a": {"$gt": 0}}, False),
        ({"a": None}, {"a": {"$gte": None}}, True),
        ({}, {"a": {"$lt": None}}, False),
        ({"a": math.nan}, {"a": math.nan}, True),
        ({"a": math.nan}, {"a": {"$lt": 1}}, False),
        ({"a": math.nan}, {"a": {"$lte": math.nan}}, True),
        ({"a": 5}, {"a": {"$not": {"$gt": 7}}}, True),
        ({"a": 5}, {"a": {"$gt": 1, "$lt": 3}}, False),
        ({"a": [1, 9]}, {"a": {"$gt": 4, "$lt": 6}}, True),  # each by another element
        ({"a": ObjectId("0" * 24)}, {"a": {"$lt": ObjectId("1" * 24)}}, True),
        ({"a": datetime(2026, 1, 1, tzinfo=timezone.utc)}, {"a": datetime(2026, 1, 1, tzinfo=timezone.utc)}, True),
        ({"a": 1}, {"$comment": "why", "a": 1}, True),
        ({"a": 1}, {}, True),
    ],
)
def test_what_filters_select(document: dict[str, Any], filter_: dict[str, Any], expected: bool) -> None:
    """Paths, arrays, null, missing fields, numbers and types as the manual describes them."""
    assert compile_filter(filter_)(document) is expected


@pytest.mark.parametrize(
    ("filter_", "message"),
    [
        ({"a": {"$regex": "x"}}, r"the operator \$regex is not implemented"),
        ({"a": Regex("x")}, "a regular expression in a filter is not implemented"),
        ({"a": {"$in": [Regex("x")]}}, "a regular expression in a filter is not implemented"),
        ({"$where": "1"}, r"the operator \$where is not implemented"),
        ({"$expr": {"$eq": ["$a", 1]}}, r"the operator \$expr is not implemented"),
        ({"a": {"$gt": 1, "b": 2}}, "unknown operator: b"),
        ({"a": {"$gt": MinKey()}}, "MinKey or MaxKey"),
        ({"a": {"$in": 1}}, "need an array"),
        ({"$or": []}, "nonempty array"),
        ({"$and": [1]}, "the filter must be a document"),
        ([], "the filter must be a document"),
        ({"a": {"$not": 1}}, "document of operators"),
    ],
)
def test_what_no_filter_is(filter_: Any, message: str) -> None:
    """An operator that is not implemented is an error with its name, and so is an invalid filter."""
    with pytest.raises(MongoError, match=message):
        compile_filter(filter_)


def test_deep_filters_end() -> None:
    """A filter that is nested too deeply is an error and not a crash."""
    filter_: dict[str, Any] = {"a": 1}
    for _ in range(200):
        filter_ = {"$and": [filter_]}

    with pytest.raises(MongoError, match="levels deep"):
        compile_filter(filter_)


def test_the_order_of_types() -> None:
    """Values of different types sort as in the manual's "Comparison/Sort Order"."""
    values = [
        MinKey(),
        None,
        math.nan,
        -1,
        Decimal128("0.5"),
        Int64(2),
        "",
        "a",
        {"a": 1},
        [1],
        b"x",
        ObjectId("0" * 24),
        False,
        True,
        datetime(2026, 1, 1, tzinfo=timezone.utc),
        Timestamp(1, 1),
        Regex("a"),
        MaxKey(),
    ]
    shuffled = Random(1).sample(values, len(values))

    assert [key_of(one) for one in sorted(shuffled, key=key_of)] == [key_of(one) for one in values]


def test_sorting() -> None:
    """A missing field is null, an array counts by its least or greatest element, and ties keep their order."""
    documents: list[dict[str, Any]] = [
        {"_id": 1, "a": 3},
        {"_id": 2, "a": [1, 9]},
        {"_id": 3},
        {"_id": 4, "a": 3},
        {"_id": 5, "a": []},
    ]

    assert [one["_id"] for one in ordered(documents, {"a": 1})] == [5, 3, 2, 1, 4]
    assert [one["_id"] for one in ordered(documents, {"a": -1})] == [2, 1, 4, 3, 5]
    assert [one["_id"] for one in ordered(documents, {"a": 1, "_id": -1})] == [5, 3, 2, 4, 1]
    with pytest.raises(MongoError, match="sorting by a"):
        ordered([], {"a": "up"})


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        ({"a": 1}, {"_id": 1, "a": {"b": 1, "c": [{"d": 1, "e": 2}, 3]}}),
        ({"a.b": 1, "_id": 0}, {"a": {"b": 1}}),
        ({"a.c.d": True, "_id": False}, {"a": {"c": [{"d": 1}]}}),
        ({"a": 0}, {"_id": 1, "f": 2}),
        ({"a.c.d": 0, "_id": 0}, {"a": {"b": 1, "c": [{"e": 2}, 3]}, "f": 2}),
        ({"_id": 0}, {"a": {"b": 1, "c": [{"d": 1, "e": 2}, 3]}, "f": 2}),
        ({"_id": 1}, {"_id": 1}),
        ({"x": 1}, {"_id": 1}),
    ],
)
def test_projections(projection: dict[str, Any], expected: dict[str, Any]) -> None:
    """Fields are included or excluded, within documents and arrays, too."""
    project = compile_projection(projection)

    assert project is not None
    assert project({"_id": 1, "a": {"b": 1, "c": [{"d": 1, "e": 2}, 3]}, "f": 2}) == expected


@pytest.mark.parametrize(
    "projection", [{"a": 1, "b": 0}, {"a": "$b"}, {"a.$": 1}, {"a": {"$slice": 1}}, {"a": 1, "a.b": 1}]
)
def test_projections_that_are_none(projection: dict[str, Any]) -> None:
    """Mixed, computed, positional and colliding projections are errors."""
    with pytest.raises(MongoError):
        compile_projection(projection)


def test_distinct_values() -> None:
    """The elements of an array count one by one, equal numbers once, and missing fields not at all."""
    assert distinct([{"a": 1}, {"a": [1.0, 2]}, {}, {"a": None}], ["a"]) == [1, 2, None]


def run(pipeline: list[dict[str, Any]], documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a pipeline makes of documents."""
    return list(compile_pipeline(pipeline, Random(1))(documents))


def test_pipelines() -> None:
    """Stages work on what the one before returns."""
    documents = [{"_id": number, "kind": "ab"[number % 2], "in": [{"n": number}]} for number in range(10)]

    assert run([{"$match": {"_id": {"$gte": 8}}}, {"$project": {"_id": 1}}], documents) == [{"_id": 8}, {"_id": 9}]
    assert run([{"$sort": {"_id": -1}}, {"$skip": 1}, {"$limit": 1}, {"$project": {"kind": 1}}], documents) == [
        {"_id": 8, "kind": "a"}
    ]
    assert run([{"$group": {"_id": None, "n": {"$sum": 1}}}], documents) == [{"_id": None, "n": 10}]
    assert run([{"$group": {"_id": "$kind", "n": {"$sum": 2}}}], documents) == [
        {"_id": "a", "n": 10},
        {"_id": "b", "n": 10},
    ]
    assert run([{"$group": {"_id": "$in.n"}}, {"$limit": 1}], documents) == [{"_id": [0]}]
    assert run([{"$group": {"_id": "$none"}}], documents) == [{"_id": None}]
    assert run([{"$count": "n"}], documents) == [{"n": 10}]
    assert run([{"$match": {"_id": 77}}, {"$count": "n"}], documents) == []
    sample = [one["_id"] for one in run([{"$sample": {"size": 4}}], documents)]
    assert len(set(sample)) == 4
    assert len(run([{"$sample": {"size": 40}}], documents)) == 10


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ({"$lookup": {}}, r"the stage \$lookup is not implemented"),
        ({"$out": "x"}, r"the stage \$out is not implemented"),
        ({"$group": {"_id": {"$year": "$at"}}}, "the expression"),
        ({"$group": {"_id": "$$ROOT"}}, "the expression"),
        ({"$group": {"_id": 1, "n": {"$avg": "$a"}}}, r"\$avg"),
        ({"$group": {"_id": 1, "n": {"$sum": "$a"}}}, r"\$sum"),
        ({"$project": {"a": "$b"}}, "in a projection"),
        ({"$limit": 0}, r"\$limit must be"),
        ({"$limit": 1, "$skip": 1}, "exactly one field"),
        ({"$sample": {}}, "size"),
        ({"$count": "$a"}, "name of a field"),
    ],
)
def test_stages_that_are_none(stage: dict[str, Any], message: str) -> None:
    """What is not implemented is an error by its name."""
    with pytest.raises(MongoError, match=message):
        run([stage], [{}])


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"$set": {"a": 2}}, {"_id": 1, "a": 2, "b": {"c": [1, {"d": 1}]}}),
        ({"$set": {"b.c.1.d": 5, "x.y": 1}}, {"_id": 1, "a": 1, "b": {"c": [1, {"d": 5}]}, "x": {"y": 1}}),
        ({"$set": {"b.c.2": 3}}, {"_id": 1, "a": 1, "b": {"c": [1, {"d": 1}, 3]}}),
        ({"$unset": {"a": "", "b.c.0": "", "no.no": ""}}, {"_id": 1, "b": {"c": [None, {"d": 1}]}}),
        ({"$inc": {"a": 2, "n": 0.5}}, {"_id": 1, "a": 3, "b": {"c": [1, {"d": 1}]}, "n": 0.5}),
        ({"$setOnInsert": {"a": 9}}, {"_id": 1, "a": 1, "b": {"c": [1, {"d": 1}]}}),
        ({"z": 1}, {"_id": 1, "z": 1}),
        ({"_id": 1.0, "z": 1}, {"_id": 1, "z": 1}),
        ({}, {"_id": 1}),
    ],
)
def test_updates(update: dict[str, Any], expected: dict[str, Any]) -> None:
    """Fields are set, removed and incremented at paths, or the document is replaced; the argument stays as it was."""
    document = {"_id": 1, "a": 1, "b": {"c": [1, {"d": 1}]}}
    found, _ = compile_update(update)

    assert found(document) == expected
    assert document == {"_id": 1, "a": 1, "b": {"c": [1, {"d": 1}]}}


@pytest.mark.parametrize(
    ("update", "code"),
    [
        ({"$push": {"a": 1}}, 238),
        ({"$set": {"a.$[]": 1}}, 238),
        ([{"$set": {"a": 1}}], 238),
        ({"$inc": {"a": Decimal128("1")}}, 238),
        ({"$set": {"_id": 2}}, 66),
        ({"_id": 2}, 66),
        ({"$unset": {"_id": ""}}, 66),
        ({"$set": {"a": 1}, "$inc": {"a": 1}}, 40),
        ({"$set": {"b": 1, "b.c": 1}}, 40),
        ({"$set": {"a.x": 1}}, 28),
        ({"$set": {"": 1}}, 56),
        ({"$inc": {"t": 1}}, 14),
        ({"$inc": {"nothing": 1}}, 14),
        ({"$inc": {"big": Int64(2**62)}}, 2),
        ({"$set": 1}, 9),
        ({"a": 1, "$set": {}}, 52),
        ("x", 9),
    ],
)
def test_updates_that_are_none(update: Any, code: int) -> None:
    """What is not implemented or not allowed is an error with MongoDB's code."""
    with pytest.raises(MongoError) as error:
        compile_update(update)[0]({"_id": 1, "a": 1, "b": {}, "t": "x", "nothing": None, "big": Int64(2**62)})
    assert error.value.code == code


def test_upserts() -> None:
    """A document that an upsert inserts has the equalities of the filter and what the update sets."""
    filter_ = {"_id": 5, "a.b": {"$eq": 1}, "n": {"$gt": 1}, "$and": [{"c": 2}], "$or": [{"d": 1}]}

    assert upserted(filter_) == {"_id": 5, "a": {"b": 1}, "c": 2}
    assert compile_update({"$setOnInsert": {"x": 1}, "$inc": {"n": 1}})[1]({"_id": 5}) == {"_id": 5, "x": 1, "n": 1}


def test_an_integer_of_64_bits_stays_one() -> None:
    """$inc keeps the type long, as MongoDB does."""
    result = compile_update({"$inc": {"n": 1}})[0]({"_id": 1, "n": Int64(1)})

    assert isinstance(result["n"], Int64)
