"""The mutants of a module: the module with one small change each, by mutmut's operators.

mutmut itself changes neither properties, nor other decorated functions, nor constants of a module. Here everything is
changed but annotations, decorators and docstrings.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import libcst as cst
import yaml
from libcst.metadata import MetadataWrapper
from mutmut.mutation.mutators import OPERATORS_TYPE, mutation_operators, operator_if_exp


_OPERATORS: OPERATORS_TYPE = (
    *mutation_operators,
    # A condition that is always false, or always true. mutmut changes only those of conditional expressions.
    (cst.If, operator_if_exp),
    (cst.CompIf, operator_if_exp),
)


class Identity(NamedTuple):
    """What identifies a mutant, however its lines move.

    Attributes:
        module: the path of the module.
        place: the qualified name of the function or class that is changed; "<module>" outside of both.
        before: the lines that are changed, without the indentation.
        after: what they become.
        nth: counts the mutants of a place with the same change, from 1.
    """

    module: str
    place: str
    before: str
    after: str
    nth: int = 1


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mutant and its whole source."""

    identity: Identity
    source: str


def mutants_of(module: str, source: str) -> list[Mutant]:
    """Return every mutant of a module's source that compiles."""
    tree = MetadataWrapper(cst.parse_module(source)).module  # a copy in which no node occurs twice
    changes = _Changes()
    tree.visit(changes)
    found = []
    seen: Counter[Identity] = Counter()
    for place, node, changed in changes.found:
        mutated = tree.deep_replace(node, changed)
        if isinstance(mutated, cst.Module) and mutated.code != source and _compiles(mutated.code):
            identity = Identity(module, place, *_difference(source, mutated.code))
            seen[identity] += 1
            found.append(Mutant(identity._replace(nth=seen[identity]), mutated.code))
    return found


class _Changes(cst.CSTVisitor):
    """Collects each change of a node, with the place of the node."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, cst.CSTNode, cst.CSTNode]] = []
        self._names: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, (cst.Annotation, cst.Decorator)):
            return False
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            self._names.append(node.name.value)
        place = ".".join(self._names) or "<module>"
        for kind, operator in _OPERATORS:
            if isinstance(node, kind):
                self.found += ((place, node, changed) for changed in operator(node))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, (cst.FunctionDef, cst.ClassDef)):
            self._names.pop()


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _difference(before: str, after: str) -> tuple[str, str]:
    """Return the lines that differ, without those that both sources begin and end with."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return "\n".join(line.strip() for line in old), "\n".join(line.strip() for line in new)


def read_explained(path: Path) -> dict[Identity, str]:
    """Return why each listed mutant is equivalent to the original: no test can tell them apart.

    Raises:
        ValueError: an entry lacks its reason, or is listed twice.
    """
    explained: dict[Identity, str] = {}
    for module, entries in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
        for entry in entries:
            identity = Identity(module, entry["in"], entry["from"], entry["to"], entry.get("nth", 1))
            if identity in explained or not entry.get("why"):
                raise ValueError(f"{path.name}: must have a reason and be listed once; found {entry}")
            explained[identity] = entry["why"]
    return explained


def stale(explained: Iterable[Identity], mutants: Iterable[Mutant]) -> Iterator[Identity]:
    """Yield the listed mutants that do not exist."""
    existing = {mutant.identity for mutant in mutants}
    yield from (identity for identity in explained if identity not in existing)
