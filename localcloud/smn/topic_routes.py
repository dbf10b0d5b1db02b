"""The HTTP side of topics and publishing."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from localcloud.clock import text
from localcloud.smn import schemas
from localcloud.smn.facts import Topic
from localcloud.smn.publish import publish
from localcloud.smn.state import SmnState


Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=2**31 - 1)]


def routes(state: SmnState) -> APIRouter:
    """Topics, `/v2/{project_id}/notifications`."""
    router = APIRouter(prefix="/v2/{project_id}/notifications", tags=["SMN topics"])

    @router.post("/topics", status_code=201, responses={200: {"model": schemas.CreatedTopic}})
    async def create_topic(body: schemas.NewTopic, request: Request, response: Response) -> schemas.CreatedTopic:
        """Create a topic (201), or find the one of that name (200)."""
        topic, new = state.create_topic(body)
        response.status_code = 201 if new else 200
        return schemas.CreatedTopic(request_id=request.state.request_id, topic_urn=topic.id)

    @router.get("/topics")
    async def list_topics(
        request: Request,
        offset: Offset = 0,
        limit: Limit = 100,
        enterprise_project_id: str | None = None,
        name: str | None = None,
        fuzzy_name: str | None = None,
        topic_id: str | None = None,
        fuzzy_display_name: str | None = None,
    ) -> schemas.Topics:
        """List topics, the newest first."""
        found = [
            topic
            for topic in sorted(state.topics, key=lambda topic: topic.created, reverse=True)
            if enterprise_project_id in (None, topic.enterprise_project_id)
            and name in (None, topic.name)
            and (fuzzy_name or "") in topic.name
            and topic_id in (None, topic.topic_id)
            and (fuzzy_display_name or "") in topic.display_name
        ]
        return schemas.Topics(
            request_id=request.state.request_id,
            topic_count=len(found),
            topics=[schemas.Topic(**_topic(topic)) for topic in found[offset : offset + limit]],
        )

    @router.get("/topics/{topic_urn}")
    async def list_topic_details(topic_urn: str, request: Request) -> schemas.TopicDetails:
        """One topic."""
        return schemas.TopicDetails(request_id=request.state.request_id, **_topic(state.topic(topic_urn)))

    @router.put("/topics/{topic_urn}")
    async def update_topic(topic_urn: str, body: schemas.TopicUpdate, request: Request) -> schemas.Accepted:
        """Change the display name of a topic."""
        state.rename_topic(topic_urn, body.display_name)
        return schemas.Accepted(request_id=request.state.request_id)

    @router.delete("/topics/{topic_urn}")
    async def delete_topic(topic_urn: str, request: Request) -> schemas.Accepted:
        """Delete a topic with its subscriptions."""
        state.delete_topic(topic_urn)
        return schemas.Accepted(request_id=request.state.request_id)

    @router.post("/topics/{topic_urn}/publish")
    async def publish_message(topic_urn: str, body: schemas.Publish, request: Request) -> schemas.Published:
        """Publish a message. GET /_local/messages shows what each subscription would have received."""
        message = publish(state, topic_urn, body, request.state.access_key)
        return schemas.Published(request_id=request.state.request_id, message_id=message.id)

    return router


def _topic(topic: Topic) -> dict[str, str]:
    return {
        "topic_urn": topic.id,
        "name": topic.name,
        "display_name": topic.display_name,
        "enterprise_project_id": topic.enterprise_project_id,
        "topic_id": topic.topic_id,
        "create_time": text(topic.created),
        "update_time": text(topic.updated),
    }
