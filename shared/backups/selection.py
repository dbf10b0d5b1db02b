"""Which instances of a project are meant: by tag, name, mode and enterprise project."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.backups.ports import Instance


_TAG_KEY = Field(min_length=1, max_length=36)
_TAG_VALUE = Field(max_length=43)
Pattern = Annotated[str, Field(min_length=1, max_length=64)]


class Selector(BaseModel):
    """Chooses instances: one that meets every criterion given, and that `exclude` does not name.

    Attributes:
        tags: all of these keys, each with one of its values; no values means any (DDS API, Querying DB Instances by
            Tag: AND across keys, OR across values).
        name: a pattern of the instance's name (``*``, ``?``, ``[...]``).
        mode: any of these.
        enterprise_project_id: the enterprise project; "0" is the default one.
        exclude: patterns of instance ids or names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # it is built as part of requests

    tags: dict[Annotated[str, _TAG_KEY], tuple[Annotated[str, _TAG_VALUE], ...]] = {}
    name: Pattern | None = None
    mode: tuple[Literal["Sharding", "ReplicaSet", "Single"], ...] = ()
    enterprise_project_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    exclude: tuple[Pattern, ...] = ()

    @model_validator(mode="after")
    def _chooses(self) -> "Selector":
        if not (self.tags or self.name or self.mode or self.enterprise_project_id):
            raise ValueError('give tags, name, mode or enterprise_project_id; every instance is {"name": "*"}')
        return self

    def matches(self, instance: Instance) -> bool:
        """Whether an instance is meant."""
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
        """The instances that are meant, each once, in the order of their ids."""
        return sorted({i.id: i for i in instances if self.matches(i)}.values(), key=lambda instance: instance.id)
