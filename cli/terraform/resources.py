"""The resources of an application in Terraform: topics, logs, agencies, functions and triggers.

JSON texts of resources (environments, policies, trigger configurations) are local values, so that they stay readable in
the configuration: ``local.<group>.<name>``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from cli.json_value import Json, JsonObject
from cli.permissions.agencies import TRUSTED_SERVICE, agencies, confined_policy, custom_policy
from cli.template.model import AsyncInvoke, Event, Function, Subscription, Template, Topic
from cli.terraform.expressions import TOPIC, Scope, call, literal, snake_case


SUBSCRIPTION = "huaweicloud_smn_subscription"
FILTER_POLICY = "huaweicloud_smn_subscription_filter_policy"
LOG_GROUP = "huaweicloud_lts_group"
LOG_STREAM = "huaweicloud_lts_stream"
AGENCY = "huaweicloud_identity_agency"
POLICY = "huaweicloud_identity_role"
ENTERPRISE_PROJECTS = "huaweicloud_enterprise_project"
"""A data source, which finds an enterprise project by its id."""
FUNCTION = "huaweicloud_fgs_function"
ASYNC_INVOKE = "huaweicloud_fgs_async_invoke_configuration"
TRIGGER = "huaweicloud_fgs_function_trigger"
TRIGGER_STATUS = "huaweicloud_fgs_function_trigger_status_action"

ENTERPRISE_PROJECT = "${var.enterprise_project_id}"

PROJECT = call("coalesce", "var.project_name", "var.region")
"""The main project of a region has the region's name (IAM, Projects)."""

PROJECT_LEVEL = "XA"
"""A custom policy for project-level services (IAM API, Creating a Custom Policy, ``type``)."""

RETRY_ATTEMPTS = 1
EVENT_AGE = 3600
"""Seconds. The provider requires both. They are FunctionGraph's defaults (Configuring an Asynchronous Notification
Policy)."""

ALWAYS_ON = frozenset({"SMN", "EVENTGRID", "DEDICATEDGATEWAY", "APIG"})
"""Triggers that cannot be disabled (FunctionGraph API, Creating a Trigger)."""


class Target(Enum):
    """The service that applies the configuration."""

    TERRAFORM = "terraform"
    RFS = "rfs"
    """Resource Formation Service. It forbids functions that read files, resources that upload files, and backends (RFS,
    Template Reference, Template Constraints and Limitations), so the code has to come from OBS."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A ``resource`` block."""

    type: str
    name: str
    body: JsonObject

    @property
    def address(self) -> str:
        """The name that other blocks refer to it by."""
        return f"{self.type}.{self.name}"


@dataclass(frozen=True, slots=True)
class Part:
    """Resources and the local values that they refer to as ``local.<group>.<name>``."""

    resources: tuple[Resource, ...] = ()
    values: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    data: tuple[Resource, ...] = ()
    """The ``data`` blocks, which look something up."""


def application(template: Template, scope: Scope, packages: Mapping[str, str], target: Target) -> Part:
    """Return the resources of *template*.

    *packages* has the file name of each function's zip by the function's key under ``Resources``.
    """
    parts = (
        Part((*_topics(template, scope), *_logs(template, scope))),
        _agencies(template, scope),
        _functions(template, scope, packages, target),
        _triggers(template, scope),
    )
    values = {group: named for part in parts for group, named in part.values.items() if named}
    data = tuple(source for part in parts for source in part.data)
    return Part(tuple(resource for part in parts for resource in part.resources), values, data)


def _topics(template: Template, scope: Scope) -> Iterator[Resource]:
    for topic in template.topics:
        body: JsonObject = {"name": scope.text(topic.name), "enterprise_project_id": ENTERPRISE_PROJECT}
        if topic.display_name:
            body["display_name"] = scope.text(topic.display_name)
        yield Resource(TOPIC, snake_case(topic.resource), body)
        for subscription in topic.subscriptions:
            yield from _subscription(topic, subscription, scope)


def _subscription(topic: Topic, subscription: Subscription, scope: Scope) -> Iterator[Resource]:
    # The name is derived from the endpoint, so that the order of the subscriptions does not matter.
    name = snake_case(f"{topic.resource} {subscription.protocol} {subscription.endpoint}")
    body: JsonObject = {
        "topic_urn": f"${{{TOPIC}.{snake_case(topic.resource)}.topic_urn}}",
        "protocol": subscription.protocol,
        "endpoint": scope.text(subscription.endpoint),
    }
    if subscription.remark:
        body["remark"] = scope.text(subscription.remark)
    made = Resource(SUBSCRIPTION, name, body)
    yield made
    if subscription.filter_policy:
        policies: list[Json] = [
            {"name": attribute, "string_equals": [*values]} for attribute, values in subscription.filter_policy.items()
        ]
        urn = f"${{{made.address}.subscription_urn}}"
        yield Resource(FILTER_POLICY, name, {"subscription_urn": urn, "filter_policies": policies})


def _logs(template: Template, scope: Scope) -> Iterator[Resource]:
    """Yield the log groups, and a stream for each function that has one."""
    for group in template.log_groups:
        body: JsonObject = {
            "group_name": scope.text(group.name),
            "ttl_in_days": group.ttl_in_days,
            "enterprise_project_id": ENTERPRISE_PROJECT,
        }
        yield Resource(LOG_GROUP, snake_case(group.resource), body)
    for function in template.functions:
        if function.log_group:
            body = {
                "group_id": f"${{{LOG_GROUP}.{snake_case(function.log_group)}.id}}",
                "stream_name": scope.text(function.name),
                "enterprise_project_id": ENTERPRISE_PROJECT,
            }
            yield Resource(LOG_STREAM, snake_case(function.resource), body)


def _agencies(template: Template, scope: Scope) -> Part:
    """Return the agencies with permissions, each with a custom policy for the project of the functions.

    An agency that makes instances has a second policy, in the enterprise project of the drills.
    """
    resources: list[Resource] = []
    policies = {}
    data: list[Resource] = []
    for agency in agencies(template):
        name = snake_case(agency.name)
        policies[name] = scope.value(custom_policy(agency))
        policy: JsonObject = {
            "name": scope.text(agency.name),
            "description": "What the functions of the agency of the same name call, and nothing else.",
            "type": PROJECT_LEVEL,
            "policy": call("jsonencode", f"local.policies.{name}"),
        }
        body: JsonObject = {
            "name": scope.text(agency.name),
            "description": "Lets FunctionGraph act for the functions.",
            "delegated_service_name": TRUSTED_SERVICE,
            "project_role": [{"project": PROJECT, "roles": [f"${{{POLICY}.{name}.name}}"]}],
        }
        resources += [Resource(POLICY, name, policy), Resource(AGENCY, name, body)]
        if confined := confined_policy(agency):
            second = snake_case(agency.confined_policy_name)
            policies[second] = scope.value(confined)
            own: JsonObject = {
                "name": scope.text(agency.confined_policy_name),
                "policy": call("jsonencode", f"local.policies.{second}"),
            }
            resources.append(Resource(POLICY, second, policy | own))
            # Nothing is looked up and granted while the variable is empty.
            ids = call("toset", f'compact(["{scope.text(agency.enterprise_project)}"])')
            data.append(Resource(ENTERPRISE_PROJECTS, name, {"for_each": ids, "id": "${each.value}"}))
            body["dynamic"] = {"enterprise_project_roles": _roles_in(f"data.{ENTERPRISE_PROJECTS}.{name}", second)}
    return Part(tuple(resources), {"policies": policies}, tuple(data))


def _roles_in(projects: str, policy: str) -> JsonObject:
    """Return the blocks that grant a policy in each of *projects*. The provider takes an enterprise project by name."""
    content: JsonObject = {
        "enterprise_project": "${enterprise_project_roles.value.name}",
        "roles": [f"${{{POLICY}.{policy}.name}}"],
    }
    return {"for_each": f"${{{projects}}}", "content": content}


def _functions(template: Template, scope: Scope, packages: Mapping[str, str], target: Target) -> Part:
    """Return the functions and the settings of their asynchronous invocations."""
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
            resources.append(Resource(ASYNC_INVOKE, name, _async_invoke(function, function.async_invoke)))
            params: JsonObject = {outcome: dict(param) for outcome, _, param in _destinations(function.async_invoke)}
            if params:
                destinations[name] = scope.value(params)
    return Part(tuple(resources), {"environment": environment, "destinations": destinations})


def _settings(function: Function, template: Template, scope: Scope) -> JsonObject:
    body: JsonObject = {
        "name": scope.text(function.name),
        "app": "default",
        "functiongraph_version": "v2",
        "runtime": function.runtime,
        "handler": function.handler,
        "memory_size": function.memory_size,
        "timeout": function.timeout,
        "enterprise_project_id": ENTERPRISE_PROJECT,
    }
    if function.description:
        body["description"] = scope.text(function.description)
    if function.initializer:
        body |= {"initializer_handler": function.initializer, "initializer_timeout": function.initializer_timeout}
    if function.agency is not None:
        is_made_here = any(function.agency == agency.name for agency in agencies(template))
        reference = f"${{{AGENCY}.{snake_case(function.agency)}.name}}"
        body["agency"] = reference if is_made_here else scope.text(function.agency)
    if function.vpc_config:
        body["vpc_id"] = scope.text(function.vpc_config.vpc_id)
        body["network_id"] = scope.text(function.vpc_config.subnet_id)
    if function.log_group:
        group = f"{LOG_GROUP}.{snake_case(function.log_group)}"
        stream = f"{LOG_STREAM}.{snake_case(function.resource)}"
        body |= {
            "enable_lts_log": True,
            "log_group_id": f"${{{group}.id}}",
            "log_group_name": f"${{{group}.group_name}}",
            "log_stream_id": f"${{{stream}.id}}",
            "log_stream_name": f"${{{stream}.stream_name}}",
        }
    return body


def _code(package: str, target: Target) -> JsonObject:
    if target is Target.RFS:
        folder = call("trimsuffix", "var.code_url", '"/"')
        return {"code_type": "obs", "code_url": f"{folder}/{literal(package)}"}
    # The provider keeps the SHA-1 of the code in the state, so another zip is a change.
    path = f'"${{path.module}}/{literal(package)}"'
    return {"code_type": "zip", "code_filename": literal(package), "func_code": call("filebase64", path)}


def _async_invoke(function: Function, settings: AsyncInvoke) -> JsonObject:
    age, attempts = settings.max_event_age, settings.max_retry_attempts
    body: JsonObject = {
        "function_urn": _urn(function),
        "max_async_event_age_in_seconds": EVENT_AGE if age is None else age,
        "max_async_retry_attempts": RETRY_ATTEMPTS if attempts is None else attempts,
    }
    for outcome, destination, _ in _destinations(settings):
        param = call("jsonencode", f"local.destinations.{snake_case(function.resource)}.{outcome}")
        body[outcome] = [{"destination": destination, "param": param}]
    return body


def _destinations(settings: AsyncInvoke) -> Iterator[tuple[str, str, Mapping[str, Json]]]:
    """Yield the outcome, the destination and its parameters."""
    for outcome, destination in (("on_success", settings.on_success), ("on_failure", settings.on_failure)):
        if destination:
            yield outcome, destination.destination, destination.param


def _urn(function: Function) -> str:
    return f"${{{FUNCTION}.{snake_case(function.resource)}.urn}}"


def _triggers(template: Template, scope: Scope) -> Part:
    """Return the triggers of all functions. Their configuration (``event_data``) is a JSON text."""
    resources = []
    event_data: dict[str, Json] = {}
    for function in template.functions:
        for event in function.events:
            name = snake_case(f"{function.resource} {event.name}")
            named: JsonObject = {"name": event.name} if event.type == "TIMER" else {}
            event_data[name] = scope.value({**named, **event.properties})
            resources.append(Resource(TRIGGER, name, _trigger(function, event, name)))
            created_as = "DISABLED" if "KAFKA" in event.type else "ACTIVE"
            if event.type not in ALWAYS_ON and event.status != created_as:
                resources.append(Resource(TRIGGER_STATUS, name, _trigger_status(function, event, name)))
    return Part(tuple(resources), {"event_data": event_data})


def _trigger(function: Function, event: Event, name: str) -> JsonObject:
    body: JsonObject = {"function_urn": _urn(function), "type": event.type, "event_data": _event_data(name)}
    if event.type not in ALWAYS_ON:
        body["status"] = event.status
    if event.type == "EVENTGRID":
        # FunctionGraph does not return all of it, which would look like a change (documentation of the provider).
        body |= {"cascade_delete_eg_subscription": True, "lifecycle": {"ignore_changes": ["event_data"]}}
    if function.async_invoke:
        # The destination of failed events has to exist before the first event.
        body["depends_on"] = [f"{ASYNC_INVOKE}.{snake_case(function.resource)}"]
    return body


def _trigger_status(function: Function, event: Event, name: str) -> JsonObject:
    """Set the status of a new trigger. The provider sends it only when it changes."""
    return {
        "function_urn": _urn(function),
        "trigger_type_code": event.type,
        "trigger_id": f"${{{TRIGGER}.{name}.id}}",
        "trigger_status": event.status,
        "event_data": _event_data(name),
    }


def _event_data(name: str) -> str:
    return call("jsonencode", f"local.event_data.{name}")
