"""From the data of a template to its model, with the defaults of FunctionGraph."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.template.globals import merged
from cli.template.kinds import FUNCTION, LOG_GROUP, TOPIC
from cli.template.model import (
    AsyncInvoke,
    Destination,
    Event,
    Function,
    LogGroup,
    Parameter,
    Subscription,
    Template,
    Topic,
    VpcConfig,
)
from cli.template.references import references


def decoded(file: Path, data: dict[str, Any], parameters: Mapping[str, Parameter]) -> Template:
    """Return the template of *file*, whose *data* the schema allows."""
    shared = data.get("Globals", {}).get("Function", {})

    def resources(kind: str) -> dict[str, dict[str, Any]]:
        return {name: spec for name, spec in data["Resources"].items() if spec["Type"] == kind}

    functions = tuple(
        _function(file.resolve().parent, resource, merged(shared, spec))
        for resource, spec in resources(FUNCTION).items()
    )
    topics = tuple(_topic(resource, spec["Properties"]) for resource, spec in resources(TOPIC).items())
    log_groups = tuple(_log_group(resource, spec["Properties"]) for resource, spec in resources(LOG_GROUP).items())
    return Template(file, data.get("Description", ""), parameters, functions, topics, log_groups)


def decoded_parameter(name: str, spec: dict[str, Any]) -> Parameter:
    """Return the parameter *name*."""
    return Parameter(
        name, _text(spec.get("Default")), spec.get("Description", ""), spec.get("NoEcho", False), spec["Type"]
    )


def _function(code_root: Path, resource: str, spec: dict[str, Any]) -> Function:
    properties = spec["Properties"]
    return Function(
        resource=resource,
        name=properties.get("FunctionName", resource),
        description=properties.get("Description", ""),
        code_root=code_root,
        code_uri=(code_root / properties["CodeUri"]).resolve(),
        handler=properties["Handler"],
        initializer=properties.get("Initializer"),
        initializer_timeout=properties.get("InitializerTimeout", 3),
        runtime=properties["Runtime"],
        memory_size=properties.get("MemorySize", 128),
        timeout=properties.get("Timeout", 3),
        agency=properties.get("Agency"),
        permissions=tuple(properties.get("Permissions", ())),
        log_group=next((name for _, name in references(properties.get("LogGroup"))), None),
        vpc_config=_vpc_config(properties.get("VpcConfig")),
        variables={name: str(value) for name, value in properties.get("Environment", {}).get("Variables", {}).items()},
        async_invoke=_async_invoke(properties.get("AsyncInvoke")),
        events=tuple(_event(name, event) for name, event in spec.get("Events", {}).items()),
    )


def _topic(resource: str, properties: dict[str, Any]) -> Topic:
    subscriptions = tuple(
        Subscription(spec["Protocol"], spec["Endpoint"], spec.get("Remark", ""))
        for spec in properties.get("Subscriptions", ())
    )
    return Topic(resource, properties["Name"], properties.get("DisplayName", ""), subscriptions)


def _log_group(resource: str, properties: dict[str, Any]) -> LogGroup:
    return LogGroup(resource, properties["GroupName"], properties.get("TtlInDays", 30))


def _event(name: str, spec: dict[str, Any]) -> Event:
    status = spec.get("Status") or ("DISABLED" if "KAFKA" in spec["Type"] else "ACTIVE")
    return Event(name, spec["Type"], status, spec["Properties"])


def _vpc_config(spec: dict[str, Any] | None) -> VpcConfig | None:
    return None if spec is None else VpcConfig(spec["VpcId"], spec["SubnetId"])


def _async_invoke(spec: dict[str, Any] | None) -> AsyncInvoke | None:
    if spec is None:
        return None
    return AsyncInvoke(
        max_retry_attempts=spec.get("MaxRetryAttempts"),
        max_event_age=spec.get("MaxEventAge"),
        on_success=_destination(spec.get("OnSuccess")),
        on_failure=_destination(spec.get("OnFailure")),
    )


def _destination(spec: dict[str, Any] | None) -> Destination | None:
    return None if spec is None else Destination(spec["Destination"], spec["Param"])


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
