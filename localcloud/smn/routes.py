"""The routes of SMN: topics, their tags, subscriptions."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from localcloud.clock import text
from localcloud.smn import schemas, service
from localcloud.smn.publish import publish
from localcloud.smn.state import SmnState, Subscription, Topic


Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=2**31 - 1)]


def routers(state: SmnState) -> list[APIRouter]:
    """The calls of SMN."""
    return [part(state) for part in (_topics, _subscriptions, _tags)]


def _topics(state: SmnState) -> APIRouter:
    router = APIRouter(prefix="/v2/{project_id}/notifications", tags=["SMN topics"])

    @router.post("/topics", status_code=201, responses={200: {"model": schemas.CreatedTopic}})
    async def create_topic(body: schemas.NewTopic, request: Request, response: Response) -> schemas.CreatedTopic:
        """Create a topic (201), or return the existing one of that name (200)."""
        topic, new = service.create_topic(state, body)
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
        """List topics, newest first."""
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
        """Show a topic."""
        return schemas.TopicDetails(request_id=request.state.request_id, **_topic(state.topic(topic_urn)))

    @router.put("/topics/{topic_urn}")
    async def update_topic(topic_urn: str, body: schemas.TopicUpdate, request: Request) -> schemas.Accepted:
        """Change the display name of a topic."""
        service.rename_topic(state, topic_urn, body.display_name)
        return schemas.Accepted(request_id=request.state.request_id)

    @router.delete("/topics/{topic_urn}")
    async def delete_topic(topic_urn: str, request: Request) -> schemas.Accepted:
        """Delete a topic and its subscriptions."""
        service.delete_topic(state, topic_urn)
        return schemas.Accepted(request_id=request.state.request_id)

    @router.post("/topics/{topic_urn}/publish")
    async def publish_message(topic_urn: str, body: schemas.Publish, request: Request) -> schemas.Published:
        """Publish a message. GET /_local/messages shows what each subscription receives."""
        message = publish(state, topic_urn, body, request.state.access_key)
        return schemas.Published(request_id=request.state.request_id, message_id=message.id)

    return router


def _subscriptions(state: SmnState) -> APIRouter:
    router = APIRouter(prefix="/v2/{project_id}/notifications", tags=["SMN subscriptions"])

    @router.post(
        "/topics/{topic_urn}/subscriptions",
        status_code=201,
        responses={200: {"model": schemas.CreatedSubscription}},
    )
    async def add_subscription(
        topic_urn: str, body: schemas.NewSubscription, request: Request, response: Response
    ) -> schemas.CreatedSubscription:
        """Subscribe (201), or return the same existing subscription (200). It is unconfirmed at first."""
        subscription, new = service.subscribe(state, topic_urn, body)
        response.status_code = 201 if new else 200
        return schemas.CreatedSubscription(request_id=request.state.request_id, subscription_urn=subscription.id)

    @router.get("/topics/{topic_urn}/subscriptions")
    async def list_subscriptions_by_topic(
        topic_urn: str,
        request: Request,
        offset: Offset = 0,
        limit: Limit = 100,
        fuzzy_remark: str | None = None,
    ) -> schemas.Subscriptions:
        """List the subscriptions to a topic."""
        found = state.subscriptions_of(state.topic(topic_urn).id)
        found = [subscription for subscription in found if (fuzzy_remark or "") in subscription.remark]
        return _page(state, found, offset, limit, request)

    @router.get("/subscriptions")
    async def list_subscriptions(
        request: Request,
        offset: Offset = 0,
        limit: Limit = 100,
        protocol: str | None = None,
        status: int | None = None,
        endpoint: str | None = None,
        fuzzy_remark: str | None = None,
    ) -> schemas.Subscriptions:
        """List the subscriptions of the project."""
        found = [
            subscription
            for subscription in state.subscriptions
            if protocol in (None, subscription.protocol)
            and status in (None, subscription.status)
            and endpoint in (None, subscription.endpoint)
            and (fuzzy_remark or "") in subscription.remark
        ]
        return _page(state, found, offset, limit, request)

    # These paths come before that of a subscription, whose URN would match them.
    @router.post("/subscriptions/filter_polices")
    async def batch_create_subscriptions_filter_polices(
        body: schemas.NewPolices, request: Request
    ) -> schemas.BatchResults:
        """Give subscriptions filter policies (SMN API, Creating Message Filter Policies for a Subscriber)."""
        return _batch(service.create_filters(state, body), request)

    @router.put("/subscriptions/filter_polices")
    async def batch_update_subscriptions_filter_polices(
        body: schemas.NewPolices, request: Request
    ) -> schemas.BatchResults:
        """Replace the filter policies of subscriptions (SMN API, Updating Message Filter Policies of Subscribers)."""
        return _batch(service.update_filters(state, body), request)

    @router.delete("/subscriptions/filter_polices")
    async def batch_delete_subscriptions_filter_polices(
        body: schemas.PolicesToDelete, request: Request
    ) -> schemas.BatchResults:
        """Remove the filter policies of subscriptions (SMN API, Deleting Message Filter Policies)."""
        return _batch(service.delete_filters(state, body.subscription_urns), request)

    @router.delete("/subscriptions/{subscription_urn}")
    async def cancel_subscription(subscription_urn: str, request: Request) -> schemas.Accepted:
        """Cancel a subscription."""
        service.unsubscribe(state, subscription_urn)
        return schemas.Accepted(request_id=request.state.request_id)

    return router


def _tags(state: SmnState) -> APIRouter:
    # These paths identify a topic by its id, not by its URN.
    router = APIRouter(prefix="/v2/{project_id}/smn_topic", tags=["SMN tags"])

    @router.post("/resource_instances/action")
    async def list_resource_instances(body: schemas.ResourceQuery) -> schemas.Resources:
        """List or count the topics that have all the tags."""
        found = service.topics_by_tags(state, body)
        if body.action == "count":
            return schemas.Resources(total_count=len(found))
        page = found[int(body.offset) : int(body.offset) + int(body.limit)]
        return schemas.Resources(resources=[_resource(topic) for topic in page], total_count=len(found))

    @router.post("/{resource_id}/tags", status_code=204)
    async def create_resource_tag(resource_id: str, body: schemas.NewTag) -> None:
        """Add a tag to a topic, or change its value."""
        service.add_tag(state, resource_id, body.tag)

    @router.get("/{resource_id}/tags")
    async def list_resource_tags(resource_id: str) -> schemas.Tags:
        """List the tags of a topic."""
        return schemas.Tags(tags=_tags_of(state.topic_by_id(resource_id)))

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


def _batch(failures: list[schemas.BatchResult], request: Request) -> schemas.BatchResults:
    return schemas.BatchResults(request_id=request.state.request_id, batch_result=failures)


def _page(
    state: SmnState, found: list[Subscription], offset: int, limit: int, request: Request
) -> schemas.Subscriptions:
    return schemas.Subscriptions(
        request_id=request.state.request_id,
        subscription_count=len(found),
        subscriptions=[
            schemas.Subscription(
                topic_urn=subscription.topic_urn,
                protocol=subscription.protocol,
                subscription_urn=subscription.id,
                owner=state.region.project_id,
                endpoint=subscription.endpoint,
                remark=subscription.remark,
                status=subscription.status,
                filter_polices=[
                    schemas.FilterPolicy(name=name, string_equals=values)
                    for name, values in (subscription.filter_polices or {}).items()
                ],
            )
            for subscription in found[offset : offset + limit]
        ],
    )


def _tags_of(topic: Topic) -> list[schemas.Tag]:
    return [schemas.Tag(key=key, value=value) for key, value in topic.tags.items()]


def _resource(topic: Topic) -> schemas.Resource:
    return schemas.Resource(
        resource_id=topic.topic_id,
        resource_name=topic.name,
        resource_detail=schemas.ResourceDetail(
            enterprise_project_id=topic.enterprise_project_id,
            detailId=topic.topic_id,
            topic_urn=topic.id,
            display_name=topic.display_name,
        ),
        tags=_tags_of(topic),
    )
