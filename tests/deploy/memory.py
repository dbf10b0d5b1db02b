"""A fake cloud that keeps resources in memory."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from cli.deploy.plan import Change
from cli.huaweicloud.client import ServiceError
from cli.huaweicloud.resources import Found, Kind, Resource


STACK = "dds-backup"


def NO_SLEEP(seconds: float) -> None:  # noqa: N802 a constant
    """Pauses take no time."""


class Memory:
    """Resources by key. Call number *fails_at*, and every call after the first *breaks_at*, fails with *error*."""

    def __init__(self, there: Iterable[Resource]) -> None:
        self.there = {resource.key: resource for resource in there}
        self.breaks_at: int | None = None
        self.fails_at: int | None = None
        self.error: Exception = ServiceError("Test.Call", 500, "T.1", "broken")
        self._calls = 0

    def found(self) -> list[Found]:
        return [Found(resource, f"id-{name}", STACK) for (_, name), resource in self.there.items()]

    def services(self) -> dict[Kind, "MemoryService"]:
        return {kind: MemoryService(self) for kind in Kind}

    def called(self) -> None:
        self._calls += 1
        if self._calls == self.fails_at or (self.breaks_at is not None and self._calls > self.breaks_at):
            raise self.error


@dataclass
class MemoryService:
    """The resources of any kind. As in a service, deleting a resource deletes its parts."""

    memory: Memory

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> Sequence[Found]:
        self.memory.called()
        return [item for item in self.memory.found() if item.resource.name in names]

    def create(self, wanted: Resource) -> None:
        self.memory.called()
        assert wanted.key not in self.memory.there
        assert all(parent in self.memory.there for parent in wanted.parents)
        self.memory.there[wanted.key] = wanted

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:
        self.memory.called()
        assert fields
        self.memory.there[found.resource.key] = wanted

    def delete(self, found: Found) -> None:
        self.memory.called()
        key = found.resource.key
        del self.memory.there[key]
        for part in [part.key for part in self.memory.there.values() if key in part.parents]:
            del self.memory.there[part]


class Silence:
    """An observer that does nothing."""

    def begins(self, change: Change) -> None: ...
    def ends(self, change: Change, error: ServiceError | None) -> None: ...
