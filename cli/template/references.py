"""``${Name}`` in the texts of a template: the value of a parameter, the URN of a topic, or a log group."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cli.template.problems import KeyPath


REFERENCE = re.compile(r"\$\{([^}]*)\}")


def references(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yield where each reference inside *value* stands and the name that it refers to."""
    if isinstance(value, str):
        for match in REFERENCE.finditer(value):
            yield path, match[1]
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from references(item, (*path, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from references(item, (*path, position))


def fill_in(value: Any, values: Mapping[str, str]) -> Any:
    """Return *value* with each reference to a name in *values* replaced; others stay as they are."""
    if isinstance(value, str):
        return REFERENCE.sub(lambda match: values.get(match[1], match[0]), value)
    if isinstance(value, dict):
        return {key: fill_in(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, values) for item in value]
    return value
