"""Instances and backups as DDS lists them, audits of them, and hypothesis strategies for both."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from shared.audit.audit import Audit, AuditRules, judge
from shared.audit.request import AuditRequest
from shared.drills import Verified
from shared.errors import CloudError
from shared.model import Backup, Instance
from shared.notify import Sender


NOW = datetime(2026, 11, 24, 6, 0, tzinfo=timezone.utc)
RULES = AuditRules(stuck_after=timedelta(hours=6), backup_tag="backup", drill_max_age=timedelta(hours=6))
OURS = f"key:{'0' * 32}"
NIGHTLY = {"name": "nightly", "select": {"name": "*"}, "expected_interval": "1d", "grace": "2h"}
SENDER = Sender("urn:fss:r:p:function:default:audit_backups", "r", "p", "request")


def instance(number: int = 1, *, name: str = "", age: float | None = 900 * 24.0, **facts: Any) -> Instance:
    """Return an instance that is `age` hours old, or of unknown age."""
    created = None if age is None else NOW - timedelta(hours=age)
    return Instance(f"{number:032x}in02", name or f"db-{number}", created=created, **facts)


def backup(
    of: int | str, age: float | None, status: str = "COMPLETED", *, description: str | None = OURS, **facts: Any
) -> Backup:
    """Return a backup that began `age` hours ago, by default one that this application made."""
    owner = of if isinstance(of, str) else f"{of:032x}in02"
    begin = None if age is None else NOW - timedelta(hours=age)
    name = f"backup-{owner}-{age}-{status}"
    return Backup(f"{name}-{len(facts)}", name, owner, status, begin, description, f"name of {owner}", **facts)


def audit(
    instances: Sequence[Instance],
    backups: Sequence[Backup] = (),
    *policies: dict[str, Any],
    verified: Sequence[Verified] | CloudError = (),
    rules: AuditRules = RULES,
    **request: Any,
) -> Audit:
    """Audit instances by the given policies, or by one that expects a nightly backup of each."""
    asked = AuditRequest.model_validate({"policies": policies or [NIGHTLY], **request})
    return judge(asked, instances, backups, verified, rules, NOW)


def missed_names(found: Audit) -> list[str]:
    """Return the names of the instances without a young backup, the worst first."""
    return [judgement.instance.name for judgement in found.missed]


# Strategies.

IDS = ("i1", "i2", "i3", "i4", "gone")
HOURS = st.integers(min_value=-2, max_value=60)

INSTANCES = st.lists(
    st.builds(
        Instance,
        id=st.sampled_from(IDS[:4]),
        name=st.sampled_from(["a", "b", "ab"]),
        status=st.sampled_from(["normal", "frozen"]),
        mode=st.just("Single"),
        tags=st.dictionaries(st.sampled_from(["env", "backup"]), st.sampled_from(["x", "no"])),
        created=st.none() | HOURS.map(lambda hours: NOW - timedelta(hours=hours)),
    ),
    max_size=4,
    unique_by=lambda instance: instance.id,
)


def _draw_backup(number: int, owner: str, hours: int | None, status: str, text: str | None, size: int | None) -> Backup:
    begin = None if hours is None else NOW - timedelta(hours=hours)
    return Backup(str(number), f"backup-{number}", owner, status, begin, text, size=size)


BACKUPS = st.lists(
    st.tuples(
        st.sampled_from(IDS),
        st.none() | HOURS,
        st.sampled_from(["COMPLETED", "COMPLETED", "FAILED", "BUILDING", "DISABLED"]),
        st.sampled_from([OURS, f"text;{OURS}", "by hand", None]),
        st.none() | st.integers(0, 9),
    ),
    max_size=12,
).map(lambda drawn: [_draw_backup(number, *facts) for number, facts in enumerate(drawn)])

_COVERED = st.one_of(
    st.builds(lambda name: {"select": {"name": name}}, st.sampled_from(["*", "a*", "b", "z"])),
    st.builds(lambda values: {"select": {"tags": {"env": values}}}, st.lists(st.sampled_from(["x", "y"]), max_size=2)),
    st.builds(lambda ids: {"instance_ids": ids}, st.lists(st.sampled_from(IDS), min_size=1, max_size=3)),
)
POLICIES = st.lists(
    st.builds(
        lambda covered, hours, grace: {**covered, "expected_interval": hours * 3600, "grace": grace * 3600},
        _COVERED,
        st.integers(1, 48),
        st.integers(1, 4),
    ),
    max_size=3,
).map(lambda drawn: [{"name": f"p{number}", **policy} for number, policy in enumerate(drawn)])
COVERED_ELSEWHERE = st.lists(st.sampled_from([{"name": "a"}, {"tags": {"env": []}}]), max_size=1)
