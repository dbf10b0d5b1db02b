"""``ddsbackup backups``: what there is to restore."""

import json
from datetime import timezone, tzinfo
from pathlib import Path

import click

from cli.backups.display import document, print_backups
from cli.backups.listing import Rules, chosen, list_everything
from cli.console import make_console
from cli.dds import open_dds
from cli.deploy.options import cloud_option, parameter_option, parameters_file_option, region_option, template_values
from cli.errors import WrongCall, did_you_mean
from cli.options import template_option
from cli.preflight.settings import TOPIC, TOPIC_SETTING, known_variables, read_variables
from cli.template.load import find_template, load_template
from shared.errors import SettingsError
from shared.prune.function import PruneBackupsSettings
from shared.prune.retention import read_retention, read_zone


STATUSES = ("COMPLETED", "BUILDING", "FAILED", "DISABLED")


@click.command(short_help="List the backups that can be restored.")
@click.option("names", "--instance", multiple=True, metavar="NAME", help="Only this instance: name or id. Repeatable.")
@click.option(
    "statuses",
    "--status",
    multiple=True,
    type=click.Choice(STATUSES, case_sensitive=False),
    help="Only backups with this status. Repeatable.",
)
@click.option("retention", "--retention", metavar="RULES", help="Rules to try, such as 'last=3 daily=7'.")
@click.option("zone", "--time-zone", metavar="ZONE", help="With --retention: the time zone of its days. Default: UTC.")
@cloud_option
@region_option
@parameter_option
@parameters_file_option
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document.")
def backups(
    names: tuple[str, ...],
    statuses: tuple[str, ...],
    retention: str | None,
    zone: str | None,
    cloud: str | None,
    region: str | None,
    given: tuple[str, ...],
    parameters_file: Path | None,
    template_file: Path | None,
    as_json: bool,
) -> None:
    """List what there is to restore: all backups by instance, the newest first.

    Manual and automatic backups are listed, also those of deleted instances. Each has its age, begin, size, duration
    and status, who made it, by whose rule it is kept until when, and whether a drill has verified it. The rules are
    those of prune_backups in the template, for the backups of its stack, or those of --retention, for all stacks.

    The keys need the IAM actions dds:instance:list, dds:backup:list and dds:task:list.

    \b
      ddsbackup backups --region cn-north-4
      ddsbackup backups --region cn-north-4 --instance orders --status COMPLETED
      ddsbackup backups --cloud local --retention "last=3 daily=7" --json
    """
    rules = (
        _tried(retention, zone) if retention else _of_template(template_file or find_template(), given, parameters_file)
    )
    if zone and not retention:
        raise click.UsageError("--time-zone needs --retention: the rules of a template have their own time zone")
    dds = open_dds(cloud, region)
    now = dds.clock.now()
    listed = list_everything(dds.list_instances(), dds.list_backups(), rules, dds.list_verified(), now)
    wanted, unknown = chosen(listed, names, statuses)
    if unknown:
        known = [one.name for one in listed]
        hint = did_you_mean(unknown[0], known)
        raise WrongCall(f"no instance and no backup of {unknown[0]!r} is there{hint} Known: {', '.join(known)}")
    if as_json:
        print(json.dumps(document(wanted, rules, now), ensure_ascii=False))
    else:
        print_backups(make_console(), wanted, rules, now)
        place = f"--cloud {cloud}" if cloud else f"--region {region}"
        click.echo(f"To restore one: ddsbackup restore {place} --backup NAME")


def _tried(retention: str, zone: str | None) -> Rules:
    try:
        return Rules(read_retention(retention), read_zone(zone or "UTC"), origin="--retention")
    except ValueError as error:
        raise WrongCall(f"the rules cannot be used: {error}") from error


def _of_template(file: Path, given: tuple[str, ...], parameters_file: Path | None) -> Rules:
    _, values = template_values(file, given, parameters_file)
    template = load_template(file, values)
    for function in template.functions:
        if function.code_uri.name == "prune_backups":
            try:
                variables = {TOPIC_SETTING: TOPIC, **known_variables(PruneBackupsSettings, function)}
                settings = read_variables(PruneBackupsSettings, variables)
            except SettingsError as error:
                raise WrongCall(f"{file}, {function.name}: {error}") from error
            zone: tzinfo = settings.RETENTION_TIME_ZONE
            origin = f"{function.name} in {file.name}"
            return Rules(settings.RETENTION, zone, settings.fence, origin, is_dry_run=settings.DRY_RUN)
    return Rules(None, timezone.utc, origin=file.name)
