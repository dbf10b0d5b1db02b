"""``ddsbackup doctor``: what usually goes wrong, and what to do about it."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from cli.deploy.options import (
    cloud_option,
    parameter_option,
    parameters_file_option,
    region_option,
    stack_option,
    values_given,
)
from cli.options import template_option
from cli.package.model import Package, PackagingFailed
from cli.template.model import Function


@click.command(short_help="Check what usually goes wrong in the cloud.")
@cloud_option
@region_option
@stack_option
@parameter_option
@parameters_file_option
@click.option("--skip-code", is_flag=True, help="Do not pack the functions to compare their code.")
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: every finding.")
def doctor(
    cloud: str | None,
    region: str | None,
    stack_name: str,
    given: tuple[str, ...],
    parameters_file: Path | None,
    skip_code: bool,
    template_file: Path | None,
    as_json: bool,
) -> None:
    """Check the deployed application with your own keys, and say what to do.

    Keys, clock, project and quotas; functions, their code and settings; agencies and what they may do; topics and who
    listens; triggers, the events of timers, and the instances that they name. It changes nothing. What was made by
    hand or with Terraform is checked as well. What depends on a parameter that is not given is not compared.

    The exit status is 1 when there is a problem, 0 when there are warnings at most.

    \b
      ddsbackup doctor --region cn-north-4
      ddsbackup doctor --cloud local --skip-code --json
    """
    from cli.console import make_console
    from cli.deploy.deployment import about
    from cli.doctor.checks import run_checks
    from cli.doctor.display import show, show_sum
    from cli.doctor.findings import Level
    from cli.doctor.stack import Stack
    from cli.huaweicloud.access import open_access
    from cli.template.load import find_template, load_template

    file = template_file or find_template()
    parameters = load_template(file).parameters
    values = values_given(parameters, given, parameters_file)
    template = load_template(file, {name: value for name, value in values.items() if not parameters[name].is_secret})
    access = open_access(cloud, region)
    stack = Stack(access, template, stack_name, {} if skip_code else _packages(template.functions))
    findings = []
    console = make_console()
    for check, found in run_checks(stack):
        findings += [(check, finding) for finding in found]
        if not as_json:
            show(console, check, found)
    is_ill = any(finding.level is Level.PROBLEM for _, finding in findings)
    if as_json:
        document = {"ok": not is_ill, "findings": [finding.as_json(check) for check, finding in findings]}
        print(json.dumps({**about(access, stack_name), **document}, ensure_ascii=False))
    else:
        show_sum(console, [finding for _, finding in findings])
    sys.exit(1 if is_ill else 0)


def _packages(functions: Sequence[Function]) -> Mapping[str, Package]:
    from cli.deploy.packing import pack

    try:
        return pack(functions, None)
    except PackagingFailed as error:
        click.echo(f"The code is not compared, since it cannot be packed: {error.message}", err=True)
        return {}
