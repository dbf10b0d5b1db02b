"""What has to hold for a template that its JSON schema cannot say."""

import os
import symtable
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from cli.errors import did_you_mean
from cli.template.globals import merged
from cli.template.kinds import FUNCTION, LOG_GROUP, QUEUES
from cli.template.model import Function, Template
from cli.template.problems import Problem
from cli.template.references import references
from localcloud.functiongraph.runtime.inside.handler import entry_file
from shared.cloud.operations import OPERATIONS


MAX_VARIABLES = 20
MAX_VARIABLE_CHARACTERS = 4096
PASSWORDS = ("kafka_password", "access_password")


def application_problems(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield what does not fit together in a document that the schema allows."""
    for name, parameter in data.get("Parameters", {}).items():
        here = ("Parameters", name)
        if parameter["Type"] == "Number" and isinstance(parameter.get("Default"), str):
            yield Problem((*here, "Default"), "found text, expected a number since Type is Number")
        if parameter.get("NoEcho") and "Default" in parameter:
            yield Problem((*here, "Default"), "found a secret, expected none in the template since NoEcho is true")
        if name in data["Resources"]:
            yield Problem(here, "found a resource of the same name, expected another name")
    yield from _reference_problems(data)
    shared = data.get("Globals", {}).get("Function", {})
    for resource, spec in data["Resources"].items():
        required = ("CodeUri", "Handler", "Runtime") if spec["Type"] == FUNCTION else ()
        for key in required:
            if key not in merged(shared, spec)["Properties"]:
                yield Problem(("Resources", resource, "Properties"), f"{key} is missing")


def _reference_problems(data: dict[str, Any]) -> Iterator[Problem]:
    parameters = data.get("Parameters", {})
    kinds = {name: resource["Type"] for name, resource in data["Resources"].items()}
    known = [*parameters, *(name for name, kind in kinds.items() if kind != FUNCTION)]
    texts = ((section, data[section]) for section in ("Globals", "Resources") if section in data)
    for path, name in chain.from_iterable(references(value, (section,)) for section, value in texts):
        if name not in known:
            hint = f"{did_you_mean(name, known)} Known: {', '.join(known) or 'none'}"
            yield Problem(path, f"${{{name}}} is no parameter, topic or log group{hint}")
        elif (path[-1] == "LogGroup") != (kinds.get(name) == LOG_GROUP):
            groups = ", ".join(name for name, kind in kinds.items() if kind == LOG_GROUP) or "none"
            expected = f"expected a log group at LogGroup and nowhere else. Known: {groups}"
            yield Problem(path, f"found ${{{name}}}, {expected}")
        elif (path[-1] in PASSWORDS) != bool(parameters.get(name, {}).get("NoEcho")):
            expected = f"expected a parameter with NoEcho at {' and '.join(PASSWORDS)} and nowhere else"
            yield Problem(path, f"found ${{{name}}}, {expected}")


def function_problems(template: Template) -> Iterator[Problem]:
    """Yield what is wrong with the functions and their entry files, defaults and globals filled in."""
    names: dict[str, str] = {}
    for function in template.functions:
        properties = ("Resources", function.resource, "Properties")
        if function.name in names:
            other = names[function.name]
            yield Problem((*properties, "FunctionName"), f"{function.name!r} is the name of {other} already")
        names[function.name] = function.resource
        size = sum(len(name) + len(value) for name, value in function.variables.items())
        variables = (*properties, "Environment", "Variables")
        if len(function.variables) > MAX_VARIABLES:
            found = f"found {len(function.variables)} variables, those of Globals included"
            yield Problem(variables, f"{found}, expected at most {MAX_VARIABLES}")
        if size > MAX_VARIABLE_CHARACTERS:
            found = f"found {size} characters in all names and values"
            yield Problem(variables, f"{found}, expected at most {MAX_VARIABLE_CHARACTERS}")
        yield from _permission_problems(function, properties)
        yield from _vpc_problems(function)
        yield from _entry_problems(function, properties)


def _permission_problems(function: Function, properties: tuple[str, ...]) -> Iterator[Problem]:
    if function.permissions and function.agency is None:
        yield Problem((*properties, "Permissions"), "found no Agency, expected the one that gets them")
    for position, name in enumerate(function.permissions):
        if name not in OPERATIONS:
            hint = f"{did_you_mean(name, OPERATIONS)} Known: {', '.join(OPERATIONS)}"
            yield Problem((*properties, "Permissions", position), f"found {name!r}, which is no operation{hint}")


def _vpc_problems(function: Function) -> Iterator[Problem]:
    here = ("Resources", function.resource)
    if function.vpc_config and function.agency is None:
        found = "found no Agency, expected one: FunctionGraph reaches into the VPC under it"
        yield Problem((*here, "Properties", "VpcConfig"), found)
    for event in function.events:
        if event.type in QUEUES and function.vpc_config is None:
            expected = "expected the VPC and subnet of the queue in it: FunctionGraph makes no such trigger otherwise"
            yield Problem((*here, "Events", event.name, "Type"), f"found {event.type} and no VpcConfig, {expected}")


def _entry_problems(function: Function, properties: tuple[str, ...]) -> Iterator[Problem]:
    file = entry_file(function.code_uri, function.handler)
    if not os.path.isdir(function.code_uri):  # noqa: PTH112 Path.is_dir raises when the name is too long
        yield Problem((*properties, "CodeUri"), f"found no folder {function.code_uri}")
        return
    if not file.is_file():
        yield Problem((*properties, "Handler"), f"found no file {file}, which {function.handler} names")
        return
    yield from _missing_entry(file, function.handler, (*properties, "Handler"))
    if function.initializer:
        here = (*properties, "Initializer")
        if entry_file(function.code_uri, function.initializer) != file:
            yield Problem(
                here,
                f"found {function.initializer!r}, expected a function in the handler's file, {file.name}",
            )
        else:
            yield from _missing_entry(file, function.initializer, here)


def _missing_entry(file: Path, entry: str, path: tuple[str, ...]) -> Iterator[Problem]:
    name = entry.rpartition(".")[2]
    try:
        module = symtable.symtable(file.read_text(encoding="utf-8"), str(file), "exec")
    except (SyntaxError, ValueError):
        return  # the function's own fault, which an invocation shows
    bound = {symbol.get_name() for symbol in module.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    if name not in bound:
        yield Problem(path, f"found no {name!r} in {file}{did_you_mean(name, bound)}")
