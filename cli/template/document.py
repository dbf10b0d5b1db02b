"""A template as a YAML document: its values with their lines, its references, and what can be wrong with it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import yaml

from cli.errors import WrongCall


KeyPath = tuple[str | int, ...]
"""The path to a value inside a document: keys and list positions."""

MAX_DEPTH = 50
MAX_VALUES = 5_000
MAX_CHARACTERS = 256 * 1024
"""How deep a template may be nested, and how many keys and values, and characters, it may have."""

_MAX_SCALAR = 100
"""The characters of a number, date or other value that is not text."""

REFERENCE = re.compile(r"\$\{([^}]*)\}")
"""``${Name}``: the value of a parameter, the URN of a topic, or a log group."""


class Level(Enum):
    """The severity of a problem: an error must not be deployed, and what was not checked may be one."""

    ERROR = "error"
    WARNING = "warning"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with the value at *path*, or with the key itself if the key is unknown.

    Attributes:
        code: the kind of problem. It stays the same in later versions.
    """

    path: KeyPath
    found: str
    expected: str = ""
    what_to_do: str = ""
    code: str = "value"
    level: Level = Level.ERROR

    @property
    def text(self) -> str:
        """What was found and what was expected, in one sentence."""
        return f"{self.found}, expected {self.expected}" if self.expected else self.found


def dotted(path: KeyPath) -> str:
    """Return a path as one text, such as ``Resources.Topic.Properties.Name``."""
    return ".".join(map(str, path))


class TemplateError(WrongCall):
    """The template is not valid. The message has a line ``file:line: key: text`` for each problem.

    Attributes:
        problems: each with its line.
    """

    def __init__(self, file: str, problems: Iterable[tuple[int, Problem]]) -> None:
        self.problems = sorted(problems, key=lambda item: item[0])
        lines = []
        for line, problem in self.problems:
            key = dotted(problem.path)
            lines.append(f"{file}:{line}: {key}: {problem.text}" if key else f"{file}:{line}: {problem.text}")
        count = f"{len(lines)} problems in the template\n" if len(lines) > 1 else ""
        super().__init__(count + "\n".join(lines))


@dataclass(frozen=True, slots=True)
class Document:
    """The decoded document, the line (from 1) of each key and list item, and a problem for each duplicate key.

    The same text has the same document, so nothing in it may be changed.
    """

    data: Any
    lines: Mapping[KeyPath, int]
    duplicates: tuple[Problem, ...]

    def line(self, path: KeyPath) -> int:
        """Return the line of *path*, or of its nearest ancestor in the document."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def read_document(file: str, text: str) -> Document:
    """Parse *text*, the content of *file*.

    Raises TemplateError if it is not valid YAML, or has too many values or too deep a nesting. A few lines of aliases
    can stand for a million values.
    """
    if len(text) > MAX_CHARACTERS:
        raise _unreadable(file, 1, f"found {len(text)} characters", f"at most {MAX_CHARACTERS}")
    try:
        document = _parsed(text)
    except yaml.MarkedYAMLError as error:
        raise _unreadable(file, *_describe(error)) from error
    except yaml.YAMLError as error:
        raise _unreadable(file, 1, f"not valid YAML: {str(error).splitlines()[0]}") from error
    if document is None:
        raise _unreadable(file, 1, "found an empty file", "a template with Resources")
    return document


@lru_cache(maxsize=4)  # a command reads its template several times, and PyYAML takes 0.1 s
def _parsed(text: str) -> Document | None:
    """The document, or None for an empty one. Raises yaml.YAMLError."""
    _check_size(text)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        lines: dict[KeyPath, int] = {(): 1}
        duplicates: list[Problem] = []
        _walk(node, (), lines, duplicates)
        return Document(loader.construct_document(node), lines, tuple(duplicates))
    finally:
        loader.dispose()


def _unreadable(file: str, line: int, found: str, expected: str = "") -> TemplateError:
    return TemplateError(file, [(line, Problem((), found, expected, code="yaml"))])


@dataclass(slots=True)
class _Node:
    """A node while its events are read: its values, and how many levels it has. Both with all aliases unrolled."""

    anchor: str | None = None
    values: int = 1
    levels: int = 0

    def add(self, child: "_Node") -> None:
        self.values += child.values
        self.levels = max(self.levels, child.levels + 1)


def _check_size(text: str) -> None:
    """Raise _RefusedError for too deep a nesting, too many values, or an alias inside its own anchor."""
    values = 0
    for mark, depth, node in _nodes(text):
        values += node.values
        if depth > MAX_DEPTH:
            raise _refused(f"nested more than {MAX_DEPTH} deep", mark)
        if values > MAX_VALUES:
            raise _refused(f"more than {MAX_VALUES} keys and values", mark)


def _nodes(text: str) -> Iterator[tuple[Any, int, _Node]]:
    """Yield each node where it begins, with the depth that it reaches. Parsing to events is not recursive."""
    anchors: dict[str | None, _Node] = {}
    around = [_Node()]
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            around.append(_Node(event.anchor, levels=1))
            yield event.start_mark, len(around) - 1, _Node()
        elif isinstance(event, yaml.CollectionEndEvent):
            node = around.pop()
            around[-1].add(node)
            anchors[node.anchor] = node
        elif isinstance(event, yaml.NodeEvent):
            node = _Node(event.anchor)
            if isinstance(event, yaml.AliasEvent):
                if event.anchor in {outer.anchor for outer in around}:
                    raise _refused("an alias refers to its own ancestor", event.start_mark)
                node = anchors.get(event.anchor, node)  # composing reports an undefined one
            anchors[node.anchor] = node
            around[-1].add(node)
            yield event.start_mark, len(around) - 1 + node.levels, node


class _RefusedError(yaml.MarkedYAMLError):
    """YAML that a template must not have."""


def _refused(text: str, mark: Any) -> _RefusedError:  # the stubs have two types of mark, and None
    return _RefusedError(problem=text, problem_mark=mark)


class _Loader(yaml.SafeLoader):
    """A SafeLoader whose errors all have a line, and whose keys are text."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Return the value of *node*. Raises _RefusedError if its tag does not allow the value."""
        tag = node.tag.rpartition(":")[2]
        if isinstance(node, yaml.ScalarNode) and tag != "str" and len(node.value) > _MAX_SCALAR:
            raise _refused(f"found {len(node.value)} characters, expected a shorter {tag}", node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError) as error:  # PyYAML checks only the form
            value = f"{node.value!r:.60}" if isinstance(node, yaml.ScalarNode) else "this"
            raise _refused(f"found {value}, which is not a valid {tag}", node.start_mark) from error

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping. Raises _RefusedError for a key that is not text."""
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.tag not in _KEY_TAGS:
                raise _refused(f"found a key of the type {key.tag.rpartition(':')[2]}, expected text", key.start_mark)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")


def _walk(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], duplicates: list[Problem]) -> None:
    """Note the lines and the duplicate keys below *node*."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            here = (*path, name)
            line = key.start_mark.line + 1
            if here in lines:
                duplicates.append(Problem(here, f"given again on line {line}", "once", code="duplicate_key"))
                continue
            lines[here] = line
            _walk(value, here, lines, duplicates)
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            here = (*path, position)
            lines[here] = item.start_mark.line + 1
            _walk(item, here, lines, duplicates)


def _describe(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    """Return the line of the error, and what is wrong there."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    if isinstance(error, _RefusedError):
        return line, str(error.problem)
    context = error.context or ""
    if context and error.context_mark and mark and error.context_mark.line != mark.line:
        context += f" that begins on line {error.context_mark.line + 1}"
    return line, f"not valid YAML: {', '.join(part for part in (context, error.problem) if part)}"


def references(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path and the name of each reference inside *value*."""
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
    """Return *value* with each reference to a name in *values* replaced. Other references stay as they are."""
    if isinstance(value, str):
        return REFERENCE.sub(lambda match: values.get(match[1], match[0]), value)
    if isinstance(value, dict):
        return {key: fill_in(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, values) for item in value]
    return value
