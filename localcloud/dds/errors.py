"""The DDS error codes in use (DDS API, Error Codes), and the code of each invalid parameter."""

from collections.abc import Sequence
from typing import Any

from localcloud.errors import CloudError


CODES: dict[str, tuple[int, str]] = {
    "DBS.200001": (400, "Parameter error."),
    "DBS.200002": (404, "The DB instance does not exist."),
    "DBS.200018": (
        403,
        "This instance's status or its node's status makes it not be allowed to do this operation now.",
    ),
    "DBS.200019": (
        403,
        "Another operation is being performed on the DB instance or the DB instance is faulty.",
    ),
    "DBS.200543": (400, "The job does not exist or has finished."),
    "DBS.201000": (403, "The status of DB instance {0} does not allow the {1} operation."),
    "DBS.201014": (403, "Operation cannot be executed in current state of the DB instance."),
    "DBS.201201": (400, "The backup already exists."),
    "DBS.201214": (400, "The backup file does not exist."),
    "DBS.201319": (
        400,
        "Deleting backup file is not allowed because a restoration task is currently in progress.",
    ),
    "DBS.212003": (400, "This operation is not permitted."),
    "DBS.280067": (400, "Invalid start time."),
    "DBS.280068": (400, "Invalid end time."),
    "DBS.280127": (400, "Invalid backup description."),
    "DBS.280214": (400, "Invalid retention period."),
    "DBS.280215": (400, "Invalid backup cycle."),
    "DBS.280216": (400, "Invalid backup start time."),
    "DBS.280277": (400, "Invalid backup name."),
    "DBS.280342": (400, "Invalid DB instance mode."),
    "DBS.280404": (400, "Invalid DB instance ID."),
    "DBS.280408": (400, "Invalid project id."),
    "DBS.280439": (400, "Invalid limit."),
    "DBS.280440": (400, "Invalid offset."),
    "DBS.280482": (400, "Invalid user tag key."),
    "DBS.280483": (400, "Invalid tag value."),
    "DBS.280484": (400, "Tag number reach limit."),
}

# The code of a parameter whose value is out of range. A malformed body is DBS.200001.
_PARAMETERS = {
    "limit": "DBS.280439",
    "offset": "DBS.280440",
    "begin_time": "DBS.280067",
    "end_time": "DBS.280068",
    "start_time": "DBS.280067",
    "mode": "DBS.280342",
    "instance_id": "DBS.280404",
}
_FIELDS = {
    ("body", "backup", "instance_id"): "DBS.280404",
    ("body", "backup", "name"): "DBS.280277",
    ("body", "backup", "description"): "DBS.280127",
    ("body", "backup_policy", "keep_days"): "DBS.280214",
    ("body", "backup_policy", "period"): "DBS.280215",
    ("body", "backup_policy", "start_time"): "DBS.280216",
    ("body", "limit"): "DBS.280439",
    ("body", "offset"): "DBS.280440",
}
_OUT_OF_RANGE = ("string_", "greater_than", "less_than", "value_error", "too_long", "too_short")


def dds_error(code: str, *values: str) -> CloudError:
    """The error `code` with its documented status and message. `values` replace {0} and {1} in the message."""
    status, message = CODES[code]
    return CloudError(status, code, message.format(*values) if values else message)


def parameter_error(detail: str) -> CloudError:
    """DBS.200001 with a detail for people. Clients rely on the code."""
    return CloudError(400, "DBS.200001", f"Parameter error: {detail}.")


def invalid_request(problems: Sequence[dict[str, Any]]) -> CloudError:
    """The DDS error for FastAPI's list of validation errors. Only the first one is reported."""
    problem = problems[0]
    place = tuple(problem["loc"])
    out_of_range = problem["type"].startswith(_OUT_OF_RANGE) and problem["type"] != "string_type"
    if place[0] == "query":
        code = _PARAMETERS.get(str(place[-1]))
    elif out_of_range:
        code = next((code for field, code in _FIELDS.items() if place[: len(field)] == field), None)
    else:
        code = None
    if code is None:
        return parameter_error(f"{'.'.join(map(str, place[1:]))}: {problem['msg']}")
    return dds_error(code)
