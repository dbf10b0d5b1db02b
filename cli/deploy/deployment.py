"""One deployment: package, look up, compare, confirm, make the changes, and say what is left for the user to do."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.text import Text

from cli.console import is_interactive, make_console
from cli.deploy.application import Application
from cli.deploy.consequences import consequences
from cli.deploy.display import Progress, foreign_message, plan_document, print_failure, print_plan
from cli.deploy.plan import Plan, plan
from cli.deploy.steps import carry_out
from cli.errors import WrongCall
from cli.huaweicloud.access import Access
from cli.huaweicloud.client import ServiceError
from cli.huaweicloud.functiongraph import AsyncInvocations, Functions, Triggers
from cli.huaweicloud.iam import Agencies, Grants, Policies
from cli.huaweicloud.resources import Found, Kind, Resource, Service
from cli.huaweicloud.smn import Subscriptions, Topics
from cli.json_value import JsonObject
from cli.package.archive import fitting_uploads
from cli.package.build import build_packages, notices
from cli.package.display import make_observer, make_progress
from cli.package.model import Package, PackagingFailed
from cli.permissions.agencies import agencies
from cli.permissions.existing import look_up_existing
from cli.template.model import Function, Template


Meaning = Callable[[], Sequence[str]]
"""Says what the state after a failed step means for the backups."""

Pack = Callable[[Sequence[Function], str | None], Mapping[str, Package]]

OUT = Path("build")
API = "API"
"""The name of the upload through FunctionGraph's API."""
FAILED = 1
"""The exit status after a failed step."""

KEPT = (
    "the backups are kept, and nothing prunes them any more.",
    "the logs are kept, in the log group that FunctionGraph created.",
)
"""What destroy leaves."""


def pack(functions: Sequence[Function], python: str | None, allowed: Sequence[str] = ()) -> Mapping[str, Package]:
    """Write the packages to ``build``, with progress on standard error. Returns them by function name.

    *allowed* are patterns of files that look like secrets and are none. Raises PackagingFailed.
    """
    console = make_console(stderr=True)
    with make_progress(console) as progress:
        observer = make_observer(console, progress)
        for notice in notices(functions, None):
            observer.warn(notice)
        packages = build_packages(functions, out=OUT, observer=observer, python=python, allowed=allowed)
    for package in packages:
        if API not in {way.name for way in fitting_uploads(package.size, package.unpacked_size)}:
            raise PackagingFailed(
                f"{package.path} is too large for FunctionGraph's API, which accepts 50 MB: upload it through OBS, as "
                "ddsbackup terraform does"
            )
    return {package.function.name: package for package in packages}


@dataclass(frozen=True, slots=True)
class Deployment:
    """A template, and where to deploy it.

    Attributes:
        template: with all parameters filled in except *secrets*.
        python: such as "3.12"; None for the Runtime of each function.
        pack: creates the packages.
    """

    template: Template
    secrets: Mapping[str, str] = field(repr=False)
    access: Access
    stack: str
    python: str | None = None
    pack: Pack = pack

    def resources(self) -> list[Resource]:
        """Return the wanted resources. Raises WrongCall and PackagingFailed."""
        urns = {topic.resource: self.access.topic_urn(topic.name) for topic in self.template.topics}
        packages = self.pack(self.template.functions, self.python)
        return Application(self.template, urns, self.secrets, packages).resources()


def deploy_stack(deployment: Deployment, *, prune: bool, adopt: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Create and update the resources of *deployment*. Exits with status 1 after a failed step."""
    console = make_console(stderr=True)
    access, stack = deployment.access, deployment.stack
    console.print(f"Stack {stack} in {access.region}, project {access.project_id}")
    wanted = deployment.resources()
    where = services(access, stack)
    with console.status("Looking up what exists"):
        found = look_up(where, stack, wanted)
        warnings = _existing_agencies(deployment)
    for warning in warnings:
        console.print(Text(f"Warning: {warning}"), soft_wrap=True)
    steps = plan(wanted, found, stack, prune=prune, adopt=adopt)
    if steps.foreign:
        raise WrongCall(foreign_message(steps.foreign))

    def meaning() -> list[str]:
        try:
            now = {item.resource.key: item.resource for item in look_up(where, stack, wanted)}
        except ServiceError as error:
            return [f"What this means for the backups is not known, because the lookup failed: {error.reason}."]
        before = {item.resource.key: item.resource for item in found}
        return [*consequences(deployment.template, wanted, now, before)]

    if _proceed(
        steps, where, about(access, stack), "Go on?", access.sleep, meaning, yes=yes, dry_run=dry_run, as_json=as_json
    ):
        for note in _notes(deployment.template, wanted, found):
            console.print(Text(f"Note: {note}"), soft_wrap=True)


def _existing_agencies(deployment: Deployment) -> list[str]:
    """Return a sentence for each fault of an agency that the template names and does not describe.

    Raises WrongCall for one that does not exist.
    """
    sentences = []
    try:
        for existing in look_up_existing(deployment.access, deployment.template):
            name, functions = existing.agency.name, ", ".join(existing.agency.functions)
            if not existing.is_there:
                raise WrongCall(
                    f"there is no agency {name}, under which {functions} should run: create it, correct its name, or "
                    "give the function Permissions in the template, so that deploy makes it"
                )
            sentences += [f"the agency {name}: {found}, expected {expected}." for found, expected in existing.faults()]
    except ServiceError as error:
        sentences.append(f"the agencies that are not deployed are not checked: {error.reason}.")
    return sentences


def destroy_stack(access: Access, stack: str, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete the resources of *stack*. Exits with status 1 after a failed step."""
    console = make_console(stderr=True)
    console.print(f"Stack {stack} in {access.region}, project {access.project_id}")
    where = services(access, stack)
    with console.status("Looking up what exists"):
        found = look_up(where, stack)
    steps = plan((), found, stack, prune=True)
    for item in found:
        if item.resource.kind is Kind.SUBSCRIPTION and item.stack != stack:
            text = f"Deleted with its topic, although the stack did not create it: subscription {item.resource.name}"
            console.print(Text(text))
    question = f"Delete all this from {access.region}?"
    if not found and (others := stacks(access)):
        console.print(f"There is no stack {stack}. There are: {', '.join(others)}", soft_wrap=True)
    is_done = _proceed(
        steps, where, about(access, stack), question, access.sleep, tuple, yes=yes, dry_run=dry_run, as_json=as_json
    )
    for note in KEPT if is_done and steps.changes else ():
        console.print(Text(f"Note: {note}"), soft_wrap=True)


def stacks(access: Access) -> list[str]:
    """Return the names of the stacks that have a function in the project. Raises ServiceError."""
    return sorted(Functions(access, "").stacks())


def about(access: Access, stack: str) -> JsonObject:
    """Return the first fields of every JSON document about a stack."""
    return {"stack": stack, "region": access.region, "project_id": access.project_id}


def services(access: Access, stack: str) -> dict[Kind, Service]:
    """Return the service of each kind of resource, in the order of creation."""
    policies, agencies = Policies(access, stack), Agencies(access, stack)
    return {
        Kind.TOPIC: Topics(access, stack),
        Kind.SUBSCRIPTION: Subscriptions(access, stack),
        Kind.POLICY: policies,
        Kind.AGENCY: agencies,
        Kind.GRANT: Grants(access, agencies, policies),
        Kind.FUNCTION: Functions(access, stack),
        Kind.ASYNC_INVOCATION: AsyncInvocations(access),
        Kind.TRIGGER: Triggers(access),
    }


def look_up(where: Mapping[Kind, Service], stack: str, wanted: Sequence[Resource] = ()) -> list[Found]:
    """Return the resources that belong to *stack* or have the name of a *wanted* one, in the order of the kinds.

    Raises ServiceError, but not for a kind that the user may not list and nothing wants.
    """
    found: list[Found] = []
    for kind, service in where.items():
        names = {resource.name for resource in wanted if resource.kind is kind}
        try:
            found += list(service.find(names, stack, found))
        except ServiceError as error:
            if error.status != 403 or names or not wanted:
                raise
    return found


def _proceed(
    plan: Plan,
    where: Mapping[Kind, Service],
    about: JsonObject,
    question: str,
    sleep: Callable[[float], None],
    meaning: Meaning,
    *,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> bool:
    """Show *plan* and carry it out once the user agrees. Returns whether the stack is now as planned.

    The steps go to standard error. With *as_json*, a document of *about* and the plan goes to standard output. Exits
    with status 1 after a failed step and after a no, with 130 after Ctrl-C and 143 after SIGTERM. Raises WrongCall if
    the command cannot ask.
    """
    console = make_console(stderr=True)
    print_plan(make_console() if dry_run and not as_json else console, plan)
    if dry_run or not plan.changes:
        if as_json:
            print(json.dumps({**about, **plan_document(plan)}, ensure_ascii=False))
        return not dry_run
    if not yes:
        if not is_interactive():
            raise WrongCall("cannot ask for confirmation: give --yes to go on, or --dry-run to see only the changes")
        if not click.confirm(question, err=True):
            console.print("Nothing was changed.")
            sys.exit(FAILED)
    result = carry_out(plan.changes, where, Progress(console), sleep)
    means = meaning() if result.failed else ()
    if as_json:
        print(json.dumps({**about, **plan_document(plan, result, means)}, ensure_ascii=False))
    if result.failed:
        print_failure(console, result, means)
        sys.exit(result.exit_status or FAILED)
    return True


def _notes(template: Template, wanted: Sequence[Resource], found: Sequence[Found]) -> Iterator[str]:
    """Yield what is left for the user to do."""
    for agency in agencies(template):
        yield from agency.by_hand
    confirmed = {item.resource.key for item in found if not item.note}
    for resource in wanted:
        if resource.kind is Kind.SUBSCRIPTION and resource.key not in confirmed:
            yield f"{resource.fields['endpoint']} has to confirm the subscription: SMN has sent a message with a link."
    there = {item.resource.key: item.resource.fields for item in found}
    for function in template.functions:
        vpc = there.get((Kind.FUNCTION, function.name), {}).get("vpc")
        if isinstance(vpc, dict) and function.vpc_config is None:
            yield (
                f"{function.name} is in the VPC {vpc['vpc_id']}, which the template does not have: add it as "
                "VpcConfig, so that its agency gets the permissions for it, or turn off VPC access in the console."
            )
    groups = ", ".join(group.name for group in template.log_groups)
    if groups:
        yield (
            f"ddsbackup deploy does not create the log group {groups} (ddsbackup terraform does): the functions log to "
            "the group that FunctionGraph creates."
        )
