"""The contents of instances and backups.

What they hold now is stored. Earlier versions, for a restore to a time, are kept in memory.
"""

import base64
from collections import deque
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from localcloud.mongo.content import Content
from localcloud.store import Store


# How many versions of an instance are kept. Each shares with the next what a write did not change.
MAX_VERSIONS = 1000


def _read(dumped: str | bytes) -> Content:
    return Content.load(base64.b64decode(dumped))


def _write(content: Content) -> str:
    return base64.b64encode(content.dump()).decode()


@dataclass(frozen=True, slots=True)
class StoredContent:
    """What an instance or a backup with this id has held since `since` (seconds since the epoch)."""

    id: str
    since: float
    content: Annotated[Content, PlainValidator(_read), PlainSerializer(_write), WithJsonSchema({"type": "string"})]


class Contents:
    """The content of each instance and each backup, by its id. What has none stored is empty."""

    def __init__(self, store: Store) -> None:
        self._stored = store.table("content", StoredContent)
        self._versions: dict[str, deque[StoredContent]] = {}

    def now(self, identity: str) -> Content:
        """What an instance holds now, or what a backup has."""
        stored = self._stored.get(identity)
        return Content() if stored is None else stored.content

    def at(self, instance_id: str, time: float) -> Content:
        """What an instance held at `time`.

        Before its oldest version it is that one without the documents whose ObjectId was made later: a restart forgets
        the versions before it, and the seed has none. A document deleted before then is not in it.
        """
        versions = self._versions.get(instance_id) or ([one] if (one := self._stored.get(instance_id)) else [])
        for version in reversed(versions):
            if version.since <= time:
                return version.content
        return versions[0].content.until(time) if versions else Content()

    def put(self, identity: str, content: Content, since: float) -> None:
        """Replace the content of an instance, or set that of a backup."""
        self._stored.put(StoredContent(identity, since, content))

    def write(self, instance_id: str, content: Content, now: float) -> None:
        """Replace the content of an instance, and keep the one before as a version."""
        versions = self._versions.get(instance_id)
        if versions is None:
            before = self._stored.get(instance_id)
            versions = self._versions[instance_id] = deque([before] if before else [], MAX_VERSIONS)
        stored = StoredContent(instance_id, now, content)
        versions.append(stored)
        self._stored.put(stored)

    def remove(self, identity: str) -> None:
        """Forget the content of an instance or a backup."""
        self._stored.remove(identity)
        self._versions.pop(identity, None)

    def clear(self) -> None:
        """Forget everything."""
        self._stored.clear()
        self._versions.clear()
