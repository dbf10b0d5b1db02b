"""The error that every service raises, and the bodies in which each service tells of it."""

from enum import Enum
from typing import Any


class Service(Enum):
    """The services behind the one port, told apart by path."""

    IAM = "IAM"
    IAM5 = "IAM5"  # the new edition of IAM, with identity policies
    DDS = "DDS"
    SMN = "SMN"
    FUNCTIONGRAPH = "FunctionGraph"


class CloudError(Exception):
    """A call that a service or the gateway refuses: `status` is HTTP's, `code` the service's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


# SDK-HMAC and token failures, throttling and unknown paths come from the gateway, whatever service they are for.
GATEWAY = {
    400: ("APIGW.0201", "Bad request"),
    401: ("APIGW.0301", "Incorrect IAM authentication information"),
    403: ("APIGW.0302", "The IAM user is not authorized to access the API"),
    404: ("APIGW.0101", "The API does not exist or has not been published in the environment"),
    413: ("APIGW.0201", "Request entity too large"),
    429: (
        "APIGW.0308",
        "The throttling threshold has been reached: policy user over ratelimit,limit:60,time:1 minute",
    ),
    500: ("APIGW.0601", "Internal server error"),
    502: ("APIGW.0201", "Backend unavailable"),
    503: ("APIGW.0613", "The IAM service is unavailable"),
    504: ("APIGW.0201", "Backend timeout"),
}

# Where IAM takes credentials in the body.
SIGN_IN = {"/v3/auth/tokens", "/v3.0/OS-CREDENTIAL/securitytokens"}


# What IAM has under /v3 where the other services have the project (IAM API, API Overview).
IAM_V3 = {"auth", "projects", "domains", "users", "groups", "roles", "services", "endpoints", "regions"}


def service_of(path: str) -> Service | None:
    """The service that a path belongs to; None for the paths of no cloud (`/_local`, `/docs`)."""
    head, _, rest = path.lstrip("/").partition("/")
    if head == "v2":
        return Service.FUNCTIONGRAPH if rest.split("/")[1:2] == ["fgs"] else Service.SMN
    if head == "v5":
        return Service.IAM5
    if head == "v3.0" or (head == "v3" and rest.split("/")[0] in IAM_V3):
        return Service.IAM
    if head in {"v3", "v3.1"}:
        return Service.DDS
    return None


def error_body(service: Service, status: int, code: str, message: str, request_id: str) -> dict[str, Any]:
    """The error body as `service` writes it, or as the gateway does when the code is one of its own."""
    if code.startswith("APIGW."):
        return {"error_msg": message, "error_code": code, "request_id": request_id}
    if service is Service.SMN:
        return {"request_id": request_id, "code": code, "message": message}
    if service is Service.IAM5:
        return {"error_code": code, "error_msg": message, "request_id": request_id}
    if service is Service.IAM:
        return {"error": {"code": status, "message": message, "title": code}}
    return {"error_code": code, "error_msg": message}


def gateway_error(status: int, detail: str = "", *, code: str = "") -> CloudError:
    """The gateway's error of an HTTP status, `detail` after its usual words (API Gateway, error codes)."""
    usual, words = GATEWAY.get(status) or GATEWAY[400 if status < 500 else 500]
    return CloudError(status, code or usual, f"{words}: {detail}" if detail else words)
