"""The instances of a project, and selecting some of them by tag, name, mode and enterprise project."""

import threading
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.errors import EmptySelectionError
from shared.limits import MAX_PATTERNS
from shared.model import Instance, Instances
from shared.retry import Retrying


_TAG_KEY = Field(min_length=1, max_length=36)
_TAG_VALUE = Field(max_length=43)
_TagValues = Annotated[tuple[Annotated[str, _TAG_VALUE], ...], Field(max_length=MAX_PATTERNS)]
Pattern = Annotated[str, Field(min_length=1, max_length=64)]


class Selector(BaseModel):
    """Selects the instances that meet every given criterion and that `exclude` does not name.

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
        """Whether the selector selects an instance."""
        return (
            all(
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

    def _list(self) -> Sequence[Instance]:
        with self._lock:
            if self._listed is None:
                self._listed = self._retrying.call(self._instances.list)
            return self._listed
