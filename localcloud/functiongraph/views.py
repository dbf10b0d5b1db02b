"""Functions, triggers and configurations as the API answers them."""

import json
from typing import Any

from localcloud.clock import text
from localcloud.functiongraph.facts import AsyncConfig, Destination, Function, Trigger
from localcloud.functiongraph.runtime.inside.context import millicores
from localcloud.functiongraph.urns import LATEST
from localcloud.region import Region


# As in the API's examples, which have two forms of time.
_MODIFIED = "%Y-%m-%d %H:%M:%S"
_TIME = "%Y-%m-%dT%H:%M:%S+00:00"


def function_view(region: Region, function: Function) -> dict[str, Any]:
    """What ListedFunction and FunctionConfig have of a function; the URN is that of the latest version."""
    return {
        "func_id": function.func_id,
        "resource_id": f"{function.func_id}:{function.name}",
        "func_urn": f"{function.id}:{LATEST}",
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
        "encrypted_user_data": _names(function.encrypted_user_data),
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


def _names(variables: dict[str, str]) -> str:
    return json.dumps(dict.fromkeys(variables, "")) if variables else ""


def trigger_view(trigger: Trigger) -> dict[str, Any]:
    """A trigger as every call about triggers answers it."""
    return {
        "trigger_id": trigger.id,
        "trigger_type_code": trigger.type,
        "trigger_status": trigger.status,
        "event_data": trigger.event_data,
        "last_updated_time": text(trigger.updated, _TIME),
        "created_time": text(trigger.created, _TIME),
    }


def async_config_view(config: AsyncConfig) -> dict[str, Any]:
    """An asynchronous configuration as every call about them answers it."""
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
