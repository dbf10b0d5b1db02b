"""What instances and backups hold: an immutable value, its versions, and the samples of the seed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from localcloud.clock import Clock
from localcloud.cloud import Cloud
from localcloud.dds import backups
from localcloud.dds.model import DAY
from localcloud.mongo.content import Collection, Content, Index, WriteError, decoded
from localcloud.mongo.values import key_of
from localcloud.seed import load_seed


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
METRICS = "90b6f2a47c1d4e38b5f0d7a3c9e8612din02"
CUSTOMERS = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
NOT_BORN = "7c1e9a04b8d24f53965ae0c7f2b3d816in02"
START = 1_700_568_000.0

IDS = st.one_of(st.integers(-5, 5), st.sampled_from(["a", "b", 1.0, True, None]), st.lists(st.integers(), max_size=1))


@pytest.fixture
def now() -> list[float]:
    """The time, which a test moves."""
    return [START]


@pytest.fixture
def start(tmp_path: Path, now: list[float]) -> Callable[[], Cloud]:
    """Start a cloud with the test's state file."""
    return lambda: Cloud(load_seed(), {}, tmp_path / "state.db", Clock(wall=lambda: now[0]))


def names(content: Content, database: str = "shop", collection: str = "orders") -> set[Any]:
    """The ids of the documents of a collection that are texts."""
    found = content.collection(database, collection)
    assert found is not None
    return {one["_id"] for one in found.documents() if isinstance(one["_id"], str)}


def test_a_write_leaves_the_old_value_as_it_was() -> None:
    """A write returns a new Content, and shares with the old one what it does not change."""
    before = Content().insert("shop", "orders", {"_id": 1}).insert("shop", "payments", {"_id": 1})

    after = before.insert("shop", "orders", {"_id": 2})

    assert [len(one.collection("shop", "orders") or ()) for one in (before, after)] == [1, 2]
    assert after.collection("shop", "payments") is before.collection("shop", "payments")


@given(ids=st.lists(IDS, max_size=8))
def test_ids_are_unique(ids: list[Any]) -> None:
    """Of documents whose `_id` MongoDB calls equal, the first is kept, and the others are duplicates."""
    documents = [{"_id": one, "number": number} for number, one in enumerate(ids)]

    collection, errors = Collection().insert(documents, ordered=False)

    first = {key_of(one["_id"]): one for one in reversed(documents) if not isinstance(one["_id"], list)}
    assert {key_of(one["_id"]): one["number"] for one in collection.documents()} == {
        key: one["number"] for key, one in first.items()
    }
    assert len(collection) + len(errors) == len(ids)


def test_what_is_no_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """Duplicates, an array as `_id`, names with a dollar and documents too large are refused by their codes."""
    monkeypatch.setattr("localcloud.mongo.content.MAX_DOCUMENT", 1000)
    made = Content().put("a", "b", Collection().with_index(Index("n_1", (("n", 1),), unique=True)))
    made = made.insert("a", "b", {"_id": 1, "n": [1, 2]})

    for document, code in (
        ({"_id": 1.0}, 11000),
        ({"n": 2}, 11000),
        ({"_id": [1]}, 53),
        ({"$set": 1}, 52),
        ({"text": "x" * 1000}, 10334),
    ):
        with pytest.raises(WriteError) as error:
            made.insert("a", "b", document)
        assert error.value.code == code, document


def test_an_instance_holds_a_bounded_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the limit is refused: a mistake in a test does not take the machine's memory."""
    monkeypatch.setattr("localcloud.mongo.content.MAX_CONTENT", 1000)
    content = Content().insert("a", "b", {"bytes": bytes(900)})

    with pytest.raises(WriteError, match="at most") as error:
        content.insert("a", "c", {"bytes": bytes(100)})

    assert error.value.code == 14031


def test_deleting_and_replacing() -> None:
    """A changed document keeps its place and its `_id`; statistics follow."""
    content = Content().insert("a", "b", *({"_id": number} for number in range(4)))
    collection = content.collection("a", "b")
    assert collection is not None

    changed = collection.change({key_of(1): None, key_of(2): {"_id": 2, "new": True}})

    assert list(changed.documents()) == [{"_id": 0}, {"_id": 2, "new": True}, {"_id": 3}]
    assert changed.size == sum(map(len, changed))
    with pytest.raises(WriteError, match="_id"):
        changed.change({key_of(0): {"_id": 7}})


def test_a_unique_index_holds_for_changes_and_for_what_is_there() -> None:
    """A change that makes a duplicate is refused, and so is a unique index over duplicates."""
    collection, _ = Collection().insert([{"_id": 1, "n": 1}, {"_id": 2, "n": 2}])

    with pytest.raises(WriteError, match="duplicate"):
        collection.with_index(Index("n_1", (("n", 1),), unique=True)).change({key_of(2): {"_id": 2, "n": 1}})
    with pytest.raises(WriteError, match="duplicate"):
        collection.change({key_of(2): {"_id": 2, "n": 1}}).with_index(Index("n_1", (("n", 1),), unique=True))


def test_dropping() -> None:
    """A database is gone with its last collection."""
    content = Content().insert("a", "b", {}).insert("a", "c", {}).insert("d", "e", {})

    assert set(content.drop("a", "b").databases["a"]) == {"c"}
    assert set(content.drop("a", "b").drop("a", "c").databases) == {"d"}
    assert set(content.drop("a").databases) == {"d"}
    assert content.drop("x").drop("a", "x") == content


def test_statistics_are_those_of_the_documents() -> None:
    """Sizes are those of the BSON, and add up over databases."""
    content = Content().insert("a", "b", {"_id": 1}, {"_id": 2}).insert("c", "d", {"_id": 1})

    assert (content.statistics("a").objects, content.statistics("a").collections) == (2, 1)
    assert content.statistics().data_size == content.statistics("a").data_size + content.statistics("c").data_size == 42
    assert content.statistics("x").collections == 0


def test_a_backup_has_the_data_of_its_moment(start: Callable[[], Cloud], now: list[float]) -> None:
    """What is inserted before a backup is in it, what is inserted after its begin is not; a restart changes neither."""
    cloud = start()
    dds = cloud.dds
    dds.write(ORDERS, dds.content(ORDERS).insert("shop", "orders", {"_id": "before"}))

    backup = backups.create(dds, ORDERS, "nightly", "")
    now[0] += 1
    dds.write(ORDERS, dds.content(ORDERS).insert("shop", "orders", {"_id": "after"}))

    for _ in range(2):
        assert names(cloud.dds.content(backup.id)) == {"before"}
        assert names(cloud.dds.content(ORDERS)) == {"before", "after"}
        cloud.close()
        cloud = start()
    cloud.close()


def test_an_automatic_backup_has_the_data_of_its_moment(start: Callable[[], Cloud], now: list[float]) -> None:
    """A backup that was due before a write has none of it, although it shows only later."""
    cloud = start()
    now[0] += DAY
    cloud.dds.write(ORDERS, cloud.dds.content(ORDERS).insert("shop", "orders", {"_id": "late"}))
    now[0] += DAY

    made = [one for one in cloud.dds.backups(cloud.dds.present()) if one.instance_id == ORDERS]

    assert [names(cloud.dds.content(one.id)) for one in sorted(made, key=lambda one: one.begin)] == [set(), {"late"}]
    cloud.close()


def test_what_an_instance_held_at_a_time(start: Callable[[], Cloud], now: list[float]) -> None:
    """Each version is that of its time. Before the start, there are the documents that were there by then."""
    cloud = start()
    for number in range(3):
        now[0] += 60
        cloud.dds.write(ORDERS, cloud.dds.content(ORDERS).insert("shop", "orders", {"_id": str(number)}))

    assert [names(cloud.dds.content_at(ORDERS, START + second)) for second in (0, 60, 119, 1000)] == [
        set(),
        {"0"},
        {"0"},
        {"0", "1", "2"},
    ]
    sizes = [cloud.dds.content_at(ORDERS, START - days * DAY).statistics().objects for days in (0, 1, 30, 4000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 0
    assert sizes[0] > sizes[2] > 0
    cloud.close()


def test_the_samples_of_the_seed(start: Callable[[], Cloud]) -> None:
    """Each instance that was created holds documents, none newer than the start and the newest at most minutes old."""
    cloud = start()

    for instance in cloud.dds.instances:
        content = cloud.dds.content(instance.id)
        made = [
            one["_id"].generation_time.timestamp()
            for collections in content.databases.values()
            for collection in collections.values()
            for one in collection.documents()
            if isinstance(one["_id"], ObjectId)
        ]
        assert bool(made) == (instance.status not in ("creating", "createfail"))
        assert all(START - 600 < one <= START for one in [max(made)] if made) if made else True
    assert cloud.dds.content(NOT_BORN) == Content()
    cloud.close()


def test_the_backups_of_the_seed_are_older_than_its_instances(start: Callable[[], Cloud]) -> None:
    """A backup of the seed holds what its instance held at its time, and one of a deleted instance a sample."""
    cloud = start()
    stored = cloud.dds.backups(cloud.dds.present())
    for backup in stored:
        held = cloud.dds.content(backup.id).statistics().objects
        instance = cloud.dds.content(backup.instance_id).statistics().objects
        assert held > 0
        assert held < instance or not instance
    assert {one.instance_id for one in stored} >= {METRICS, CUSTOMERS}
    cloud.close()


def test_a_reset_brings_the_samples_back(start: Callable[[], Cloud]) -> None:
    """After a reset an instance holds what it held at the start, and its versions are forgotten."""
    cloud = start()
    before = cloud.dds.content(ORDERS)
    cloud.dds.write(ORDERS, Content())

    cloud.reset()

    assert cloud.dds.content(ORDERS) == cloud.dds.content_at(ORDERS, START) == before
    cloud.close()


def test_content_of_a_seed_file(tmp_path: Path) -> None:
    """A seed file says what an instance holds: fields by lists, ranges and numbers, and indexes."""
    path = tmp_path / "seed.yaml"
    path.write_text(
        f"""
instances:
  - id: {CUSTOMERS}
    content:
      crm:
        customers:
          documents: 3
          fields: {{number: "{{n}}", name: "c{{n}}", age: 1..9, in: {{city: [x, y]}}}}
          unique: [number]
        contacts: {{documents: 0, indexes: ["-at,by"]}}
""",
        encoding="utf-8",
    )
    cloud = Cloud(load_seed(path), {}, clock=Clock(wall=lambda: START))

    collections = cloud.dds.content(CUSTOMERS).databases["crm"]
    made = list(map(decoded, collections["customers"]))
    assert [(one["number"], one["name"]) for one in made] == [(1, "c1"), (2, "c2"), (3, "c3")]
    assert all(1 <= one["age"] <= 9 and one["in"]["city"] in "xy" for one in made)
    assert collections["contacts"].indexes == (Index("at_-1_by_1", (("at", -1), ("by", 1))),)
    assert replace(collections["customers"].indexes[0], unique=False) == Index("number_1", (("number", 1),))
