"""What each protocol makes of a message."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from localcloud.smn.facts import Delivery, Message, Subscription


def deliveries(message: Message, texts: Mapping[str, str], subscriptions: list[Subscription]) -> Message:
    """The message with what each confirmed subscription receives.

    `texts` is the text by protocol, "default" for the rest. An attribute of type PROTOCOL limits the protocols.
    """
    protocols = [
        protocol
        for attribute in message.message_attributes
        if attribute["type"] == "PROTOCOL"
        for protocol in attribute["value"]
    ]
    receivers = [
        subscription
        for subscription in subscriptions
        if subscription.status == 1 and (not protocols or subscription.protocol in protocols)
    ]
    return replace(
        message,
        deliveries=[
            Delivery(
                protocol=subscription.protocol,
                endpoint=subscription.endpoint,
                subscription_urn=subscription.id,
                content=_content(message, subscription, texts.get(subscription.protocol, texts["default"])),
            )
            for subscription in receivers
        ],
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
    # SMN user guide, "Notification message format of HTTP/HTTPS". The signature is SMN's and cannot be made here.
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
    # FunctionGraph, event source SMN.
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
