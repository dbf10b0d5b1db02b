"""The backups as a table of 80 columns and as JSON."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone, tzinfo

from rich.console import Console
from rich.text import Text

from cli.backups.listing import ListedBackup, ListedInstance, Rules
from cli.console import print_line
from cli.json_value import Json, JsonObject
from shared.drills import is_drill
from shared.format import duration, plain, size, timestamp


WIDTH = 80
_ROW = "  {:<6} {:<16} {:>8}  {:<10} {:<9}  {:<10}"
_HEADINGS = ("AGE", "BEGAN (UTC)", "SIZE", "TOOK", "STATUS", "KEPT UNTIL")
_STYLES = {"COMPLETED": "", "BUILDING": "yellow", "FAILED": "red", "DISABLED": "dim"}


def print_backups(console: Console, listed: Sequence[ListedInstance], rules: Rules, now: datetime) -> None:
    """Print each instance that has backups, then the others in one sentence, and how to read the last column."""
    for one in listed:
        if one.backups:
            _print_instance(console, one, rules.zone, now)
    without = [plain(one.name) for one in listed if not one.backups and not (one.instance and is_drill(one.instance))]
    if without:
        print_line(console, f"Without such a backup: {', '.join(without)}.", width=WIDTH)
    for sentence in remarks(listed, rules):
        print_line(console, sentence, width=WIDTH)


def _print_instance(console: Console, one: ListedInstance, zone: tzinfo, now: datetime) -> None:
    facts = [plain(one.name) or "(no name)", one.kind, one.id]
    if one.instance is None:
        facts.append("deleted")
    elif one.instance.actions:
        facts.append(f"busy: {', '.join(one.instance.actions)}")
    print_line(console, "  ".join(filter(None, facts)), style="bold", hang=2, width=WIDTH)
    console.print(Text(_ROW.format(*_HEADINGS).rstrip(), style="dim"), soft_wrap=True)
    ambiguous = _repeated([item.backup.name for item in one.backups])
    for item in one.backups:
        console.print(Text(_row(item, zone, now), style=_STYLES.get(item.backup.status, "")), soft_wrap=True)
        name = plain(item.backup.name)
        label = f"{name} ({item.backup.id})" if item.backup.name in ambiguous else name or item.backup.id
        proof = f"; verified {item.verified.time.astimezone(timezone.utc):%Y-%m-%d}" if item.verified else ""
        line = f"{label}  made by {item.made_by}; {item.keeping.note}{proof}"
        print_line(console, line, indent=9, style="dim", hang=2, width=WIDTH)
    console.print()


def _repeated(names: Sequence[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}


def _row(item: ListedBackup, zone: tzinfo, now: datetime) -> str:
    backup = item.backup
    took = duration(backup.end_time - backup.begin_time) if backup.end_time and backup.begin_time else "-"
    return _ROW.format(
        age(backup.begin_time, now),
        f"{backup.begin_time.astimezone(timezone.utc):%Y-%m-%d %H:%M}" if backup.begin_time else "-",
        size(backup.size) if backup.size else "-",
        took if backup.status != "BUILDING" else "-",
        backup.status,
        f"{item.keeping.until.astimezone(zone):%Y-%m-%d}" if item.keeping.until else "-",
    ).rstrip()


def age(begin: datetime | None, now: datetime) -> str:
    """Return the age of a backup in its largest unit: "6 d", "45 min"."""
    return " ".join(duration(max(now - begin, now - now)).split()[:2]) if begin else "-"


def remarks(listed: Sequence[ListedInstance], rules: Rules) -> Iterator[str]:
    """Yield what the dates of the last column depend on."""
    if rules.retention is None:
        yield f"{rules.origin} has no function that prunes: backups stay until somebody deletes them."
        return
    zone = "" if rules.zone is timezone.utc else f", by the days of {rules.zone}"
    yield f"The rules, from {rules.origin}: {rules.retention}{zone}."
    intervals = sorted({one.interval for one in listed if one.interval})
    if intervals:
        often = " or ".join(duration(interval) for interval in intervals)
        yield f"The dates assume that new backups come as so far, every {often}. Without new ones, all are kept longer."
    if rules.is_dry_run:
        yield "DRY_RUN of prune_backups is on: it deletes nothing."


def document(listed: Sequence[ListedInstance], rules: Rules, now: datetime) -> JsonObject:
    """Return the listing as JSON: times in UTC, durations in seconds, sizes in KB."""
    return {
        "listed_at": timestamp(now),
        "retention": {
            "rules": None if rules.retention is None else str(rules.retention),
            "time_zone": str(rules.zone),
            "from": rules.origin,
            "dry_run": rules.is_dry_run,
        },
        "instances": [_instance_document(one, now) for one in listed],
    }


def _instance_document(one: ListedInstance, now: datetime) -> JsonObject:
    return {
        "instance_id": one.id,
        "instance_name": one.name,
        "exists": one.instance is not None,
        "kind": one.kind,
        "actions": list[Json](one.instance.actions if one.instance else ()),
        "assumed_interval": one.interval.total_seconds() if one.interval else None,
        "backups": [_backup_document(item, now) for item in one.backups],
    }


def _backup_document(item: ListedBackup, now: datetime) -> JsonObject:
    backup, verified = item.backup, item.verified
    took = backup.end_time - backup.begin_time if backup.end_time and backup.begin_time else None
    return {
        "backup_id": backup.id,
        "name": backup.name,
        "status": backup.status,
        "type": "automatic" if backup.is_automatic else "manual",
        "made_by": item.made_by,
        "begin_time": timestamp(backup.begin_time),
        "end_time": timestamp(backup.end_time),
        "age": round((now - backup.begin_time).total_seconds()) if backup.begin_time else None,
        "duration": took.total_seconds() if took else None,
        "size": backup.size,
        "kept_by": list[Json](item.keeping.rules),
        "kept_until": timestamp(item.keeping.until),
        "note": item.keeping.note,
        "verified_at": timestamp(verified.time) if verified else None,
        "restored_in": verified.restored_in if verified else None,
    }
