"""The report as JSON, described by docs/report.schema.json."""

from datetime import timedelta

from cli.json_value import Json, JsonObject
from cli.report.model import Finding, InstanceReport, Report
from shared.audit.request import Policy
from shared.format import timestamp
from shared.model import Backup


VERSION = 1
"""Keys stay while it does; new ones may be added."""


def document(report: Report) -> JsonObject:
    """Return the report: times in UTC, durations in seconds, sizes in KB."""
    return {
        "version": VERSION,
        "reported_at": timestamp(report.time),
        "place": report.place,
        "ok": report.is_well,
        "totals": {
            "instances": len(report.instances),
            "expected": len(report.expected),
            "late": len(report.late),
            "verified": len(report.proven),
            "slowest_restore": _seconds(report.slowest),
            "backups": sum(o.storage.backups for o in report.instances) + sum(o.backups for o in report.orphans),
            "size": report.size,
            "billed": report.billed,
        },
        "price_backup_gb": report.price,
        "monthly_cost": report.monthly,
        "drills_known": report.drills_known,
        "drills_on": report.drills_on,
        "findings": [_finding(one) for one in report.findings],
        "next_runs": [
            {"function": run.function, "timer": run.timer, "schedule": run.schedule, "time": timestamp(run.time)}
            for run in report.next_runs
        ],
        "instances": [_instance(one) for one in report.instances],
        "deleted_instances": [
            {"instance_id": one.id, "instance_name": one.name, "backups": one.backups, "size": one.size}
            for one in report.orphans
        ],
        "remarks": list[Json](report.remarks),
    }


def _finding(finding: Finding) -> JsonObject:
    return {"code": finding.code, "since": timestamp(finding.since), "text": finding.text}


def _instance(one: InstanceReport) -> JsonObject:
    return {
        "instance_id": one.id,
        "instance_name": one.name,
        "kind": one.kind,
        "recent": one.is_recent,
        "target": _target(one.policy) if one.policy else None,
        "findings": [_finding(finding) for finding in one.findings],
        "newest": _newest(one.newest, one.age) if one.newest else None,
        "failed_since": timestamp(one.failed_since),
        "failures": one.failures,
        "building": one.building,
        "next_backup": timestamp(one.next_backup),
        "next_drill": timestamp(one.next_drill),
        "drill": {
            "verified_at": timestamp(one.drill.verified_at),
            "restored_in": _seconds(one.drill.restored_in),
            "failed_at": timestamp(one.drill.failed_at),
            "running": one.drill.is_running,
            "verified_within": _seconds(one.drill.within),
        },
        "point_in_time": {"from": timestamp(one.window[0]), "to": timestamp(one.window[1])} if one.window else None,
        "storage": {
            "backups": one.storage.backups,
            "size": one.storage.size,
            "free": one.storage.free,
            "billed": one.storage.billed,
        },
        "strip": {"first": one.strip.first.isoformat(), "days": one.strip.letters},
    }


def _target(policy: Policy) -> JsonObject:
    return {
        "policy": policy.name,
        "expected_interval": policy.expected_interval.total_seconds(),
        "grace": policy.grace.total_seconds(),
    }


def _newest(backup: Backup, age: timedelta | None) -> JsonObject:
    return {
        "backup_id": backup.id,
        "name": backup.name,
        "begin_time": timestamp(backup.begin_time),
        "size": backup.size,
        "age": _seconds(age),
    }


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
