"""What a synchronous invocation answers (FunctionGraph API, Executing a Function Synchronously)."""

import base64
import json
from typing import Any

from starlette.responses import JSONResponse, Response

from localcloud.functiongraph.facts import Invocation
from localcloud.functiongraph.urns import LATEST


LOG_IN_BODY = 4096
LOG_IN_HEADER = 2000
# Codes of FunctionGraph's runtime: of an exception, and of what has a code of its own.
_EXCEPTION = "4001"
_CODES = {"FunctionTimeout": "4010", "FunctionInitTimeout": "4211"}


def sync_answer(invocation: Invocation, version: str, *, with_log: bool) -> Response:
    """Version v0 is what the function returned, with everything else in headers; v1 is JSON with all of it.

    A function that failed is 200 too, and told by X-Is-Func-Err.
    """
    summary = _summary(invocation.report)
    log = _log(invocation, summary) if with_log else ""
    headers = {
        "X-Cff-Request-Id": invocation.request_id,
        "X-Cff-Invoke-Summary": summary,
        "X-CFF-Billing-Duration": str(invocation.report["billed_duration_ms"]),
        "X-Cff-Response-Version": version,
        "X-Func-Err-Code": _code(invocation),
        "X-Is-Func-Err": "false" if invocation.ok else "true",
    }
    if with_log:
        headers["X-Cff-Function-Log"] = base64.b64encode(log.encode()[-LOG_IN_HEADER:]).decode()
    returned = invocation.result if invocation.error is None else invocation.error
    text = "" if returned is None else returned if isinstance(returned, str) else json.dumps(returned)
    if version == "v0":
        kind = "text/plain" if isinstance(returned, str) else "application/json"
        return Response(text, media_type=kind, headers=headers)
    body = {
        "request_id": invocation.request_id,
        "result": text,
        "log": log.encode()[-LOG_IN_BODY:].decode(errors="replace"),
        "status": 200 if invocation.ok else 500,
    }
    return JSONResponse(body, headers=headers)


def _log(invocation: Invocation, summary: str) -> str:
    return "\n".join(
        [
            f"{invocation.started} Start invoke request '{invocation.request_id}', version: {LATEST}",
            *invocation.log,
            f"{invocation.finished} Finish invoke request '{invocation.request_id}', {summary}",
        ]
    )


def _summary(report: dict[str, Any]) -> str:
    return (
        f"duration: {report['duration_ms']:.3f}ms, billing duration: {report['billed_duration_ms']}ms,"
        f" memory used: {report['max_memory_used_mb']:.3f}MB, billing memory: {report['memory_size_mb']}MB"
    )


def _code(invocation: Invocation) -> str:
    if invocation.error is None:
        return "0"
    return _CODES.get(invocation.error["errorType"], _EXCEPTION)
