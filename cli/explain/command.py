"""``ddsbackup explain``: what a timer, a selector, a retention and an event mean, without changing anything."""

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

import click

from cli.deploy.options import cloud_option, region_option
from cli.errors import WrongCall
from cli.json_value import Json
from cli.options import Duration, Moment, template_option


VERSION = 1
"""The version of the JSON documents. Keys stay; new ones may be added."""


at_option = click.option(
    "at", "--at", type=Moment(), metavar="TIME", help="Explain as of this time, with a zone. Default: now."
)
json_option = click.option("as_json", "--json", is_flag=True, help="Print one JSON document.")


@click.group(short_help="Explain a timer, a selector, a retention or an event.")
def explain() -> None:
    """Explain a timer, a selector, a retention or an event. Nothing is changed: DDS is only asked for lists."""


@explain.command(short_help="Next runs, changes of the clock, and what follows a night.")
@click.argument("timer", metavar="[NAME|SCHEDULE]", required=False)
@click.option("--next", "count", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many next runs.")
@click.option(
    "--duration",
    type=Duration(),
    default="1h",
    show_default=True,
    metavar="DURATION",
    help="How long the backups of a run take. An assumption.",
)
@click.option("--instance", metavar="ID", help="Show the slot of this instance, in which its restore drill begins.")
@at_option
@template_option
@json_option
def timer(
    timer: str | None,
    count: int,
    duration: float,
    instance: str | None,
    at: datetime | None,
    template_file: Path | None,
    as_json: bool,
) -> None:
    """Show the next runs of the template's timers, or of one schedule, in their zone and in UTC.

    NAME is a timer or a function of the template. SCHEDULE is a rate such as 5m or a cron expression. Without either,
    all timers are shown, and what follows the next backups: when each function has had its turn, and which runs come
    while backups may still run. With drill_backups, also how often each instance is drilled.

    \b
      ddsbackup explain timer
      ddsbackup explain timer create_backup --next 10
      ddsbackup explain timer "CRON_TZ=Europe/Berlin 0 30 2 * * ?"
      ddsbackup explain timer drill_backups --instance a89dab5e39394eccbdb77b19d57b0180in02
    """
    from datetime import timedelta

    from cli.console import make_console, print_line
    from cli.explain.inputs import Application
    from cli.explain.night import follow_drills, follow_night
    from cli.explain.timer_view import (
        drills_document,
        night_document,
        show_drills,
        show_night,
        show_timer,
        timer_document,
    )
    from cli.explain.timers import choose_timers
    from shared.drill.function import DrillBackupsSettings

    now = at or datetime.now(timezone.utc)
    application = Application.read(template_file, now)
    chosen = choose_timers(application.timers, timer, now) if timer else list(application.timers)
    nights = [] if timer else follow_night(application.timers, now, timedelta(seconds=duration))
    has_drills = any(one.kind == "drill_backups" for one in chosen)
    settings = application.settings("drill_backups", DrillBackupsSettings) if has_drills else None
    drills = follow_drills(settings, instance, now) if settings else None
    if instance and not drills:
        raise WrongCall("--instance is for the timer of drill_backups, which is not among these timers")
    if as_json:
        facts: dict[str, Json] = {
            "timers": [timer_document(one, now, count) for one in chosen],
            "nights": [night_document(night) for night in nights],
            "drills": drills_document(drills) if drills else None,
        }
        _print_document("timer", now, facts)
        return
    console = make_console()
    if not chosen:
        print_line(console, f"{application.template.file} has no timer with a known schedule.")
    for one in chosen:
        show_timer(console, one, now, count)
    for night in nights:
        show_night(console, night)
    if drills:
        show_drills(console, drills)


@explain.command(short_help="Which backups rules keep, by which rule, and when the others go.")
@click.argument("rules", metavar="[RULES]", required=False)
@click.option("--against", metavar="RULES", help="Compare with other rules, side by side.")
@click.option("--time-zone", metavar="ZONE", help="Where days, weeks and months begin. Default: as in the template.")
@click.option("--weeks", type=click.IntRange(1, 520), default=15, show_default=True, help="How many weeks are shown.")
@click.option("--schedule", metavar="SCHEDULE", help="When backups are made. Default: as in the template.")
@cloud_option
@region_option
@click.option("--instance", metavar="ID", help="With --cloud or --region: the backups that this instance has.")
@click.option("lists_all", "--all", is_flag=True, help="List the backups that have gone, too.")
@at_option
@template_option
@json_option
def retention(
    rules: str | None,
    against: str | None,
    time_zone: str | None,
    weeks: int,
    schedule: str | None,
    cloud: str | None,
    region: str | None,
    instance: str | None,
    lists_all: bool,
    at: datetime | None,
    template_file: Path | None,
    as_json: bool,
) -> None:
    """Show a calendar of backups with the rule that keeps each one, and the day on which it goes.

    RULES are those of prune_backups, such as "last=3 daily=7 weekly=4". Default: as in the template. The backups are
    made by the schedule of create_backup and deleted by the runs of prune_backups. With --cloud or --region and
    --instance, they are the backups that the instance has, and the schedule goes on from now.

    \b
      ddsbackup explain retention
      ddsbackup explain retention "last=3 daily=7 weekly=4" --against "daily=14 monthly=3"
      ddsbackup explain retention "daily=7" --schedule "CRON_TZ=Europe/Berlin 0 0 2 * * ?" --time-zone Europe/Berlin
      ddsbackup explain retention --cloud local --instance a89dab5e39394eccbdb77b19d57b0180in02
    """
    from cli.console import make_console, print_fact, print_line
    from cli.dds import open_dds
    from cli.explain.inputs import Application, existing_backups, read_rules, retention_remarks
    from cli.explain.retention import Existing, foresee, simulate
    from cli.explain.retention_view import differences, show_comparison, show_story, story_document

    is_real = cloud is not None or region is not None
    if is_real != (instance is not None):
        raise click.UsageError("give --instance together with --cloud or --region")
    dds = open_dds(cloud, region) if is_real else None
    now = at or (dds.clock.now() if dds else datetime.now(timezone.utc))
    application = Application.read(template_file, now)
    all_rules = read_rules(application, rules, against, time_zone)
    made, pruned = application.backup_timer(schedule, now), application.prune_timer(now)
    if dds and instance:
        existing = existing_backups(dds, instance, application.prune_settings.fence)
        stories = foresee(existing, made, pruned, all_rules, now)
    else:
        existing, stories = Existing(), simulate(made, pruned, all_rules, now, weeks)
    remarks = list(retention_remarks(application, stories, existing, schedule, now))
    if as_json:
        facts: dict[str, Json] = {
            "instance_id": instance,
            "schedule": made.text,
            "pruned": pruned.text,
            "retentions": [story_document(story) for story in stories],
            "differences": differences(stories[0], stories[1]) if against is not None else None,
            "remarks": list[Json](remarks),
        }
        _print_document("retention", now, facts)
        return
    console = make_console()
    print_fact(console, "Backups", f"{f'of {instance}, then ' if instance else ''}{made.text}")
    print_fact(console, "Pruned", pruned.text)
    if against is not None:
        show_comparison(console, stories[0], stories[1], weeks)
    else:
        show_story(console, stories[0], weeks, lists_all=lists_all)
    for remark in remarks:
        print_line(console, f"! {remark}")


@explain.command(short_help="Which instances a selector selects, and why not the others.")
@click.argument("selector", metavar="JSON|FILE|-")
@cloud_option
@region_option
@template_option
@json_option
def selector(selector: str, cloud: str | None, region: str | None, template_file: Path | None, as_json: bool) -> None:
    """Show which instances a selector selects now, and for each of the others every criterion that it does not meet.

    Give the selector as JSON, or a file with it, or an event of any trigger for create_backup or audit_backups that
    holds one. ALLOWED_INSTANCES is that of create_backup in the template.

    \b
      ddsbackup explain selector '{"tags": {"env": ["production"]}, "exclude": ["orders-*"]}' --cloud local
      ddsbackup explain selector event.json --region cn-north-4
    """
    from cli.console import make_console
    from cli.dds import open_dds
    from cli.explain.inputs import Application, read_json
    from cli.explain.selector import choose, read_selectors, selection_document, show_selection
    from shared.create.function import CreateBackupSettings
    from shared.fleet import Fence

    given = read_selectors(read_json(selector, "selector"))
    dds = open_dds(cloud, region)
    settings = Application.read(template_file, dds.clock.now()).settings("create_backup", CreateBackupSettings)
    instances = dds.list_instances()
    fence = settings.fence if settings else Fence(("*",))
    selections = [choose(place, one, instances, fence) for place, one in given]
    if as_json:
        facts: list[Json] = [selection_document(selection) for selection in selections]
        _print_document("selector", dds.clock.now(), {"selections": facts})
        return
    for selection in selections:
        show_selection(make_console(), selection)


@explain.command(short_help="What an event would do, without doing it.")
@click.argument("event", metavar="FILE|-|JSON")
@click.option("--function", metavar="NAME", help="The function that gets it. Default: the one whose request it holds.")
@cloud_option
@region_option
@template_option
@json_option
def event(
    event: str, function: str | None, cloud: str | None, region: str | None, template_file: Path | None, as_json: bool
) -> None:
    """Show what an event would do: its trigger, what identifies it, and what would happen with each instance.

    The function's own code runs with the settings of the template. It gets the lists of DDS from --cloud or --region;
    what it would create, delete or publish is only noted. Without a cloud, no instance and no backup is known to it.

    \b
      ddsbackup event timer --now | ddsbackup explain event - --cloud local
      ddsbackup explain event event.json --function create_backup --region cn-north-4
    """
    from cli.console import make_console
    from cli.dds import open_dds
    from cli.explain.event import explain_event
    from cli.explain.event_view import explanation_document, show_explanation
    from cli.explain.inputs import Application, read_json

    dds = open_dds(cloud, region) if cloud or region else None
    now = dds.clock.now() if dds else datetime.now(timezone.utc)
    explanation = explain_event(read_json(event, "event"), Application.read(template_file, now), dds, function)
    if as_json:
        _print_document("event", now, explanation_document(explanation))
    else:
        show_explanation(make_console(), explanation)


def _print_document(kind: str, now: datetime, facts: Mapping[str, Json]) -> None:
    from shared.format import timestamp

    print(json.dumps({"version": VERSION, "explains": kind, "as_of": timestamp(now), **facts}, ensure_ascii=False))
