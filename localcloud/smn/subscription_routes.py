"""The HTTP side of subscriptions."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from localcloud.smn import schemas
from localcloud.smn.facts import Subscription
from localcloud.smn.state import SmnState


Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=2**31 - 1)]


def routes(state: SmnState) -> APIRouter:
    """Subscriptions, `/v2/{project_id}/notifications`."""
    router = APIRouter(prefix="/v2/{project_id}/notifications", tags=["SMN subscriptions"])

    @router.post(
        "/topics/{topic_urn}/subscriptions",
        status_code=201,
        responses={200: {"model": schemas.CreatedSubscription}},
    )
    async def add_subscription(
        topic_urn: str, body: schemas.NewSubscription, request: Request, response: Response
    ) -> schemas.CreatedSubscription:
        """Subscribe (201), or find the same subscription (200). It is pending until confirmed."""
        subscription, new = state.subscribe(topic_urn, body)
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
        """List the subscriptions of a topic."""
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

    @router.delete("/subscriptions/{subscription_urn}")
    async def cancel_subscription(subscription_urn: str, request: Request) -> schemas.Accepted:
        """Cancel a subscription."""
        state.subscriptions.remove(state.subscription(subscription_urn).id)
        return schemas.Accepted(request_id=request.state.request_id)

    return router


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
            )
            for subscription in found[offset : offset + limit]
        ],
    )
