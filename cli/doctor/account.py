"""Checks of the user's own access: keys, clock, project and quotas."""

from collections.abc import Iterator, Sequence

from cli.doctor.checks import Check, Finding, Stack, not_checked, ok, problem, warning
from cli.huaweicloud.client import ServiceError
from cli.huaweicloud.functiongraph import list_quotas
from cli.huaweicloud.iam import list_projects


LATE = 60.0
"""Seconds of clock skew from which there is a warning."""
TOO_LATE = 900.0
"""Seconds after which a signature is refused (API Gateway, "signature expired")."""

NEARLY = 0.9
"""The share of a quota from which there is a warning."""
QUOTAS = {
    "fgs_func_num": "functions",
    "fgs_func_code_size": "MB of code",
    "fgs_func_qos_limit": "function instances at a time",
}


def credentials(stack: Stack) -> Iterator[Finding]:
    """Check that the cloud accepts the keys."""
    access = stack.access
    key = access.keys.access_key
    try:
        list_quotas(access)
    except ServiceError as error:
        if error.status != 403:  # valid keys that lack a permission
            yield problem(key, error.reason, "keys that are accepted", error.advice)
            return
    yield ok(key, "the keys are accepted")


def clock(stack: Stack) -> Iterator[Finding]:
    """Check this machine's clock, whose time is part of every signature."""
    skew = stack.access.clock_skew
    if skew is None:
        yield not_checked("clock", "no response had the time")
        return
    found = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the service"
    if abs(skew) < LATE:
        yield ok("clock", found)
        return
    level = problem if abs(skew) >= TOO_LATE else warning
    yield level("clock", found, f"at most {TOO_LATE:.0f} s", "set the clock, preferably with NTP")


def project(stack: Stack) -> Iterator[Finding]:
    """Check that the project belongs to the region."""
    access = stack.access
    mine = next((item for item in list_projects(access) if item["id"] == access.project_id), None)
    if mine is None:
        yield problem(
            access.project_id,
            "the account has no such project",
            f"the project of {access.region}",
            "check HUAWEICLOUD_SDK_PROJECT_ID, or leave it out",
        )
    elif mine["name"].split("_")[0] != access.region:
        yield problem(
            access.project_id,
            f"it belongs to {mine['name']}",
            f"the project of {access.region}",
            "check --region and HUAWEICLOUD_SDK_PROJECT_ID",
        )
    else:
        yield ok(access.project_id, f"is {mine['name']}")


def quotas(stack: Stack) -> Iterator[Finding]:
    """Check that the quotas leave room for a deployment."""
    for item in list_quotas(stack.access):
        what, quota, used = QUOTAS.get(item["type"]), item["quota"], item["used"]
        if what is None or quota <= 0:
            continue
        found = f"{used} of {quota} {what}"
        if used >= NEARLY * quota:
            yield warning(item["type"], found, "some left", "delete what is not needed, or request a higher quota")
        else:
            yield ok(item["type"], found)


CHECKS: Sequence[Check] = (
    Check("credentials", credentials, needs=()),
    Check("clock", clock, needs=()),
    Check("project", project),
    Check("quotas", quotas),
)
