"""SMN topics (SMN API, Topic Operations and Tag Operations)."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from huaweicloudsdksmn.v2 import (
    CreateResourceTagRequest,
    CreateTopicRequest,
    DeleteTopicRequest,
    ListResourceInstancesRequest,
    ListResourceTagsRequest,
    ListTopicsRequest,
    UpdateTopicRequest,
)

from cli.huaweicloud.access import Access
from cli.huaweicloud.errors import ServiceError
from cli.huaweicloud.mark import TAG
from cli.huaweicloud.resources import Found, Kind, Resource


RESOURCE_TYPE = "smn_topic"
TOPICS_PAGE, TAGS_PAGE = 100, 1000


class Topics:
    """The topics of the project. A topic has no description: its stack is a tag."""

    def __init__(self, access: Access, stack: str) -> None:
        """*stack* is what the tag of a new topic says."""
        self._smn = access.smn
        self._stack = stack

    def find(self, names: Collection[str], stack: str, found: Sequence[Found]) -> list[Found]:  # noqa: ARG002 a topic is part of nothing
        """Return the topics with one of *names* or with the tag of *stack*."""
        wanted = {*names, *self._tagged(stack)}
        return [self._found(topic) for name in sorted(wanted) for topic in self._called(name)]

    def create(self, wanted: Resource) -> None:
        """POST it, then its tag.

        Without an answer it may have been made all the same: then it is tagged, or it would be nobody's.
        """
        body = {"name": wanted.name, "display_name": wanted.fields["display_name"]}
        try:
            self._smn.call("create_topic", CreateTopicRequest(body=body))
        except ServiceError as error:
            if not error.is_passing or not self._called(wanted.name):
                raise
        self._mark(wanted.name)

    def update(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:
        """PUT the display name, and the tag if it lacks."""
        if "display_name" in fields:
            body = {"display_name": wanted.fields["display_name"]}
            self._smn.call("update_topic", UpdateTopicRequest(topic_urn=found.id, body=body))
        if found.stack is None:
            self._mark(wanted.name)

    def delete(self, found: Found) -> None:
        """DELETE the topic, with all its subscriptions."""
        self._smn.delete("delete_topic", DeleteTopicRequest(topic_urn=found.id))

    def _called(self, name: str) -> list[dict[str, Any]]:
        request = ListTopicsRequest(name=name)
        # A region that does not know the filter yet lists them all.
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

    def _mark(self, name: str) -> None:
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
                f"the topic is there but lacks the tag {TAG}={self._stack} that is its mark: run again with --adopt",
            ) from None

    def _id_of(self, name: str) -> str:
        for topic in self._called(name):
            return str(topic["topic_id"])
        raise ServiceError("SMN.ListTopics", None, None, f"the topic {name} was made and is not listed")
