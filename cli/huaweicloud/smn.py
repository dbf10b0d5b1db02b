"""SMN: topics and their subscriptions."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from huaweicloudsdksmn.v2 import (
    AddSubscriptionRequest,
    BatchCreateSubscriptionsFilterPolicesRequest,
    BatchDeleteSubscriptionsFilterPolicesRequest,
    BatchUpdateSubscriptionsFilterPolicesRequest,
    CancelSubscriptionRequest,
    CreateResourceTagRequest,
    CreateTopicRequest,
    DeleteTopicRequest,
    ListResourceInstancesRequest,
    ListResourceTagsRequest,
    ListSubscriptionsByTopicRequest,
    ListTopicsRequest,
    UpdateTopicRequest,
)

from cli.huaweicloud.access import Access
from cli.huaweicloud.client import ServiceError
from cli.huaweicloud.resources import TAG, Found, Kind, Resource, marked, read_mark, shortened
from cli.json_value import Json, JsonObject


RESOURCE_TYPE = "smn_topic"
TOPICS_PAGE, TAGS_PAGE, SUBSCRIPTIONS_PAGE = 100, 1000, 100

LONGEST_REMARK = 128
"""Bytes (SMN API, Adding a Subscription)."""

CONFIRMED = 1
"""The status of a subscription that receives messages (SMN API, Querying Subscriptions of a Specified Topic)."""


class Topics:
    """The topics of the project (SMN API, Topic Operations). A topic has no description: a tag names its stack."""

    def __init__(self, access: Access, stack: str) -> None:
        """*stack* is the value of the tag of new topics."""
        self._smn = access.smn
        self._stack = stack

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 a topic has no parent
        """Return the topics with one of *names* or with the tag of *stack*."""
        wanted = {*names, *self._tagged(stack)}
        return [self._found(topic) for name in sorted(wanted) for topic in self._named(name)]

    def create(self, wanted: Resource) -> None:
        """POST the topic, then its tag.

        Without a response the topic may exist all the same. It is then tagged too, or it would belong to no stack.
        """
        body = {"name": wanted.name, "display_name": wanted.fields["display_name"]}
        try:
            self._smn.call("create_topic", CreateTopicRequest(body=body))
        except ServiceError as error:
            if not error.is_transient or not self._named(wanted.name):
                raise
        self._tag(wanted.name)

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:
        """PUT the display name, and POST the tag if it is missing."""
        if "display_name" in fields:
            body = {"display_name": wanted.fields["display_name"]}
            self._smn.call("update_topic", UpdateTopicRequest(topic_urn=found.id, body=body))
        if found.stack is None:
            self._tag(wanted.name)

    def delete(self, found: Found) -> None:
        """DELETE the topic with all its subscriptions."""
        self._smn.delete("delete_topic", DeleteTopicRequest(topic_urn=found.id))

    def _named(self, name: str) -> list[dict[str, Any]]:
        request = ListTopicsRequest(name=name)
        # Regions without this filter list all topics.
        return [
            topic for topic in self._smn.pages("list_topics", request, "topics", TOPICS_PAGE) if topic["name"] == name
        ]

    def _tagged(self, stack: str) -> Iterator[str]:
        offset = 0
        while True:
            body = {
                "action": "filter",
                "tags": [{"key": TAG, "values": [stack]}],
                "offset": str(offset),
                "limit": str(TAGS_PAGE),
            }
            request = ListResourceInstancesRequest(resource_type=RESOURCE_TYPE, body=body)
            page = self._smn.call("list_resource_instances", request, "resources")["resources"]
            yield from (item["resource_name"] for item in page)
            if len(page) < TAGS_PAGE:
                return
            offset += TAGS_PAGE

    def _found(self, topic: dict[str, Any]) -> Found:
        request = ListResourceTagsRequest(resource_type=RESOURCE_TYPE, resource_id=topic["topic_id"])
        tags = {tag["key"]: tag.get("value") for tag in self._smn.call("list_resource_tags", request, "tags")["tags"]}
        resource = Resource(Kind.TOPIC, topic["name"], {"display_name": topic.get("display_name") or ""})
        return Found(resource, topic["topic_urn"], tags.get(TAG))

    def _tag(self, name: str) -> None:
        body = {"tag": {"key": TAG, "value": self._stack}}
        try:
            topic_id = self._id_of(name)
            request = CreateResourceTagRequest(resource_type=RESOURCE_TYPE, resource_id=topic_id, body=body)
            self._smn.call("create_resource_tag", request)
        except ServiceError as error:
            raise ServiceError(
                error.operation,
                error.status,
                error.code,
                error.text,
                error.request_id,
                f"the topic exists but lacks the tag {TAG}={self._stack} of the stack: run again with --adopt",
            ) from None

    def _id_of(self, name: str) -> str:
        for topic in self._named(name):
            return str(topic["topic_id"])
        raise ServiceError("SMN.ListTopics", None, None, f"the topic {name} was created but is not listed")


class Subscriptions:
    """The subscriptions of topics, identified by topic, protocol and endpoint (SMN API, Subscription Operations)."""

    def __init__(self, access: Access, stack: str) -> None:
        self._access = access
        self._stack = stack

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 a subscription is part of a topic
        """Return the subscriptions of the topics in *found*."""
        return [
            self._found(topic.resource.name, item)
            for topic in found
            if topic.resource.kind is Kind.TOPIC
            for item in self._access.smn.pages(
                "list_subscriptions_by_topic",
                ListSubscriptionsByTopicRequest(topic_urn=topic.id),
                "subscriptions",
                SUBSCRIPTIONS_PAGE,
            )
        ]

    def create(self, wanted: Resource) -> None:
        """POST the subscription, then its filter policy. SMN then asks the endpoint to confirm it."""
        fields = wanted.fields
        mark = marked("", self._stack, self._access.project_id)
        remark = shortened(wanted.sent_only["remark"], LONGEST_REMARK - len(f" {mark}"))
        body = {"protocol": fields["protocol"], "endpoint": fields["endpoint"], "remark": f"{remark} {mark}".lstrip()}
        urn = self._access.topic_urn(str(fields["topic"]))
        request = AddSubscriptionRequest(topic_urn=urn, body=body)
        answer = self._access.smn.call("add_subscription", request, "subscription_urn")
        if filter_policy := fields["filter_policy"]:
            self._filter(str(answer["subscription_urn"]), "create", filter_policy)

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:  # noqa: ARG002 no other field can differ
        """POST, PUT or DELETE the filter policy. All other fields of a subscription identify it."""
        old, new = found.resource.fields["filter_policy"], wanted.fields["filter_policy"]
        self._filter(found.id, "delete" if not new else "update" if old else "create", new)

    def _filter(self, urn: str, action: str, filter_policy: Json) -> None:
        """Create, update or delete the filter policy of a subscription (SMN API, Subscription Filter Policies).

        The answer is 200 even if nothing was done: it lists the subscriptions that failed.
        """
        given = filter_policy if isinstance(filter_policy, dict) else {}
        polices = [{"name": name, "string_equals": values} for name, values in given.items()]
        requests = {
            "create": BatchCreateSubscriptionsFilterPolicesRequest,
            "update": BatchUpdateSubscriptionsFilterPolicesRequest,
            "delete": BatchDeleteSubscriptionsFilterPolicesRequest,
        }
        body = {"polices": [{"subscription_urn": urn, "filter_polices": polices}]}
        request = requests[action](body={"subscription_urns": [urn]} if action == "delete" else body)
        answer = self._access.smn.call(f"batch_{action}_subscriptions_filter_polices", request)
        for result in (answer or {}).get("batch_result") or ():
            if str(result.get("code")).startswith("SMN."):
                operation = f"SMN.{type(request).__name__.removesuffix('Request')}"
                raise ServiceError(operation, 400, result["code"], str(result.get("message")))

    def delete(self, found: Found) -> None:
        """DELETE the subscription."""
        try:
            self._access.smn.call("cancel_subscription", CancelSubscriptionRequest(subscription_urn=found.id))
        except ServiceError as error:
            if error.status != 404 and error.code != "SMN.0014":  # the code for an unknown URN
                raise

    def _found(self, topic: str, item: JsonObject) -> Found:
        protocol, endpoint = str(item["protocol"]), str(item["endpoint"])
        _, stack = read_mark(str(item.get("remark") or ""), self._access.project_id)
        fields: JsonObject = {"topic": topic, "protocol": protocol, "endpoint": endpoint}
        fields["filter_policy"] = _filter_policy(item.get("filter_polices"))
        resource = Resource(Kind.SUBSCRIPTION, f"{topic} {protocol} {endpoint}", fields, parents=((Kind.TOPIC, topic),))
        note = "" if item.get("status") == CONFIRMED else "not confirmed"
        return Found(resource, str(item["subscription_urn"]), stack, note)


def _filter_policy(polices: Any) -> JsonObject:
    """Return the values of each attribute, sorted, from the list in SMN's answer."""
    return {one["name"]: sorted(one["string_equals"]) for one in sorted(polices or [], key=lambda one: one["name"])}
