"""The state of SMN: topics, subscriptions and published messages. Times are seconds since the epoch (UTC)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from localcloud.region import Region
from localcloud.smn.errors import smn_error
from localcloud.store import Store


Protocol = Literal[
    "email",
    "sms",
    "http",
    "https",
    "functiongraph",
    "functionstage",
    "callnotify",
    "dingding",
    "wechat",
    "feishu",
    "welink",
    "dingTalkBot",
]

TOPIC_URN = re.compile(r"urn:smn:[a-z0-9-]+:[0-9a-f]{32}:[A-Za-z0-9][A-Za-z0-9_-]{0,254}")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic. Its `id` here is its URN."""

    id: str
    name: str
    display_name: str
    topic_id: str
    created: float
    updated: float
    enterprise_project_id: str = "0"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription. Its `id` here is its URN. Status 0 is unconfirmed, 1 is confirmed."""

    id: str
    topic_urn: str
    protocol: Protocol
    endpoint: str
    remark: str
    status: int
    filter_polices: dict[str, list[str]] | None = None
    """The values of a message attribute that are delivered, by its name. The API spells it so."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a subscription would receive: a string, or the JSON document that HTTP endpoints and functions get."""

    protocol: Protocol
    endpoint: str
    subscription_urn: str
    content: str | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A published message. `message` is the default text, `timestamp` is in the form 2018-01-09T07:11:40Z."""

    id: str
    topic_urn: str
    subject: str | None
    message: str
    message_structure: str | None
    message_attributes: list[dict[str, Any]]
    time_to_live: int
    timestamp: str
    access_key: str | None
    deliveries: list[Delivery] = field(default_factory=list)


class SmnState:
    """The topics, subscriptions and published messages of the project. `on_message` is called with each message."""

    def __init__(self, region: Region, store: Store) -> None:
        self.region = region
        self.topics = store.table("topic", Topic)
        self.subscriptions = store.table("subscription", Subscription)
        self.messages = store.table("message", Message)
        self.on_message: Callable[[Message], None] = lambda _: None

    def topic(self, urn: str) -> Topic:
        """The topic with this URN. Raises SMN.0005 for a malformed URN, SMN.0006 for an unknown topic."""
        topic = self.topics.get(urn)
        if topic is None:
            raise smn_error("SMN.0006" if TOPIC_URN.fullmatch(urn) else "SMN.0005")
        return topic

    def topic_by_id(self, topic_id: str) -> Topic:
        """The topic with this id, by which the tag API identifies it. Raises SMN.0006 for an unknown topic."""
        topic = next((topic for topic in self.topics if topic.topic_id == topic_id), None)
        if topic is None:
            raise smn_error("SMN.0006")
        return topic

    def subscriptions_of(self, topic_urn: str) -> list[Subscription]:
        """The subscriptions to a topic."""
        return [subscription for subscription in self.subscriptions if subscription.topic_urn == topic_urn]

    def subscription(self, urn: str) -> Subscription:
        """The subscription with this URN. Raises SMN.0014 if there is none."""
        subscription = self.subscriptions.get(urn)
        if subscription is None:
            raise smn_error("SMN.0014")
        return subscription
