"""The bodies of calls about tags (SMN API, Tags)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field


Number = Annotated[str, Field(pattern="^[0-9]{1,9}$")]
Key = Annotated[str, Field(min_length=1, max_length=128, examples=["environment"])]


class Tag(BaseModel):
    key: Key
    value: Annotated[str, Field(max_length=256)] = ""


class NewTag(BaseModel):
    tag: Tag


class Tags(BaseModel):
    tags: list[Tag]


class TagFilter(BaseModel):
    """A key with any of the values; without values, with whatever value."""

    key: Key
    values: Annotated[list[str], Field(max_length=10)] = []


class Query(BaseModel):
    """Topics that have all the tags. Offset and limit are texts."""

    action: Literal["filter", "count"]
    tags: Annotated[list[TagFilter], Field(max_length=10)] = []
    without_any_tag: bool = False
    offset: Number = "0"
    limit: Number = "1000"


class ResourceDetail(BaseModel):
    enterprise_project_id: str
    detailId: str  # noqa: N815 the name is the API's
    topic_urn: str
    display_name: str


class Resource(BaseModel):
    resource_id: str
    resource_name: str
    resource_detail: ResourceDetail
    tags: list[Tag]


class Resources(BaseModel):
    resources: list[Resource] = []
    total_count: int
