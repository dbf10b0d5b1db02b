"""What is wrong with a template: where, what was found, and what is expected."""

from collections.abc import Iterable
from dataclasses import dataclass

from cli.errors import WrongCall


KeyPath = tuple[str | int, ...]
"""The way to a value inside a document: keys and list positions."""


def dotted(path: KeyPath) -> str:
    """Return *path* as people write it: ``Resources.CreateBackup.Type``."""
    return ".".join(str(part) for part in path)


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault, at the value (or, for an unknown key, at the key) that *path* leads to."""

    path: KeyPath
    text: str


class TemplateError(WrongCall):
    """The template cannot be used; the message has a line ``file:line: key: text`` for every problem."""

    def __init__(self, file: str, problems: Iterable[tuple[int, Problem]]) -> None:
        lines = []
        for line, problem in sorted(problems, key=lambda item: item[0]):
            key = f"{dotted(problem.path)}: " if problem.path else ""
            lines.append(f"{file}:{line}: {key}{problem.text}")
        count = f"{len(lines)} problems in the template\n" if len(lines) > 1 else ""
        super().__init__(count + "\n".join(lines))
