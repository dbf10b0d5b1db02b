"""``ddsbackup deploy``: from the template to what runs in the cloud."""

from pathlib import Path

import click

from cli.deploy.options import (
    ask,
    cloud_option,
    is_interactive,
    parameter_option,
    parameters_file_option,
    region_option,
    stack_option,
    values_given,
    yes_option,
)
from cli.deploy.parameters import all_values
from cli.options import template_option
from cli.package.model import PYTHONS
from cli.template.load import find_template, load_template


@click.command(short_help="Create or update the application in the cloud.")
@cloud_option
@region_option
@stack_option
@parameter_option
@parameters_file_option
@click.option("--python", type=click.Choice(PYTHONS), help="Pack for this Python. Default: the template's Runtime.")
@click.option("--adopt", is_flag=True, help="Take over what has a wanted name and was not made by a stack.")
@click.option("--prune", is_flag=True, help="Delete what the stack has and the template does not.")
@click.option("--dry-run", is_flag=True, help="Show the difference and do nothing.")
@yes_option
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: every step and what became of it.")
def deploy(
    cloud: str | None,
    region: str | None,
    stack_name: str,
    given: tuple[str, ...],
    parameters_file: Path | None,
    python: str | None,
    adopt: bool,
    prune: bool,
    dry_run: bool,
    yes: bool,
    template_file: Path | None,
    as_json: bool,
) -> None:
    """Create or update what template.yaml describes: topics, agencies with their policies, functions, triggers.

    It packs the functions, shows the difference to what is there, asks, and acts. Doing it again does nothing; a step
    that fails leaves what was done, and the next run goes on from there. It touches only what it made itself, which
    carries the name of the stack in its description (a topic: in its tag ddsbackup-stack).

    The real cloud is called with the keys in HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (with temporary ones
    HUAWEICLOUD_SDK_SECURITY_TOKEN too), or in ~/.huaweicloud/credentials.

    \b
      ddsbackup deploy --region cn-north-4 --parameter NotifyEmail=dba@example.com --parameter InstanceId=...
      ddsbackup deploy --region cn-north-4 --parameters-file production.env --dry-run
      ddsbackup deploy --cloud local --parameters-file test.env --yes --json
    """
    from cli.deploy.deployment import Deployment, deploy_stack
    from cli.huaweicloud.access import open_access

    file = template_file or find_template()
    parameters = load_template(file).parameters
    known = values_given(parameters, given, parameters_file)
    values = all_values(parameters, known, ask if is_interactive() and not yes else None)
    secrets = {name: value for name, value in values.items() if parameters[name].is_secret}
    template = load_template(file, {name: value for name, value in values.items() if name not in secrets})
    access = open_access(cloud, region)
    deploy_stack(
        Deployment(template, secrets, access, stack_name, python),
        prune=prune,
        adopt=adopt,
        dry_run=dry_run,
        yes=yes,
        as_json=as_json,
    )
