"""Reports: made by hand, and any at all."""

from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from cli.report.making import make_report
from cli.report.model import Facts, Report
from cli.report.strip import Pruning
from cli.report.targets import Targets
from shared.audit.audit import AuditRules
from shared.audit.request import AuditRequest, Policy
from shared.drills import DrillName
from shared.fleet import Selector
from shared.model import Backup, BackupJob, Instance, InstanceTask, NodeGroup
from shared.prune.retention import read_retention


NOW = datetime(2026, 11, 24, 21, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
KEY = f"key:{'0' * 32}"
RULES = AuditRules(timedelta(hours=6), "backup", timedelta(hours=6))
NIGHTLY = Policy(name="nightly", select=Selector(name="*"), expected_interval=DAY)


def ident(number: int, kind: str = "br") -> str:
    """The id of an instance (in) or a backup (br)."""
    return f"{number:032x}{kind}02"


def instance(number: int = 1, **changes: Any) -> Instance:
    """An instance with a disk of 10 GB, a year old."""
    facts: dict[str, Any] = {
        "name": f"db-{number}",
        "mode": "ReplicaSet",
        "version": "4.4",
        "created": NOW - 365 * DAY,
        "groups": (NodeGroup("replica", "spec", 10),),
    }
    return Instance(ident(number, "in"), **{**facts, **changes})


def backup(age: timedelta, status: str = "COMPLETED", of: int = 1, **changes: Any) -> Backup:
    """A backup that this application made of an instance."""
    number = round(age.total_seconds()) * 100 + of
    facts: dict[str, Any] = {"description": KEY, "size": 1024**2}
    return Backup(ident(number), f"b-{number}", ident(of, "in"), status, NOW - age, **{**facts, **changes})


def targets(policy: Policy = NIGHTLY, retention: str | None = None, **changes: Any) -> Targets:
    """One policy, and nothing that prunes by default."""
    pruning = Pruning(read_retention(retention)) if retention else Pruning()
    return Targets(AuditRequest(policies=(policy,)), RULES, pruning=pruning, **changes)


def drill_tasks(of: Backup, ended: timedelta, took: timedelta, status: str = "Completed") -> list[InstanceTask]:
    """The restore of a drill so long ago, and the restart that marks it as verified."""
    name, copy = str(DrillName.of(NOW - ended - took, of.id)), ident(999, "in")
    end = NOW - ended
    restore = InstanceTask("t-1", False, copy, name, status, end - took, end)
    restart = InstanceTask("t-2", True, copy, name, "Completed", end + HOUR, end + HOUR)
    return [restore, restart] if status == "Completed" else [restore]


names = st.text("aZ09-_ .é<&>\"'[/]\x1b\n\t\u202e", max_size=12)
"""Also such as neither DDS allows nor HTML nor a terminal takes as they are."""
_ages = st.integers(0, 100 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Any report of up to four instances."""
    count = draw(st.integers(0, 4))
    known = [
        instance(number, name=draw(names), tags=draw(st.sampled_from([{}, {"backup": "x"}]))) for number in range(count)
    ]
    backups = [
        backup(
            draw(_ages),
            draw(st.sampled_from(["COMPLETED", "FAILED", "BUILDING"])),
            of,
            size=draw(st.integers(0, 10**8)),
        )
        for of in draw(st.lists(st.integers(0, 5), max_size=8))
    ]
    jobs = [
        BackupJob(f"j-{n}", ident(n % 5, "in"), NOW - draw(_ages) / 4, draw(st.sampled_from(["Completed", "Failed"])))
        for n in range(draw(st.integers(0, 3)))
    ]
    drilled = [one for one in backups if one.status == "COMPLETED"][:1]
    tasks = [task for one in drilled for task in drill_tasks(one, draw(_ages) / 5, 7 * HOUR)]
    windows = {one.id: (NOW - 7 * DAY, NOW - draw(_ages)) for one in known[:1]}
    policy = draw(st.sampled_from([NIGHTLY, NIGHTLY.model_copy(update={"verified_within": 7 * DAY})]))
    facts = Facts(known, backups, jobs, tasks, windows=windows)
    price = draw(st.none() | st.floats(0, 100))
    retention = draw(st.sampled_from([None, "last=3 daily=7"]))
    return make_report(facts, targets(policy, retention, remarks=("A remark.",)), NOW, "a place", price)
