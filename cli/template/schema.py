"""Checking a template against ``template.schema.json`` and saying in plain words what does not fit."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from cli.errors import did_you_mean
from cli.paths import APPLICATION
from cli.template.problems import KeyPath, Problem


KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
LONGEST_SHOWN = 60

EXPECTED: dict[str, Callable[[Any, dict[str, Any]], str]] = {
    "type": lambda kinds, _: " or ".join(KINDS[k] for k in ([kinds] if isinstance(kinds, str) else kinds)),
    "enum": lambda values, _: ("one of: " if len(values) > 1 else "") + ", ".join(map(str, values)),
    "minimum": lambda _, schema: f"a number from {schema['minimum']} to {schema['maximum']}",
    "maximum": lambda _, schema: f"a number from {schema['minimum']} to {schema['maximum']}",
    "pattern": lambda _, schema: str(schema["title"]),
    "maxProperties": lambda most, _: f"at most {most} entries",
    "maxLength": lambda most, _: f"at most {most} characters",
}
"""What is expected, for every keyword that limits a value: from its argument and its schema."""


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads((APPLICATION / "template.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


def schema_problems(data: Any) -> Iterator[Problem]:
    """Yield a problem for everything in *data* that the schema does not allow."""
    for error in _validator().iter_errors(data):
        yield from _problems(error)


def _problems(error: ValidationError) -> Iterator[Problem]:
    path: KeyPath = tuple(error.absolute_path)
    found: Any = error.instance
    schema: Any = error.schema
    argument: Any = error.validator_value
    if error.validator == "additionalProperties":
        known = sorted(schema["properties"])
        for key in (str(key) for key in found if key not in known):
            hint = did_you_mean(key, known)
            yield Problem((*path, key), f"unknown key{hint} Known: {', '.join(known)}")
    elif error.validator == "required":
        yield from (Problem(path, f"{key} is missing") for key in argument if key not in found)
    elif "propertyNames" in error.absolute_schema_path:
        yield Problem((*path, str(found)), f"not allowed as a name, expected {schema['title']}")
    else:
        expected = EXPECTED[str(error.validator)](argument, schema)
        yield Problem(path, f"found {shown(found)}, expected {expected}")


def shown(value: object) -> str:
    """Return *value* as it reads in the template; of a long one, the beginning and its length."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    if len(text) <= LONGEST_SHOWN:
        return text
    size = len(value) if isinstance(value, (str, dict, list)) else len(text)
    return f"{text[:LONGEST_SHOWN]}... (length {size})"
