"""Checks that the deployed resources are as in the template, and that each agency has the permissions it needs."""

from collections.abc import Iterator, Sequence
from typing import Any

from cli.deploy.plan import Action, Change, FieldChange
from cli.doctor.checks import Check, Finding, Stack, ok, problem, warning
from cli.huaweicloud.iam import list_inherited_policies
from cli.huaweicloud.resources import Found, Kind
from cli.json_value import Json
from cli.permissions.agencies import Agency, allowed_actions, has_role, missing_actions
from cli.permissions.agencies import agencies as wanted_agencies
from cli.permissions.existing import look_up_existing
from cli.preflight.exposure import exposed_gateway
from cli.template.model import QUEUES


DEPLOY = "run ddsbackup deploy"
HARMFUL = {
    Kind.FUNCTION: {"runtime", "handler", "initializer", "agency", "vpc"},
    Kind.AGENCY: {"trusts"},
    Kind.TRIGGER: {"status"},
}
"""The fields whose difference stops the application from working. Any other difference is a warning."""

DISABLED = 0
"""The concurrency of a disabled function (FunctionGraph API, StrategyConfig)."""


def functions(stack: Stack) -> Iterator[Finding]:
    """Check that each function has the configuration and code of the template, and that no other setting stops it."""
    yield from _as_wanted(stack, Kind.FUNCTION)
    yield from _console_settings(stack)
    yield from _as_wanted(stack, Kind.ASYNC_INVOCATION)


def _console_settings(stack: Stack) -> Iterator[Finding]:
    """Yield settings made in the console, which the template does not have, that stop or change a function."""
    for function, found in stack.deployed():
        fields = found.resource.fields
        label = f"function {function.name}"
        vpc, agency = fields["vpc"], fields["execution_agency"]
        if fields["concurrency"] == DISABLED:
            yield problem(f"{label}: concurrency", "it is disabled", "it runs", "enable it in the console")
        if agency and agency != fields["agency"]:
            yield problem(
                f"{label}: execution agency",
                f"its code runs under {agency}",
                f"under {fields['agency']}, whose permissions are checked here",
                "remove the execution agency in the console",
            )
        if isinstance(vpc, dict) and function.vpc_config is None:
            yield warning(
                f"{label}: vpc",
                f"it is in the VPC {vpc['vpc_id']}",
                "none, as in the template",
                "add it as VpcConfig, so that the agency gets the permissions for it, or turn off VPC access in the "
                "console",
            )


def agencies(stack: Stack) -> Iterator[Finding]:
    """Check that each agency exists, does not expire, and trusts FunctionGraph."""
    yield from _as_wanted(stack, Kind.AGENCY)


def permissions(stack: Stack) -> Iterator[Finding]:
    """Check that the policies of each agency, on the project and on all projects, allow what it needs and no more.

    An agency that is not deployed has to exist and to allow what is needed. What it allows besides is not judged.
    """
    there = {item.resource.name: item for item in stack.of_kind(Kind.AGENCY)}
    for agency in wanted_agencies(stack.template):
        if agency.name in there:  # another check reports a missing agency
            yield _judge(agency, list(_documents(stack, there[agency.name])))
            yield from _confined(stack, agency)
    for existing in look_up_existing(stack.access, stack.template):
        subject, faults = f"agency {existing.agency.name}, which is not deployed", list(existing.faults())
        for found, expected in faults:
            yield problem(subject, found, expected, "correct the agency in IAM, or its name in the template")
        if not faults:
            yield ok(subject, "as its functions need it")


def _confined(stack: Stack, agency: Agency) -> Iterator[Finding]:
    """Check that the agency has its confined policy in its enterprise project, and in no other."""
    policy = agency.confined_policy_name
    places = {
        str(item.resource.fields["enterprise_project"])
        for item in stack.of_kind(Kind.GRANT)
        if item.resource.fields["policy"] == policy and "enterprise_project" in item.resource.fields
    }
    subject, wanted = (
        f"{policy} of {agency.name}",
        {agency.enterprise_project} if agency.confined_actions else set[str](),
    )
    if places - wanted:
        yield problem(
            subject,
            f"is granted in the enterprise project {', '.join(sorted(places - wanted))}",
            f"only in {', '.join(wanted)}" if wanted else "nowhere, because the template names no enterprise project",
            "run ddsbackup deploy --prune",
        )
    elif wanted - places:
        yield problem(
            subject,
            "is not granted, so that no instance can be made or deleted",
            f"granted in the enterprise project {agency.enterprise_project}",
            "run ddsbackup deploy; a grant takes a while to take effect",
        )
    elif wanted:
        yield ok(subject, f"granted in the enterprise project {agency.enterprise_project} only")


def _documents(stack: Stack, agency: Found) -> Iterator[dict[str, Any]]:
    for grant in stack.of_kind(Kind.GRANT):
        document = grant.resource.fields.get("document")
        if grant.resource.fields["agency"] == agency.resource.name and isinstance(document, dict):
            yield document
    yield from (role["policy"] for role in list_inherited_policies(stack.access, agency.id) if role.get("policy"))


def _judge(agency: Agency, documents: Sequence[dict[str, Any]]) -> Finding:
    lacking = missing_actions(agency, documents)
    subject = f"permissions of {agency.name}"
    if lacking and has_role(documents):
        return warning(
            subject,
            f"has system-defined roles, but no policy that allows {', '.join(lacking)}",
            f"may {', '.join(agency.actions)}, and nothing else",
            "replace the roles by the policy that ddsbackup permissions prints",
        )
    if lacking:
        return problem(
            subject,
            f"may not {', '.join(lacking)}",
            f"may {', '.join(agency.actions)}",
            "run ddsbackup deploy, or paste what ddsbackup permissions prints; a grant takes a while to take effect",
        )
    needed = {action.lower() for action in agency.actions}
    beyond = sorted(pattern for pattern in allowed_actions(documents) if pattern not in needed)
    if beyond:
        shown = ", ".join(beyond[:5]) + (f" and {len(beyond) - 5} more" if len(beyond) > 5 else "")
        return warning(
            subject,
            f"may also {shown}",
            "only what its functions call",
            "remove the other policies from the agency: ddsbackup permissions prints the one that it needs",
        )
    return ok(subject, "as needed, and no more")


def triggers(stack: Stack) -> Iterator[Finding]:
    """Check that each trigger exists, is enabled, reaches its queue, and lets nobody in who has no credentials."""
    yield from _as_wanted(stack, Kind.TRIGGER)
    for item in stack.of_kind(Kind.TRIGGER):
        fields = item.resource.fields
        wanted = next((one for one in stack.wanted if one.key == item.resource.key), None)
        if fields["status"] == "DISABLED" and wanted and wanted.fields["status"] == "DISABLED":
            yield warning(
                item.resource.name,
                "DISABLED, as in the template: it delivers nothing",
                "ACTIVE",
                "set Status: ACTIVE in the template and deploy, or enable it in the console",
            )
        data = fields["event_data"]
        for _, found, expected, what_to_do in exposed_gateway(
            str(fields["type"]), data if isinstance(data, dict) else {}
        ):
            yield warning(
                item.resource.name, found, expected, f"{what_to_do} in the template and deploy, or in the console"
            )
    yield from _outside_of_vpcs(stack)


def _outside_of_vpcs(stack: Stack) -> Iterator[Finding]:
    """Yield the triggers that poll inside a VPC, if their function is in none and no other check reports that."""
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
                "add VpcConfig to the template and deploy, or turn on VPC access in the console",
            )


def _as_wanted(stack: Stack, kind: Kind) -> Iterator[Finding]:
    changes = {change.resource.key: change for change in stack.changes}
    missing = {key for key, change in changes.items() if change.action is Action.CREATE}
    for resource in stack.wanted:
        if resource.kind is kind and not missing.intersection(resource.parents):  # a missing parent is one finding
            change = changes.get(resource.key)
            label = f"{kind.value} {resource.name}"
            yield from _differences(label, change) if change else [ok(label, "as in the template")]


def _differences(label: str, change: Change) -> Iterator[Finding]:
    if change.action is Action.CREATE:
        yield problem(label, "it does not exist", "it exists", DEPLOY)
        return
    for field in change.fields:
        level = problem if field.name in HARMFUL.get(change.resource.kind, ()) else warning
        yield level(f"{label}: {field.name}", _shown(field, field.old), _shown(field, field.new), DEPLOY)


def _shown(field: FieldChange, value: Json) -> str:
    if field.name == "code":
        return f"SHA-512 {str(value)[:12]}..." if value else "no code"
    if isinstance(value, dict) and isinstance(field.old, dict) and isinstance(field.new, dict):
        names = field.new.keys() | (field.old.keys() if field.name == "variables" else set())
        changed = sorted(name for name in names if field.old.get(name) != field.new.get(name))
        return ", ".join(f"{name}={value.get(name)}" for name in changed)
    return "nothing" if value is None else str(value)


CHECKS: Sequence[Check] = (
    Check("functions", functions),
    Check("agencies", agencies),
    Check("permissions", permissions),
    Check("triggers", triggers),
)
