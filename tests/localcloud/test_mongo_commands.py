"""Every command with arguments of any type: it answers, and never fails in another way."""

from typing import Any

import bson
import pytest
from bson import DatetimeMS, Decimal128, Int64, MinKey, ObjectId, Regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud.clock import Clock
from localcloud.cloud import Cloud
from localcloud.mongo.call import USER, Client, Server
from localcloud.mongo.commands import COMMANDS, answer
from localcloud.mongo.values import OPTIONS
from localcloud.mongo.wire import Request, encode, parse
from localcloud.seed import load_seed


CATALOGUE = "7b0f1d93a8e24c65905dcb48e2713f0ain02"
# Beside names of every kind of thing, since those that are known lead further.
NAMES = st.sampled_from(
    ["a", "a.b", "_id", "0", "", "size", "key", "name", "unique", "limit", "multi", "upsert", "batchSize", "q", "u"]
) | st.sampled_from(
    ["$set", "$unset", "$inc", "$gt", "$in", "$eq", "$ne", "$and", "$or", "$not", "$exists", "$match", "$group", "$sum"]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**31, -(2**63), 1.5, float("nan"), float("inf"), "", "a", "$a", "products", b"x", Int64(5)]),
    st.sampled_from([ObjectId("0" * 24), Decimal128("1"), DatetimeMS(1), MinKey(), Regex("a")]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
STATEMENTS = st.lists(
    st.fixed_dictionaries({"q": VALUES, "u": VALUES, "limit": VALUES})
    | st.fixed_dictionaries({"q": st.just({}), "u": VALUES}, optional={"multi": VALUES, "upsert": VALUES})
    | st.fixed_dictionaries({"key": VALUES, "name": VALUES}, optional={"unique": VALUES})
    | st.tuples(st.sampled_from(["$match", "$sort", "$limit", "$project", "$group", "$sample", "$count"]), VALUES).map(
        lambda stage: dict([stage])
    ),
    min_size=1,
    max_size=2,
)
FIELDS = sorted({field for command in COMMANDS.values() for field in command.fields or ()} - {"$db"})


@pytest.fixture(scope="module")
def server() -> Server:
    """An instance without a listener."""
    cloud = Cloud(load_seed(), {}, clock=Clock(wall=lambda: 1_700_568_000.0))
    return Server(cloud.dds, CATALOGUE, 27017, commit=cloud.store.commit)


@st.composite
def commands(draw: st.DrawFn) -> dict[str, Any]:
    """A command with a target and some arguments."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    target = draw(st.one_of(st.just("products"), st.just(1), VALUES))
    known = sorted(COMMANDS[name].fields or ()) or FIELDS
    arguments = draw(st.dictionaries(st.sampled_from(known), VALUES | STATEMENTS, max_size=4))
    if name == "aggregate":
        arguments["cursor"] = {}
    return {name: target, **arguments, "$db": draw(st.sampled_from(["catalogue", "app", "admin", "", 1]))}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(command=commands())
def test_any_arguments(server: Server, command: dict[str, Any]) -> None:
    """The answer is one that can be sent: with ok, or with a code and a message."""
    before = server.dds.content(CATALOGUE)
    request = Request(1, bson.decode(bson.encode(command), OPTIONS))

    result = answer(server, Client(1, ("127.0.0.1", 1), user=USER), request)

    assert result["ok"] == 1 or {"code", "codeName", "errmsg"} <= result.keys()
    assert parse(encode(request, result, 1)).command["ok"] == result["ok"]
    server.dds.write(CATALOGUE, before)
