"""``ddsbackup report``: whether the backups are recent enough, what comes next, what is proved, and what it costs."""

import json
import sys
from pathlib import Path

import click

from cli.deploy.options import cloud_option, parameter_option, parameters_file_option, region_option, template_values
from cli.errors import WrongCall
from cli.options import template_option


@click.command(short_help="Report whether backups are recent, proved, and what they cost.")
@cloud_option
@region_option
@parameter_option
@parameters_file_option
@template_option
@click.option(
    "--price-backup-gb",
    type=click.FloatRange(min=0),
    metavar="PRICE",
    help="Price of a GB of backup storage per month.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every instance in full, not only those with findings.")
@click.option(
    "html_file",
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the report as one HTML file.",
)
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document.")
def report(
    cloud: str | None,
    region: str | None,
    given: tuple[str, ...],
    parameters_file: Path | None,
    template_file: Path | None,
    price_backup_gb: float | None,
    verbose: bool,
    html_file: Path | None,
    as_json: bool,
) -> None:
    """Report on the backups of all instances: recent enough, what is wrong since when, what comes next, proved, cost.

    Nothing is changed, and nothing has to be deployed for it. The targets are the policies of audit_backups in the
    template, and each instance is judged as audit_backups judges it. The exit status is 1 if anything is wrong.

    The keys need the IAM actions dds:instance:list and dds:backup:list, and for drills dds:task:list.

    \b
      ddsbackup report --region cn-north-4
      ddsbackup report --region cn-north-4 --html report.html --price-backup-gb 0.04
      ddsbackup report --cloud local --json
    """
    from cli.console import make_console
    from cli.dds import open_dds
    from cli.report.document import document
    from cli.report.making import make_report
    from cli.report.read import read_facts
    from cli.report.targets import read_targets
    from cli.report.terminal import show
    from cli.template.load import find_template

    file = template_file or find_template()
    _, values = template_values(file, given, parameters_file)
    dds = open_dds(cloud, region)
    now = dds.clock.now()
    targets = read_targets(file, values, now)
    place = "the local cloud" if cloud else f"the region {region}"
    made = make_report(read_facts(dds, now), targets, now, place, price_backup_gb)
    if html_file:
        from cli.report.page import page

        try:
            html_file.write_text(page(made), encoding="utf-8")
        except OSError as error:
            raise WrongCall(f"cannot write {html_file}: {error.strerror}") from error
    if as_json:
        print(json.dumps(document(made), ensure_ascii=False))
    else:
        show(make_console(), made, all_in_full=verbose)
    sys.exit(0 if made.is_well else 1)
