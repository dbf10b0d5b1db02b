"""API Gateway (APIG, dedicated gateways): an HTTP request whose body is the payload, and the response to it."""

import base64
import json
from typing import Any

from pydantic import Field

from shared.errors import InvalidRequestError
from shared.report import Report, Status
from shared.triggers.envelope import Envelope, EventModel, Message, validate


class ApigRequestContext(EventModel):
    """The gateway's data about the request."""

    request_id: str | None = Field(default=None, alias="requestId")
    api_id: str | None = Field(default=None, alias="apiId")
    stage: str | None = None


class ApigEvent(EventModel):
    """An HTTP request. Some gateways deliver no path, headers or query."""

    http_method: str = Field(alias="httpMethod")
    request_context: ApigRequestContext = Field(alias="requestContext")
    headers: dict[str, object] | None = None
    path: str | None = None
    path_parameters: object = Field(default=None, alias="pathParameters")
    query_string_parameters: object = Field(default=None, alias="queryStringParameters")
    body: str | None = None
    is_base64_encoded: bool | None = Field(default=None, alias="isBase64Encoded")

    def header(self, name: str) -> str | None:
        """Return a header's value. Header names are case-insensitive."""
        values = (value for key, value in (self.headers or {}).items() if key.lower() == name.lower())
        return next((value.strip() for value in values if isinstance(value, str) and value.strip()), None)

    def text(self) -> str:
        """Return the body as text.

        Without `isBase64Encoded` the body is base64, the gateway's default, unless it begins with { or [, which base64
        never does.
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
        except ValueError as error:
            raise InvalidRequestError(
                [f"body: not base64 of UTF-8 text ({error}), though isBase64Encoded says so"]
            ) from error


class ApigEnvelope(Envelope):
    """The body, identified by the Idempotency-Key header, else by the gateway's request id."""

    trigger = "apig"
    is_asynchronous = False

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """By `httpMethod` and `requestContext`."""
        return isinstance(event, dict) and "httpMethod" in event and "requestContext" in event

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """Return the body."""
        request = validate(event, ApigEvent)
        if key := request.header("Idempotency-Key"):
            return [Message(request.text(), "body", ("idempotency_key", key.strip('"')), is_final=True)]
        request_id = request.request_context.request_id or request.header("X-Request-Id")
        return [Message(request.text(), "body", ("apig", request_id) if request_id else None)]


_STATUS_BY_CODE = {
    "invalid_request": 400,
    "unknown_event": 400,
    "empty_selection": 400,
    "invalid": 400,
    "not_found": 400,
    "invalid_instance_id": 400,
    "not_allowed": 403,
    "denied": 403,
    "busy": 409,
    "name_conflict": 409,
    "already_exists": 409,
    "needs_force": 409,
    "throttled": 429,
}
_WORST_FIRST = (502, 429, 409, 403, 400)


def answer(report: Report) -> dict[str, Any]:
    """Return the HTTP response to the gateway, with the report as its body (FunctionGraph, APIG event source).

    The status is 202 if everything is under way, 200 if it is settled, 207 if a part succeeded. Otherwise it follows
    from what went wrong: 400, 403, 409, 429 or 502. Of several, it is the one that asks most for another try.
    """
    return {
        "statusCode": _status(report),
        "headers": {"Content-Type": "application/json"},
        "isBase64Encoded": False,
        "body": json.dumps(report.document()),
    }


def _status(report: Report) -> int:
    if report.status is Status.SUCCEEDED:
        return 200 if report.is_settled else 202
    if report.status is Status.PARTIALLY_FAILED:
        return 207
    found = {_STATUS_BY_CODE.get(code, 502) for code in report.codes}
    return next(status for status in _WORST_FIRST if status in found)
