"""Complete answers: those of the application, of errors, and of fault rules."""

import json
from dataclasses import dataclass, field
from typing import Any

from localcloud.errors import CloudError, Service, error_body, gateway_error
from localcloud.faults import FaultAnswer, FaultRule


@dataclass(slots=True)
class Answer:
    """An answer before it is sent; header names are lower-case."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


# What the services themselves answer; for every other status it is the gateway that speaks.
_SERVICE_CODES = {
    Service.DDS: {
        400: ("DBS.200001", "Parameter error."),
        403: ("DBS.280032", "You do not have permission to perform this operation."),
        404: ("DBS.200002", "The DB instance does not exist."),
        500: ("DBS.280005", "Server error. Try again later."),
    },
    Service.SMN: {
        400: ("SMN.0019", "Parameter is invalid."),
        403: ("SMN.0001", "You do not have the permission to perform this operation."),
        404: ("SMN.0006", "Topic not found."),
        500: ("SMN.0018", "Internal error."),
        503: ("SMN.0018", "Internal error."),
    },
    Service.FUNCTIONGRAPH: {
        400: ("FSS.0400", "Invalid parameter."),
        403: ("FSS.0403", "Forbidden"),
        404: ("FSS.0404", "The specified resource was not found."),
        429: ("FSS.0429", "Too many requests."),
        500: ("FSS.0500", "Internal server error."),
        503: ("FSS.0503", "Service unavailable."),
    },
    # IAM API, new edition, Error Codes; 400 and 403 alone are known from there.
    Service.IAM5: {
        400: ("PAP5.0011", "malformed policy document"),
        403: ("PAP5.0001", "access denied"),
        404: ("Not Found", "The resource does not exist."),
    },
    Service.IAM: {
        400: ("Bad Request", "The request is invalid."),
        403: ("Forbidden", "You are not authorized to perform the requested action."),
        404: ("Not Found", "The resource does not exist."),
        500: ("Internal Server Error", "Internal server error."),
    },
}


def error_answer(error: CloudError, service: Service, request_id: str) -> Answer:
    """The answer that tells of an error."""
    return json_answer(error.status, error_body(service, error.status, error.code, error.message, request_id))


def usual_error(service: Service, status: int, detail: str = "") -> CloudError:
    """The error that a service, or the gateway, has for a status, `detail` after its words."""
    known = _SERVICE_CODES[service].get(status)
    if known is None:
        return gateway_error(status, detail)
    code, words = known
    return CloudError(status, code, f"{words.rstrip('.')}: {detail}" if detail else words)


def json_answer(status: int, body: Any) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, json.dumps(body).encode(), {"content-type": "application/json"})


def fault_answer(rule: FaultRule, service: Service, request_id: str) -> Answer | None:
    """What a rule answers in place of the service, None when it leaves that to the service."""
    if rule.answer is not None:
        return _given(rule.answer, service, request_id)
    if rule.per_minute is not None:
        detail = f"policy user over ratelimit,limit:{rule.per_minute},time:1 minute"
        error = CloudError(429, "APIGW.0308", f"The throttling threshold has been reached: {detail}")
        return error_answer(error, service, request_id)
    return None


def garbled(body: bytes) -> bytes:
    """As many bytes, none of which make sense as JSON."""
    return bytes(byte ^ 0xA5 for byte in body)


def _given(given: FaultAnswer, service: Service, request_id: str) -> Answer:
    if given.status in {204, 304}:
        answer = Answer(given.status, b"")  # HTTP allows no body here
    elif "body" in given.model_fields_set:
        if isinstance(given.body, str):
            answer = Answer(given.status, given.body.encode(), {"content-type": "text/plain"})
        else:
            answer = json_answer(given.status, given.body)
    elif given.status >= 400:
        answer = error_answer(_default_error(given, service), service, request_id)
    else:
        answer = Answer(given.status, b"")
    answer.headers |= {name.lower(): value for name, value in given.headers.items()}
    return answer


def _default_error(given: FaultAnswer, service: Service) -> CloudError:
    usual = usual_error(service, given.status)
    return CloudError(given.status, given.code or usual.code, given.message or usual.message)
