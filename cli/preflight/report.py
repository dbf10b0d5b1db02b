"""The preflight: everything about a template that can be checked before anything is deployed, in one report."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cli.preflight.functions import function_problems
from cli.preflight.settings import setting_problems
from cli.preflight.timers import Timer, read_timers, request_problems, schedule_problems
from cli.preflight.values import value_problems
from cli.template.document import KeyPath, Level, Problem, TemplateError, dotted, references
from cli.template.load import Source, follows_from, read_template
from cli.template.model import Template


WHAT_TO_DO = {
    "yaml": "correct the YAML",
    "unknown_key": "correct the name of the key, or remove it",
    "missing_key": "add the key",
    "duplicate_key": "remove one of the two",
    "reference": "correct the name in ${...}",
    "secrets": "read the secret from a parameter with NoEcho: true",
    "limit": "remove or shorten variables",
    "code": "correct the path or the name in the file",
    "permission": "correct the name of the operation",
    "agency": "add Agency",
    "vpc": "add VpcConfig",
    "name": "choose another name",
}
"""What to do about a problem that does not say so itself, by code."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with its place: the line of the template, and the dotted path of the key."""

    level: Level
    code: str
    line: int
    key: str
    found: str
    expected: str
    what_to_do: str

    @property
    def sentence(self) -> str:
        """What was found and expected, with the key, on one line."""
        return f"{self.key}: {self.found}" + (f". Expected {self.expected}." if self.expected else "")


@dataclass(frozen=True, slots=True)
class Report:
    """What the preflight found in a template.

    Attributes:
        template: with the given parameters filled in. Without what has problems if the template by itself is not valid.
        is_whole: whether the template by itself is valid, so that nothing is left out.
    """

    file: Path
    template: Template
    is_whole: bool
    findings: tuple[Finding, ...]
    timers: tuple[Timer, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.of(Level.ERROR)

    def of(self, level: Level) -> list[Finding]:
        """Return the findings of a level."""
        return [finding for finding in self.findings if finding.level is level]


def check_template(file: Path, values: Mapping[str, str] = MappingProxyType({}), now: datetime | None = None) -> Report:
    """Check the template *file* with the parameters in *values*, and return all findings, sorted by line.

    The next runs of timers are after *now*, by default the present. Raises WrongCall if the file cannot be read.
    """
    now = now or datetime.now(timezone.utc)
    try:
        source = read_template(file, values)
    except TemplateError as error:
        findings = [_finding(line, problem, "") for line, problem in error.problems]
        return Report(file, Template(file, "", {}, ()), is_whole=False, findings=tuple(findings))
    more = (one for one in _problems(source, values, now) if not follows_from(one, source.left_out))
    problems = _unique(chain(source.problems, more))
    findings = [_finding(source.document.line(one.path), one, _parameters(source, one)) for one in problems]
    return Report(
        file,
        source.template,
        not source.problems,
        tuple(sorted(findings, key=lambda finding: finding.line)),
        tuple(read_timers(source, now)),
    )


def _problems(source: Source, values: Mapping[str, str], now: datetime) -> Iterator[Problem]:
    defaults = {name for name, parameter in source.template.parameters.items() if parameter.default is not None}
    yield from function_problems(source)
    yield from setting_problems(source)
    yield from schedule_problems(source, now)
    yield from request_problems(source)
    yield from value_problems(source, {*values, *defaults})


def _unique(problems: Iterable[Problem]) -> Iterable[Problem]:
    """Leave out repetitions: several functions find the same problem in Globals."""
    return {(problem.path, problem.code, problem.found): problem for problem in problems}.values()


def _finding(line: int, problem: Problem, parameters: str) -> Finding:
    what_to_do = problem.what_to_do or WHAT_TO_DO.get(problem.code, "correct the value")
    if parameters and problem.level is not Level.NOT_CHECKED:
        what_to_do += f". The value has {parameters} in it"
    key = dotted(problem.path)
    return Finding(problem.level, problem.code, line, key, problem.found, problem.expected, what_to_do)


def _parameters(source: Source, problem: Problem) -> str:
    """Return the parameters, and the texts of Locals, that the value with the problem is made of."""
    names = dict.fromkeys(name for _, name in references(_at(source.document.data, problem.path)))
    texts = [name for name in names if ("Locals", name) in source.document.lines]
    inside = dict.fromkeys(name for text in texts for _, name in references(source.document.data["Locals"][text]))
    parts = [f"the parameter {name}" for name in (names | inside) if name in source.template.parameters]
    parts += [f"the text {name} of line {source.document.line(('Locals', name))}" for name in texts]
    return " and ".join(parts)


def _at(data: Any, path: KeyPath) -> Any:
    """Return the value at *path*, or None if the path leads nowhere."""
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data
