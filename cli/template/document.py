"""A YAML document that knows on which line each of its values stands."""

from dataclasses import dataclass
from typing import Any

import yaml

from cli.errors import WrongCall
from cli.template.problems import KeyPath, Problem


@dataclass(frozen=True, slots=True)
class Document:
    """The decoded document, the line (from 1) of every key and list item, and keys that are given twice."""

    data: Any
    lines: dict[KeyPath, int]
    duplicates: tuple[Problem, ...]

    def line(self, path: KeyPath) -> int:
        """Return the line of *path*, or of the nearest value around it that is in the document."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def read_document(file: str, text: str) -> Document:
    """Parse *text*, the content of *file*. Raises WrongCall with file and line when it is not YAML."""
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                raise WrongCall(f"{file} is empty, expected a template with Resources")
            lines: dict[KeyPath, int] = {(): 1}
            duplicates: list[Problem] = []
            _walk(node, (), lines, duplicates, frozenset())
            return Document(loader.construct_document(node), lines, tuple(duplicates))
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise WrongCall(_said(file, error)) from error
    except yaml.YAMLError as error:
        raise WrongCall(f"{file}: not valid YAML: {str(error).splitlines()[0]}") from error


def _said(file: str, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{file}:{mark.line + 1}" if mark else file
    context = error.context or ""
    if context and error.context_mark and mark and error.context_mark.line != mark.line:
        context += f" that begins on line {error.context_mark.line + 1}"
    return f"{where}: not valid YAML: {', '.join(part for part in (context, error.problem) if part)}"


def _walk(
    node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], duplicates: list[Problem], above: frozenset[int]
) -> None:
    if id(node) in above:
        raise yaml.constructor.ConstructorError(None, None, "an alias refers to what it is part of", node.start_mark)
    above |= {id(node)}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            here = (*path, name)
            line = key.start_mark.line + 1
            if here in lines:
                duplicates.append(Problem(here, f"given again on line {line}, expected once"))
                continue
            lines[here] = line
            _walk(value, here, lines, duplicates, above)
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            here = (*path, position)
            lines[here] = item.start_mark.line + 1
            _walk(item, here, lines, duplicates, above)
