"""The SMN error codes in use (SMN API, Error Codes), and the code of each invalid parameter."""

from collections.abc import Sequence
from typing import Any

from localcloud.errors import CloudError


CODES = {
    "SMN.0001": (403, "You do not have the permission to perform this operation."),
    "SMN.0002": (400, "Parameter: Name is invalid."),
    "SMN.0003": (400, "Parameter: DisplayName is invalid."),
    "SMN.0005": (400, "Parameter: TopicUrn is invalid."),
    "SMN.0006": (404, "Topic not found."),
    "SMN.0008": (403, "Parameter: Subject is invalid."),
    "SMN.0009": (403, "Parameter: Message is invalid."),
    "SMN.0011": (400, "Parameter: Protocol is invalid."),
    "SMN.0012": (400, "Parameter: Endpoint is invalid."),
    "SMN.0014": (400, "Parameter: SubscriptionUrn is invalid."),
    "SMN.0015": (400, "Parameter: Offset or limit is invalid."),
    "SMN.0017": (400, "Parameter: Remark is invalid."),
    "SMN.0021": (400, "MessageStructure is invalid."),
    "SMN.0027": (404, "Template not found."),
    "SMN.0032": (400, "Parameter: message_template_name is invalid."),
    "SMN.0038": (400, "Parameter: tag is invalid."),
    "SMN.0046": (400, "Parameter: Attribute name is invalid."),
    "SMN.0075": (403, "The number of tags exceeds the limit."),
    "SMN.0077": (400, "Parameter: Status is invalid."),
}
_PARAMETERS = {
    "limit": "SMN.0015",
    "offset": "SMN.0015",
    "name": "SMN.0002",
    "display_name": "SMN.0003",
    "protocol": "SMN.0011",
    "endpoint": "SMN.0012",
    "remark": "SMN.0017",
    "status": "SMN.0077",
    "subject": "SMN.0008",
    "message": "SMN.0009",
    "message_structure": "SMN.0021",
    "message_template_name": "SMN.0032",
    "tags": "SMN.0038",
    "message_attributes": "SMN.0046",
}


def smn_error(code: str) -> CloudError:
    """The error `code` with its documented status and message."""
    status, message = CODES[code]
    return CloudError(status, code, message)


def parameter_error(detail: str) -> CloudError:
    """SMN.0019, for an invalid parameter without a code of its own."""
    return CloudError(400, "SMN.0019", f"Parameter is invalid: {detail}.")


def invalid_request(problems: Sequence[dict[str, Any]]) -> CloudError:
    """The SMN error for FastAPI's list of validation errors. Only the first one is reported."""
    place = [str(part) for part in problems[0]["loc"]]
    code = _PARAMETERS.get(place[1]) if len(place) > 1 else None
    if code is None:
        return parameter_error(f"{'.'.join(place[1:])}: {problems[0]['msg']}")
    return smn_error(code)
