"""Checks that what is there is what the template says."""

from collections.abc import Iterator

from cli.deploy.difference import Action, Change, FieldChange
from cli.doctor.console import set_in_the_console
from cli.doctor.findings import Finding, ok, problem, warning
from cli.doctor.stack import Stack
from cli.huaweicloud.resources import Kind
from cli.json_value import Json
from cli.template.model import QUEUES


DEPLOY = "ddsbackup deploy makes it so"
HARMFUL = {
    Kind.FUNCTION: {"runtime", "handler", "initializer", "agency", "vpc"},
    Kind.AGENCY: {"trusts"},
    Kind.TRIGGER: {"status"},
}
"""The fields whose difference stops the application from working; any other is a warning."""


def functions(stack: Stack) -> Iterator[Finding]:
    """Each function is there, with the configuration and the code of the template, and nothing keeps it from work."""
    yield from _as_wanted(stack, Kind.FUNCTION)
    yield from set_in_the_console(stack)
    yield from _as_wanted(stack, Kind.ASYNC_INVOCATION)


def agencies(stack: Stack) -> Iterator[Finding]:
    """Each agency is there, for ever, and trusts FunctionGraph."""
    yield from _as_wanted(stack, Kind.AGENCY)


def triggers(stack: Stack) -> Iterator[Finding]:
    """Each trigger is there and on, and reaches its queue."""
    yield from _as_wanted(stack, Kind.TRIGGER)
    for item in stack.of_kind(Kind.TRIGGER):
        fields = item.resource.fields
        wanted = next((one for one in stack.wanted if one.key == item.resource.key), None)
        if fields["status"] == "DISABLED" and wanted and wanted.fields["status"] == "DISABLED":
            yield warning(
                item.resource.name,
                "DISABLED, as the template says: it delivers nothing",
                "ACTIVE",
                "write Status: ACTIVE into the template and deploy, or turn it on in the console",
            )
    yield from _outside_of_vpcs(stack)


def _outside_of_vpcs(stack: Stack) -> Iterator[Finding]:
    """Yield the triggers that poll inside a VPC, of functions that are in none, where no other check says so."""
    functions = stack.of_kind(Kind.FUNCTION)
    outside = {item.resource.name for item in functions if not item.resource.fields["vpc"]}
    compared = {resource.name for resource in stack.wanted if "vpc" in resource.fields}
    for item in stack.of_kind(Kind.TRIGGER):
        function, kind = str(item.resource.fields["function"]), item.resource.fields["type"]
        if kind in QUEUES and function in outside - compared:
            yield problem(
                item.resource.name,
                f"{function} has no access to a VPC, in which a trigger of type {kind} polls",
                "access to the VPC and subnet of the queue",
                "write VpcConfig into the template and deploy, or turn VPC access on in the console",
            )


def _as_wanted(stack: Stack, kind: Kind) -> Iterator[Finding]:
    changes = {change.resource.key: change for change in stack.changes}
    missing = {key for key, change in changes.items() if change.action is Action.CREATE}
    for resource in stack.wanted:
        if resource.kind is kind and not missing.intersection(resource.parents):  # or it is said of them
            change = changes.get(resource.key)
            label = f"{kind.value} {resource.name}"
            yield from _differences(label, change) if change else [ok(label, "as in the template")]


def _differences(label: str, change: Change) -> Iterator[Finding]:
    if change.action is Action.CREATE:
        yield problem(label, "it is not there", "it is there", DEPLOY)
        return
    for field in change.fields:
        judge = problem if field.name in HARMFUL.get(change.resource.kind, ()) else warning
        yield judge(f"{label}: {field.name}", _shown(field, field.old), _shown(field, field.new), DEPLOY)


def _shown(field: FieldChange, value: Json) -> str:
    if field.name == "code":
        return f"SHA-512 {str(value)[:12]}..." if value else "no code"
    if isinstance(value, dict) and isinstance(field.old, dict) and isinstance(field.new, dict):
        names = field.new.keys() | (field.old.keys() if field.name == "variables" else set())
        changed = sorted(name for name in names if field.old.get(name) != field.new.get(name))
        return ", ".join(f"{name}={value.get(name)}" for name in changed)
    return "nothing" if value is None else str(value)
