"""One deployment of the application: pack, look, compare, act, and say what is left to the user."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from cli.console import make_console
from cli.deploy.difference import plan
from cli.deploy.display import foreign_message
from cli.deploy.packing import pack
from cli.deploy.proceed import proceed
from cli.deploy.stack import look, services
from cli.deploy.wanted import Application
from cli.errors import WrongCall
from cli.huaweicloud.access import Access
from cli.huaweicloud.resources import Found, Kind, Resource, Service
from cli.json_value import JsonObject
from cli.package.model import Package
from cli.permissions.agencies import agencies
from cli.template.model import Function, Template


Pack = Callable[[Sequence[Function], str | None], Mapping[str, Package]]


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is deployed where.

    Attributes:
        template: with its parameters filled in, but for *secrets*.
        python: such as "3.12"; None for the Runtime of each function.
        pack: makes the packages.
    """

    template: Template
    secrets: Mapping[str, str] = field(repr=False)
    access: Access
    stack: str
    python: str | None = None
    pack: Pack = pack

    def resources(self) -> list[Resource]:
        """Return what is wanted. Raises WrongCall and PackagingFailed."""
        urns = {topic.resource: self.access.topic_urn(topic.name) for topic in self.template.topics}
        packages = self.pack(self.template.functions, self.python)
        return Application(self.template, urns, self.secrets, packages).resources()

    def about(self) -> JsonObject:
        """Return where it is deployed."""
        return about(self.access, self.stack)


def about(access: Access, stack: str) -> JsonObject:
    """Return what a JSON document says of a stack first."""
    return {"stack": stack, "region": access.region, "project_id": access.project_id}


def deploy_stack(deployment: Deployment, *, prune: bool, adopt: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Make the cloud what the template says. Ends the command with status 1 after a failed step."""
    console = make_console(stderr=True)
    access, stack = deployment.access, deployment.stack
    console.print(f"Stack {stack} in {access.region}, project {access.project_id}")
    wanted = deployment.resources()
    where = services(access, stack)
    found = look_around(console, where, stack, wanted)
    steps = plan(wanted, found, stack, prune=prune, adopt=adopt)
    if steps.foreign:
        raise WrongCall(foreign_message(steps.foreign))
    if proceed(steps, where, deployment.about(), "Go on?", yes=yes, dry_run=dry_run, as_json=as_json):
        for note in _notes(deployment.template, wanted, found):
            console.print(Text(f"Note: {note}"), soft_wrap=True)


def look_around(
    console: Console, where: Mapping[Kind, Service], stack: str, wanted: Sequence[Resource] = ()
) -> list[Found]:
    """Return what is there, with a spinner meanwhile."""
    found = []
    with console.status("Looking at what is there"):
        for _, here in look(where, stack, wanted):
            found += here
    return found


def _notes(template: Template, wanted: Sequence[Resource], found: Sequence[Found]) -> Iterator[str]:
    """Yield what is left to the user once everything is there."""
    for agency in agencies(template):
        yield from agency.by_hand
    confirmed = {item.resource.key for item in found if not item.note}
    for resource in wanted:
        if resource.kind is Kind.SUBSCRIPTION and resource.key not in confirmed:
            yield f"{resource.fields['endpoint']} has to confirm the subscription, as a message from SMN asks for."
    there = {item.resource.key: item.resource.fields for item in found}
    for function in template.functions:
        vpc = there.get((Kind.FUNCTION, function.name), {}).get("vpc")
        if isinstance(vpc, dict) and function.vpc_config is None:
            yield (
                f"{function.name} was found in the VPC {vpc['vpc_id']}, which the template does not say: write it into "
                "VpcConfig, so that its agency may reach into it, or turn VPC access off in the console."
            )
    groups = ", ".join(group.name for group in template.log_groups)
    if groups:
        yield (
            f"the log group {groups} is not made here (ddsbackup terraform makes it): the functions log to the group "
            "that FunctionGraph makes."
        )
