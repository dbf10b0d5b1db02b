"""Faults of content: what is wrong with a backup that looks like any other, and shows only once it is restored."""

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from localcloud.dds.model import DAY
from localcloud.mongo.content import Content
from localcloud.strict import Strict


class ContentFault(Strict):
    """What a restore of the backup comes to. Several can be combined."""

    lacks_collection: Annotated[
        str | None,
        Field(pattern=r"^[^.$]+\.[^$]+$", description="The copy lacks this collection, database.collection."),
    ] = None
    keeps: Annotated[
        float, Field(ge=0, le=1, description="The copy has this part of the documents of each collection, such as 0.5.")
    ] = 1.0
    stale_days: Annotated[
        float, Field(ge=0, le=3650, description="The copy has the data of so many days before the backup.")
    ] = 0.0
    ends_as: Annotated[
        Literal["createfail", "abnormal"] | None, Field(description="The status of the copy, instead of normal.")
    ] = None
    never_ends: Annotated[bool, Field(description="The copy stays in the status creating.")] = False

    @model_validator(mode="after")
    def _ends_or_not(self) -> "ContentFault":
        if self.never_ends and self.ends_as is not None:
            raise ValueError("never_ends and ends_as exclude each other")
        return self

    def of(self, content: Content, begin: float) -> Content:
        """What comes back of the content of a backup that began at `begin`.

        What is stale lacks the documents whose ObjectId is newer. Of a part, the documents are spread evenly.
        """
        if self.stale_days:
            content = content.until(begin - self.stale_days * DAY)
        if self.keeps < 1:
            seen: Counter[tuple[str, str]] = Counter()

            def is_kept(database: str, name: str, _document: dict[str, Any]) -> bool:
                seen[database, name] += 1
                number = seen[database, name]
                return int(number * self.keeps) > int((number - 1) * self.keeps)

            content = content.keep(is_kept)
        if self.lacks_collection is not None:
            content = content.drop(*self.lacks_collection.split(".", 1))
        return content


NO_FAULT = ContentFault()


@dataclass(frozen=True, slots=True)
class BackupFault:
    """The fault of the backup with this id."""

    id: str
    fault: ContentFault
