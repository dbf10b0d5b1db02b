"""The content of the seed: how a seed file describes what an instance holds, and the documents that come of it.

The documents are the same for the same description and time, so that two local clouds hold the same. They are made
once in a process, for all its local clouds and resets within five minutes.
"""

import math
import random
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from bson import ObjectId
from pydantic import Field

from localcloud.clock import utc
from localcloud.mongo.content import Collection, Content, Index
from localcloud.strict import Strict


RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
# The newest document of the seed is less than this old. All local clouds that start within it share their content.
RECENT = 300.0
MAX_DOCUMENTS = 100_000
_NAMESPACE = uuid.UUID("0d1f7c64-0b7e-5f57-8a58-7f2f8f3a1c55")


class SeedCollection(Strict):
    """A collection of `documents`, made over the last `days`, the newest less than five minutes before the start.

    Each document has an `_id` and its time as `created`, and the `fields`: of a list one value, of "0..30" an integer
    in that range, of a mapping a document; in a text, {n} is the document's number. `indexes` are names of fields,
    with "-" descending, or several separated by commas. Those of `unique` are unique.
    """

    documents: Annotated[int, Field(ge=0, le=MAX_DOCUMENTS)]
    days: Annotated[float, Field(gt=0, le=3650)] = 365
    fields: Annotated[dict[str, Any], Field(default_factory=dict)]
    indexes: Annotated[tuple[str, ...], Field(strict=False)] = ()
    unique: Annotated[tuple[str, ...], Field(strict=False)] = ()


SeedContent = dict[str, dict[str, SeedCollection]]
"""The collections of each database, by their names."""

# What an instance holds for which the seed says nothing.
DEFAULT: SeedContent = {
    "app": {
        "items": SeedCollection(
            documents=40,
            fields={"number": "{n}", "state": ["new", "active", "closed"], "amount": "1..500"},
            indexes=("number", "state,-created"),
        ),
        "events": SeedCollection(
            documents=60, days=90, fields={"kind": ["login", "change", "logout"]}, indexes=("-created",)
        ),
    }
}


def make_content(seed: SeedContent, now: float, until: float = math.inf) -> Content:
    """The content that a seed describes, for a start at `now`: what there was at `until` (seconds since the epoch)."""
    return _made(_Frozen(seed), now // RECENT * RECENT, until if until == math.inf else until // RECENT * RECENT)


@lru_cache(maxsize=256)
def _made(seed: "_Frozen", now: float, until: float) -> Content:
    if until < now:
        return _made(seed, now, math.inf).until(until)
    content = Content()
    for (database, name), collection in seed.collections:
        indexes = (*(_index(one, unique=True) for one in collection.unique), *map(_index, collection.indexes))
        made, errors = Collection(indexes=indexes).insert(_documents(f"{database}.{name}", collection, now))
        for error in errors.values():
            raise ValueError(f"content.{database}.{name}: {error}")
        content = content.put(database, name, made)
    return content


class _Frozen:
    """A description as the key of a cache."""

    def __init__(self, seed: SeedContent) -> None:
        self.collections = [
            ((database, name), one) for database, collections in seed.items() for name, one in collections.items()
        ]
        self._key = repr(self.collections)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frozen) and self._key == other._key


def _documents(name: str, seed: SeedCollection, now: float) -> Iterator[dict[str, Any]]:
    # Half of the documents are of the last quarter of the days: a collection grows.
    chance = random.Random(name)  # noqa: S311 - made-up data
    for number in range(1, seed.documents + 1):
        age = seed.days * 86_400 * (1 - number / seed.documents) ** 2
        time = utc(now - age)
        yield {"_id": _object_id(name, number, time), **_filled(seed.fields, number, chance), "created": time}


def _object_id(name: str, number: int, time: datetime) -> ObjectId:
    made_by = uuid.uuid5(_NAMESPACE, name).bytes[:5]
    return ObjectId(int(time.timestamp()).to_bytes(4, "big") + made_by + number.to_bytes(3, "big"))


def _filled(value: Any, number: int, chance: random.Random) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(one, number, chance) for key, one in value.items()}
    if isinstance(value, list):
        return _filled(chance.choice(value), number, chance)
    if isinstance(value, str):
        if found := RANGE.fullmatch(value):
            return chance.randint(*sorted(map(int, found.groups())))
        return number if value == "{n}" else value.replace("{n}", str(number))
    return value


def _index(text: str, *, unique: bool = False) -> Index:
    keys = tuple((key.strip().lstrip("-"), -1 if key.strip().startswith("-") else 1) for key in text.split(","))
    return Index("_".join(f"{key}_{direction}" for key, direction in keys), keys, unique)
