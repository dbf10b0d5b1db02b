"""``ddsbackup validate``: check the template before anything is deployed."""

import json
import sys
from pathlib import Path

import click

from cli.deploy.options import parameter_option, parameters_file_option, template_values
from cli.options import template_option
from cli.template.load import find_template


@click.command(short_help="Check the template before anything is deployed.")
@parameter_option
@parameters_file_option
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: findings, and timers with next runs.")
def validate(given: tuple[str, ...], parameters_file: Path | None, template_file: Path | None, as_json: bool) -> None:
    """Check template.yaml without any cloud, and show when its timers run next.

    It checks the schema, the references, the limits of FunctionGraph, the schedules, the requests of timers and the
    settings with the models of the functions that read them, misspelt settings, permissions, and the values of
    parameters. Each finding has its line. Without the value of a parameter, the rest is checked. deploy, terraform,
    package and doctor make the same checks.

    The exit status is 1 if there is an error, and 0 otherwise, even with warnings.

    \b
      ddsbackup validate
      ddsbackup validate --parameters-file production.env --json
    """
    from cli.console import make_console
    from cli.preflight.display import as_document, print_report
    from cli.preflight.report import check_template

    file = template_file or find_template()
    parameters, values = template_values(file, given, parameters_file)
    report = check_template(file, {name: value for name, value in values.items() if not parameters[name].is_secret})
    if as_json:
        print(json.dumps(as_document(report), ensure_ascii=False))
    else:
        print_report(make_console(), report)
    sys.exit(0 if report.ok else 1)
