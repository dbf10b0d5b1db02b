"""The HTTP side of the tags of topics (SMN API, Tags)."""

from dataclasses import replace

from fastapi import APIRouter

from localcloud.smn import tag_schemas as schemas
from localcloud.smn.errors import smn_error
from localcloud.smn.facts import Topic
from localcloud.smn.state import SmnState


MAX_TAGS = 10


def routes(state: SmnState) -> APIRouter:
    """Tags, `/v2/{project_id}/smn_topic`. A topic goes here by its id, not by its URN."""
    router = APIRouter(prefix="/v2/{project_id}/smn_topic", tags=["SMN tags"])

    @router.post("/resource_instances/action")
    async def list_resource_instances(body: schemas.Query) -> schemas.Resources:
        """The topics that have all the tags, or how many they are."""
        found = [topic for topic in state.topics if _fits(topic, body)]
        if body.action == "count":
            return schemas.Resources(total_count=len(found))
        page = found[int(body.offset) : int(body.offset) + int(body.limit)]
        return schemas.Resources(resources=[_resource(topic) for topic in page], total_count=len(found))

    @router.post("/{resource_id}/tags", status_code=204)
    async def create_resource_tag(resource_id: str, body: schemas.NewTag) -> None:
        """Add a tag, or give it another value."""
        topic = _find(state, resource_id)
        tags = topic.tags | {body.tag.key: body.tag.value}
        if len(tags) > MAX_TAGS:
            raise smn_error("SMN.0075")
        state.topics.put(replace(topic, tags=tags))

    @router.get("/{resource_id}/tags")
    async def list_resource_tags(resource_id: str) -> schemas.Tags:
        """The tags of a topic."""
        return schemas.Tags(tags=_tags(_find(state, resource_id)))

    return router


def _find(state: SmnState, topic_id: str) -> Topic:
    topic = next((topic for topic in state.topics if topic.topic_id == topic_id), None)
    if topic is None:
        raise smn_error("SMN.0006")
    return topic


def _fits(topic: Topic, query: schemas.Query) -> bool:
    if query.without_any_tag:
        return not topic.tags
    return all(
        wanted.key in topic.tags and (not wanted.values or topic.tags[wanted.key] in wanted.values)
        for wanted in query.tags
    )


def _tags(topic: Topic) -> list[schemas.Tag]:
    return [schemas.Tag(key=key, value=value) for key, value in topic.tags.items()]


def _resource(topic: Topic) -> schemas.Resource:
    detail = schemas.ResourceDetail(
        enterprise_project_id=topic.enterprise_project_id,
        detailId=topic.topic_id,
        topic_urn=topic.id,
        display_name=topic.display_name,
    )
    return schemas.Resource(
        resource_id=topic.topic_id, resource_name=topic.name, resource_detail=detail, tags=_tags(topic)
    )
