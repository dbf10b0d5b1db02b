"""The bodies of SMN requests and answers (SMN API, tables of each page)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from localcloud.smn.facts import Protocol


class Error(BaseModel):
    """An error of SMN."""

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


class Subscription(BaseModel):
    """Status 0 is unconfirmed, 1 confirmed."""

    topic_urn: str
    protocol: str
    subscription_urn: str
    owner: str
    endpoint: str
    remark: str
    status: int
    filter_polices: list[dict[str, Any]] = []


class Subscriptions(Accepted):
    subscription_count: int
    subscriptions: list[Subscription]


class Attribute(BaseModel):
    name: str
    type: Literal["STRING", "STRING_ARRAY", "PROTOCOL"]
    value: str | list[str]


class Publish(BaseModel):
    """message_structure goes before message_template_name, and that before message; one of them is needed."""

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
