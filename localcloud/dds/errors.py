"""The DDS error codes in use (DDS API, Error Codes), and the code of each invalid parameter."""

from collections.abc import Sequence
from typing import Any

from localcloud.errors import CloudError


CODES: dict[str, tuple[int, str]] = {
    "DBS.200001": (400, "Parameter error."),
    "DBS.200002": (404, "The DB instance does not exist."),
    "DBS.200011": (403, "This instance {0} status makes it not be allowed to do this {1} operation now."),
    "DBS.200013": (404, "This node does not exist."),
    "DBS.200018": (
        403,
        "This instance's status or its node's status makes it not be allowed to do this operation now.",
    ),
    "DBS.200019": (
        403,
        "Another operation is being performed on the DB instance or the DB instance is faulty.",
    ),
    "DBS.200041": (400, "Invalid datastore version."),
    "DBS.200052": (400, "Invalid password."),
    "DBS.200053": (400, "The DB instance specifications do not exist."),
    "DBS.200060": (400, "The database port number is out of the specified range."),
    "DBS.200302": (400, "The storage space must be a multiple of 10."),
    "DBS.200306": (400, "Invalid storage space."),
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
    "DBS.239011": (400, "Invalid SSL option."),
    "DBS.280067": (400, "Invalid start time."),
    "DBS.280068": (400, "Invalid end time."),
    "DBS.280122": (400, "Invalid DB engine."),
    "DBS.280123": (400, "Invalid node number."),
    "DBS.280124": (400, "Invalid backup."),
    "DBS.280127": (400, "Invalid backup description."),
    "DBS.280200": (400, "The password contains invalid characters."),
    "DBS.280214": (400, "Invalid retention period."),
    "DBS.280215": (400, "Invalid backup cycle."),
    "DBS.280216": (400, "Invalid backup start time."),
    "DBS.280234": (400, "Invalid DB instance name."),
    "DBS.280239": (400, "Invalid specifications."),
    "DBS.280241": (400, "Invalid storage type"),
    "DBS.280242": (400, "The storage space is out of range."),
    "DBS.280244": (400, "Invalid AZ."),
    "DBS.280247": (400, "Invalid VPC."),
    "DBS.280248": (400, "Invalid subnet."),
    "DBS.280249": (400, "Invalid security group."),
    "DBS.280267": (400, "Specifications not match."),
    "DBS.280277": (400, "Invalid backup name."),
    "DBS.280280": (400, "Invalid DB instance number."),
    "DBS.280292": (400, "Invalid database username."),
    "DBS.280327": (400, "Invalid node type."),
    "DBS.280342": (400, "Invalid DB instance mode."),
    "DBS.280343": (400, "Unsupported operation."),
    "DBS.280365": (400, "Invalid payment mode."),
    "DBS.280404": (400, "Invalid DB instance ID."),
    "DBS.280406": (403, "The DB instance cannot be deleted."),
    "DBS.280408": (400, "Invalid project id."),
    "DBS.280409": (400, "Invalid date."),
    "DBS.280433": (403, "Invalid enterprise project ID."),
    "DBS.280438": (400, "Invalid encryption key."),
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
_FIELDS: dict[tuple[str, ...], str] = {
    **{("body", kind, "name"): "DBS.280234" for kind in ("create", "restore")},
    **{("body", kind, "vpc_id"): "DBS.280247" for kind in ("create", "restore")},
    **{("body", kind, "subnet_id"): "DBS.280248" for kind in ("create", "restore")},
    **{("body", kind, "security_group_id"): "DBS.280249" for kind in ("create", "restore")},
    **{("body", kind, "backup_strategy", "keep_days"): "DBS.280214" for kind in ("create", "restore")},
    **{("body", kind, "backup_strategy", "start_time"): "DBS.280216" for kind in ("create", "restore")},
    ("body", "new_instance_name"): "DBS.280234",
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
