"""A run as JSON, cut where it does not fit a notification: lists get shorter, counts never."""

import json
from collections import Counter
from typing import Any

from shared.backups.retention.results import PrunedInstance, PruneOutcome, PruneResult


ROOM = 150_000
"""Bytes for the whole, as text within the JSON text that SMN takes; it takes 256 KB (SMN API, Publishing a Message)."""

_FIRST_LISTED = (
    PruneOutcome.FAILED,
    PruneOutcome.LEFT,
    PruneOutcome.DELETED,
    PruneOutcome.WOULD_BE_DELETED,
    PruneOutcome.HELD_BACK,
    PruneOutcome.POSTPONED,
    PruneOutcome.PROTECTED,
    PruneOutcome.KEPT,
)
_DELETED = (PruneOutcome.DELETED, PruneOutcome.WOULD_BE_DELETED)


def describe(result: PruneResult, room: int = ROOM) -> dict[str, Any]:
    """The run as JSON within `room` bytes, if the totals alone leave any room.

    Instances and backups that something happens to come first, and are the last to be left out; `left_out` counts.
    """
    facts: dict[str, Any] = {
        "outcome": result.outcome.value,
        "time": result.time.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "retention": result.retention,
        "time_zone": result.zone,
        "dry_run": result.dry_run,
        "force": result.force,
        "held_back": result.holds_back,
        "totals": {"instances": len(result.instances), **_counts(result.counts())},
        "deleted_kb": sum(found.backup.size or 0 for found in result.results(*_DELETED)),
    }
    if result.failure:
        facts["failure"] = result.failure.document()
    if result.warnings:
        facts["warnings"] = list(result.warnings)
    instances, left_out = _instances(result, room - _size(facts))
    return {**facts, "instances": instances, "left_out": left_out}


def _instances(result: PruneResult, room: int) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """As many instances as fit into half the room, and as many of their backups as fit into what is left."""
    shown: list[tuple[PrunedInstance, dict[str, Any]]] = []
    left = room
    for instance in sorted(result.instances, key=lambda i: (not _is_touched(i), i.instance_id)):
        head = _head(instance)
        if left - _size(head) < room // 2:
            break
        left -= _size(head)
        shown.append((instance, head))
    listed: set[int] = set()
    for found in sorted((r for i, _ in shown for r in i.results), key=lambda r: _FIRST_LISTED.index(r.outcome)):
        left -= _size(found.document())
        if left < 0:
            break
        listed.add(id(found))
    for instance, head in shown:
        head["backups"] = [found.document() for found in instance.results if id(found) in listed]
    backups = sum(len(instance.results) for instance in result.instances)
    left_out = {"instances": len(result.instances) - len(shown), "backups": backups - len(listed)}
    return [head for _, head in shown], left_out


def _head(instance: PrunedInstance) -> dict[str, Any]:
    return {
        "instance_id": instance.instance_id,
        "instance_name": instance.instance_name,
        "held_back": instance.held_back,
        "totals": _counts(instance.counts()),
        "backups": [],
    }


def _counts(counts: "Counter[PruneOutcome]") -> dict[str, int]:
    return {outcome.value.lower(): counts[outcome] for outcome in PruneOutcome}


def _is_touched(instance: PrunedInstance) -> bool:
    return any(found.outcome not in {PruneOutcome.KEPT, PruneOutcome.PROTECTED} for found in instance.results)


def _size(facts: dict[str, Any]) -> int:
    """Bytes of an item as JSON within a JSON text, with what separates it from the next."""
    return len(json.dumps(json.dumps(facts)))
