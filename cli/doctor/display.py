"""Findings, for people and as JSON."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from cli.doctor.checks import Finding, Level
from cli.json_value import Json, JsonObject


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
