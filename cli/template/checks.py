"""The checks of a template: against ``template.schema.json``, and those that a JSON schema cannot express."""

import json
import os
import symtable
from collections.abc import Callable, Collection, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from cli.errors import did_you_mean
from cli.paths import APPLICATION
from cli.template.document import KeyPath, Problem, references
from cli.template.model import FUNCTION, LOG_GROUP, PASSWORDS, QUEUES, Function, Template
from localcloud.functiongraph.runtime.inside.handler import entry_file
from shared.cloud.operations import OPERATIONS


MAX_VARIABLES = 20
MAX_VARIABLE_CHARACTERS = 4096
"""Per function, names and values together."""

_MAX_SHOWN = 60
_JSON_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_EXPECTED: dict[str, Callable[[Any, dict[str, Any]], str]] = {
    "type": lambda types, _: " or ".join(_JSON_TYPES[t] for t in ([types] if isinstance(types, str) else types)),
    "enum": lambda values, _: ("one of: " if len(values) > 1 else "") + ", ".join(map(str, values)),
    "minimum": lambda _, schema: f"a number from {schema['minimum']} to {schema['maximum']}",
    "maximum": lambda _, schema: f"a number from {schema['minimum']} to {schema['maximum']}",
    "pattern": lambda _, schema: str(schema["title"]),
    "minProperties": lambda least, _: f"at least {least} entry",
    "maxProperties": lambda most, _: f"at most {most} entries",
    "minItems": lambda least, _: f"at least {least} value",
    "maxItems": lambda most, _: f"at most {most} values",
    "uniqueItems": lambda *_: "each value once",
    "maxLength": lambda most, _: f"at most {most} characters",
}
"""Describes the expected value, for each keyword that constrains one, from the keyword's value and its schema."""


def schema_problems(data: Any) -> Iterator[Problem]:
    """Yield a problem for everything in *data* that the schema does not allow."""
    for error in _validator().iter_errors(data):
        yield from _schema_problems(error)


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads((APPLICATION / "template.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


def _schema_problems(error: ValidationError) -> Iterator[Problem]:
    path: KeyPath = tuple(error.absolute_path)
    found: Any = error.instance
    schema: Any = error.schema
    argument: Any = error.validator_value
    if error.validator == "additionalProperties":
        known = sorted(schema["properties"])
        for key in (str(key) for key in found if key not in known):
            hint = did_you_mean(key, known)
            yield Problem((*path, key), f"unknown key{hint} Known: {', '.join(known)}", code="unknown_key")
    elif error.validator == "required":
        yield from (Problem(path, f"{key} is missing", code="missing_key") for key in argument if key not in found)
    elif "propertyNames" in error.absolute_schema_path:
        yield Problem((*path, str(found)), "not allowed as a name", str(schema["title"]), code="name")
    else:
        expected = _EXPECTED[str(error.validator)](argument, schema)
        yield Problem(path, f"found {_shown(found)}", expected)


def _shown(value: object) -> str:
    """Return *value* as JSON. Cuts a long value and adds its length."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    if len(text) <= _MAX_SHOWN:
        return text
    size = len(value) if isinstance(value, (str, dict, list)) else len(text)
    return f"{text[:_MAX_SHOWN]}... (length {size})"


def application_problems(data: dict[str, Any], others: Collection[str] = ()) -> Iterator[Problem]:
    """Yield the inconsistencies in a document that the schema allows.

    *others* are names that a reference may have, too.
    """
    for name, parameter in data.get("Parameters", {}).items():
        here = ("Parameters", name)
        if parameter["Type"] == "Number" and isinstance(parameter.get("Default"), str):
            yield Problem((*here, "Default"), "found text", "a number since Type is Number")
        if parameter.get("NoEcho") and "Default" in parameter:
            expected = "none in the template since NoEcho is true"
            yield Problem((*here, "Default"), "found a secret", expected, code="secrets")
        if name in data["Resources"]:
            yield Problem(here, "found a resource of the same name", "another name", code="name")
    for name in data.get("Locals", {}):
        if name in data["Resources"] or name in data.get("Parameters", {}):
            found = "found a parameter or resource of the same name"
            yield Problem(("Locals", name), found, "another name", code="name")
    yield from _reference_problems(data, others)
    shared = data.get("Globals", {}).get("Function", {})
    for resource, spec in data["Resources"].items():
        required = ("CodeUri", "Handler", "Runtime") if spec["Type"] == FUNCTION else ()
        for key in required:
            if key not in shared and key not in spec["Properties"]:
                yield Problem(("Resources", resource, "Properties"), f"{key} is missing", code="missing_key")


def _reference_problems(data: dict[str, Any], others: Collection[str]) -> Iterator[Problem]:
    parameters = data.get("Parameters", {})
    types = {name: resource["Type"] for name, resource in data["Resources"].items()}
    referable = [*parameters, *(name for name, kind in types.items() if kind != FUNCTION)]
    texts = ((section, data[section]) for section in ("Locals", "Globals", "Resources") if section in data)
    for path, name in chain.from_iterable(references(value, (section,)) for section, value in texts):
        if name in others:
            continue
        known = referable if path[0] == "Locals" else [*referable, *data.get("Locals", {})]
        if name not in known:
            hint = f"{did_you_mean(name, known)} Known: {', '.join(known) or 'none'}"
            yield Problem(path, f"${{{name}}} is not a parameter, topic or log group{hint}", code="reference")
        elif (path[-1] == "LogGroup") != (types.get(name) == LOG_GROUP):
            groups = ", ".join(name for name, kind in types.items() if kind == LOG_GROUP) or "none"
            expected = f"a log group at LogGroup and nowhere else. Known: {groups}"
            yield Problem(path, f"found ${{{name}}}", expected, code="reference")
        elif (path[-1] in PASSWORDS) != bool(parameters.get(name, {}).get("NoEcho")):
            expected = f"a parameter with NoEcho at {' and '.join(PASSWORDS)} and nowhere else"
            yield Problem(path, f"found ${{{name}}}", expected, code="secrets")


def function_problems(template: Template) -> Iterator[Problem]:
    """Yield the problems with the functions and their entry files, after defaults and globals are filled in."""
    yield from _name_problems(template)
    for function in template.functions:
        properties = ("Resources", function.resource, "Properties")
        size = sum(len(name) + len(value) for name, value in function.variables.items())
        variables = (*properties, "Environment", "Variables")
        if len(function.variables) > MAX_VARIABLES:
            found = f"found {len(function.variables)} variables, including those of Globals"
            yield Problem(variables, found, f"at most {MAX_VARIABLES}", code="limit")
        if size > MAX_VARIABLE_CHARACTERS:
            found = f"found {size} characters in all names and values"
            yield Problem(variables, found, f"at most {MAX_VARIABLE_CHARACTERS}", code="limit")
        yield from _permission_problems(function, properties)
        yield from _vpc_problems(function)
        yield from _entry_problems(function, properties)


def _name_problems(template: Template) -> Iterator[Problem]:
    """Yield the second of two functions, topics, or timers of a function that have one name."""
    owners: dict[tuple[str, str], str] = {}
    for kind, name, owner, path in _names(template):
        if (kind, name) in owners:
            yield Problem(path, f"{name!r} is the name of {owners[kind, name]}", "another name", code="name")
        owners.setdefault((kind, name), owner)


def _names(template: Template) -> Iterator[tuple[str, str, str, KeyPath]]:
    """Yield what must have a name of its own, its name, its key, and the path of the name."""
    for topic in template.topics:
        yield "topic", topic.name, topic.resource, ("Resources", topic.resource, "Properties", "Name")
    for function in template.functions:
        here = ("Resources", function.resource)
        yield "function", function.name, function.resource, (*here, "Properties", "FunctionName")
        for event in function.events:
            if event.type == "TIMER":
                name = str(event.properties.get("name", event.name))
                path = (*here, "Events", event.name, "Properties", "name")
                yield f"timer of {function.resource}", name, event.name, path


def _permission_problems(function: Function, properties: tuple[str, ...]) -> Iterator[Problem]:
    if function.permissions and function.agency is None:
        yield Problem((*properties, "Permissions"), "found no Agency", "the agency that gets them", code="agency")
    for position, name in enumerate(function.permissions):
        if name not in OPERATIONS:
            hint = f"{did_you_mean(name, OPERATIONS)} Known: {', '.join(OPERATIONS)}"
            found = f"found {name!r}, which is not an operation{hint}"
            yield Problem((*properties, "Permissions", position), found, code="permission")


def _vpc_problems(function: Function) -> Iterator[Problem]:
    here = ("Resources", function.resource)
    if function.vpc_config and function.agency is None:
        expected = "one: FunctionGraph uses it to access the VPC"
        yield Problem((*here, "Properties", "VpcConfig"), "found no Agency", expected, code="agency")
    for event in function.events:
        if event.type in QUEUES and function.vpc_config is None:
            expected = "the VPC and subnet of the queue: FunctionGraph refuses the trigger without them"
            path = (*here, "Events", event.name, "Type")
            yield Problem(path, f"found {event.type} and no VpcConfig", expected, code="vpc")


def _entry_problems(function: Function, properties: tuple[str, ...]) -> Iterator[Problem]:
    file = entry_file(function.code_uri, function.handler)
    if not os.path.isdir(function.code_uri):  # noqa: PTH112 Path.is_dir raises when the name is too long
        yield Problem((*properties, "CodeUri"), f"there is no folder {function.code_uri}", code="code")
        return
    if not file.is_file():
        yield Problem((*properties, "Handler"), f"there is no file {file} for {function.handler}", code="code")
        return
    yield from _missing_entry(file, function.handler, (*properties, "Handler"))
    if function.initializer:
        here = (*properties, "Initializer")
        if entry_file(function.code_uri, function.initializer) != file:
            expected = f"a function in the handler's file, {file.name}"
            yield Problem(here, f"found {function.initializer!r}", expected, code="code")
        else:
            yield from _missing_entry(file, function.initializer, here)


def _missing_entry(file: Path, entry: str, path: tuple[str, ...]) -> Iterator[Problem]:
    name = entry.rpartition(".")[2]
    try:
        module = symtable.symtable(file.read_text(encoding="utf-8"), str(file), "exec")
    except (SyntaxError, ValueError):
        return  # not a problem of the template: an invocation reports it
    bound = {symbol.get_name() for symbol in module.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    if name not in bound:
        yield Problem(path, f"there is no {name!r} in {file}{did_you_mean(name, bound)}", code="code")
