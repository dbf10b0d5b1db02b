"""From ``template.yaml`` to the application that it describes."""

import copy
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cli.errors import WrongCall, did_you_mean
from cli.paths import APPLICATION
from cli.template.checks import application_problems, function_problems, schema_problems
from cli.template.document import (
    MAX_DEPTH,
    Document,
    KeyPath,
    Problem,
    TemplateError,
    fill_in,
    read_document,
    references,
)
from cli.template.model import (
    FUNCTION,
    LOG_GROUP,
    TOPIC,
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


FILE_NAME = "template.yaml"

ABSENCES = {"agency": "Agency", "vpc": "VpcConfig", "missing_permission": "Permissions"}
"""By the code of a problem, the property whose absence it is about."""


def find_template() -> Path:
    """Return the template in the current directory, or else the one installed with this command."""
    here = Path.cwd() / FILE_NAME
    return here if here.is_file() else APPLICATION / FILE_NAME


@dataclass(frozen=True, slots=True)
class Source:
    """A template file, as far as it can be read.

    Attributes:
        template: what it describes. Values and resources with problems are left out of it.
        problems: every problem with the template by itself.
        left_out: the paths of what is left out.
    """

    document: Document
    template: Template
    problems: tuple[Problem, ...]
    left_out: frozenset[KeyPath] = frozenset()

    def path(self, function: Function, *keys: str) -> KeyPath:
        """Return the path of a property of *function*: its own, or else that of Globals if that has it."""
        own, shared = ("Resources", function.resource, "Properties", *keys), ("Globals", "Function", *keys)
        return shared if own not in self.document.lines and shared in self.document.lines else own


def load_template(
    file: Path, values: Mapping[str, str] = MappingProxyType({}), *, fill_in_defaults: bool = True
) -> Template:
    """Read and check *file*, and fill in references to the parameters in *values*.

    References to parameters that have a default are filled in, too, unless *fill_in_defaults* is False. Raises
    TemplateError, which lists every problem, or WrongCall if the file cannot be read.
    """
    source = read_template(file, values, fill_in_defaults=fill_in_defaults)
    if source.problems:
        raise TemplateError(str(file), [(source.document.line(one.path), one) for one in source.problems])
    return source.template


def read_template(
    file: Path, values: Mapping[str, str] = MappingProxyType({}), *, fill_in_defaults: bool = True
) -> Source:
    """Read *file* as far as possible, with the parameters as in `load_template`.

    What has a problem is left out, so that the rest can be checked. Raises TemplateError if the file is not valid YAML,
    or WrongCall if it cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongCall(f"cannot read the template {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongCall(f"{file} is not valid UTF-8: {error}") from error
    document = read_document(str(file), text)
    data, first = _valid_part(document.data)
    removed = _names(document.data) - _names(data)
    second = list(application_problems(data, removed))
    _remove_incomplete(data, second)
    used = used_names(document.data)
    parameters = {
        name: _parameter(name, spec, is_used=name in used) for name, spec in data.get("Parameters", {}).items()
    }
    with_default = parameters.values() if fill_in_defaults else ()
    defaults = {parameter.name: parameter.default for parameter in with_default if parameter.default is not None}
    data, third = _valid_part(_filled_in(data, {**defaults, **values}))
    template = _template(file, data, parameters)
    left_out = frozenset(problem.path for problem in (*first, *third))
    later = [*(one for one in (*second, *function_problems(template)) if not follows_from(one, left_out)), *third]
    return Source(document, template, (*document.duplicates, *first, *later), left_out)


def _valid_part(data: Any) -> tuple[dict[str, Any], list[Problem]]:
    """Return a copy of *data* without what the schema does not allow, and the problems."""
    problems = wrong = list(schema_problems(data))
    left: Any = copy.deepcopy(data)
    for _ in range(MAX_DEPTH):  # without a value that its parent requires, the parent goes next
        if not wrong:
            return left, problems
        for problem in wrong:
            left = _without(left, problem.path)
        wrong = list(schema_problems(left))
    return {"Resources": {}}, problems


def _without(data: Any, path: KeyPath) -> Any:
    """Remove the value at *path*, or what is left of it, from *data*. Without the root, no resources are left."""
    if not path:
        return {"Resources": {}}
    around = data
    for key in path[:-1]:
        try:
            around = around[key]
        except (KeyError, IndexError, TypeError):
            return data  # it is gone already
    if isinstance(around, dict):
        around.pop(path[-1], None)
    elif isinstance(around, list):
        around.clear()  # without one item, the others would have other positions
    return data


def _names(data: Any) -> set[str]:
    sections = [data.get(name) for name in ("Parameters", "Resources")] if isinstance(data, dict) else []
    return {str(name) for section in sections if isinstance(section, dict) for name in section}


def _remove_incomplete(data: dict[str, Any], problems: Iterable[Problem]) -> None:
    """Remove the functions that lack a property."""
    for problem in problems:
        if problem.code == "missing_key":
            data["Resources"].pop(problem.path[1], None)


def follows_from(problem: Problem, left_out: Collection[KeyPath]) -> bool:
    """Whether there is *problem* only because something is left out: it is about that place, or about its absence."""
    absent = ABSENCES.get(problem.code)
    return any(
        problem.path[: len(path)] == path
        or (problem.path == path[:-1] and problem.found == f"{path[-1]} is missing")
        or (absent in path and path[:2] in {problem.path[:2], ("Globals", "Function")})
        for path in left_out
    )


def find_function(template: Template, name: str) -> Function:
    """Return the function with this name in FunctionGraph, in the template, or of its folder.

    Raises WrongCall if there is none.
    """
    for function in template.functions:
        if name in (function.name, function.resource, function.code_uri.name):
            return function
    known = [function.name for function in template.functions]
    hint = did_you_mean(name, known)
    raise WrongCall(f"{template.file} has no function {name!r}{hint} Known: {', '.join(known) or 'none'}")


def used_names(data: Any) -> set[str]:
    """Return the names that Globals and Resources refer to, directly or through a text of Locals.

    *data* is the document as it is written, so that what is left out of a faulty one counts, too.
    """
    sections = data if isinstance(data, dict) else {}
    direct = {name for section in ("Globals", "Resources") for _, name in references(sections.get(section))}
    texts = sections.get("Locals")
    through = (texts[name] for name in direct & texts.keys()) if isinstance(texts, dict) else ()
    return direct | {name for text in through for _, name in references(text)}


def _filled_in(data: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return *data* with the texts of Locals in place, and then *values*."""
    known = {**{name: fill_in(text, values) for name, text in data.get("Locals", {}).items()}, **values}
    return {key: fill_in(value, known) if key in {"Globals", "Resources"} else value for key, value in data.items()}


def _template(file: Path, data: dict[str, Any], parameters: Mapping[str, Parameter]) -> Template:
    """Decode *data*, which the schema allows, with FunctionGraph's defaults."""
    shared = data.get("Globals", {}).get("Function", {})

    def resources(kind: str) -> dict[str, dict[str, Any]]:
        return {name: spec for name, spec in data["Resources"].items() if spec["Type"] == kind}

    functions = tuple(
        _function(file.resolve().parent, resource, _with_globals(spec["Properties"], shared), spec.get("Events", {}))
        for resource, spec in resources(FUNCTION).items()
    )
    topics = tuple(_topic(resource, spec["Properties"]) for resource, spec in resources(TOPIC).items())
    log_groups = tuple(_log_group(resource, spec["Properties"]) for resource, spec in resources(LOG_GROUP).items())
    return Template(file, data.get("Description", ""), parameters, functions, topics, log_groups)


def _parameter(name: str, spec: dict[str, Any], *, is_used: bool) -> Parameter:
    default = spec.get("Default")
    return Parameter(
        name=name,
        default=None if default is None else str(default),
        description=spec.get("Description", ""),
        is_secret=spec.get("NoEcho", False),
        type=spec["Type"],
        is_used=is_used,
    )


def _with_globals(own: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the *own* properties of a function and the *shared* ones that it does not set. Variables are merged."""
    variables = {**_variables(shared), **_variables(own)}
    return {**shared, **own, "Environment": {"Variables": variables}}


def _variables(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    variables: Mapping[str, Any] = properties.get("Environment", {}).get("Variables", {})
    return variables


def _code_root(folder: Path, code_uri: str) -> Path:
    """Return the *folder* of the template, or the application of this command if only that has the code."""
    here, there = (os.path.isdir(root / code_uri) for root in (folder, APPLICATION))  # noqa: PTH112 see checks.py
    return APPLICATION if there and not here else folder


def _function(folder: Path, resource: str, properties: dict[str, Any], events: dict[str, Any]) -> Function:
    code_root = _code_root(folder, properties["CodeUri"])
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
        variables={name: str(value) for name, value in _variables(properties).items()},
        async_invoke=_async_invoke(properties.get("AsyncInvoke")),
        events=tuple(_event(name, spec) for name, spec in events.items()),
    )


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


def _event(name: str, spec: dict[str, Any]) -> Event:
    status = spec.get("Status") or ("DISABLED" if "KAFKA" in spec["Type"] else "ACTIVE")
    return Event(name, spec["Type"], status, spec["Properties"])


def _topic(resource: str, properties: dict[str, Any]) -> Topic:
    subscriptions = tuple(
        Subscription(
            spec["Protocol"],
            spec["Endpoint"],
            spec.get("Remark", ""),
            {name: tuple(values) for name, values in spec.get("FilterPolicy", {}).items()},
        )
        for spec in properties.get("Subscriptions", ())
    )
    return Topic(resource, properties["Name"], properties.get("DisplayName", ""), subscriptions)


def _log_group(resource: str, properties: dict[str, Any]) -> LogGroup:
    return LogGroup(resource, properties["GroupName"], properties.get("TtlInDays", 30))
