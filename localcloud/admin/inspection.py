"""`/_local`: look inside."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from localcloud.cloud import Cloud
from localcloud.dds.snapshot import snapshot
from localcloud.requests_log import RequestRecord
from localcloud.smn.state import Delivery


class Connection(BaseModel):
    """What a client needs to know."""

    endpoint: str
    region: str
    project_id: str
    access_key: str
    secret_key: str
    security_token: str | None
    token: str
    topic_urn: str
    instance_ids: list[str]


class State(BaseModel):
    """Everything that DDS has at this moment."""

    instances: list[dict[str, Any]]
    backups: list[dict[str, Any]]
    jobs: list[dict[str, Any]]


class PublishedMessage(BaseModel):
    """A message in the outbox. `access_key` is its publisher's, null for a token."""

    message_id: str
    topic_urn: str
    subject: str | None
    message: str
    message_structure: str | None
    message_attributes: list[dict[str, Any]]
    time_to_live: int
    timestamp: str
    access_key: str | None
    deliveries: list[Delivery]


def routes(cloud: Cloud) -> APIRouter:
    """What can be looked at; none of it needs authentication."""
    router = APIRouter(prefix="/_local", tags=["inside the local cloud"])

    @router.get("/connection")
    async def connection(request: Request) -> Connection:
        """Endpoint, credentials, topic and instances: what a client needs."""
        return Connection(**cloud.connection(str(request.base_url).rstrip("/")))

    @router.get("/state")
    async def state() -> State:
        """Every instance, backup and job at this moment."""
        return State(**snapshot(cloud.dds))

    @router.get("/messages")
    async def messages() -> list[PublishedMessage]:
        """The messages published, the oldest first, with what each subscription would have received."""
        return [
            PublishedMessage(
                message_id=message.id,
                topic_urn=message.topic_urn,
                subject=message.subject,
                message=message.message,
                message_structure=message.message_structure,
                message_attributes=message.message_attributes,
                time_to_live=message.time_to_live,
                timestamp=message.timestamp,
                access_key=message.access_key,
                deliveries=message.deliveries,
            )
            for message in cloud.smn.messages
        ]

    @router.get("/requests")
    async def requests() -> list[RequestRecord]:
        """The calls of the cloud seen, the oldest first."""
        return list(cloud.requests.records)

    return router
