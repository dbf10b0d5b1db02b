"""The report of the preflight, for people and as JSON, and the gate that stops a command."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.console import make_console
from cli.json_value import Json, JsonObject
from cli.preflight.report import Finding, Report
from cli.preflight.timers import Timer
from cli.template.document import Level
from cli.template.model import Template
from shared.format import counted, timestamp


VERSION = 1
"""The version of the JSON document. Keys and codes stay; new ones may be added."""

STYLES = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOT_CHECKED: "dim"}
LABELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOT_CHECKED: "not checked"}


def print_findings(console: Console, report: Report, findings: Iterable[Finding]) -> None:
    """Print findings, each beginning with ``file:line: level: key``, which editors and terminals can follow."""
    for finding in findings:
        console.print(
            Text.assemble(
                f"{_shown(report)}:{finding.line}: ",
                (LABELS[finding.level], STYLES[finding.level]),
                f": {finding.key}: {finding.found}" if finding.key else f": {finding.found}",
                (f" [{finding.code}]", "dim"),
            ),
            soft_wrap=True,
        )
        if finding.expected:
            console.print(Text(f"    expected: {finding.expected}"), soft_wrap=True)
        console.print(Text(f"    what to do: {finding.what_to_do}"), soft_wrap=True)


def print_timers(console: Console, timers: Sequence[Timer]) -> None:
    """Print the next runs of each timer, in its zone and in UTC."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("Timer", "Next runs", "UTC"):
        table.add_column(heading, overflow="fold")
    for timer in timers:
        name = f"{timer.function} {timer.name}" + ("" if timer.is_enabled else " (DISABLED)")
        label = Text.assemble(name, "\n", (timer.schedule + (" from its deployment" if timer.is_rate else ""), "dim"))
        local = "\n".join(f"{run:%a %Y-%m-%d %H:%M:%S} {timer.zone}" for run in timer.next_runs)
        table.add_row(label, local, "\n".join(timestamp(run).replace("T", " ") for run in timer.next_runs))
    console.print(table)


def print_report(console: Console, report: Report) -> None:
    """Print all findings, the timers and the totals."""
    print_findings(console, report, report.findings)
    if report.timers:
        print_timers(console, report.timers)
    console.print(totals(report), soft_wrap=True)


def totals(report: Report) -> str:
    """Return the number of errors, warnings and places that were not checked."""
    counts = Counter(finding.level for finding in report.findings)
    parts = [counted(counts[level], LABELS[level]) for level in (Level.ERROR, Level.WARNING)]
    return ", ".join([*parts, f"{counts[Level.NOT_CHECKED]} not checked"]) + f" in {_shown(report)}"


def _shown(report: Report) -> str:
    """Return the path of the template, relative if it is in the current folder."""
    here = Path.cwd()
    return str(report.file.relative_to(here) if report.file.is_relative_to(here) else report.file)


def as_document(report: Report) -> JsonObject:
    """Return the report as JSON: its version, whether it is ok, the findings, and the timers with their next runs."""
    return {
        "version": VERSION,
        "template": str(report.file),
        "ok": report.ok,
        "findings": [_finding(report, finding) for finding in report.findings],
        "timers": [_timer(timer) for timer in report.timers],
    }


def _finding(report: Report, finding: Finding) -> JsonObject:
    return {
        "level": finding.level.value,
        "code": finding.code,
        "file": str(report.file),
        "line": finding.line,
        "key": finding.key,
        "found": finding.found,
        "expected": finding.expected,
        "what_to_do": finding.what_to_do,
    }


def _timer(timer: Timer) -> JsonObject:
    return {
        "function": timer.function,
        "timer": timer.name,
        "schedule": timer.schedule,
        "zone": timer.zone,
        "enabled": timer.is_enabled,
        "next_runs": [_run(run) for run in timer.next_runs],
    }


def _run(run: datetime) -> Json:
    return {"local": run.isoformat(timespec="seconds"), "utc": timestamp(run)}


def valid_template(report: Report, *, as_json: bool) -> Template:
    """Return the template if it has no error. Prints errors and warnings to standard error.

    If there is an error, exits with status 1, with *as_json* after the JSON document on standard output.
    """
    console = make_console(stderr=True)
    print_findings(console, report, [*report.of(Level.ERROR), *report.of(Level.WARNING)])
    if not report.ok:
        if as_json:
            print(json.dumps(as_document(report), ensure_ascii=False))
        console.print(f"{totals(report)}. Nothing was changed. ddsbackup validate checks the template alone.")
        sys.exit(1)
    return report.template
