"""The checks in their order, each on its own: one that fails costs only those that need it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cli.doctor import account, events, notifications, permissions, resources
from cli.doctor.findings import Finding, Level, not_checked
from cli.doctor.stack import Stack
from cli.huaweicloud.errors import ServiceError


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, what it does, and the checks that have to find no problem before."""

    name: str
    run: Callable[[Stack], Iterable[Finding]]
    needs: tuple[str, ...] = ("credentials",)


CHECKS: Sequence[Check] = (
    Check("credentials", account.credentials, needs=()),
    Check("clock", account.clock, needs=()),
    Check("project", account.project),
    Check("quotas", account.quotas),
    Check("functions", resources.functions),
    Check("agencies", resources.agencies),
    Check("permissions", permissions.permissions),
    Check("triggers", resources.triggers),
    Check("settings", events.settings),
    Check("topics", notifications.topics),
    Check("timers", events.timers),
    Check("instances", events.instances),
)


def run_checks(stack: Stack, checks: Sequence[Check] = CHECKS) -> Iterator[tuple[str, list[Finding]]]:
    """Yield the name of each check and what it finds. A call that is refused is no finding: it is not checked."""
    failed: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name in failed]
        found = [not_checked(check.name, f"needs {', '.join(missing)}")] if missing else _run(check, stack)
        if any(finding.level in (Level.PROBLEM, Level.NOT_CHECKED) for finding in found):
            failed.add(check.name)
        yield check.name, found


def _run(check: Check, stack: Stack) -> list[Finding]:
    try:
        return list(check.run(stack))
    except ServiceError as error:
        return [not_checked(check.name, f"{error.operation}: {error.reason}; {error.advice}")]
