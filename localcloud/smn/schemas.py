"""The bodies of SMN requests and responses (SMN API, the tables of each page)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from localcloud.smn.state import Protocol


Number = Annotated[str, Field(pattern="^[0-9]{1,9}$")]
Key = Annotated[str, Field(min_length=1, max_length=128, examples=["environment"])]


class Error(BaseModel):
    """An SMN error."""

    request_id: str
    code: str
    message: str


class NewTopic(BaseModel):
    name: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$", examples=["dds-backups"])]
    display_name: Annotated[str, Field(max_length=192)] = ""
    enterprise_project_id: str = "0"


class TopicUpdate(BaseModel):
    display_name: Annotated[str, Field(max_length=192)]


class Accepted(BaseModel):
    request_id: str


class CreatedTopic(Accepted):
    topic_urn: str


class Topic(BaseModel):
    topic_urn: str
    name: str
    display_name: str
    push_policy: int = 0
    enterprise_project_id: str
    topic_id: str
    create_time: str
    update_time: str


class Topics(Accepted):
    topic_count: int
    topics: list[Topic]


class TopicDetails(Topic, Accepted):
    pass


class NewSubscription(BaseModel):
    protocol: Annotated[Protocol, Field(examples=["email"])]
    endpoint: Annotated[str, Field(min_length=1, max_length=2048, examples=["dba@example.com"])]
    remark: str = ""


class CreatedSubscription(Accepted):
    subscription_urn: str


class FilterPolicy(BaseModel):
    """Delivers the messages whose attribute of that name has one of the values."""

    name: Annotated[str, Field(pattern="^[a-z0-9]+(_[a-z0-9]+)*$", max_length=32, examples=["severity"])]
    string_equals: Annotated[
        list[Annotated[str, Field(pattern="^[A-Za-z0-9_\u4e00-\u9fff]{1,32}$")]],
        Field(min_length=1, max_length=10, examples=[["warning", "error"]]),
    ]


class SubscriberPolices(BaseModel):
    """The filter policies of one subscription (the API spells them so)."""

    subscription_urn: str
    filter_polices: Annotated[list[FilterPolicy], Field(min_length=1, max_length=5)]


class NewPolices(BaseModel):
    polices: Annotated[list[SubscriberPolices], Field(min_length=1, max_length=100)]


class PolicesToDelete(BaseModel):
    subscription_urns: Annotated[list[str], Field(min_length=1, max_length=100)]


class BatchResult(BaseModel):
    """A subscription of a batch that failed. The documents show no entry for one that did not."""

    code: str
    message: str
    subscription_urn: str


class Subscription(BaseModel):
    """Status 0 is unconfirmed, 1 is confirmed."""

    topic_urn: str
    protocol: str
    subscription_urn: str
    owner: str
    endpoint: str
    remark: str
    status: int
    filter_polices: list[FilterPolicy] = []


class Subscriptions(Accepted):
    subscription_count: int
    subscriptions: list[Subscription]


class BatchResults(Accepted):
    batch_result: list[BatchResult]


class Attribute(BaseModel):
    name: str
    type: Literal["STRING", "STRING_ARRAY", "PROTOCOL"]
    value: str | list[str]


class Publish(BaseModel):
    """One of message_structure, message_template_name and message is required. They take precedence in this order."""

    subject: str | None = None
    message: str | None = None
    message_structure: str | None = None
    message_template_name: str | None = None
    tags: dict[str, str] | None = None
    time_to_live: Annotated[str | None, Field(examples=["3600"])] = None
    message_attributes: Annotated[list[Attribute] | None, Field(max_length=10)] = None
    locale: str | None = None


class Published(Accepted):
    message_id: str


class Tag(BaseModel):
    key: Key
    value: Annotated[str, Field(max_length=256)] = ""


class NewTag(BaseModel):
    tag: Tag


class Tags(BaseModel):
    tags: list[Tag]


class TagFilter(BaseModel):
    """Matches a key with any of `values`, or with any value if there are none."""

    key: Key
    values: Annotated[list[str], Field(max_length=10)] = []


class ResourceQuery(BaseModel):
    """A query for the topics that have all the tags. `offset` and `limit` are strings."""

    action: Literal["filter", "count"]
    tags: Annotated[list[TagFilter], Field(max_length=10)] = []
    without_any_tag: bool = False
    offset: Number = "0"
    limit: Number = "1000"


class ResourceDetail(BaseModel):
    enterprise_project_id: str
    detailId: str  # noqa: N815 as in the API
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
