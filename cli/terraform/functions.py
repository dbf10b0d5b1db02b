"""Functions, and what becomes of their failed asynchronous invocations."""

from collections.abc import Mapping

from cli.json_value import Json, JsonObject
from cli.template.model import AsyncInvoke, Function, Template
from cli.terraform.agencies import agency_of
from cli.terraform.expressions import Scope, call, literal, snake_case
from cli.terraform.logs import log_settings
from cli.terraform.model import Part, Resource, Target


FUNCTION = "huaweicloud_fgs_function"
ASYNC = "huaweicloud_fgs_async_invoke_configuration"

RETRY_ATTEMPTS = 1
EVENT_AGE = 3600
"""Seconds. Both are FunctionGraph's defaults (Configuring an Asynchronous Notification Policy): the provider asks."""


def functions(template: Template, scope: Scope, packages: Mapping[str, str], target: Target) -> Part:
    """Return the functions of *template*, whose code is in the file that *packages* has for each resource."""
    resources = []
    environment: dict[str, Json] = {}
    destinations: dict[str, Json] = {}
    for function in template.functions:
        name = snake_case(function.resource)
        body = _settings(function, template, scope) | _code(packages[function.resource], target)
        if function.variables:
            environment[name] = {key: scope.text(value) for key, value in sorted(function.variables.items())}
            body["user_data"] = call("jsonencode", f"local.environment.{name}")
        resources.append(Resource(FUNCTION, name, body))
        if function.async_invoke:
            resources.append(Resource(ASYNC, name, _async_invoke(name, function.async_invoke)))
            params = _params(function.async_invoke)
            if params:
                destinations[name] = scope.value(params)
    groups = {"environment": environment, "destinations": destinations}
    return Part(tuple(resources), {group: values for group, values in groups.items() if values})


def _settings(function: Function, template: Template, scope: Scope) -> JsonObject:
    body: JsonObject = {
        "name": scope.text(function.name),
        "app": "default",
        "functiongraph_version": "v2",
        "runtime": function.runtime,
        "handler": function.handler,
        "memory_size": function.memory_size,
        "timeout": function.timeout,
        "enterprise_project_id": "${var.enterprise_project_id}",
    }
    if function.description:
        body["description"] = scope.text(function.description)
    if function.initializer:
        body |= {"initializer_handler": function.initializer, "initializer_timeout": function.initializer_timeout}
    agency = agency_of(function, template, scope)
    if agency is not None:
        body["agency"] = agency
    if function.vpc_config:
        body["vpc_id"] = scope.text(function.vpc_config.vpc_id)
        body["network_id"] = scope.text(function.vpc_config.subnet_id)
    return body | log_settings(function)


def _code(package: str, target: Target) -> JsonObject:
    if target is Target.RFS:
        folder = call("trimsuffix", "var.code_url", '"/"')
        return {"code_type": "obs", "code_url": f"{folder}/{literal(package)}"}
    # The provider keeps the code's SHA-1 in the state, so that another zip is a change.
    path = f'"${{path.module}}/{literal(package)}"'
    return {"code_type": "zip", "code_filename": literal(package), "func_code": call("filebase64", path)}


def _async_invoke(name: str, settings: AsyncInvoke) -> JsonObject:
    age, attempts = settings.max_event_age, settings.max_retry_attempts
    body: JsonObject = {
        "function_urn": f"${{{FUNCTION}.{name}.urn}}",
        "max_async_event_age_in_seconds": EVENT_AGE if age is None else age,
        "max_async_retry_attempts": RETRY_ATTEMPTS if attempts is None else attempts,
    }
    for outcome, destination in (("on_success", settings.on_success), ("on_failure", settings.on_failure)):
        if destination:
            param = call("jsonencode", f"local.destinations.{name}.{outcome}")
            body[outcome] = [{"destination": destination.destination, "param": param}]
    return body


def _params(settings: AsyncInvoke) -> JsonObject:
    both = (("on_success", settings.on_success), ("on_failure", settings.on_failure))
    return {outcome: dict(destination.param) for outcome, destination in both if destination}
