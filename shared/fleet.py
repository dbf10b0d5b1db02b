"""The instances of a project: selecting some of them, and the fence that the operator puts around them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.drills import is_drill, is_of_drill
from shared.errors import EmptySelectionError
from shared.identity import key_of, stack_of
from shared.limits import MAX_PATTERNS
from shared.model import Backup, Backups, Instance, Instances, NewBackup
from shared.retry import Retrying


_TAG_KEY = Field(min_length=1, max_length=36)
_TAG_VALUE = Field(max_length=43)
_TagValues = Annotated[tuple[Annotated[str, _TAG_VALUE], ...], Field(max_length=MAX_PATTERNS)]
Pattern = Annotated[str, Field(min_length=1, max_length=64)]


class Selector(BaseModel):
    """Selects the instances that meet every given criterion, that `exclude` does not name and that are no drill's.

    Attributes:
        tags: all of these keys, each with one of its values; an empty list means any value (DDS API, Querying DB
            Instances by Tag: AND across keys, OR across values).
        name: a pattern of the instance's name (``*``, ``?``, ``[...]``).
        mode: any of these.
        enterprise_project_id: the enterprise project; "0" is the default one.
        exclude: patterns of instance ids or names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # built as a part of requests

    tags: Annotated[dict[Annotated[str, _TAG_KEY], _TagValues], Field(max_length=MAX_PATTERNS)] = {}
    name: Pattern | None = None
    mode: Annotated[tuple[Literal["Sharding", "ReplicaSet", "Single"], ...], Field(max_length=MAX_PATTERNS)] = ()
    enterprise_project_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    exclude: Annotated[tuple[Pattern, ...], Field(max_length=MAX_PATTERNS)] = ()

    @model_validator(mode="after")
    def _has_a_criterion(self) -> "Selector":
        if not (self.tags or self.name or self.mode or self.enterprise_project_id):
            raise ValueError('give tags, name, mode or enterprise_project_id; every instance is {"name": "*"}')
        return self

    def matches(self, instance: Instance) -> bool:
        """Whether the selector selects an instance. None selects an instance of a restore drill."""
        return (
            not is_drill(instance)
            and all(
                key in instance.tags and (not values or instance.tags[key] in values)
                for key, values in self.tags.items()
            )
            and (self.name is None or fnmatchcase(instance.name, self.name))
            and (not self.mode or instance.mode in self.mode)
            and (self.enterprise_project_id is None or instance.enterprise_project_id == self.enterprise_project_id)
            and not any(fnmatchcase(text, p) for p in self.exclude for text in (instance.id, instance.name))
        )

    def choose(self, instances: Sequence[Instance]) -> list[Instance]:
        """Return the selected instances, each once, in the order of their ids."""
        return sorted({i.id: i for i in instances if self.matches(i)}.values(), key=lambda instance: instance.id)


class Fleet:
    """The instances of the project, listed once for the whole event."""

    def __init__(self, instances: Instances, retrying: Retrying) -> None:
        self._instances = instances
        self._retrying = retrying
        self._lock = threading.Lock()
        self._listed: Sequence[Instance] | None = None

    def select(self, selector: Selector) -> list[Instance]:
        """Return the instances that a selector selects, in the order of their ids.

        Raises:
            EmptySelectionError: it selects none.
            CloudError: the instances cannot be listed.
        """
        listed = self._list()
        selected = selector.choose(listed)
        if not selected:
            raise EmptySelectionError([f"select: none of the project's {len(listed)} instances meets it"])
        return selected

    def drills(self) -> dict[str, Instance]:
        """Return the instances of restore drills by id. Empty if no selector needed the list: it makes no call."""
        return {instance.id: instance for instance in self._listed or () if is_drill(instance)}

    def _list(self) -> Sequence[Instance]:
        with self._lock:
            if self._listed is None:
                self._listed = self._retrying.call(self._instances.list)
            return self._listed


@dataclass(frozen=True, slots=True)
class Fence:
    """The instances and backups that a function may touch, whatever a request asks for.

    Attributes:
        allowed: patterns of instance ids (``*``, ``?``, ``[...]``).
        stack: the name of the deployment. A backup of another one looks like one that somebody else made.
        adopts: whether backups without the name of a deployment are its own.
    """

    allowed: tuple[str, ...]
    stack: str | None = None
    adopts: bool = False

    def allows(self, instance_id: str) -> bool:
        """Whether the function may touch an instance."""
        return any(fnmatchcase(instance_id, pattern) for pattern in self.allowed)

    def own(self, backup: Backup) -> Backup:
        """Return a backup, without the event key if another deployment made it or its instance is a drill's.

        It then looks like a backup that somebody else made: it is neither followed nor judged nor deleted.
        """
        if key_of(backup.description) is None:
            return backup
        stack = stack_of(backup.description)
        is_own = (stack == self.stack or (stack is None and self.adopts)) and not is_of_drill(backup)
        return backup if is_own else replace(backup, description=None)

    def instances(self, instances: Instances) -> Instances:
        """The instances within the fence, and those of restore drills."""
        return _FencedInstances(self, instances)

    def backups(self, backups: Backups) -> Backups:
        """The backups of the instances within the fence."""
        return _FencedBackups(self, backups)


@dataclass(frozen=True, slots=True)
class _FencedInstances:
    fence: Fence
    inner: Instances

    def list(self) -> Sequence[Instance]:
        # The ids of the instances of drills are new, so no pattern knows them. No function selects such an instance.
        return [i for i in self.inner.list() if self.fence.allows(i.id) or is_drill(i)]


@dataclass(frozen=True, slots=True)
class _FencedBackups:
    fence: Fence
    inner: Backups

    def create(self, instance_id: str, name: str, description: str) -> NewBackup:
        return self.inner.create(instance_id, name, description)

    def list(
        self,
        *,
        name_part: str | None = None,
        description_part: str | None = None,
        backup_id: str | None = None,
        instance_id: str | None = None,
        since: datetime | None = None,
    ) -> Sequence[Backup]:
        listed = self.inner.list(
            name_part=name_part,
            description_part=description_part,
            backup_id=backup_id,
            instance_id=instance_id,
            since=since,
        )
        return [self.fence.own(backup) for backup in listed if self.fence.allows(backup.instance_id)]

    def delete(self, backup_id: str) -> None:
        self.inner.delete(backup_id)
