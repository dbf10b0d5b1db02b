"""Stored facts in the form in which the API returns them."""

import base64
import json
from typing import Any

from starlette.responses import JSONResponse, Response

from localcloud.clock import text
from localcloud.functiongraph.runtime.inside.context import millicores
from localcloud.functiongraph.state import LATEST, AsyncConfig, Destination, Function, Invocation, Trigger
from localcloud.region import Region


MAX_LOG_IN_BODY = 4096
MAX_LOG_IN_HEADER = 2000
# Error codes of FunctionGraph's runtime: for an exception, and for errors with a code of their own.
_EXCEPTION = "4001"
_ERROR_CODES = {"FunctionTimeout": "4010", "FunctionInitTimeout": "4211"}
# The API's examples have two forms of time.
_MODIFIED = "%Y-%m-%d %H:%M:%S"
_TIME = "%Y-%m-%dT%H:%M:%S+00:00"


def function_view(region: Region, function: Function) -> dict[str, Any]:
    """The fields of ListedFunction and FunctionConfig. The URN is that of the latest version."""
    return {
        "func_id": function.func_id,
        "resource_id": f"{function.func_id}:{function.name}",
        "func_urn": function.latest_urn,
        "func_name": function.name,
        "domain_id": region.domain_id,
        "namespace": region.project_id,
        "project_name": region.id,
        "package": function.package,
        "runtime": function.runtime,
        "timeout": function.timeout,
        "handler": function.handler,
        "memory_size": function.memory_size,
        "cpu": millicores(function.memory_size),
        "code_type": function.code_type,
        "code_filename": function.code_filename,
        "code_size": function.code_size,
        "user_data": json.dumps(function.user_data) if function.user_data else "",
        "encrypted_user_data": _names_only(function.encrypted_user_data),
        "digest": function.digest,
        "version": LATEST,
        "image_name": f"{LATEST}-{text(function.modified, '%y%m%d%H%M%S')}@local",
        "xrole": function.xrole,
        "app_xrole": function.app_xrole,
        "description": function.description,
        "last_modified": text(function.modified, _MODIFIED),
        "depend_version_list": function.depend_version_list,
        "strategy_config": {"concurrency": function.concurrency, "concurrent_num": 1},
        "initializer_handler": function.initializer_handler,
        "initializer_timeout": function.initializer_timeout,
        "enterprise_project_id": function.enterprise_project_id,
        "func_vpc": function.func_vpc,
        "func_vpc_id": function.func_vpc and function.func_vpc["vpc_id"],
        "log_group_id": function.log_group_id,
        "log_stream_id": function.log_stream_id,
        "type": "v2",
        "enable_lts_log": function.enable_lts_log,
        "lts_custom_tag": function.lts_custom_tag,
    }


def _names_only(variables: dict[str, str]) -> str:
    return json.dumps(dict.fromkeys(variables, "")) if variables else ""


def trigger_view(trigger: Trigger) -> dict[str, Any]:
    """A trigger as every trigger call returns it."""
    return {
        "trigger_id": trigger.id,
        "trigger_type_code": trigger.type,
        "trigger_status": trigger.status,
        "event_data": trigger.event_data,
        "last_updated_time": text(trigger.updated, _TIME),
        "created_time": text(trigger.created, _TIME),
    }


def async_config_view(config: AsyncConfig) -> dict[str, Any]:
    """An asynchronous configuration as every call returns it."""
    return {
        "func_urn": f"{config.id}:{LATEST}",
        "max_async_event_age_in_seconds": config.max_event_age,
        "max_async_retry_attempts": config.max_retry_attempts,
        "destination_config": {
            "on_success": _destination(config.on_success),
            "on_failure": _destination(config.on_failure),
        },
        "created_time": text(config.created, _TIME),
        "last_modified": text(config.modified, _MODIFIED),
        "enable_async_status_log": config.enable_status_log,
    }


def _destination(destination: Destination | None) -> dict[str, str] | None:
    if destination is None:
        return None
    return {"destination": destination.destination, "param": json.dumps(destination.param)}


def sync_response(invocation: Invocation, version: str, *, with_log: bool) -> Response:
    """The response to a synchronous invocation (FunctionGraph API, Executing a Function Synchronously).

    The body of version v0 is the function's result; the rest is in headers. Version v1 is JSON with everything. A
    failed function is status 200 with `X-Is-Func-Err: true`.
    """
    summary = _summary(invocation.report)
    log = _log(invocation, summary) if with_log else ""
    headers = {
        "X-Cff-Request-Id": invocation.request_id,
        "X-Cff-Invoke-Summary": summary,
        "X-CFF-Billing-Duration": str(invocation.report["billed_duration_ms"]),
        "X-Cff-Response-Version": version,
        "X-Func-Err-Code": _error_code(invocation),
        "X-Is-Func-Err": "false" if invocation.ok else "true",
    }
    if with_log:
        headers["X-Cff-Function-Log"] = base64.b64encode(log.encode()[-MAX_LOG_IN_HEADER:]).decode()
    returned = invocation.result if invocation.error is None else invocation.error
    text = "" if returned is None else returned if isinstance(returned, str) else json.dumps(returned)
    if version == "v0":
        kind = "text/plain" if isinstance(returned, str) else "application/json"
        return Response(text, media_type=kind, headers=headers)
    body = {
        "request_id": invocation.request_id,
        "result": text,
        "log": log.encode()[-MAX_LOG_IN_BODY:].decode(errors="replace"),
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


def _error_code(invocation: Invocation) -> str:
    if invocation.error is None:
        return "0"
    return _ERROR_CODES.get(invocation.error["errorType"], _EXCEPTION)
