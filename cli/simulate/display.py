"""A simulation on the terminal."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.simulate.faults import DAY
from cli.simulate.platform import Platform
from cli.simulate.summary import LATE, Cell, Effect, Summary
from localcloud.clock import text
from shared.format import counted


MARKS = {
    Cell.GOOD: "+",
    Cell.LATE: "~",
    Cell.FAILED: "x",
    Cell.MISSED: "!",
    Cell.BUILDING: ">",
    Cell.NOT_DUE: ".",
    Cell.ABSENT: " ",
}
WORDS = {
    Cell.GOOD: "good",
    Cell.LATE: f"began more than {LATE / 60:.0f} min late",
    Cell.FAILED: "failed",
    Cell.MISSED: "missed",
    Cell.BUILDING: "building",
    Cell.NOT_DUE: "none due",
}
_WORST = [Cell.MISSED, Cell.FAILED, Cell.LATE, Cell.BUILDING, Cell.GOOD, Cell.NOT_DUE, Cell.ABSENT]


@contextmanager
def make_progress(console: Console, days: int) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many days are over."""
    columns = TextColumn("Day"), TextColumn("{task.completed:.0f} of {task.total:.0f}"), BarColumn()
    with Progress(
        *columns,
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=days)
        yield lambda day: progress.update(task, completed=day)


def show(console: Console, summary: Summary, platform: Platform, seed: int) -> None:
    """Print the tables."""
    end = summary.start + summary.days * DAY - 1
    first, last = text(summary.start, "%Y-%m-%d"), text(end, "%Y-%m-%d")
    said = f"{counted(summary.days, 'day')}, {first} to {last}, seed {seed}"
    console.print(f"{platform.world.story + ': ' if platform.world.story else ''}{said}", markup=False)
    _show_lines(console, summary)
    console.print()
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True)
    facts.add_column()
    for name, value in _facts(summary, platform):
        facts.add_row(name, escape(value))
    console.print(facts)
    for effect in summary.effects:
        console.print()
        console.print(f"Fault: {effect.fault.text}", markup=False)
        for line in effect_lines(effect):
            console.print(f"  {line}", markup=False)


def show_times(console: Console, platform: Platform) -> None:
    """Print where the time of this machine went."""
    spent = {name: one.cpu for name, one in platform.functions.items()}
    parts = ", ".join(f"{name} {cpu:.1f} s" for name, cpu in sorted(spent.items(), key=lambda item: -item[1]))
    console.print(f"CPU time: {time.process_time():.1f} s in all; {parts}.", markup=False)


def _show_lines(console: Console, summary: Summary) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    span = max(1, -(-summary.days // 45))  # days of one mark
    heading = "day by day" if span == 1 else f"{span} days a mark, the worst of them"
    for name in ("Instance", "GB"):
        table.add_column(name, justify="right" if name == "GB" else "left", no_wrap=True)
    table.add_column(heading, no_wrap=True)
    for name in ("good", "late", "failed", "missed", "kept"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in summary.lines:
        groups = [line.cells[at : at + span] for at in range(0, len(line.cells), span)]
        marks = "".join(MARKS[min(group, key=_WORST.index)] for group in groups)
        counts = (line.count(cell) for cell in (Cell.GOOD, Cell.LATE, Cell.FAILED, Cell.MISSED))
        table.add_row(escape(line.name), f"{line.data_gb:.1f}", marks, *map(str, counts), str(line.kept))
    console.print(table)
    used = {cell for line in summary.lines for cell in line.cells}
    console.print("  ".join(f"{MARKS[cell]} {word}" for cell, word in WORDS.items() if cell in used), markup=False)


def _facts(summary: Summary, platform: Platform) -> Iterator[tuple[str, str]]:
    ledger, last = platform.ledger, platform.ledger.days[-1]
    yield "Announced", _listed({name.removeprefix("dds."): number for name, number in summary.told.items()})
    repeated = f", {summary.repeats:,} of the messages repeat another one" if summary.repeats else ""
    yield "E-mails", f"{summary.mails:,}{repeated}"
    if summary.late:
        yield "Late", f"{counted(summary.late, 'notification')}, the latest by {duration(summary.latest)}"
    if summary.unannounced:
        yield (
            "Never told",
            f"the end of {counted(len(summary.unannounced), 'backup')}: {', '.join(summary.unannounced[:3])}",
        )
    yield "Deferred", counted(summary.deferred, "announcement")
    yield "Deleted", _listed(summary.deleted) or "none"
    if ledger.would_delete:
        yield "", f"DRY_RUN is on: the last run of prune_backups would have deleted {ledger.would_delete}"
    yield "Kept by", _listed(dict(sorted(ledger.kept.items())))
    yield "Storage", f"{sum(summary.gb_days):,.0f} GB-days, {last.manual_gb + last.automatic_gb:,.0f} GB at the end"
    if summary.drill_hours:
        yield "Drills", f"{summary.drill_hours:,.1f} hours of instances"
    yield "Invocations", _listed(summary.invocations)
    if ledger.failed:
        gone = sum(ledger.given_up.values())
        yield "", f"{len(ledger.failed)} failed, {gone} of them the last attempt"
    yield "API calls", _listed(summary.calls)
    if platform.left_out:
        yield "Left out", f"{', '.join(platform.left_out)}: no function of this application"
    for name, amount in summary.money.items():
        yield f"Price of {name.replace('_', ' ')}", f"{amount:,.2f}"


def effect_lines(effect: Effect) -> Iterator[str]:
    """Yield what a fault did, in words."""
    if effect.refused:
        yield f"{counted(effect.refused, 'call')} refused"
    if effect.unfired:
        yield f"{counted(effect.unfired, 'run')} of a timer did not happen"
    if effect.late:
        yield f"{counted(effect.late, 'notification')} came late, the latest by {duration(effect.latest)}"
    if cells := {cell: number for cell, number in effect.cells.items() if cell in WORDS and number}:
        found = ", ".join(f"{cells[cell]} {word}" for cell, word in WORDS.items() if cell in cells)
        yield f"backups that were due meanwhile: {found}"
    for kind, number in sorted(effect.announced.items()):
        yield f"audit_backups said so: {kind} {number}"
    if not (effect.refused or effect.unfired or effect.late or effect.cells or effect.announced):
        yield "nothing that shows"


def duration(seconds: float) -> str:
    """A duration in words."""
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"


def _listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items())
