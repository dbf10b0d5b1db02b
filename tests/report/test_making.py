"""What a report finds, by a few stories."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cli.explain.timers import read_timer
from cli.report.making import make_report
from cli.report.model import Facts, InstanceReport, Report
from cli.report.targets import CreateTimer, DrillPlan
from shared.audit.request import Policy
from shared.create.request import BackupRequest
from shared.drill.request import DrillRequest
from shared.drill.schedule import Schedule, read_hours
from shared.drills import DrillName
from shared.errors import DeniedError
from shared.fleet import Fence
from tests.report.conftest import DAY, HOUR, KEY, NIGHTLY, NOW, backup, drill_tasks, ident, instance, targets


def only(report: Report) -> InstanceReport:
    """The one instance of a report."""
    (found,) = report.instances
    return found


def codes(report: Report) -> list[str]:
    """The codes of all findings."""
    return [f.code for one in report.instances for f in one.findings] + [f.code for f in report.findings]


def test_all_is_well() -> None:
    """A young backup and nothing else."""
    report = make_report(Facts([instance()], [backup(20 * HOUR)]), targets(), NOW)

    assert report.is_well
    assert only(report).is_recent
    assert (only(report).age, only(report).storage.billed) == (20 * HOUR, 0)


def test_too_old_since_when() -> None:
    """Since the target was missed, with the failures after the last good backup."""
    made = [backup(50 * HOUR), backup(26 * HOUR, "FAILED"), backup(2 * HOUR, "FAILED")]
    one = only(make_report(Facts([instance()], made), targets(), NOW))

    assert [(finding.code, finding.since) for finding in one.findings] == [
        ("backup_too_old", NOW - 24 * HOUR),
        ("failed", NOW - 26 * HOUR),
    ]
    assert (one.failures, one.failed_since) == (2, NOW - 26 * HOUR)


def test_no_backup_at_all() -> None:
    """A new instance has as much time as every other."""
    assert codes(make_report(Facts([instance(created=NOW - 2 * DAY)], []), targets(), NOW)) == ["no_backup"]
    assert make_report(Facts([instance(created=NOW - HOUR)], []), targets(), NOW).is_well


def test_stuck_uncovered_orphaned_and_leaked() -> None:
    """Each is told."""
    policy = Policy(name="one", instance_ids=(ident(1, "in"), ident(7, "in")), expected_interval=DAY)
    leaked = instance(8, name=str(DrillName(NOW - 2 * DAY, "0" * 32)), created=NOW - 2 * DAY)
    known = [instance(1), instance(2, tags={"backup": "x"}), leaked]
    made = [backup(HOUR * 10), backup(8 * HOUR, "BUILDING"), backup(DAY, of=9)]
    report = make_report(Facts(known, made), targets(policy), NOW)

    assert codes(report) == ["stuck", "uncovered", "instance_not_found", "leaked_drill"]
    assert [one.id for one in report.orphans] == [ident(9, "in")]
    assert [one.name for one in report.instances] == ["db-1", "db-2"]
    assert (report.instances[1].policy, report.instances[1].is_recent) == (None, None)


def test_a_verified_backup() -> None:
    """When, and how long the restore took. A later failure is told, too."""
    made = [backup(10 * DAY), backup(2 * HOUR)]
    tasks = drill_tasks(made[0], 5 * DAY, timedelta(minutes=14))
    report = make_report(Facts([instance()], made, restores=tasks), targets(), NOW)
    again = [*tasks, *drill_tasks(made[1], HOUR, HOUR / 2, "Failed")]

    assert only(report).drill.verified_at == NOW - 5 * DAY + HOUR
    assert (only(report).drill.restored_in, report.slowest) == (timedelta(minutes=14), timedelta(minutes=14))
    assert only(make_report(Facts([instance()], made, restores=again), targets(), NOW)).drill.failed_at == NOW - HOUR


def test_a_policy_may_ask_for_a_verified_backup() -> None:
    """Then its absence is a finding, and so is that it cannot be known."""
    policy = NIGHTLY.model_copy(update={"verified_within": 3 * DAY})
    made = [backup(10 * DAY), backup(2 * HOUR)]
    old = drill_tasks(made[0], 5 * DAY, timedelta(minutes=14))
    denied = DeniedError("no")

    assert codes(make_report(Facts([instance()], made), targets(policy), NOW)) == ["not_verified"]
    assert codes(make_report(Facts([instance()], made, restores=old), targets(policy), NOW)) == [
        "verified_too_long_ago"
    ]
    assert codes(make_report(Facts([instance()], made, unknown_tasks=denied), targets(policy), NOW)) == ["unproved"]
    assert make_report(Facts([instance()], made, unknown_tasks=denied), targets(), NOW).is_well


def test_only_the_backups_of_the_deployment_count() -> None:
    """Those of another stack, of DDS and by hand do not, but they cost."""
    made = [
        backup(HOUR, description=f"stack:theirs;{KEY}"),
        backup(2 * HOUR, description="by hand"),
        backup(3 * HOUR, is_automatic=True),
    ]
    fenced = replace(targets(), fence=Fence(("*",), "mine"))
    report = make_report(Facts([instance()], made), fenced, NOW, price=2.0)

    assert codes(report) == ["no_backup"]
    assert only(report).storage.backups == 3
    elsewhere = replace(targets(), fence=Fence(("other",), None, adopts=True))
    assert make_report(Facts([instance()], made), elsewhere, NOW).instances == ()


def test_what_is_beyond_the_free_space_costs() -> None:
    """The disks of an instance are free, and nothing is for a deleted one."""
    gigabyte = 1024**2
    made = [backup(HOUR, size=8 * gigabyte), backup(DAY, size=5 * gigabyte), backup(DAY, of=9, size=gigabyte)]
    report = make_report(Facts([instance()], made), targets(), NOW, price=0.5)

    assert (report.size, report.billed, report.monthly) == (14 * gigabyte, 4 * gigabyte, 2.0)


def test_what_comes_next() -> None:
    """The earliest timer that names the instance, and its next slot of a drill."""
    nightly, other = read_timer("CRON_TZ=UTC 0 0 2 * * ?", NOW), read_timer("CRON_TZ=UTC 0 0 23 * * ?", NOW)
    creating = (
        CreateTimer(other, BackupRequest(instance_ids=(ident(2, "in"),))),
        CreateTimer(other, None),
        CreateTimer(nightly, BackupRequest.model_validate({"select": {"name": "*"}})),
    )
    plan = DrillPlan(Schedule(30 * DAY, read_hours("10:00-22:00")), (DrillRequest(),), is_dry_run=False)
    facts = Facts([instance(), instance(2)], [backup(HOUR), backup(HOUR, of=2)])
    report = make_report(facts, targets(creating=creating, drilling=plan, timers=(nightly,)), NOW)
    first, second = report.instances

    assert (first.next_backup, second.next_backup) == (NOW + 5 * HOUR, NOW + 2 * HOUR)
    assert first.next_drill
    assert NOW < first.next_drill <= NOW + 30 * DAY
    assert report.drills_on
    assert [run.time for run in report.next_runs] == [NOW + 5 * HOUR]
    dry = make_report(facts, targets(drilling=replace(plan, is_dry_run=True)), NOW)
    assert (dry.drills_on, dry.instances[0].next_drill) == (False, None)


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_the_lists_does_not_matter(order: int) -> None:
    """Those with findings come first."""
    known = [instance(1), instance(2)][::order]
    made = [backup(HOUR), backup(3 * DAY, of=2)][::order]

    assert [one.name for one in make_report(Facts(known, made), targets(), NOW).instances] == ["db-2", "db-1"]
