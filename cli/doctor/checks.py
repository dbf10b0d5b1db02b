"""A check looks at a stack and yields findings, for people and as JSON. One that fails skips those that need it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any

from rich.console import Console
from rich.text import Text

from cli.deploy.application import Application
from cli.deploy.deployment import look_up, services
from cli.deploy.plan import Change, plan
from cli.huaweicloud.access import Access
from cli.huaweicloud.client import ServiceError
from cli.huaweicloud.resources import Found, Kind, Resource
from cli.json_value import Json, JsonObject
from cli.package.model import Package
from cli.template.document import references
from cli.template.model import Function, Template


@dataclass(frozen=True)
class Stack:
    """A stack as it is wanted and as it is found. Each part is looked up when a check first needs it.

    Attributes:
        template: with the given parameters filled in. References to other parameters stay.
        packages: the expected code, by function name. Empty if the code is not compared.
    """

    access: Access
    template: Template
    name: str
    packages: Mapping[str, Package] = field(default_factory=dict)

    @cached_property
    def wanted(self) -> list[Resource]:
        """The resources and fields of the template that do not depend on a missing parameter."""
        urns = {topic.resource: self.access.topic_urn(topic.name) for topic in self.template.topics}
        resources = Application(self.template, urns, {}, self.packages).resources()
        return [_known(resource) for resource in resources if not _has_references(resource.name)]

    @cached_property
    def found(self) -> list[Found]:
        """The existing resources, whoever created them."""
        return look_up(services(self.access, self.name), self.name, self.wanted)

    @cached_property
    def changes(self) -> Sequence[Change]:
        """The changes that ddsbackup deploy would make if it had created all resources."""
        # Resources created by hand or with Terraform have another description, which does no harm.
        ours = [replace(item, stack=self.name) for item in self.found]
        wanted = [
            replace(item, fields={name: value for name, value in item.fields.items() if name != "description"})
            for item in self.wanted
        ]
        return plan(wanted, ours, self.name).changes

    @cached_property
    def instances(self) -> list[dict[str, Any]]:
        """The DDS instances that the user can see."""
        return self.access.list_instances()

    def of_kind(self, kind: Kind) -> list[Found]:
        """Return the existing resources of one kind."""
        return [item for item in self.found if item.resource.kind is kind]

    def deployed(self) -> Iterator[tuple[Function, Found]]:
        """Yield each function of the template that exists, with the existing one."""
        found = {item.resource.name: item for item in self.of_kind(Kind.FUNCTION)}
        for function in self.template.functions:
            if function.name in found:
                yield function, found[function.name]


def _known(resource: Resource) -> Resource:
    fields = {name: value for name, value in resource.fields.items() if not _has_references(value) and value != ""}
    return replace(resource, fields=fields)


def _has_references(value: object) -> bool:
    return any(True for _ in references(value))


class Level(Enum):
    """The severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact: its subject, what was found, what was expected, and what to do."""

    level: Level
    subject: str
    found: str
    expected: str = ""
    what_to_do: str = ""


def ok(subject: str, found: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding(Level.OK, subject, found)


def warning(subject: str, found: str, expected: str, what_to_do: str) -> Finding:
    """Return a finding that works, but probably not as intended."""
    return Finding(Level.WARNING, subject, found, expected, what_to_do)


def problem(subject: str, found: str, expected: str, what_to_do: str) -> Finding:
    """Return a finding that cannot work."""
    return Finding(Level.PROBLEM, subject, found, expected, what_to_do)


def not_checked(subject: str, reason: str) -> Finding:
    """Return a finding about a check that could not run."""
    return Finding(Level.NOT_CHECKED, subject, reason)


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, its function, and the checks that must not find a problem before it runs."""

    name: str
    run: Callable[[Stack], Iterable[Finding]]
    needs: tuple[str, ...] = ("credentials",)


def run_checks(stack: Stack, checks: Sequence[Check]) -> Iterator[tuple[str, list[Finding]]]:
    """Yield the name of each check with its findings. A refused call means that it could not run."""
    failed: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name in failed]
        found = [not_checked(check.name, f"needs {', '.join(missing)}")] if missing else _run(check, stack)
        if any(finding.level in (Level.PROBLEM, Level.NOT_CHECKED) for finding in found):
            failed.add(check.name)
        yield check.name, found


def _run(check: Check, stack: Stack) -> list[Finding]:
    try:
        return list(check.run(stack))
    except ServiceError as error:
        return [not_checked(check.name, f"{error.operation}: {error.reason}; {error.advice}")]


STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red", Level.NOT_CHECKED: "dim"}


def print_findings(console: Console, check: str, findings: Sequence[Finding]) -> None:
    """Print the findings of one check."""
    for finding in findings:
        line = Text.assemble(
            (f"{finding.level.value:<12}", STYLES[finding.level]), f"{check:<12} {finding.subject}: {finding.found}"
        )
        console.print(line, soft_wrap=True)
        if finding.expected:
            console.print(Text(f"{'':25}expected: {finding.expected}"), soft_wrap=True)
        if finding.what_to_do:
            console.print(Text(f"{'':25}what to do: {finding.what_to_do}"), soft_wrap=True)


def print_totals(console: Console, findings: Sequence[Finding]) -> None:
    """Print the number of findings of each level."""
    counts = Counter(finding.level for finding in findings)
    console.print(", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level]))


def findings_document(findings: Sequence[tuple[str, Finding]]) -> list[Json]:
    """Return the findings, each with the name of its check, as JSON."""
    return [_document(check, finding) for check, finding in findings]


def _document(check: str, finding: Finding) -> JsonObject:
    return {
        "check": check,
        "level": finding.level.value,
        "subject": finding.subject,
        "found": finding.found,
        "expected": finding.expected,
        "what_to_do": finding.what_to_do,
    }
