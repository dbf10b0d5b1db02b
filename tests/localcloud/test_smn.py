"""SMN: topics, subscriptions, publishing and its limits, the outbox."""

import json
from typing import Any

import httpx
import pytest
from huaweicloudsdksmn.v2 import (
    AddSubscriptionRequest,
    AddSubscriptionRequestBody,
    BatchCreateSubscriptionsFilterPolicesRequest,
    BatchDeleteSubscriptionsFilterPolicesRequest,
    BatchUpdateSubscriptionsFilterPolicesRequest,
    CancelSubscriptionRequest,
    CreateTopicRequest,
    CreateTopicRequestBody,
    DeleteTopicRequest,
    ListSubscriptionsByTopicRequest,
    ListSubscriptionsRequest,
    ListTopicDetailsRequest,
    ListTopicsRequest,
    MessageAttribute,
    PublishMessageRequest,
    PublishMessageRequestBody,
    UpdateTopicRequest,
    UpdateTopicRequestBody,
)

from localcloud import LocalCloud
from tests.localcloud.sdk import rejection


KB = 1024


@pytest.fixture
def topic(cloud: LocalCloud) -> str:
    """The URN of the seed's topic."""
    return str(cloud.connection()["topic_urn"])


def message(topic: str, **body: Any) -> Any:
    """The SDK's request to publish."""
    return PublishMessageRequest(topic_urn=topic, body=PublishMessageRequestBody(**body))


def test_a_message_reaches_every_protocol(cloud: LocalCloud, smn: Any, topic: str) -> None:
    """A message structure has a text for each protocol, and the outbox shows what each subscription receives."""
    structure = json.dumps({"default": '{"a":1}', "email": "Dear DBA", "sms": "short"})
    sent = smn.publish_message(
        message(
            topic,
            subject="Backup started",
            message="not used beside a structure",
            message_structure=structure,
            time_to_live="600",
            message_attributes=[MessageAttribute(name="kind", type="STRING", value="started")],
        )
    )

    [kept] = cloud.messages()
    received = {delivery["protocol"]: delivery["content"] for delivery in kept["deliveries"]}
    event = received["functiongraph"]["record"][0]
    assert kept["message_id"] == sent.message_id
    assert len(sent.request_id) == 32
    assert (kept["topic_urn"], kept["subject"], kept["message"]) == (topic, "Backup started", '{"a":1}')
    assert (kept["message_structure"], kept["time_to_live"]) == (structure, 600)
    assert kept["message_attributes"] == [{"name": "kind", "type": "STRING", "value": "started"}]
    assert kept["access_key"] == cloud.connection()["access_key"]
    assert received["email"] == {"subject": "Backup started", "message": "Dear DBA"}
    assert received["sms"] == "short"
    assert (received["https"]["type"], received["https"]["message"]) == ("Notification", '{"a":1}')
    assert (event["event_source"], event["smn"]["message"]) == ("smn", '{"a":1}')
    assert event["smn"]["message_id"] == sent.message_id


def test_a_token_leaves_no_access_key(cloud: LocalCloud, http: httpx.Client, topic: str) -> None:
    """The access key of a message published with a token is null."""
    project_id = cloud.connection()["project_id"]
    http.post(f"/v2/{project_id}/notifications/topics/{topic}/publish", json={"message": "hi"})

    [kept] = cloud.messages()
    assert (kept["access_key"], kept["subject"], kept["time_to_live"]) == (None, None, 3600)


def test_the_protocol_attribute_chooses(cloud: LocalCloud, smn: Any, topic: str) -> None:
    """A message attribute of type PROTOCOL limits the protocols that receive the message."""
    attribute = MessageAttribute(name="smn_protocol", type="PROTOCOL", value=["email", "sms"])
    smn.publish_message(message(topic, message="hi", message_attributes=[attribute]))

    [kept] = cloud.messages()
    assert [delivery["protocol"] for delivery in kept["deliveries"]] == ["email", "sms"]


@pytest.mark.parametrize(
    "body",
    [
        {"message": "é" * (128 * KB)},
        {"message": "a", "subject": "é" * 256},
        {"message": "a", "subject": ""},
        {"message": "a", "time_to_live": "1"},
        {"message": "a", "time_to_live": "86400"},
        {"message_structure": '{"default": "a", "dingding": {"msgType": "text", "content": "b"}}'},
        {"message_template_name": "t", "message_structure": '{"default": "a"}'},
        {"message": "a", "message_attributes": [{"name": "a" * 32, "type": "STRING_ARRAY", "value": ["x"]}]},
    ],
)
def test_messages_within_the_limits(cloud: LocalCloud, smn: Any, topic: str, body: dict[str, Any]) -> None:
    """The largest message, subject and time to live are accepted."""
    smn.publish_message(message(topic, **body))

    assert len(cloud.messages()) == 1


def attributes(*names: str, kind: str = "STRING", value: Any = "x") -> dict[str, Any]:
    """The body of a message with attributes."""
    listed = [{"name": name, "type": kind, "value": value} for name in names]
    return {"message": "a", "message_attributes": listed}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 403, "SMN.0009"),
        ({"message": ""}, 403, "SMN.0009"),
        ({"message": "é" * (128 * KB) + "a"}, 403, "SMN.0009"),
        ({"message": 5}, 403, "SMN.0009"),
        ({"message": "a", "subject": "é" * 256 + "a"}, 403, "SMN.0008"),
        ({"message_structure": "{"}, 400, "SMN.0021"),
        ({"message_structure": "[]"}, 400, "SMN.0021"),
        ({"message_structure": '{"email": "a"}'}, 400, "SMN.0021"),
        ({"message_structure": '{"default": ""}'}, 400, "SMN.0021"),
        ({"message_structure": json.dumps({"default": "a" * 256 * KB})}, 403, "SMN.0009"),
        ({"message": "a", "message_template_name": "none"}, 404, "SMN.0027"),
        ({"message_template_name": "?"}, 400, "SMN.0032"),
        ({"message_template_name": "none", "tags": {"a" * 22: "b"}}, 400, "SMN.0038"),
        ({"message_template_name": "none", "tags": {"a": "b" * 1025}}, 400, "SMN.0038"),
        ({"message_template_name": "none", "tags": {f"k{n}": "v" for n in range(91)}}, 403, "SMN.0075"),
        ({"message": "a", "time_to_live": "0"}, 400, "SMN.0019"),
        ({"message": "a", "time_to_live": "86401"}, 400, "SMN.0019"),
        ({"message": "a", "time_to_live": "1h"}, 400, "SMN.0019"),
        (attributes("a", value="dds.backup"), 400, "SMN.0019"),
        (attributes("a", value="x" * 33), 400, "SMN.0019"),
        (attributes("a", value=""), 400, "SMN.0019"),
        (attributes("a", kind="STRING_ARRAY", value=["x", "x"]), 400, "SMN.0019"),
        (attributes("a", kind="STRING_ARRAY", value=[]), 400, "SMN.0019"),
        (attributes("A"), 400, "SMN.0046"),
        (attributes("a__b"), 400, "SMN.0046"),
        (attributes("a_"), 400, "SMN.0046"),
        (attributes("a" * 33), 400, "SMN.0046"),
        (attributes("a", "a"), 400, "SMN.0046"),
        (attributes(*(f"a{n}" for n in range(11))), 400, "SMN.0046"),
        (attributes("a", kind="NUMBER"), 400, "SMN.0046"),
        (attributes("a", kind="STRING_ARRAY"), 400, "SMN.0019"),
        (attributes("a", value=["x"]), 400, "SMN.0019"),
    ],
)
def test_messages_beyond_the_limits(
    cloud: LocalCloud, smn: Any, topic: str, body: dict[str, Any], status: int, code: str
) -> None:
    """Each violated limit has its documented code, and no message is stored."""
    assert rejection(smn.publish_message, message(topic, **body)) == (status, code)
    assert cloud.messages() == []


@pytest.mark.parametrize(
    ("urn", "status", "code"),
    [
        ("dds-backups", 400, "SMN.0005"),
        ("urn:smn:cn-north-4:6e1f0c2bb77b5b3f8f2e6c555d0e8f5d:nothing", 404, "SMN.0006"),
    ],
)
def test_wrong_topics(smn: Any, urn: str, status: int, code: str) -> None:
    """A malformed URN is SMN.0005, that of an unknown topic SMN.0006."""
    assert rejection(smn.publish_message, message(urn, message="a")) == (status, code)


def test_error_body(cloud: LocalCloud, http: httpx.Client) -> None:
    """An SMN error has request_id, code and message."""
    response = http.get(f"/v2/{cloud.connection()['project_id']}/notifications/topics/x")

    assert response.json() == {
        "request_id": response.headers["X-Request-Id"],
        "code": "SMN.0005",
        "message": "Parameter: TopicUrn is invalid.",
    }


def create(name: str, display_name: str | None = None) -> Any:
    """The SDK's request to create a topic."""
    return CreateTopicRequest(body=CreateTopicRequestBody(name=name, display_name=display_name))


def test_the_life_of_a_topic(cloud: LocalCloud, smn: Any, topic: str) -> None:
    """A topic is created once (201, then 200), listed, renamed, and deleted with its subscriptions."""
    created = smn.create_topic(create("alarms", "Alarms"))
    again = smn.create_topic(create("alarms"))
    cloud.advance(60)
    smn.update_topic(
        UpdateTopicRequest(topic_urn=created.topic_urn, body=UpdateTopicRequestBody(display_name="Big alarms"))
    )
    details = smn.list_topic_details(ListTopicDetailsRequest(topic_urn=created.topic_urn))
    listed = smn.list_topics(ListTopicsRequest())
    fuzzy = smn.list_topics(ListTopicsRequest(fuzzy_name="larm", fuzzy_display_name="Big", topic_id=details.topic_id))
    smn.add_subscription(subscription(created.topic_urn, "email", "a@example.com"))
    smn.delete_topic(DeleteTopicRequest(topic_urn=created.topic_urn))

    assert (created.status_code, again.status_code, again.topic_urn) == (201, 200, created.topic_urn)
    assert created.topic_urn == topic.replace("dds-backups", "alarms")
    assert (details.name, details.display_name, details.push_policy) == ("alarms", "Big alarms", 0)
    assert details.create_time < details.update_time
    assert [one.name for one in listed.topics] == ["alarms", "dds-backups"]
    assert listed.topic_count == 2
    assert [one.name for one in fuzzy.topics] == ["alarms"]
    assert smn.list_topics(ListTopicsRequest(name="alarms")).topics == []
    assert all(one.topic_urn == topic for one in smn.list_subscriptions(ListSubscriptionsRequest()).subscriptions)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a" * 256])
def test_wrong_topic_names(smn: Any, name: str) -> None:
    """A topic name has 1 to 255 letters, digits, hyphens and underscores, and starts with a letter or digit."""
    assert rejection(smn.create_topic, create(name)) == (400, "SMN.0002")


def subscription(topic: str, protocol: str, endpoint: str, remark: str | None = None) -> Any:
    """The SDK's request to subscribe."""
    body = AddSubscriptionRequestBody(protocol=protocol, endpoint=endpoint, remark=remark)
    return AddSubscriptionRequest(topic_urn=topic, body=body)


def test_the_life_of_a_subscription(cloud: LocalCloud, smn: Any, topic: str) -> None:
    """A subscription is added once, receives nothing until it is confirmed, and can be cancelled."""
    added = smn.add_subscription(subscription(topic, "email", "new@example.com", "the new one"))
    again = smn.add_subscription(subscription(topic, "email", "new@example.com"))
    smn.publish_message(message(topic, message="before"))
    pending = smn.list_subscriptions(ListSubscriptionsRequest(status=0))
    httpx.post(
        f"{cloud.url}/_local/subscriptions/{added.subscription_urn}/confirm",
        headers={"X-Auth-Token": cloud.connection()["token"]},
        trust_env=False,
    )
    smn.publish_message(message(topic, message="after"))
    mine = smn.list_subscriptions_by_topic(ListSubscriptionsByTopicRequest(topic_urn=topic, fuzzy_remark="new"))
    smn.cancel_subscription(CancelSubscriptionRequest(subscription_urn=added.subscription_urn))

    endpoints = [[delivery["endpoint"] for delivery in kept["deliveries"]] for kept in cloud.messages()]
    assert (added.status_code, again.status_code, again.subscription_urn) == (201, 200, added.subscription_urn)
    assert [one.endpoint for one in pending.subscriptions] == ["new@example.com"]
    assert "new@example.com" not in endpoints[0]
    assert "new@example.com" in endpoints[1]
    assert [(one.status, one.remark) for one in mine.subscriptions] == [(1, "the new one")]
    left = smn.list_subscriptions(ListSubscriptionsRequest(protocol="email"))
    assert [one.endpoint for one in left.subscriptions] == ["dba@example.com"]


def polices(urn: str, **values: list[str]) -> Any:
    """The body that gives a subscription filter policies."""
    given = [{"name": name, "string_equals": equals} for name, equals in values.items()]
    return {"polices": [{"subscription_urn": urn, "filter_polices": given}]}


@pytest.fixture
def mailbox(smn: Any, topic: str) -> str:
    """The URN of the confirmed e-mail subscription of the seed."""
    [urn] = [
        one.subscription_urn
        for one in smn.list_subscriptions(ListSubscriptionsRequest(protocol="email")).subscriptions
        if one.topic_urn == topic
    ]
    return str(urn)


WEEK = {"week": ["sunday", "wednesday"], "time": ["morning", "afternoon"]}


@pytest.mark.parametrize(
    ("attributes", "is_delivered"),
    [
        ({"week": "sunday"}, True),
        ({"week": "sunday", "time": "night"}, False),
        ({"week": "monday", "time": "morning"}, False),
        ({"week": "wednesday", "time": "morning", "other": "x"}, True),
        ({"week": ["monday", "sunday"]}, True),
        ({"week": ["monday", "friday"]}, False),
        ({}, True),
    ],
)
def test_a_filter_policy_judges_the_attributes_that_a_message_has(
    cloud: LocalCloud, smn: Any, topic: str, mailbox: str, attributes: dict[str, Any], is_delivered: bool
) -> None:
    """Every policy whose attribute is there has to match (SMN user guide, Using a Subscription Filtering Policy)."""
    body = polices(mailbox, **WEEK)
    smn.batch_create_subscriptions_filter_polices(BatchCreateSubscriptionsFilterPolicesRequest(body=body))
    given = [
        MessageAttribute(name=name, type="STRING" if isinstance(value, str) else "STRING_ARRAY", value=value)
        for name, value in attributes.items()
    ]
    smn.publish_message(message(topic, message="hello", message_attributes=given))

    [kept] = cloud.messages()
    assert ("email" in {delivery["protocol"] for delivery in kept["deliveries"]}) is is_delivered
    assert "functiongraph" in {delivery["protocol"] for delivery in kept["deliveries"]}


def test_the_life_of_a_filter_policy(smn: Any, mailbox: str) -> None:
    """It is listed with its subscription, replaced as a whole, and removed. The answer lists failures."""
    create, update = BatchCreateSubscriptionsFilterPolicesRequest, BatchUpdateSubscriptionsFilterPolicesRequest
    delete = BatchDeleteSubscriptionsFilterPolicesRequest(body={"subscription_urns": [mailbox]})

    def listed() -> dict[str, list[str]]:
        found = smn.list_subscriptions(ListSubscriptionsRequest(protocol="email")).subscriptions
        [mine] = [one for one in found if one.subscription_urn == mailbox]
        return {police.name: police.string_equals for police in mine.filter_polices or []}

    too_early = smn.batch_update_subscriptions_filter_polices(update(body=polices(mailbox, **WEEK)))
    first = smn.batch_create_subscriptions_filter_polices(create(body=polices(mailbox, **WEEK)))
    after_first = listed()
    again = smn.batch_create_subscriptions_filter_polices(create(body=polices(mailbox, day=["monday"])))
    unknown = smn.batch_create_subscriptions_filter_polices(create(body=polices("urn:smn:x", **WEEK)))
    smn.batch_update_subscriptions_filter_polices(update(body=polices(mailbox, day=["monday"])))
    after_update = listed()
    smn.batch_delete_subscriptions_filter_polices(delete)

    assert (first.batch_result, after_first, after_update, listed()) == ([], WEEK, {"day": ["monday"]}, {})
    for failed, urn in ((too_early, mailbox), (again, mailbox), (unknown, "urn:smn:x")):
        assert [(one.code, one.subscription_urn) for one in failed.batch_result] == [("SMN.00011027", urn)]


@pytest.mark.parametrize(
    "values",
    [
        *({"week": []}, {"week": list("abcdefghijk")}, {"week": ["no spaces"]}),
        *({"_week": ["a"]}, {"a__b": ["a"]}, {"": ["a"]}, {f"a{n}": ["a"] for n in range(6)}),
    ],
)
def test_wrong_filter_policies(smn: Any, mailbox: str, values: dict[str, list[str]]) -> None:
    """At most 5 of a subscription, each with 1 to 10 values."""
    request = BatchCreateSubscriptionsFilterPolicesRequest(body=polices(mailbox, **values))
    assert rejection(smn.batch_create_subscriptions_filter_polices, request)[0] == 400


@pytest.mark.parametrize("values", [{"week": ["a", "a"]}, {"smn_week": ["a"]}])
def test_filter_policies_that_fail_one_by_one(smn: Any, mailbox: str, values: dict[str, list[str]]) -> None:
    """Values that repeat, and a reserved name."""
    request = BatchCreateSubscriptionsFilterPolicesRequest(body=polices(mailbox, **values))
    [failed] = smn.batch_create_subscriptions_filter_polices(request).batch_result
    assert failed.subscription_urn == mailbox


@pytest.mark.parametrize(
    ("protocol", "endpoint", "remark", "code"),
    [
        ("pigeon", "roof", None, "SMN.0011"),
        ("email", "nobody", None, "SMN.0012"),
        ("sms", "call me", None, "SMN.0012"),
        ("http", "https://example.com", None, "SMN.0012"),
        ("https", "http://example.com", None, "SMN.0012"),
        ("email", "a@example.com", "é" * 65, "SMN.0017"),
    ],
)
def test_wrong_subscriptions(smn: Any, topic: str, protocol: str, endpoint: str, remark: str | None, code: str) -> None:
    """Invalid protocols, endpoints and remarks are rejected."""
    assert rejection(smn.add_subscription, subscription(topic, protocol, endpoint, remark)) == (400, code)


def test_an_unknown_subscription(smn: Any) -> None:
    """Cancelling an unknown subscription is SMN.0014."""
    request = CancelSubscriptionRequest(subscription_urn="urn:smn:x")
    assert rejection(smn.cancel_subscription, request) == (400, "SMN.0014")


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"offset": -1}])
def test_wrong_pages(smn: Any, query: dict[str, int]) -> None:
    """A page has 1 to 100 entries, and its offset is not negative."""
    assert rejection(smn.list_topics, ListTopicsRequest(**query)) == (400, "SMN.0015")
