"""The error codes of FunctionGraph that are used here (FunctionGraph API, Error Codes)."""

from collections.abc import Sequence
from typing import Any

from localcloud.errors import CloudError


CODES = {
    "FSS.0400": (400, "Invalid parameter."),
    "FSS.0403": (403, "Forbidden"),
    "FSS.0404": (404, "The specified resource was not found."),
    "FSS.0429": (429, "Too many requests."),
    "FSS.0503": (503, "Service unavailable."),
    "FSS.1002": (400, "Invalid function name."),
    "FSS.1003": (400, "Invalid function handler."),
    "FSS.1004": (400, "Invalid Package (function app)."),
    "FSS.1005": (400, "Invalid runtime."),
    "FSS.1006": (400, "Invalid function code entry mode."),
    "FSS.1007": (400, "Invalid function memory."),
    "FSS.1008": (400, "Invalid function timeout."),
    "FSS.1009": (400, "Invalid function UserData."),
    "FSS.1011": (400, "Invalid function code."),
    "FSS.1012": (400, "The function code must be configured."),
    "FSS.1017": (400, "The number of items in the UserData field exceeds the maximum allowed limit (20)."),
    "FSS.1018": (400, "The total size of the UserData field exceeds the maximum allowed limit (4 KB)."),
    "FSS.1019": (400, "The description exceeds the maximum allowed limit."),
    "FSS.1041": (403, "The number of functions exceeds the maximum allowed limit."),
    "FSS.1051": (404, "The function does not exist."),
    "FSS.1052": (404, "The version does not exist."),
    "FSS.1053": (404, "The alias does not exist."),
    "FSS.1061": (409, "The function already exists."),
    "FSS.1071": (413, "The size of the code package to be uploaded exceeds the maximum allowed limit (50 MB)."),
    "FSS.1101": (400, "Invalid trigger type."),
    "FSS.1102": (400, "Invalid SMN trigger parameters."),
    "FSS.1106": (400, "Invalid OBS trigger parameters."),
    "FSS.1107": (400, "Invalid APIG trigger parameters."),
    "FSS.1109": (400, "Invalid timer trigger parameters."),
    "FSS.1112": (400, "The Kafka trigger parameters are invalid."),
    "FSS.1114": (400, "The subnet of the function must be the same as that of the Kafka instance."),
    "FSS.1131": (404, "The trigger does not exist."),
    "FSS.1132": (404, "The SMN trigger does not exist. View the SMN console."),
    "FSS.1138": (404, "The APIG trigger does not exist."),
    "FSS.1140": (404, "The timer trigger does not exist."),
    "FSS.1141": (409, "The SMN trigger already exists."),
    "FSS.1148": (409, "The timer trigger already exists."),
    "FSS.1150": (409, "The Kafka trigger already exists."),
    "FSS.1171": (404, "The SMN topic does not exist. Create one on the SMN console."),
    "FSS.1174": (404, "The Kafka trigger does not exist."),
    "FSS.1201": (413, "The request body is too large."),
    "FSS.1306": (400, "The number of triggers exceeds the maximum allowed limit."),
    "FSS.1309": (400, "Invalid function URN."),
    "FSS.1318": (400, "Invalid trigger operation."),
    "FSS.1404": (400, "Invalid function initializer."),
    "FSS.1405": (400, "Invalid initialization timeout."),
    "FSS.1417": (400, "Invalid APIG Exclusive trigger parameters."),
}
# The error for an invalid field of a request.
_FIELDS = {
    "func_name": "FSS.1002",
    "handler": "FSS.1003",
    "package": "FSS.1004",
    "runtime": "FSS.1005",
    "code_type": "FSS.1006",
    "memory_size": "FSS.1007",
    "timeout": "FSS.1008",
    "user_data": "FSS.1009",
    "encrypted_user_data": "FSS.1009",
    "func_code": "FSS.1011",
    "description": "FSS.1019",
    "trigger_type_code": "FSS.1101",
    "initializer_handler": "FSS.1404",
    "initializer_timeout": "FSS.1405",
}


def functiongraph_error(code: str, detail: str = "") -> CloudError:
    """The error `code` with the status and the message of the table, followed by `detail`."""
    status, message = CODES[code]
    return CloudError(status, code, f"{message} {detail}".strip())


def invalid_request(problems: Sequence[dict[str, Any]]) -> CloudError:
    """The error for FastAPI's list of validation errors. FunctionGraph reports the first one only."""
    place = [str(part) for part in problems[0]["loc"]][1:]
    code = _FIELDS.get(place[0], "FSS.0400") if place else "FSS.0400"
    return functiongraph_error(code, f"{'.'.join(place)}: {problems[0]['msg']}")
