"""Instances and backups as DDS would list them, and an audit of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from shared.audit.audit import Audit, AuditRules, judge
from shared.audit.request import AuditRequest
from shared.model import Backup, Instance


NOW = datetime(2026, 11, 24, 6, 0, tzinfo=timezone.utc)
RULES = AuditRules(stuck_after=timedelta(hours=6), backup_tag="backup")
OURS = f"key:{'0' * 32}"
NIGHTLY = {"name": "nightly", "select": {"name": "*"}, "expected_interval": "1d", "grace": "2h"}
LONG_AGO = NOW - timedelta(days=900)


def instance(number: int = 1, *, name: str = "", age: float | None = 900 * 24.0, **facts: Any) -> Instance:
    """An instance that is `age` hours old; None if DDS does not tell its age."""
    created = None if age is None else NOW - timedelta(hours=age)
    return Instance(f"{number:032x}in02", name or f"db-{number}", created=created, **facts)


def backup(
    of: int | str, age: float | None, status: str = "COMPLETED", *, description: str | None = OURS, **facts: Any
) -> Backup:
    """A backup that began `age` hours ago, made by this application unless another description says otherwise."""
    owner = of if isinstance(of, str) else f"{of:032x}in02"
    begin = None if age is None else NOW - timedelta(hours=age)
    name = f"backup-{owner}-{age}-{status}"
    return Backup(f"{name}-{len(facts)}", name, owner, status, begin, description, f"name of {owner}", **facts)


def audit(
    instances: Sequence[Instance],
    backups: Sequence[Backup] = (),
    *policies: dict[str, Any],
    rules: AuditRules = RULES,
    **request: Any,
) -> Audit:
    """Audit what is listed, by the given policies, else by one that expects a nightly backup of everything."""
    asked = AuditRequest.model_validate({"policies": policies or [NIGHTLY], **request})
    return judge(asked, instances, backups, rules, NOW)


def missed(found: Audit) -> list[str]:
    """The names of the instances that were missed, the worst first."""
    return [judgement.instance.name for judgement in found.missed]
