"""LTS log groups, with a stream for each function that logs there."""

from cli.json_value import JsonObject
from cli.template.model import Function, Template
from cli.terraform.expressions import Scope, snake_case
from cli.terraform.model import Part, Resource


GROUP = "huaweicloud_lts_group"
STREAM = "huaweicloud_lts_stream"


def logs(template: Template, scope: Scope) -> Part:
    """Return the log groups of *template* and their streams."""
    groups = tuple(
        Resource(
            GROUP,
            snake_case(group.resource),
            {
                "group_name": scope.text(group.name),
                "ttl_in_days": group.ttl_in_days,
                "enterprise_project_id": "${var.enterprise_project_id}",
            },
        )
        for group in template.log_groups
    )
    streams = tuple(
        Resource(
            STREAM,
            snake_case(function.resource),
            {
                "group_id": f"${{{GROUP}.{snake_case(function.log_group)}.id}}",
                "stream_name": scope.text(function.name),
                "enterprise_project_id": "${var.enterprise_project_id}",
            },
        )
        for function in template.functions
        if function.log_group
    )
    return Part(groups + streams)


def log_settings(function: Function) -> JsonObject:
    """Return the attributes that send the log of *function* to its stream; none leaves it to FunctionGraph."""
    if function.log_group is None:
        return {}
    group, stream = f"{GROUP}.{snake_case(function.log_group)}", f"{STREAM}.{snake_case(function.resource)}"
    return {
        "enable_lts_log": True,
        "log_group_id": f"${{{group}.id}}",
        "log_group_name": f"${{{group}.group_name}}",
        "log_stream_id": f"${{{stream}.id}}",
        "log_stream_name": f"${{{stream}.stream_name}}",
    }
