"""API Gateway (APIG, dedicated gateways): an HTTP request whose body is the payload, and the answer to it."""

import base64
import binascii

from pydantic import Field

from shared.backups.errors import InvalidRequestError
from shared.triggers.envelope import EventModel, Message, SingleEnvelope, validate


class ApigRequestContext(EventModel):
    """What the gateway knows of the request."""

    request_id: str | None = Field(default=None, alias="requestId")
    api_id: str | None = Field(default=None, alias="apiId")
    stage: str | None = None


class ApigEvent(EventModel):
    """An HTTP request; some gateways deliver neither path, headers nor query."""

    http_method: str = Field(alias="httpMethod")
    request_context: ApigRequestContext = Field(alias="requestContext")
    headers: dict[str, object] | None = None
    path: str | None = None
    path_parameters: object = Field(default=None, alias="pathParameters")
    query_string_parameters: object = Field(default=None, alias="queryStringParameters")
    body: str | None = None
    is_base64_encoded: bool | None = Field(default=None, alias="isBase64Encoded")

    def header(self, name: str) -> str | None:
        """A header's value; names are compared without regard to case."""
        values = (value for key, value in (self.headers or {}).items() if key.lower() == name.lower())
        return next((value.strip() for value in values if isinstance(value, str) and value.strip()), None)

    def text(self) -> str:
        """The body as text.

        Without `isBase64Encoded` it is base64, the gateway's default, unless it begins as JSON does: no base64 does.
        """
        body = (self.body or "").strip()
        if not body:
            raise InvalidRequestError(
                [f"body: required, but the {self.http_method} request has none; POST the request as JSON"]
            )
        if self.is_base64_encoded is False or (self.is_base64_encoded is None and body[0] in "{["):
            return body
        try:
            return base64.b64decode(body, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidRequestError(
                [f"body: not base64 of UTF-8 text ({error}), though isBase64Encoded says so"]
            ) from error


class ApigEnvelope(SingleEnvelope):
    """The body, identified by the Idempotency-Key header, else by the gateway's request id."""

    trigger = "apig"
    is_asynchronous = False

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By `httpMethod` and `requestContext`."""
        return isinstance(event, dict) and "httpMethod" in event and "requestContext" in event

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """The body."""
        request = validate(event, ApigEvent)
        if key := request.header("Idempotency-Key"):
            return [Message(request.text(), "body", ("idempotency_key", key.strip('"')), is_final=True)]
        request_id = request.request_context.request_id or request.header("X-Request-Id")
        return [Message(request.text(), "body", ("apig", request_id) if request_id else None)]
