"""Checks of restore drills: what stops them, what they have left, and what lies in their enterprise project."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from cli.doctor.checks import Check, Finding, Stack, ok, problem, warning
from cli.preflight.settings import TOPIC, TOPIC_SETTING, known_variables, read_variables
from shared.drill.function import DrillBackupsSettings
from shared.drill.interlocks import FULL_BIN
from shared.drills import GRACE, DrillName
from shared.errors import SettingsError
from shared.format import counted


def drills(stack: Stack, now: datetime | None = None) -> Iterator[Finding]:
    """Check the recycle bin, the quotas and the instances, if drills are on. *now* is the present by default."""
    settings = _settings(stack)
    if settings is None or settings.DRY_RUN:
        return
    yield _recycle_bin(stack)
    yield from _quotas(stack)
    yield from _left(stack.instances, settings, now or datetime.now(timezone.utc))
    yield _place(stack.instances, str(settings.DRILL_ENTERPRISE_PROJECT_ID))


def _settings(stack: Stack) -> DrillBackupsSettings | None:
    """Return the settings of drill_backups in the template, None without it. Wrong ones are another check's."""
    for function in stack.template.functions:
        if function.code_uri.name == "drill_backups":
            try:
                given = known_variables(DrillBackupsSettings, function)
                return read_variables(DrillBackupsSettings, {TOPIC_SETTING: TOPIC, **given})
            except SettingsError:
                return None
    return None


def _recycle_bin(stack: Stack) -> Finding:
    count = stack.access.count_recycled()
    if count > FULL_BIN:
        return warning(
            "recycle bin of DDS",
            f"{count} instances: no drill begins",
            f"at most {FULL_BIN}, since deletions are final when it is full",
            "wait until DDS removes them, or shorten the recycling policy in the console of DDS",
        )
    return ok("recycle bin of DDS", counted(count, "instance"))


def _quotas(stack: Stack) -> Iterator[Finding]:
    for item in stack.access.list_quotas():
        if item["used"] >= item["quota"]:
            yield warning(
                f"quota of {item['mode']} instances",
                f"all {item['quota']} are used: no backup of such an instance can be drilled",
                "one that is free",
                "delete instances that nobody needs, or apply for a higher quota",
            )


def _left(instances: Sequence[Mapping[str, Any]], settings: DrillBackupsSettings, now: datetime) -> Iterator[Finding]:
    """Yield the instances of drills that should be gone."""
    for item in instances:
        if DrillName.parse(item["name"]) is None:
            continue
        created = datetime.fromisoformat(item["created"][:19]).replace(tzinfo=timezone.utc)
        if now - created > settings.DRILL_MAX_AGE + GRACE:
            yield problem(
                f"instance {item['id']}",
                f"{item['name']} exists since {item['created']}",
                f"deleted after {settings.DRILL_MAX_AGE}",
                "read the log of drill_backups, or delete the instance in the console: it costs money",
            )


def _place(instances: Sequence[Mapping[str, Any]], place: str) -> Finding:
    """Return whether the enterprise project of the drills has nothing else."""
    there = [item for item in instances if str(item.get("enterprise_project_id")) == place]
    others = [item["name"] for item in there if DrillName.parse(item["name"]) is None]
    subject = f"enterprise project {place}"
    if others:
        return problem(
            subject,
            f"has {', '.join(others[:5])}, which no drill has made: the agency of the drills may delete it",
            "only instances of drills",
            "move these instances to another enterprise project, or give the drills one of their own",
        )
    return ok(subject, f"{counted(len(there), 'instance')}, all of drills")


CHECKS: Sequence[Check] = (Check("drills", drills),)
