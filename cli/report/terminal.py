"""The report in a terminal."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.console import print_line
from cli.report.model import InstanceReport, Report
from cli.report.strip import DAYS, Kind, Strip
from cli.report.words import answers, facts, finding_text, moment, target, title
from shared.format import counted, duration, plain, size


_STYLES = {
    Kind.FAILED: "bold red",
    Kind.MISSED: "bold yellow",
    Kind.BUILDING: "cyan",
    Kind.GOOD: "green",
    Kind.DELETED: "dim green",
    Kind.NONE: "dim",
}
_MARKS = {True: ("+ ", "green"), False: ("! ", "bold red"), None: ("", "")}
_LABEL = 15


def show(console: Console, report: Report, *, all_in_full: bool) -> None:
    """Print the answers, the instances with findings in full, and the others in a table or in full too."""
    print_line(console, f"Backups of {report.place}, {moment(report.time)}", style="bold")
    for answer in answers(report):
        mark, style = _MARKS[answer.is_well]
        console.print()
        print_line(console, answer.question, style="bold")
        for number, sentence in enumerate(answer.sentences):
            is_marked = number == 0 or answer.is_well is False
            print_line(console, f"{mark if is_marked else ''}{sentence}", 2, style if is_marked else "")
    in_full = [one for one in report.instances if one.findings or all_in_full]
    for one in in_full:
        console.print()
        show_instance(console, one)
    if in_full:
        console.print()
        for kind in Kind:
            print_line(console, f"{kind.value} {kind.words}", 2, "dim")
    others = [one for one in report.instances if not (one.findings or all_in_full)]
    if others:
        console.print()
        _show_others(console, others)
    for orphan in report.orphans:
        name = plain(orphan.name) or orphan.id
        print_line(console, f"{name} is deleted, and has {counted(orphan.backups, 'backup')} of {size(orphan.size)}.")
    if report.remarks:
        console.print()
    for remark in report.remarks:
        print_line(console, remark, style="dim")


def show_instance(console: Console, one: InstanceReport) -> None:
    """Print everything about an instance."""
    print_line(console, f"{title(one)}  {one.kind}  {one.id}", style="bold")
    for finding in one.findings:
        print_line(console, f"! {finding_text(finding)}", 2, "bold red")
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(style="dim", width=_LABEL, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts(one):
        grid.add_row(f"  {name}", value)
    console.print(grid)
    for line in strip_lines(one.strip, console.width):
        console.print(line, soft_wrap=True)


def strip_lines(strip: Strip, width: int) -> Iterator[Text]:
    """Yield the strip with the date before each line: one line if it fits, otherwise two or three."""
    room = width - _LABEL - 1
    length = next((size for size in (DAYS, 45, 30) if size <= room), 15)
    for begin in range(0, len(strip.days), length):
        line = Text(f"  {strip.first + timedelta(days=begin)}".ljust(_LABEL + 1), style="dim")
        for kind, run in groupby(strip.days[begin : begin + length]):
            line.append(kind.value * len(list(run)), style=_STYLES[kind])
        yield line


def _show_others(console: Console, others: list[InstanceReport]) -> None:
    """Print a line for each instance without findings. The narrower the terminal, the fewer columns."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("Without findings", overflow="fold")
    table.add_column("Newest good", no_wrap=True)
    if console.width >= 80:
        table.add_column("Target", overflow="fold")
    table.add_column("30 days", no_wrap=True)
    for one in others:
        newest = duration(one.age) if one.age is not None else "none"
        wide = [target(one)] if console.width >= 80 else []
        days = one.strip.letters[-30:] if console.width >= 80 else one.strip.letters[-14:]
        table.add_row(title(one), newest, *wide, days)
    console.print(table)
