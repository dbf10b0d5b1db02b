"""``ddsbackup deploy`` and ``ddsbackup destroy``: create, update and delete the application in a cloud."""

from functools import partial
from pathlib import Path

import click

from cli.console import is_interactive
from cli.deploy.options import (
    all_values,
    ask,
    cloud_option,
    parameter_option,
    parameters_file_option,
    region_option,
    stack_option,
    template_values,
    yes_option,
)
from cli.options import allow_file_option, template_option
from cli.package.model import PYTHONS
from cli.template.load import find_template


@click.command(short_help="Create or update the application in a cloud.")
@cloud_option
@region_option
@stack_option
@parameter_option
@parameters_file_option
@click.option("--python", type=click.Choice(PYTHONS), help="Package for this Python. Default: the template's Runtime.")
@click.option("--adopt", is_flag=True, help="Take over existing resources that have a wanted name but no stack.")
@click.option("--prune", is_flag=True, help="Delete resources of the stack that the template does not have.")
@click.option("--dry-run", is_flag=True, help="Show the changes without making them.")
@allow_file_option
@yes_option
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: every step and its state.")
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
    allowed: tuple[str, ...],
    yes: bool,
    template_file: Path | None,
    as_json: bool,
) -> None:
    """Create or update the topics, agencies, policies, functions and triggers of template.yaml.

    The command checks the template as ddsbackup validate does, and stops if there is an error. It packages the
    functions, shows the changes, asks for confirmation, and makes them. A second run changes nothing. After a failed
    step, earlier steps stay done and the next run continues from there. The command changes only what it has created
    itself, which has the name of the stack in its description (a topic in its tag ddsbackup-stack).

    For the real cloud, the keys are read from HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK and, for temporary keys,
    HUAWEICLOUD_SDK_SECURITY_TOKEN, or from ~/.huaweicloud/credentials.

    \b
      ddsbackup deploy --region cn-north-4 --parameter NotifyEmail=dba@example.com --parameter InstanceId=...
      ddsbackup deploy --region cn-north-4 --parameters-file production.env --dry-run
      ddsbackup deploy --cloud local --parameters-file test.env --yes --json
    """
    from cli.deploy.deployment import Deployment, deploy_stack, pack
    from cli.huaweicloud.access import open_access
    from cli.preflight.display import valid_template
    from cli.preflight.report import check_template

    file = template_file or find_template()
    parameters, known = template_values(file, given, parameters_file)
    values = all_values(parameters, known, ask if is_interactive() and not yes else None)
    secrets = {name: value for name, value in values.items() if parameters[name].is_secret}
    report = check_template(file, {name: value for name, value in values.items() if name not in secrets})
    template = valid_template(report, as_json=as_json)
    access = open_access(cloud, region)
    deploy_stack(
        Deployment(template, secrets, access, stack_name, python, partial(pack, allowed=allowed)),
        prune=prune,
        adopt=adopt,
        dry_run=dry_run,
        yes=yes,
        as_json=as_json,
    )


@click.command(short_help="Delete what ddsbackup deploy has created.")
@cloud_option
@region_option
@stack_option
@click.option("--dry-run", is_flag=True, help="Show the deletions without making them.")
@yes_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: every step and its state.")
def destroy(cloud: str | None, region: str | None, stack_name: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete the functions, triggers, agencies, policies and topics that a stack has created, and nothing else.

    The name of the stack identifies them, so that neither the template nor its parameters are needed. Backups are
    kept. After a failed step, the next run continues from there.

    \b
      ddsbackup destroy --region cn-north-4 --dry-run
      ddsbackup destroy --cloud local --yes
    """
    from cli.deploy.deployment import destroy_stack
    from cli.huaweicloud.access import open_access

    destroy_stack(open_access(cloud, region), stack_name, dry_run=dry_run, yes=yes, as_json=as_json)
