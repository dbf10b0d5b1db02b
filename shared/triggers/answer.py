"""The answer to an API gateway: the report as a body, under the status it deserves."""

import json
from typing import Any, Protocol, runtime_checkable

from shared.backups.reports import Report, Status


_BY_CODE = {
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


@runtime_checkable
class CanBeOver(Protocol):
    """A report that can tell that nothing of what it says is still under way."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to wait for."""


def answer(report: Report) -> dict[str, Any]:
    """What a function returns to APIG (FunctionGraph, APIG event source): the body is a text.

    202 if everything is under way, 200 if it is over, 207 if a part succeeded, else the status of what went wrong: 400,
    403, 409, 429 or 502; of several the one that most asks for another try.
    """
    return {
        "statusCode": _status(report),
        "headers": {"Content-Type": "application/json"},
        "isBase64Encoded": False,
        "body": json.dumps(report.document()),
    }


def _status(report: Report) -> int:
    if report.status is Status.SUCCEEDED:
        return 200 if isinstance(report, CanBeOver) and report.is_over else 202
    if report.status is Status.PARTIALLY_FAILED:
        return 207
    found = {_BY_CODE.get(code, 502) for code in report.codes}
    return next(status for status in _WORST_FIRST if status in found)
