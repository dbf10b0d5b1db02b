"""``ddsbackup doctor``: find the usual faults of a deployment, and say what to do about them."""

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
    template_values,
)
from cli.options import allow_file_option, template_option
from cli.package.model import Package, PackagingFailed
from cli.template.model import Function


@click.command(short_help="Check the deployed application.")
@cloud_option
@region_option
@stack_option
@parameter_option
@parameters_file_option
@click.option("--skip-code", is_flag=True, help="Do not compare the code, which needs to package the functions.")
@allow_file_option
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: every finding.")
def doctor(
    cloud: str | None,
    region: str | None,
    stack_name: str,
    given: tuple[str, ...],
    parameters_file: Path | None,
    skip_code: bool,
    allowed: tuple[str, ...],
    template_file: Path | None,
    as_json: bool,
) -> None:
    """Check the deployed application with your own keys, and say what to do.

    It checks the template as ddsbackup validate does. Then it checks keys, clock, project and quotas; functions with
    their code and settings; agencies and their permissions; topics and their subscriptions; triggers, the events of
    timers, and the instances that they name; what stops restore drills, and what they have left. It warns of endpoints
    without TLS, gateways without authentication, and variables that look like misspelt settings. It changes nothing.
    Resources that were created by hand or with Terraform are checked too. Whatever depends on a parameter without a
    value is not compared.

    The exit status is 1 if there is a problem, and 0 otherwise, even with warnings.

    \b
      ddsbackup doctor --region cn-north-4
      ddsbackup doctor --cloud local --skip-code --json
    """
    from cli.console import make_console
    from cli.deploy.deployment import about
    from cli.doctor import account, drills, events, resources
    from cli.doctor.checks import (
        Check,
        Level,
        Stack,
        findings_document,
        print_findings,
        print_totals,
        run_checks,
    )
    from cli.huaweicloud.access import open_access
    from cli.preflight.report import check_template
    from cli.template.load import find_template

    file = template_file or find_template()
    parameters, values = template_values(file, given, parameters_file)
    report = check_template(file, {name: value for name, value in values.items() if not parameters[name].is_secret})
    access = open_access(cloud, region)
    checks = [Check("template", lambda _: events.template(report), needs=())]
    if report.is_whole:  # otherwise most of what is deployed would seem to differ
        checks += [*account.CHECKS, *resources.CHECKS, *events.CHECKS, *drills.CHECKS]
    packages = {} if skip_code or not report.is_whole else _packages(report.template.functions, allowed)
    stack = Stack(access, report.template, stack_name, packages)
    findings = []
    console = make_console()
    for check, found in run_checks(stack, checks):
        findings += [(check, finding) for finding in found]
        if not as_json:
            print_findings(console, check, found)
    has_problem = any(finding.level is Level.PROBLEM for _, finding in findings)
    if as_json:
        document = {**about(access, stack_name), "ok": not has_problem, "findings": findings_document(findings)}
        print(json.dumps(document, ensure_ascii=False))
    else:
        print_totals(console, [finding for _, finding in findings])
    sys.exit(1 if has_problem else 0)


def _packages(functions: Sequence[Function], allowed: Sequence[str]) -> Mapping[str, Package]:
    from cli.deploy.deployment import pack

    try:
        return pack(functions, None, allowed)
    except PackagingFailed as error:
        click.echo(f"The code is not compared, because the functions cannot be packaged: {error.message}", err=True)
        return {}
