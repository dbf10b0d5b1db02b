"""From ``template.yaml`` to the functions that it describes."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cli.errors import WrongCall, did_you_mean
from cli.paths import CHECKOUT
from cli.template.checks import application_problems, function_problems
from cli.template.document import read_document
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
from cli.template.problems import TemplateError
from cli.template.references import fill_in, references
from cli.template.schema import schema_problems


FILE_NAME = "template.yaml"


def find_template() -> Path:
    """Return the template of the current directory, else that of this command's checkout."""
    here = Path.cwd() / FILE_NAME
    return here if here.is_file() else CHECKOUT / FILE_NAME


def load_template(
    file: Path, values: Mapping[str, str] = MappingProxyType({}), *, fill_in_defaults: bool = True
) -> Template:
    """Read and check *file*, references to the parameters in *values* filled in.

    Without *fill_in_defaults*, references to parameters that have a default stay as they are written, too. Raises
    TemplateError, which names every problem, or WrongCall when it is no YAML.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongCall(f"cannot read the template {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongCall(f"{file} is no UTF-8 text: {error}") from error
    document = read_document(str(file), text)
    problems = [*document.duplicates, *schema_problems(document.data)]
    if not problems:
        problems += application_problems(document.data)
    if problems:
        raise TemplateError(str(file), ((document.line(problem.path), problem) for problem in problems))
    template = _template(file, document.data, values, fill_in_defaults)
    problems += function_problems(template)
    if problems:
        raise TemplateError(str(file), ((document.line(problem.path), problem) for problem in problems))
    return template


def find_function(template: Template, name: str) -> Function:
    """Return the function called *name* in FunctionGraph or in the template. Raises WrongCall for others."""
    for function in template.functions:
        if name in (function.name, function.resource):
            return function
    known = [function.name for function in template.functions]
    hint = did_you_mean(name, known)
    raise WrongCall(f"{template.file} has no function {name!r}{hint} Known: {', '.join(known) or 'none'}")


def _template(file: Path, data: dict[str, Any], given: Mapping[str, str], fill_in_defaults: bool) -> Template:
    parameters = {name: _parameter(name, spec) for name, spec in data.get("Parameters", {}).items()}
    known = parameters if fill_in_defaults else {}
    defaults = {name: parameter.default for name, parameter in known.items() if parameter.default is not None}
    values = {**defaults, **given}
    shared = data.get("Globals", {}).get("Function", {})

    def resources(kind: str) -> dict[str, dict[str, Any]]:
        chosen = {name: spec for name, spec in data["Resources"].items() if spec["Type"] == kind}
        return {name: fill_in(spec, values) for name, spec in chosen.items()}

    functions = tuple(
        _function(file.resolve().parent, resource, merged(fill_in(shared, values), spec))
        for resource, spec in resources(FUNCTION).items()
    )
    topics = tuple(_topic(resource, spec["Properties"]) for resource, spec in resources(TOPIC).items())
    log_groups = tuple(_log_group(resource, spec["Properties"]) for resource, spec in resources(LOG_GROUP).items())
    return Template(file, data.get("Description", ""), parameters, functions, topics, log_groups)


def _parameter(name: str, spec: dict[str, Any]) -> Parameter:
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
