"""A simulation as JSON."""

from cli.json_value import Json, JsonObject
from cli.simulate.faults import DAY
from cli.simulate.platform import Platform
from cli.simulate.summary import Cell, Effect, Line, Summary
from localcloud.clock import text


VERSION = 1
"""The version of the document. Keys stay; new ones may be added."""


def as_document(summary: Summary, platform: Platform, seed: int) -> JsonObject:
    """Return everything that is shown, as JSON."""
    ledger = platform.ledger
    return {
        "version": VERSION,
        "begin": text(summary.start),
        "end": text(summary.start + summary.days * DAY),
        "days": summary.days,
        "seed": seed,
        "story": platform.world.story,
        "instances": [_line(line) for line in summary.lines],
        "backups": {cell.value: summary.cells(cell) for cell in Cell if cell is not Cell.ABSENT},
        "notifications": {
            "by_type": dict(summary.told),
            "repeated": summary.repeats,
            "by_severity": dict(summary.severities),
            "emails": summary.mails,
            "late": summary.late,
            "latest_seconds": round(summary.latest, 1),
            "never_announced": list(summary.unannounced),
        },
        "invocations": {
            "by_function": dict(summary.invocations),
            "seconds": {name: round(seconds, 1) for name, seconds in summary.seconds.items()},
            "failed": len(ledger.failed),
            "given_up": {name: number for name, number in sorted(ledger.given_up.items()) if number},
        },
        "pruning": {
            "deleted": dict(summary.deleted),
            "would_be_deleted": ledger.would_delete,
            "kept": dict(sorted(ledger.kept.items())),
        },
        "storage": {
            "manual_gb_days": round(summary.gb_days[0], 1),
            "automatic_gb_days": round(summary.gb_days[1], 1),
            "billed_gb_days": round(summary.billed_gb_days, 1),
        },
        "drill_hours": round(summary.drill_hours, 2),
        "calls": dict(summary.calls),
        "amounts": {name: round(amount, 4) for name, amount in summary.money.items()},
        "by_day": _days(summary, platform),
        "faults": [_effect(effect) for effect in summary.effects],
    }


def _line(line: Line) -> JsonObject:
    return {
        "id": line.id,
        "name": line.name,
        "mode": line.mode,
        "data_gb": round(line.data_gb, 1),
        "days": [cell.value for cell in line.cells],
        "kept": line.kept,
        "backups": [
            {
                "begin_day": round(begin, 3),
                "deleted_day": None if end is None else round(end, 3),
                "deleted_by": reason or None,
                "good": is_good,
            }
            for begin, end, reason, is_good in line.lives
        ],
    }


def _days(summary: Summary, platform: Platform) -> list[Json]:
    ledger, calls, invocations = platform.ledger, [0] * summary.days, [0] * summary.days
    for (day, _), number in platform.services.calls.items():
        if day < summary.days:
            calls[day] += number
    for (day, _), number in ledger.invocations.items():
        if day < summary.days:
            invocations[day] += number
    return [
        {
            "day": number + 1,
            "manual_backups": day.manual,
            "automatic_backups": day.automatic,
            "gb": round(day.manual_gb + day.automatic_gb, 1),
            "calls": calls[number],
            "invocations": invocations[number],
        }
        for number, day in enumerate(ledger.days)
    ]


def _effect(effect: Effect) -> JsonObject:
    return {
        "fault": effect.fault.fault,
        "text": effect.fault.text,
        "refused_calls": effect.refused,
        "suppressed_timers": effect.unfired,
        "late_notifications": effect.late,
        "latest_seconds": round(effect.latest, 1),
        "backups": {cell.value: number for cell, number in sorted(effect.cells.items())},
        "announced": dict(sorted(effect.announced.items())),
    }
