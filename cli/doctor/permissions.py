"""Checks that each agency may do what its functions do, and no more, whoever granted it what."""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from cli.doctor.findings import Finding, ok, problem, warning
from cli.doctor.stack import Stack
from cli.huaweicloud.inquiries import list_inherited_policies
from cli.huaweicloud.resources import Found, Kind
from cli.permissions.agencies import Agency
from cli.permissions.agencies import agencies as wanted_agencies


ROLE = "1.0"
"""The version of system-defined roles, which allow more than their actions tell (IAM API, Custom Policy Management)."""


def permissions(stack: Stack) -> Iterator[Finding]:
    """The policies that an agency has on the project, and on all projects, allow what is needed."""
    there = {item.resource.name: item for item in stack.of_kind(Kind.AGENCY)}
    for agency in wanted_agencies(stack.template):
        if agency.name in there:  # that it is missing says another check
            yield _judge(agency, list(_documents(stack, there[agency.name])))


def _documents(stack: Stack, agency: Found) -> Iterator[dict[str, Any]]:
    for grant in stack.of_kind(Kind.GRANT):
        document = grant.resource.fields.get("document")
        if grant.resource.fields["agency"] == agency.resource.name and isinstance(document, dict):
            yield document
    yield from (role["policy"] for role in list_inherited_policies(stack.access, agency.id) if role.get("policy"))


def _judge(agency: Agency, documents: Sequence[dict[str, Any]]) -> Finding:
    statements = [statement for document in documents for statement in document.get("Statement") or ()]
    allowed = {pattern for statement in statements if statement["Effect"] == "Allow" for pattern in _actions(statement)}
    denied = {pattern for statement in statements if statement["Effect"] == "Deny" for pattern in _actions(statement)}
    lacking = [action for action in agency.actions if not _any_matches(allowed, action) or _any_matches(denied, action)]
    subject = f"permissions of {agency.name}"
    if lacking and any(document.get("Version") == ROLE for document in documents):
        return warning(
            subject,
            f"has system-defined roles, and no policy that allows {', '.join(lacking)}",
            f"may {', '.join(agency.actions)}, and nothing else",
            "give it the policy that ddsbackup permissions prints in place of the roles",
        )
    if lacking:
        return problem(
            subject,
            f"may not {', '.join(lacking)}",
            f"may {', '.join(agency.actions)}",
            "ddsbackup deploy grants it, or paste what ddsbackup permissions prints; a grant takes a while to count",
        )
    beyond = sorted(pattern for pattern in allowed if pattern not in {action.lower() for action in agency.actions})
    if beyond:
        shown = ", ".join(beyond[:5]) + (f" and {len(beyond) - 5} more" if len(beyond) > 5 else "")
        return warning(
            subject,
            f"may also {shown}",
            "only what its functions call",
            "take the other policies from the agency: ddsbackup permissions prints the one it needs",
        )
    return ok(subject, "as needed, and no more")


def _actions(statement: dict[str, Any]) -> Iterable[str]:
    # Actions are told apart without regard to case (IAM API, Creating a Custom Policy).
    return (str(action).lower() for action in statement.get("Action") or ())


def _any_matches(patterns: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern) for pattern in patterns)
