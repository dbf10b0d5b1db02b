"""What is stored of SMN. Times are seconds since the epoch (UTC)."""

from dataclasses import dataclass, field
from typing import Any, Literal


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


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; its id here is its URN."""

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
    """A subscription; its id here is its URN. Status 0 is unconfirmed, 1 confirmed."""

    id: str
    topic_urn: str
    protocol: Protocol
    endpoint: str
    remark: str
    status: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one subscription would have received: text, or the JSON document for http(s) and functions."""

    protocol: Protocol
    endpoint: str
    subscription_urn: str
    content: str | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A published message. `message` is the default text, `timestamp` like 2018-01-09T07:11:40Z."""

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
