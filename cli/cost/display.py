"""The month as a table."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from cli.cost.assumptions import FREE_GB_SECONDS, FREE_REQUESTS, Assumptions
from cli.cost.money import Storage
from cli.cost.month import Month


def show_cost(
    console: Console,
    month: Month,
    assumptions: Assumptions,
    storage: Storage | None,
    amounts: dict[str, float],
    remarks: Sequence[str],
) -> None:
    """Print the functions, what of it is free, the money if prices were given, and what to look at."""
    fleet = month.fleet
    console.print(
        f"A month with {fleet.instances:,} instance{'s' * (fleet.instances != 1)}: {fleet.made:,.0f} backups made, "
        f"{fleet.kept:,} kept of each instance\n"
    )
    console.print(_table(month))
    console.print()
    console.print(
        f"Free are {FREE_REQUESTS:,} invocations and {FREE_GB_SECONDS:,} GB-seconds a month and account (international "
        f"site): this is {month.invocations / FREE_REQUESTS:.1%} and {month.gb_seconds / FREE_GB_SECONDS:.1%} of them."
    )
    if storage:
        console.print(
            f"Backups beyond what is free, the storage of their instance: {storage.beyond_free(month):,.1f} GB."
        )
    if amounts:
        parts = ", ".join(f"{name.replace('_', ' ')} {amount:,.2f}" for name, amount in amounts.items())
        console.print(f"At your prices: {parts}; together {sum(amounts.values()):,.2f} a month.")
    console.print(
        f"Assumed: {assumptions.calls_a_minute} calls of DDS a minute, {assumptions.call_seconds:g} s a call, "
        f"{assumptions.cold_start:g} s for a cold start, every invocation a cold one, no failures. For --duration, the "
        f"log of a function has its measured times (billing duration)."
    )
    for remark in remarks:
        console.print(f"[yellow]![/yellow] {remark}")


def _table(month: Month) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_footer=True)
    table.add_column("Function", "In all")
    table.add_column("Invocations", f"{month.invocations:,.0f}", justify="right")
    table.add_column("MB", justify="right")
    table.add_column("Seconds each", justify="right")
    table.add_column("GB-seconds", f"{month.gb_seconds:,.0f}", justify="right")
    table.add_column("Calls of DDS", f"{_calls(month.calls, 'DDS'):,.0f}", justify="right")
    table.add_column("at once", justify="right")
    table.add_column("of SMN", f"{_calls(month.calls, 'SMN'):,.0f}", justify="right")
    for one in month.functions:
        table.add_row(
            one.function.name,
            f"{one.invocations:,.0f}",
            f"{one.memory:g}",
            f"{one.seconds / one.invocations:,.2f}" if one.invocations else "-",
            f"{one.gb_seconds:,.0f}",
            f"{_calls(one.calls, 'DDS'):,.0f}",
            f"{one.at_once:,}",
            f"{_calls(one.calls, 'SMN'):,.0f}",
        )
    return table


def _calls(calls: dict[str, float], service: str) -> float:
    return sum(count for operation, count in calls.items() if operation.startswith(f"{service}."))
