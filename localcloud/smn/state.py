"""Topics and subscriptions (SMN API, Topic Operations, Subscription Operations)."""

import re
import uuid
from collections.abc import Callable
from dataclasses import replace

from localcloud.region import Region
from localcloud.smn.errors import smn_error
from localcloud.smn.facts import Message, Subscription, Topic
from localcloud.smn.schemas import NewSubscription, NewTopic
from localcloud.store import Store


TOPIC_URN = re.compile(r"urn:smn:[a-z0-9-]+:[0-9a-f]{32}:[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
REMARK_BYTES = 128
# Who has to agree before messages arrive; functions and robots need no confirmation.
CONFIRMED_BY_HAND = {"email", "sms", "http", "https", "callnotify"}
_ENDPOINTS = {
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "sms": re.compile(r"\+?[0-9]{5,20}"),
    "callnotify": re.compile(r"\+?[0-9]{5,20}"),
    "http": re.compile(r"http://\S+"),
    "https": re.compile(r"https://\S+"),
}


class SmnState:
    """The topics, subscriptions and published messages of the project. `on_message` is told each message."""

    def __init__(self, region: Region, store: Store) -> None:
        self.region = region
        self.topics = store.table("topic", Topic)
        self.subscriptions = store.table("subscription", Subscription)
        self.messages = store.table("message", Message)
        self.on_message: Callable[[Message], None] = lambda _: None

    def topic(self, urn: str) -> Topic:
        """The topic with this URN. Raises SMN.0005 for what is no URN, SMN.0006 for an unknown topic."""
        topic = self.topics.get(urn)
        if topic is None:
            raise smn_error("SMN.0006" if TOPIC_URN.fullmatch(urn) else "SMN.0005")
        return topic

    def create_topic(self, new: NewTopic) -> tuple[Topic, bool]:
        """Create a topic, or find the one of that name; the second value says whether it is new."""
        urn = f"urn:smn:{self.region.id}:{self.region.project_id}:{new.name}"
        existing = self.topics.get(urn)
        if existing is not None:
            return existing, False
        now = self.region.clock.now()
        topic = Topic(urn, new.name, new.display_name, uuid.uuid4().hex, now, now, new.enterprise_project_id)
        self.topics.put(topic)
        return topic, True

    def rename_topic(self, urn: str, display_name: str) -> None:
        """Change the display name, which is the sender of e-mails."""
        self.topics.put(replace(self.topic(urn), display_name=display_name, updated=self.region.clock.now()))

    def delete_topic(self, urn: str) -> None:
        """Delete a topic with its subscriptions."""
        self.topics.remove(self.topic(urn).id)
        for subscription in self.subscriptions_of(urn):
            self.subscriptions.remove(subscription.id)

    def subscriptions_of(self, urn: str) -> list[Subscription]:
        """The subscriptions of a topic."""
        return [subscription for subscription in self.subscriptions if subscription.topic_urn == urn]

    def subscribe(self, urn: str, new: NewSubscription) -> tuple[Subscription, bool]:
        """Add a subscription, or find the same one; the second value says whether it is new.

        Raises SMN.0011, 0012 or 0017 for an invalid protocol, endpoint or remark.
        """
        topic = self.topic(urn)
        form = _ENDPOINTS.get(new.protocol)
        if form is not None and not form.fullmatch(new.endpoint):
            raise smn_error("SMN.0012")
        if len(new.remark.encode()) > REMARK_BYTES:
            raise smn_error("SMN.0017")
        for existing in self.subscriptions_of(urn):
            if (existing.protocol, existing.endpoint) == (new.protocol, new.endpoint):
                return existing, False
        subscription = Subscription(
            f"{topic.id}:{uuid.uuid4().hex}",
            topic.id,
            new.protocol,
            new.endpoint,
            new.remark,
            status=0 if new.protocol in CONFIRMED_BY_HAND else 1,
        )
        self.subscriptions.put(subscription)
        return subscription, True

    def subscription(self, urn: str) -> Subscription:
        """The subscription with this URN. Raises SMN.0014 when there is none."""
        subscription = self.subscriptions.get(urn)
        if subscription is None:
            raise smn_error("SMN.0014")
        return subscription

    def confirm(self, urn: str) -> Subscription:
        """What the owner of the endpoint does with the confirmation message."""
        subscription = replace(self.subscription(urn), status=1)
        self.subscriptions.put(subscription)
        return subscription
