"""Topics, their tags, and subscriptions (SMN API, Topic Operations, Subscription Operations, Tags)."""

import re
from collections.abc import Iterable
from dataclasses import replace

from localcloud.smn import schemas
from localcloud.smn.errors import smn_error
from localcloud.smn.state import SmnState, Subscription, Topic


MAX_TAGS = 10
REMARK_BYTES = 128
# The protocols whose endpoints have to confirm a subscription. Functions and chatbots do not.
CONFIRMED_BY_HAND = {"email", "sms", "http", "https", "callnotify"}
_ENDPOINTS = {
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "sms": re.compile(r"\+?[0-9]{5,20}"),
    "callnotify": re.compile(r"\+?[0-9]{5,20}"),
    "http": re.compile(r"http://\S+"),
    "https": re.compile(r"https://\S+"),
}


def create_topic(state: SmnState, new: schemas.NewTopic) -> tuple[Topic, bool]:
    """Create a topic, or return the existing one of that name. The second value is True for a new topic."""
    region = state.region
    urn = f"urn:smn:{region.id}:{region.project_id}:{new.name}"
    existing = state.topics.get(urn)
    if existing is not None:
        return existing, False
    now = region.clock.now()
    topic = Topic(urn, new.name, new.display_name, state.region.new_id().hex, now, now, new.enterprise_project_id)
    state.topics.put(topic)
    return topic, True


def rename_topic(state: SmnState, urn: str, display_name: str) -> None:
    """Change the display name of a topic, which emails show as their sender."""
    topic = state.topic(urn)
    state.topics.put(replace(topic, display_name=display_name, updated=state.region.clock.now()))


def delete_topic(state: SmnState, urn: str) -> None:
    """Delete a topic and its subscriptions."""
    state.topics.remove(state.topic(urn).id)
    for subscription in state.subscriptions_of(urn):
        state.subscriptions.remove(subscription.id)


def add_tag(state: SmnState, topic_id: str, tag: schemas.Tag) -> None:
    """Add a tag to a topic, or change its value. Raises SMN.0006 for an unknown topic, SMN.0075 for too many tags."""
    topic = state.topic_by_id(topic_id)
    tags = topic.tags | {tag.key: tag.value}
    if len(tags) > MAX_TAGS:
        raise smn_error("SMN.0075")
    state.topics.put(replace(topic, tags=tags))


def topics_by_tags(state: SmnState, query: schemas.ResourceQuery) -> list[Topic]:
    """The topics that have every tag key with any of its values, or those without tags if the query asks for them."""
    if query.without_any_tag:
        return [topic for topic in state.topics if not topic.tags]
    return [
        topic
        for topic in state.topics
        if all(
            wanted.key in topic.tags and (not wanted.values or topic.tags[wanted.key] in wanted.values)
            for wanted in query.tags
        )
    ]


def subscribe(state: SmnState, topic_urn: str, new: schemas.NewSubscription) -> tuple[Subscription, bool]:
    """Add a subscription, or return the same existing one. The second value is True for a new subscription.

    Raises SMN.0005 or 0006 for an invalid or unknown topic, SMN.0012 for an invalid endpoint, SMN.0017 for a remark
    that is too long.
    """
    topic = state.topic(topic_urn)
    pattern = _ENDPOINTS.get(new.protocol)
    if pattern is not None and not pattern.fullmatch(new.endpoint):
        raise smn_error("SMN.0012")
    if len(new.remark.encode()) > REMARK_BYTES:
        raise smn_error("SMN.0017")
    for existing in state.subscriptions_of(topic.id):
        if (existing.protocol, existing.endpoint) == (new.protocol, new.endpoint):
            return existing, False
    subscription = Subscription(
        f"{topic.id}:{state.region.new_id().hex}",
        topic.id,
        new.protocol,
        new.endpoint,
        new.remark,
        status=0 if new.protocol in CONFIRMED_BY_HAND else 1,
    )
    state.subscriptions.put(subscription)
    return subscription, True


def confirm(state: SmnState, urn: str) -> Subscription:
    """Confirm a subscription, as the owner of the endpoint does. Raises SMN.0014 if there is none."""
    subscription = replace(state.subscription(urn), status=1)
    state.subscriptions.put(subscription)
    return subscription


def unsubscribe(state: SmnState, urn: str) -> None:
    """Cancel a subscription. Raises SMN.0014 if there is none."""
    state.subscriptions.remove(state.subscription(urn).id)


def create_filters(state: SmnState, new: schemas.NewPolices) -> list[schemas.BatchResult]:
    """Give subscriptions filter policies. Returns those that fail: a subscription may have some already."""
    return [failure for one in new.polices if (failure := _filter(state, one, has_filter=False))]


def update_filters(state: SmnState, new: schemas.NewPolices) -> list[schemas.BatchResult]:
    """Replace the filter policies of subscriptions. Returns those that fail: a subscription may have none."""
    return [failure for one in new.polices if (failure := _filter(state, one, has_filter=True))]


def delete_filters(state: SmnState, urns: Iterable[str]) -> list[schemas.BatchResult]:
    """Remove the filter policies of subscriptions. Returns those that fail."""
    return [failure for urn in urns if (failure := _set_filter(state, urn, None))]


def _filter(state: SmnState, new: schemas.SubscriberPolices, *, has_filter: bool) -> schemas.BatchResult | None:
    filters = {one.name: one.string_equals for one in new.filter_polices}
    if len(filters) < len(new.filter_polices) or any(len(set(one)) < len(one) for one in filters.values()):
        return _failure(new.subscription_urn, "the names of policies and the values of each must differ")
    if any(name.startswith("smn") for name in filters):
        return _failure(new.subscription_urn, "the name of a policy cannot start with smn")
    subscription = state.subscriptions.get(new.subscription_urn)
    if subscription and bool(subscription.filter_polices) is not has_filter:
        # What SMN does is not documented. A client that gets through this is right in both cases.
        return _failure(new.subscription_urn, f"the subscription has {'no' if has_filter else 'a'} filter policy")
    return _set_filter(state, new.subscription_urn, filters)


def _set_filter(state: SmnState, urn: str, filters: dict[str, list[str]] | None) -> schemas.BatchResult | None:
    subscription = state.subscriptions.get(urn)
    if subscription is None:
        return _failure(urn, "Parameter: subscription_urn is invalid.")
    state.subscriptions.put(replace(subscription, filter_polices=filters))
    return None


def _failure(urn: str, message: str) -> schemas.BatchResult:
    # The code of the example (SMN API, Creating Message Filter Policies for Subscriptions), which is the only one.
    return schemas.BatchResult(code="SMN.00011027", message=message, subscription_urn=urn)
