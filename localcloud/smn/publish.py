"""Publishing a message: the documented limits, and what each subscription receives (SMN API, Publishing Messages)."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from localcloud.clock import text
from localcloud.smn import schemas
from localcloud.smn.errors import parameter_error, smn_error
from localcloud.smn.state import Delivery, Message, SmnState, Subscription


MESSAGE_BYTES = 256 * 1024
SUBJECT_BYTES = 512
TIME_TO_LIVE = 3600
# The stricter of the two documented limits, 24 hours and 7 days.
MAX_TIME_TO_LIVE = 86_400
TAG_KEY_CHARACTERS = 21
TAG_VALUE_BYTES = 1024
MAX_TAGS = 90
# The documented pattern also rejects double underscores, which are checked separately.
ATTRIBUTE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_]{0,30}[a-z0-9])?")
# Chinese and English letters, digits and underscores (SMN SDK, MessageAttribute, value).
ATTRIBUTE_VALUE = re.compile(r"[A-Za-z0-9_\u4e00-\u9fff]{1,32}")
MAX_ATTRIBUTE_VALUES = 10
TEMPLATE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,64}")


def publish(state: SmnState, topic_urn: str, request: schemas.Publish, access_key: str | None) -> Message:
    """Store a message with what each confirmed subscription receives. `access_key` is that of the publisher, if any.

    Raises SMN.0005 or 0006 for an invalid topic, 0008 for the subject, 0009 for the message, 0021 for the message
    structure, 0032 or 0027 for the template, 0038 or 0075 for the tags, 0046 or 0019 for the message attributes, 0019
    for the time to live.
    """
    topic = state.topic(topic_urn)
    if request.subject is not None and len(request.subject.encode()) > SUBJECT_BYTES:
        raise smn_error("SMN.0008")
    time_to_live = _time_to_live(request.time_to_live)
    attributes = request.message_attributes or []
    _check_attributes(attributes)
    texts = _texts(request)
    message = Message(
        id=state.region.new_id().hex,
        topic_urn=topic.id,
        subject=request.subject,
        message=texts["default"],
        message_structure=request.message_structure,
        message_attributes=[attribute.model_dump() for attribute in attributes],
        time_to_live=time_to_live,
        timestamp=text(state.region.clock.now()),
        access_key=access_key,
    )
    message = replace(message, deliveries=_deliveries(message, texts, state.subscriptions_of(topic.id)))
    state.messages.put(message)
    state.on_message(message)
    return message


def _texts(request: schemas.Publish) -> Mapping[str, str]:
    # message_structure takes precedence over message_template_name, and that over message.
    if request.message_structure is not None:
        return _structure(request.message_structure)
    if request.message_template_name is not None:
        _check_tags(request.tags or {})
        # The local cloud has no templates.
        raise smn_error("SMN.0027" if TEMPLATE_NAME.fullmatch(request.message_template_name) else "SMN.0032")
    if not request.message or len(request.message.encode()) > MESSAGE_BYTES:
        raise smn_error("SMN.0009")
    return {"default": request.message}


def _structure(structure: str) -> Mapping[str, str]:
    if len(structure.encode()) > MESSAGE_BYTES:
        raise smn_error("SMN.0009")
    try:
        texts = json.loads(structure)
    except ValueError as error:
        raise smn_error("SMN.0021") from error
    if not isinstance(texts, dict) or not isinstance(texts.get("default"), str) or not texts["default"]:
        raise smn_error("SMN.0021")
    # Chatbots take objects (msgType, content), all others strings.
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in texts.items()}


def _time_to_live(value: str | None) -> int:
    if value is None:
        return TIME_TO_LIVE
    if not re.fullmatch("[0-9]{1,6}", value) or not 0 < int(value) <= MAX_TIME_TO_LIVE:
        raise parameter_error(f"time_to_live must be a string of 1 to {MAX_TIME_TO_LIVE} seconds")
    return int(value)


def _check_attributes(attributes: list[schemas.Attribute]) -> None:
    names = [attribute.name for attribute in attributes]
    if len(set(names)) < len(names):
        raise smn_error("SMN.0046")
    for attribute in attributes:
        if not ATTRIBUTE_NAME.fullmatch(attribute.name) or "__" in attribute.name:
            raise smn_error("SMN.0046")
        if isinstance(attribute.value, str) is not (attribute.type == "STRING"):
            raise parameter_error(f"the value of message attribute {attribute.name} must be of type {attribute.type}")
        values = [attribute.value] if isinstance(attribute.value, str) else attribute.value
        if not 0 < len(values) <= MAX_ATTRIBUTE_VALUES or len(set(values)) < len(values):
            raise parameter_error(
                f"message attribute {attribute.name} must have 1 to {MAX_ATTRIBUTE_VALUES} different values"
            )
        if attribute.type != "PROTOCOL" and not all(map(ATTRIBUTE_VALUE.fullmatch, values)):
            raise parameter_error(
                f"the values of message attribute {attribute.name} must be 1 to 32 letters, digits, or underscores"
            )


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > MAX_TAGS:
        raise smn_error("SMN.0075")
    for key, value in tags.items():
        if not 0 < len(key) <= TAG_KEY_CHARACTERS or len(value.encode()) > TAG_VALUE_BYTES:
            raise smn_error("SMN.0038")


def _deliveries(message: Message, texts: Mapping[str, str], subscriptions: list[Subscription]) -> list[Delivery]:
    """What each confirmed subscription receives: the text for its protocol, or the default.

    A message attribute of type PROTOCOL limits the protocols, and the filter policies of a subscription its messages.
    """
    protocols = [
        protocol
        for attribute in message.message_attributes
        if attribute["type"] == "PROTOCOL"
        for protocol in attribute["value"]
    ]
    return [
        Delivery(
            protocol=subscription.protocol,
            endpoint=subscription.endpoint,
            subscription_urn=subscription.id,
            content=_content(message, subscription, texts.get(subscription.protocol, texts["default"])),
        )
        for subscription in subscriptions
        if subscription.status == 1
        and (not protocols or subscription.protocol in protocols)
        and _passes(subscription.filter_polices or {}, message.message_attributes)
    ]


def _passes(filters: Mapping[str, list[str]], attributes: list[dict[str, Any]]) -> bool:
    """Whether each filter policy whose attribute the message has names one of the attribute's values.

    A policy whose attribute the message lacks does not count (SMN user guide, Using a Subscription Filtering Policy,
    scenario 1). That a message without any attribute passes follows from its introduction, which it does not say
    outright.
    """
    given = {one["name"]: one["value"] for one in attributes if one["type"] != "PROTOCOL"}
    return all(
        not set(values).isdisjoint([given[name]] if isinstance(given[name], str) else given[name])
        for name, values in filters.items()
        if name in given
    )


def _content(message: Message, subscription: Subscription, text: str) -> str | dict[str, Any]:
    if subscription.protocol == "email":
        return {"subject": message.subject, "message": text}
    if subscription.protocol in {"http", "https"}:
        return _notification(message, subscription, text)
    if subscription.protocol in {"functiongraph", "functionstage"}:
        return _function_event(message, subscription, text)
    return text


def _notification(message: Message, subscription: Subscription, text: str) -> dict[str, Any]:
    # SMN user guide, "Notification message format of HTTP/HTTPS". Only SMN can sign it.
    return {
        "type": "Notification",
        "signature": "",
        "signature_version": "v1",
        "signing_cert_url": "",
        "topic_urn": message.topic_urn,
        "message_id": message.id,
        "subject": message.subject,
        "message": text,
        "timestamp": message.timestamp,
        "unsubscribe_url": f"https://console.huaweicloud.com/smn/subscription/unsubscribe?subscription_urn={subscription.id}",
    }


def _function_event(message: Message, subscription: Subscription, text: str) -> dict[str, Any]:
    # The event of FunctionGraph's event source SMN.
    return {
        "record": [
            {
                "event_version": "1.0",
                "event_source": "smn",
                "event_subscription_urn": subscription.endpoint,
                "smn": {
                    "topic_urn": message.topic_urn,
                    "message_id": message.id,
                    "type": "notification",
                    "subject": message.subject,
                    "message": text,
                    "message_attributes": {
                        attribute["name"]: {"Type": attribute["type"], "Value": attribute["value"]}
                        for attribute in message.message_attributes
                    }
                    or None,
                    "timestamp": message.timestamp,
                },
            }
        ]
    }
