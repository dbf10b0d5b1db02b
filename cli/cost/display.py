"""The month as a table and as JSON, and the remarks about it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from rich.console import Console
from rich.table import Table

from cli.cost.inputs import MONTH, Assumptions, read_settings
from cli.cost.month import FREE_GB_SECONDS, FREE_REQUESTS, FunctionMonth, Month, Storage, kind_of
from cli.json_value import Json, JsonObject
from shared.create.function import CreateBackupSettings
from shared.prune.function import PruneBackupsSettings


def show(
    console: Console,
    month: Month,
    assumptions: Assumptions,
    storage: Storage | None,
    amounts: dict[str, float],
    notes: Sequence[str],
) -> None:
    """Print the functions, the free allowance, any amounts, the assumptions, and the remarks in *notes*."""
    fleet = month.fleet
    console.print(
        f"A month with {fleet.instances:,} instance{'s' * (fleet.instances != 1)}: {fleet.made:,.0f} backups created, "
        f"{fleet.kept:,} kept of each instance\n"
    )
    console.print(_table(month))
    console.print()
    console.print(
        f"An account has {FREE_REQUESTS:,} invocations and {FREE_GB_SECONDS:,} GB-seconds a month for free "
        f"(international site). This application uses {month.invocations / FREE_REQUESTS:.1%} and "
        f"{month.gb_seconds / FREE_GB_SECONDS:.1%} of them."
    )
    if storage:
        console.print(
            f"Backups larger than the storage of their instance, which is free: {storage.beyond_free(month):,.1f} GB."
        )
    if month.drills and month.drills.number:
        drills = month.drills
        console.print(
            f"Restore drills: {drills.number:,.1f} a month, {drills.hours:,.1f} hours each, "
            f"{drills.instance_hours:,.1f} hours of instances billed by use."
        )
    if amounts:
        parts = ", ".join(f"{name.replace('_', ' ')} {amount:,.2f}" for name, amount in amounts.items())
        console.print(f"At your prices: {parts}; together {sum(amounts.values()):,.2f} a month.")
    console.print(
        f"Assumptions: {assumptions.calls_a_minute} DDS calls a minute, {assumptions.call_seconds:g} s a call, "
        f"{assumptions.cold_start:g} s for a cold start, every invocation a cold start, no failures. The log of a "
        "function has measured times for --duration (billing duration)."
    )
    for note in notes:
        console.print(f"[yellow]![/yellow] {note}")


def _table(month: Month) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_footer=True)
    table.add_column("Function", "Total", no_wrap=True)
    # Headings of two lines, so that the table fits in 80 columns.
    numbers = {
        "Invocations": f"{month.invocations:,.0f}",
        "MB": "",
        "Seconds\neach": "",
        "GB-seconds": f"{month.gb_seconds:,.0f}",
        "DDS\ncalls": f"{_calls(month.calls, 'DDS'):,.0f}",
        "per\nevent": "",
        "SMN\ncalls": f"{_calls(month.calls, 'SMN'):,.0f}",
    }
    for heading, total in numbers.items():
        table.add_column(heading, total, justify="right", no_wrap=True)
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


def as_document(
    month: Month,
    assumptions: Assumptions,
    storage: Storage | None,
    amounts: dict[str, float],
    notes: Sequence[str],
) -> JsonObject:
    """Return the month as JSON, rounded to three decimals. It has the calls by operation, which the table lacks."""
    document: JsonObject = {
        "functions": list[Json](_function(function) for function in month.functions),
        "total": {
            "invocations": _round(month.invocations),
            "gb_seconds": _round(month.gb_seconds),
            "calls": {name: _round(count) for name, count in month.calls.items()},
        },
        "free": {"requests": FREE_REQUESTS, "gb_seconds": FREE_GB_SECONDS},
        "backups": {
            "instances": month.fleet.instances,
            "made": _round(month.fleet.made),
            "kept_of_each_instance": month.fleet.kept,
        },
        "assumptions": {
            "seconds_a_call": assumptions.call_seconds,
            "cold_start_seconds": assumptions.cold_start,
            "calls_a_minute": assumptions.calls_a_minute,
        },
        "amounts": {name: _round(amount) for name, amount in amounts.items()},
        "remarks": list[Json](notes),
    }
    if month.drills:
        document["drills"] = {
            "number": _round(month.drills.number),
            "hours_each": _round(month.drills.hours),
            "instance_hours": _round(month.drills.instance_hours),
            "dry_run": month.drills.is_dry,
        }
    if storage:
        document["backup_gb_beyond_free"] = _round(storage.beyond_free(month))
    return document


def _function(function: FunctionMonth) -> JsonObject:
    return {
        "name": function.function.name,
        "memory_mb": function.memory,
        "invocations": _round(function.invocations),
        "seconds": _round(function.seconds),
        "gb_seconds": _round(function.gb_seconds),
        "calls": {name: _round(count) for name, count in function.calls.items()},
        "dds_calls_at_once": function.at_once,
    }


def _round(value: float) -> float:
    return round(value, 3)


def remarks(month: Month, assumptions: Assumptions) -> Iterator[str]:
    """Yield a sentence for each thing to look at before deploying, or before relying on the figures."""
    for function in month.functions:
        yield from _rate_limit_remarks(function, assumptions)
        if kind_of(function.function) == "prune_backups":
            yield from _prune_remarks(function, month)
        if kind_of(function.function) == "drill_backups" and month.drills and month.drills.is_dry:
            yield (
                f"{function.function.name}: DRY_RUN is on, so nothing is restored: the hours of instances are those "
                "after it is switched on."
            )
        if not function.is_known and function.function.name not in assumptions.duration:
            yield (
                f"{function.function.name} is not one of this application's functions: its calls are not counted. "
                f"Give its time with --duration {function.function.name}=SECONDS."
            )
        triggers = [event for event in function.function.events if event.status != "DISABLED"]
        others = [event.name for event in triggers if event.type != "TIMER"]
        if others and not assumptions.events:
            yield f"{function.function.name}: the events of {', '.join(others)} are not counted; see --events."
    if not any(kind_of(function.function) == "prune_backups" for function in month.functions) and month.fleet.made:
        yield f"No function in the template deletes backups: {month.fleet.made:,.0f} more every month."


def _rate_limit_remarks(function: FunctionMonth, assumptions: Assumptions) -> Iterator[str]:
    minutes = function.at_once / assumptions.calls_a_minute
    if minutes <= 1:
        return
    name, timeout = function.function.name, function.function.timeout
    text = f"{name}: at {assumptions.calls_a_minute} DDS calls a minute, an event takes {minutes:,.1f} minutes"
    if minutes * 60 <= timeout:
        yield f"{text}; the timeout is {timeout} s."
        return
    text = f"{text}, more than the timeout of {timeout} s"
    if kind_of(function.function) != "create_backup":
        yield f"{text}: raise it."
    elif read_settings(CreateBackupSettings, function.function).REQUEST_TOPIC_URN:
        yield f"{text}: the rest is handed on, in more invocations than are counted here."
    else:
        yield f"{text}: select the instances and set REQUEST_TOPIC_URN, or raise it."


def _prune_remarks(function: FunctionMonth, month: Month) -> Iterator[str]:
    settings = read_settings(PruneBackupsSettings, function.function)
    most = settings.MAX_DELETES * min(function.invocations, MONTH / timedelta(days=1))
    if settings.DRY_RUN:
        yield (
            f"{function.function.name}: DRY_RUN is on, so nothing is deleted: {month.fleet.made:,.0f} more backups "
            f"every month. The lists are counted as if each instance had {month.fleet.kept}."
        )
    elif month.fleet.made > most:
        yield (
            f"{function.function.name}: MAX_DELETES={settings.MAX_DELETES} deletes at most {most:,.0f} backups a month,"
            f" but {month.fleet.made:,.0f} are created: raise it."
        )
