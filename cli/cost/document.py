"""The month as JSON."""

from collections.abc import Sequence

from cli.cost.assumptions import FREE_GB_SECONDS, FREE_REQUESTS, Assumptions
from cli.cost.money import Storage
from cli.cost.month import FunctionMonth, Month
from cli.json_value import Json, JsonObject


def cost_document(
    month: Month,
    assumptions: Assumptions,
    storage: Storage | None,
    amounts: dict[str, float],
    remarks: Sequence[str],
) -> JsonObject:
    """Return what the table shows, and more, unrounded but for the third decimal."""
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
        "remarks": list[Json](remarks),
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
