"""``ddsbackup destroy``: delete what a stack has made."""

import click

from cli.deploy.options import cloud_option, region_option, stack_option, yes_option


@click.command(short_help="Delete what ddsbackup deploy has made.")
@cloud_option
@region_option
@stack_option
@click.option("--dry-run", is_flag=True, help="Show what would be deleted and do nothing.")
@yes_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: every step and what became of it.")
def destroy(cloud: str | None, region: str | None, stack_name: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete the functions, triggers, agencies, policies and topics that a stack has made, and nothing else.

    They are found by the stack's name, so neither the template nor its parameters are needed. Backups are not touched.
    Doing it again does nothing; a step that fails leaves the rest, and the next run goes on from there.

    \b
      ddsbackup destroy --region cn-north-4 --dry-run
      ddsbackup destroy --cloud local --yes
    """
    from rich.text import Text

    from cli.console import make_console
    from cli.deploy.deployment import about, look_around
    from cli.deploy.difference import plan
    from cli.deploy.proceed import proceed
    from cli.deploy.stack import services
    from cli.huaweicloud.access import open_access
    from cli.huaweicloud.resources import Kind

    console = make_console(stderr=True)
    access = open_access(cloud, region)
    console.print(f"Stack {stack_name} in {access.region}, project {access.project_id}")
    where = services(access, stack_name)
    found = look_around(console, where, stack_name)
    steps = plan((), found, stack_name, prune=True)
    others = [item for item in found if item.resource.kind is Kind.SUBSCRIPTION and item.stack != stack_name]
    for item in others:
        console.print(Text(f"With its topic goes, though made otherwise: subscription {item.resource.name}"))
    question = f"Delete all this from {access.region}?"
    is_done = proceed(steps, where, about(access, stack_name), question, yes=yes, dry_run=dry_run, as_json=as_json)
    for note in KEPT if is_done and steps.changes else ():
        console.print(Text(f"Note: {note}"), soft_wrap=True)


KEPT = (
    "the backups are left: they are yours, and nothing prunes them any more.",
    "the logs are left, in the log group that FunctionGraph made.",
)
