"""Subscriptions of SMN topics (SMN API, Subscription Operations)."""

from collections.abc import Collection, Sequence

from huaweicloudsdksmn.v2 import AddSubscriptionRequest, CancelSubscriptionRequest, ListSubscriptionsByTopicRequest

from cli.huaweicloud.access import Access
from cli.huaweicloud.errors import ServiceError
from cli.huaweicloud.mark import marked, read_mark, shortened
from cli.huaweicloud.resources import Found, Kind, Resource
from cli.json_value import JsonObject


PAGE = 100
LONGEST_REMARK = 128
"""Bytes (SMN API, Adding a Subscription)."""

CONFIRMED = 1
"""The status of a subscription that gets messages (SMN API, Querying Subscriptions of a Specified Topic)."""


class Subscriptions:
    """Who gets what is published to the topics that were found: told apart by topic, protocol and endpoint."""

    def __init__(self, access: Access, stack: str) -> None:
        self._access = access
        self._stack = stack

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 those of the topics
        """Return the subscriptions of the topics in *found*."""
        return [
            self._found(topic.resource.name, item)
            for topic in found
            if topic.resource.kind is Kind.TOPIC
            for item in self._access.smn.pages(
                "list_subscriptions_by_topic",
                ListSubscriptionsByTopicRequest(topic_urn=topic.id),
                "subscriptions",
                PAGE,
            )
        ]

    def create(self, wanted: Resource) -> None:
        """POST it; SMN asks the endpoint to confirm."""
        fields = wanted.fields
        mark = marked("", self._stack, self._access.project_id)
        remark = shortened(wanted.sent_only["remark"], LONGEST_REMARK - len(f" {mark}"))
        body = {"protocol": fields["protocol"], "endpoint": fields["endpoint"], "remark": f"{remark} {mark}".lstrip()}
        urn = self._access.topic_urn(str(fields["topic"]))
        self._access.smn.call("add_subscription", AddSubscriptionRequest(topic_urn=urn, body=body))

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:
        """Never called: whoever made a subscription, it does what is wanted."""
        raise NotImplementedError

    def delete(self, found: Found) -> None:
        """DELETE it."""
        try:
            self._access.smn.call("cancel_subscription", CancelSubscriptionRequest(subscription_urn=found.id))
        except ServiceError as error:
            if error.status != 404 and error.code != "SMN.0014":  # the URN of none
                raise

    def _found(self, topic: str, item: JsonObject) -> Found:
        protocol, endpoint = str(item["protocol"]), str(item["endpoint"])
        _, stack = read_mark(str(item.get("remark") or ""), self._access.project_id)
        fields = {"topic": topic, "protocol": protocol, "endpoint": endpoint}
        resource = Resource(Kind.SUBSCRIPTION, f"{topic} {protocol} {endpoint}", fields, parents=((Kind.TOPIC, topic),))
        note = "" if item.get("status") == CONFIRMED else "not confirmed"
        return Found(resource, str(item["subscription_urn"]), stack, note)
