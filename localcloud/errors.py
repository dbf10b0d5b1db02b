"""The services, and the errors as each service and the gateway report them."""

from enum import Enum
from typing import Any


class Service(Enum):
    """The services, which share one port and differ by path."""

    IAM = "IAM"
    IAM5 = "IAM5"  # the new edition of IAM, with identity policies
    DDS = "DDS"
    SMN = "SMN"
    FUNCTIONGRAPH = "FunctionGraph"


# The calls whose body has the credentials, and which therefore need none in the headers.
SIGN_IN = {"/v3/auth/tokens", "/v3.0/OS-CREDENTIAL/securitytokens"}

# The paths of IAM below /v3, where other services have the project id (IAM API, API Overview).
IAM_V3 = {"auth", "projects", "domains", "users", "groups", "roles", "services", "endpoints", "regions"}

# The errors of the gateway: authentication, throttling, unknown paths, whatever the service (API Gateway, Error Codes).
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

# The usual error of each service for an HTTP status. All other statuses come from the gateway.
_USUAL = {
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
    # IAM API, new edition, Error Codes. It documents only 400 and 403.
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


class CloudError(Exception):
    """A call that a service or the gateway rejects. `status` is the HTTP status, `code` that of the service."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def service_of(path: str) -> Service | None:
    """The service that a path belongs to, or None for the paths of the local cloud itself (`/_local`, `/docs`)."""
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


def gateway_error(status: int, detail: str = "", *, code: str = "") -> CloudError:
    """The error of the gateway for an HTTP status. A `detail` follows the usual message."""
    usual, message = GATEWAY.get(status) or GATEWAY[400 if status < 500 else 500]
    return CloudError(status, code or usual, f"{message}: {detail}" if detail else message)


def usual_error(service: Service, status: int, detail: str = "") -> CloudError:
    """The error of a service, or else of the gateway, for an HTTP status. A `detail` follows the usual message."""
    usual = _USUAL[service].get(status)
    if usual is None:
        return gateway_error(status, detail)
    code, message = usual
    return CloudError(status, code, f"{message.rstrip('.')}: {detail}" if detail else message)


def error_body(service: Service, status: int, code: str, message: str, request_id: str) -> dict[str, Any]:
    """The error body in the format of the service, or of the gateway if the code is the gateway's."""
    if code.startswith("APIGW."):
        return {"error_msg": message, "error_code": code, "request_id": request_id}
    if service is Service.SMN:
        return {"request_id": request_id, "code": code, "message": message}
    if service is Service.IAM5:
        return {"error_code": code, "error_msg": message, "request_id": request_id}
    if service is Service.IAM:
        return {"error": {"code": status, "message": message, "title": code}}
    return {"error_code": code, "error_msg": message}
