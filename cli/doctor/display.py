"""Findings for people."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from cli.doctor.findings import Finding, Level


STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red", Level.NOT_CHECKED: "dim"}


def show_sum(console: Console, findings: Sequence[Finding]) -> None:
    """Print how many findings there are of each level."""
    counts = Counter(finding.level for finding in findings)
    console.print(", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level]))


def show(console: Console, check: str, findings: Sequence[Finding]) -> None:
    """Print what a check has found."""
    for finding in findings:
        line = Text.assemble(
            (f"{finding.level.value:<12}", STYLES[finding.level]), f"{check:<12} {finding.subject}: {finding.found}"
        )
        console.print(line, soft_wrap=True)
        if finding.expected:
            console.print(Text(f"{'':25}expected: {finding.expected}"), soft_wrap=True)
        if finding.what_to_do:
            console.print(Text(f"{'':25}what to do: {finding.what_to_do}"), soft_wrap=True)
