"""Timers and nights as text of 80 columns and as JSON."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table

from cli.console import print_line
from cli.explain.night import CONSEQUENCES, Drills, Night, Overlap
from cli.explain.timers import YEAR, ClockChange, Timer, clock_changes
from cli.json_value import Json, JsonObject
from shared.drill.schedule import Slot
from shared.format import duration, timestamp


_ASSUMED = "FunctionGraph's documents do not say this. The local cloud does it this way."


def show_timer(console: Console, timer: Timer, now: datetime, count: int) -> None:
    """Print the next runs of a timer in its zone and in UTC, and the changes of the clock within a year."""
    title = timer.label + ("" if timer.is_enabled else " (DISABLED)")
    print_line(console, f"{title}  {timer.text}" if timer.function else title, style="bold")
    runs = timer.next_runs(now, count)
    if not runs:
        print_line(console, "never due in the next ten years", indent=2)
    if timer.is_rate and runs:
        print_line(console, f"every {duration(runs[0] - now)}, counted from the deployment; if that is now:", indent=2)
    for run in runs:
        local = f"{run.astimezone(timer.zone):%a %Y-%m-%d %H:%M:%S %z}"
        line = f"{run:%a %Y-%m-%d %H:%M:%S} UTC" if str(timer.zone) == "UTC" else f"{local}   {_utc(run)} UTC"
        print_line(console, line, indent=2)
    for line in change_lines(timer, now):
        print_line(console, line.lstrip(), indent=4 if line.startswith(" ") else 2)
    console.print()


def change_lines(timer: Timer, now: datetime) -> Iterator[str]:
    """Yield lines that say what the changes of the clock within a year do to the runs of a timer."""
    changes = clock_changes(timer, now, now + YEAR)
    if not changes and str(timer.zone) != "UTC":
        yield f"The clock of {timer.zone} does not change within a year."
    for change in changes:
        way = "forward" if change.forward > timedelta(0) else "back"
        yield f"{_utc(change.moment)} UTC: the clock goes {way} by {duration(abs(change.forward))}."
        if change.skipped:
            yield f"  Skipped, since this time does not exist: {_times(change.skipped)}"
        if change.twice:
            yield f"  Occurs twice, and is due the first time: {_times(change.twice)}"
        last, first = change.last_before, change.first_after
        if last and first and _is_same_time(last, first, timer):
            yield f"  The runs move from {last:%H:%M} to {first:%H:%M} UTC."
        if last and first:
            yield f"  From the last run before it to the first one after: {duration(first - last)}."
    if any(change.skipped or change.twice for change in changes):
        yield _ASSUMED


def _is_same_time(one: datetime, other: datetime, timer: Timer) -> bool:
    return one.astimezone(timer.zone).time() == other.astimezone(timer.zone).time()


def _times(moments: Sequence[datetime]) -> str:
    shown = ", ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in moments[:2])
    return shown if len(moments) <= 2 else f"{moments[0]:%Y-%m-%d %H:%M} to {moments[-1]:%H:%M} ({len(moments)} runs)"


def _utc(moment: datetime) -> str:
    return timestamp(moment).replace("T", " ").removesuffix("Z")


_WIDE = 74
"""Columns that a night with the names of the timers needs."""


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def show_night(console: Console, night: Night) -> None:
    """Print when each function has its turn after the next run of create_backup, and the runs that come too early."""
    print_line(console, f"After {night.timer.label}, if the backups take {duration(night.duration)}", style="bold")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    headings = ["  Turn", "Timer", "UTC", "After"]
    rows = [["  create_backup", night.timer.name, _minute(night.created), ""]]
    rows.append(["  backups are over", "", _minute(night.ended), duration(night.duration)])
    for turn in night.turns:
        after = duration(turn.at - night.created) if turn.at else ""
        most = "at most " if turn.is_latest else ""
        rows.append([f"  {turn.timer.kind}", turn.timer.name, _minute(turn.at) if turn.at else "never", most + after])
    if console.width < _WIDE:
        for row in (headings, *rows):
            del row[1]
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    if night.all_done:
        took = duration(night.all_done - night.created)
        print_line(console, f"All have had their turn {took} after the backups began.", indent=2)
    for kind in night.missing:
        print_line(console, f"{kind} has no timer.", indent=2)
    for overlap in night.overlaps:
        print_line(console, f"! {_describe(overlap)}", indent=2)
    if not night.overlaps:
        print_line(console, "No run comes while these backups may still run.", indent=2)
    console.print()


def _describe(overlap: Overlap) -> str:
    how_often = "each run" if overlap.count == overlap.runs else f"{overlap.count:,} of {overlap.runs:,} runs in a year"
    after = duration(overlap.first - overlap.created)
    first = f"first at {_minute(overlap.first)} UTC, {after} after they began"
    return (
        f"{overlap.timer.label}: {how_often} while backups may still run, {first}. "
        f"It {CONSEQUENCES[overlap.timer.kind]}."
    )


def show_drills(console: Console, drills: Drills) -> None:
    """Print how often an instance is drilled, and its slots."""
    settings, instance_id = drills.settings, drills.instance_id
    print_line(console, "Drills of drill_backups", style="bold")
    print_line(
        console,
        f"Each instance once in {duration(settings.DRILL_INTERVAL)}, in a slot that its id decides. Drills begin in "
        f"{settings.DRILL_HOURS} UTC, at most {settings.MAX_DRILLS_PER_WEEK} in seven days.",
        indent=2,
    )
    if instance_id is None:
        print_line(console, "--instance ID shows the next slot of an instance.", indent=2)
    if drills.slot:
        print_line(console, f"Slot now   {_slot(drills.slot)}", indent=2)
    if drills.upcoming:
        print_line(console, f"Next slot  {_slot(drills.upcoming)}", indent=2)
    if instance_id and not settings.fence.allows(instance_id):
        print_line(console, f"! ALLOWED_INSTANCES of drill_backups does not include {instance_id}.", indent=2)
    if settings.DRY_RUN:
        print_line(console, "! DRY_RUN is on in the template: nothing is restored.", indent=2)
    console.print()


def _slot(slot: Slot) -> str:
    return f"{slot.begin:%a %Y-%m-%d %H:%M} to {slot.end:%a %Y-%m-%d %H:%M} UTC"


def drills_document(drills: Drills) -> JsonObject:
    """Return the drills as JSON. Times are in UTC, durations in seconds."""
    settings = drills.settings
    slots: dict[str, Json] = {
        name: {"begin": timestamp(slot.begin), "end": timestamp(slot.end)} if slot else None
        for name, slot in (("slot", drills.slot), ("next_slot", drills.upcoming))
    }
    return {
        "interval": int(settings.DRILL_INTERVAL.total_seconds()),
        "hours": str(settings.DRILL_HOURS),
        "most_per_week": settings.MAX_DRILLS_PER_WEEK,
        "dry_run": settings.DRY_RUN,
        "instance_id": drills.instance_id,
        "allowed": drills.instance_id is None or settings.fence.allows(drills.instance_id),
        **slots,
    }


def timer_document(timer: Timer, now: datetime, count: int) -> JsonObject:
    """Return a timer as JSON: its next runs, and the changes of the clock within a year."""
    return {
        "function": timer.function or None,
        "timer": timer.name or None,
        "schedule": timer.text,
        "zone": str(timer.zone),
        "enabled": timer.is_enabled,
        "counts_from_deployment": timer.is_rate,
        "next_runs": [_run(run, timer) for run in timer.next_runs(now, count)],
        "clock_changes": [_change(change, timer) for change in clock_changes(timer, now, now + YEAR)],
    }


def _run(run: datetime, timer: Timer) -> Json:
    return {"local": run.astimezone(timer.zone).isoformat(timespec="seconds"), "utc": timestamp(run)}


def _change(change: ClockChange, timer: Timer) -> Json:
    return {
        "at": timestamp(change.moment),
        "forward_seconds": int(change.forward.total_seconds()),
        "skipped": [moment.isoformat() for moment in change.skipped],
        "twice": [moment.isoformat() for moment in change.twice],
        "last_before": _run(change.last_before, timer) if change.last_before else None,
        "first_after": _run(change.first_after, timer) if change.first_after else None,
    }


def night_document(night: Night) -> JsonObject:
    """Return a night as JSON. Times are in UTC, durations in seconds."""
    done = night.all_done
    return {
        "timer": night.timer.label,
        "created": timestamp(night.created),
        "assumed_duration": int(night.duration.total_seconds()),
        "turns": [
            {
                "function": turn.timer.function,
                "timer": turn.timer.name,
                "at": timestamp(turn.at),
                "after": int((turn.at - night.created).total_seconds()) if turn.at else None,
                "is_latest": turn.is_latest,
            }
            for turn in night.turns
        ],
        "all_done_after": int((done - night.created).total_seconds()) if done else None,
        "without_timer": list[Json](night.missing),
        "overlaps": [
            {
                "function": overlap.timer.function,
                "timer": overlap.timer.name,
                "first": timestamp(overlap.first),
                "created": timestamp(overlap.created),
                "runs": overlap.count,
                "of": overlap.runs,
            }
            for overlap in night.overlaps
        ],
    }
