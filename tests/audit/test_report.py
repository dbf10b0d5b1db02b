"""The notifications and the report of an audit: complete, described by their schemas, and within SMN's limits."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cli.paths import CHECKOUT
from shared.audit.audit import Audit, Verdict
from shared.audit.document import serialize_audit
from shared.audit.report import AuditNotifications, AuditResult
from shared.errors import CloudError, DeniedError, TransientError
from shared.model import Backup, Instance, Notification
from shared.report import Status
from tests.audit.fleet import (
    BACKUPS,
    COVERED_ELSEWHERE,
    INSTANCES,
    NIGHTLY,
    NOW,
    POLICIES,
    SENDER,
    audit,
    backup,
    instance,
)
from tests.fakes import ids_of


BUILD = AuditNotifications(("timer", "Morning", "t"), SENDER, NOW)
FINDINGS = audit(
    [instance(1, name="orders"), instance(2, name="forgotten", tags={"backup": "daily"})],
    [backup(1, 100), backup(1, 1, "FAILED")],
    {**NIGHTLY, "select": {"name": "orders"}},
)
TYPES = (
    "dds.backup.missed",
    "dds.backup.uncovered",
    "dds.backup.unverified",
    "dds.drill.leaked",
    "dds.backup.audited",
)
SCHEMAS = {
    kind: json.loads((CHECKOUT / "docs" / "events" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    for kind in TYPES
}
VALIDATORS = {
    kind: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for kind, schema in SCHEMAS.items()
}


def data_of(notification: Notification) -> Any:
    """Return the data of the CloudEvent."""
    return json.loads(notification.body)["data"]


def notifications_of(found: Audit, build: AuditNotifications = BUILD) -> list[Notification]:
    """Return the notifications of an audit: each finding and the report."""
    findings = [build.missed(judgement) for judgement in found.missed]
    findings += [build.uncovered(one, NOW) for one in found.uncovered]
    findings += [build.unverified(proof) for proof in found.unverified]
    findings += [build.leaked(drill) for drill in found.leaked_drills]
    return [*findings, build.report(found, findings_published=True)[0]]


def validate(notification: Notification) -> None:
    """Validate the event with the schema of its type."""
    event = json.loads(notification.body)
    VALIDATORS[event["type"]].validate(event)


# Schemas.


@pytest.mark.parametrize("kind", TYPES)
def test_a_schema_is_valid_and_describes_every_field(kind: str) -> None:
    """It follows JSON Schema 2020-12."""
    Draft202012Validator.check_schema(SCHEMAS[kind])

    def undescribed(node: Any, path: str) -> list[str]:
        if not isinstance(node, dict):
            return []
        missing = [
            f"{path}.{name}"
            for name, value in node.get("properties", {}).items()
            if isinstance(value, dict) and "description" not in value
        ]
        return missing + [fault for name, value in node.items() for fault in undescribed(value, f"{path}.{name}")]

    assert not [fault for fault in undescribed(SCHEMAS[kind], kind) if ".if." not in fault]


@given(INSTANCES, BACKUPS, POLICIES, COVERED_ELSEWHERE)
def test_every_event_fits_its_schema(
    instances: list[Instance], backups: list[Backup], policies: list[dict[str, Any]], elsewhere: list[dict[str, Any]]
) -> None:
    """This holds for the report and for each finding."""
    for notification in notifications_of(audit(instances, backups, policies=policies, covered_elsewhere=elsewhere)):
        validate(notification)


def test_a_schema_refuses_an_impossible_event() -> None:
    """A failed audit has no findings, and a finished one has totals and lists."""
    event = json.loads(BUILD.failure(TransientError("x"), NOW)[0].body)
    event["data"]["missed"] = []

    assert not VALIDATORS["dds.backup.audited"].is_valid(event)
    event["data"] = {"verdict": "all_well"}
    assert not VALIDATORS["dds.backup.audited"].is_valid(event)


# Notifications.


def test_a_missed_backup_has_a_notification_of_its_own() -> None:
    """It has the newest backup and the last attempt."""
    notification = BUILD.missed(FINDINGS.missed[0])

    assert notification.subject == f"DDS backup missed: orders ({instance(1).id})"
    assert json.loads(notification.body)["subject"] == instance(1).id
    assert data_of(notification)["code"] == "backup_too_old"
    assert data_of(notification)["age_seconds"] == 100 * 3600
    assert data_of(notification)["newest_backup"]["begin_time"] == "2026-11-20T02:00:00Z"
    assert data_of(notification)["last_attempt"]["status"] == "FAILED"
    assert notification.email.splitlines()[2].startswith("The newest good backup is 4 d 4 h old")


def test_an_uncovered_instance_has_a_notification_of_its_own() -> None:
    """It has the tags."""
    notification = BUILD.uncovered(FINDINGS.uncovered[0], NOW)

    assert notification.attributes == {
        "event_type": "dds_backup_uncovered",
        "outcome": "UNCOVERED",
        "severity": "warning",
    }
    assert data_of(notification)["tags"] == {"backup": "daily"}
    assert data_of(notification)["instance_name"] == "forgotten"


@pytest.mark.parametrize(
    ("found", "verdict"), [(FINDINGS, "findings"), (audit([instance()], [backup(1, 1)]), "all_well")]
)
def test_every_audit_has_a_report(found: Audit, verdict: str) -> None:
    """The verdict is in the subject, the text message, the data and an attribute."""
    (*_, report) = notifications_of(found)
    headline = report.email.splitlines()[0]

    assert headline.startswith("DDS backups audited: " + ("all well" if verdict == "all_well" else "1 missed, 1 not"))
    assert report.subject == headline[:120]
    assert report.sms.startswith(headline[:60])
    assert report.attributes == {
        "event_type": "dds_backup_audited",
        "outcome": verdict.upper(),
        "severity": "notice" if verdict == "all_well" else "error",
    }
    assert data_of(report)["verdict"] == verdict


@pytest.mark.parametrize(
    ("error", "next_step"),
    [
        (TransientError("HTTP 503"), "It is tried again"),
        (DeniedError("no", cloud_code="DBS.280408", status=403), "It is not tried again"),
    ],
)
def test_an_audit_that_could_not_be_done_has_a_report_too(error: CloudError, next_step: str) -> None:
    """Its id differs from that of a finished audit, so that consumers do not drop the report of the redelivery."""
    notification, data = BUILD.failure(error, NOW)

    validate(notification)
    assert notification.email.startswith("DDS backups audited: AUDIT FAILED, nothing is known of any backup\n")
    assert next_step in notification.email
    assert (data["verdict"], data["code"]) == ("failed", error.code)
    assert ids_of([notification]) != ids_of(notifications_of(FINDINGS)[-1:])


@settings(max_examples=60)
@given(
    INSTANCES,
    BACKUPS,
    POLICIES,
    st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=3),
    st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=3),
)
def test_ids_are_the_same_for_the_same_event_only(
    instances: list[Instance],
    backups: list[Backup],
    policies: list[dict[str, Any]],
    tonight: list[str],
    tomorrow: list[str],
) -> None:
    """No two notifications of an audit share an id."""
    found = audit(instances, backups, policies=policies)

    def ids(identity: list[str], days: int = 0) -> list[str]:
        return ids_of(notifications_of(found, AuditNotifications(identity, SENDER, NOW + timedelta(days))))

    first = ids(tonight)
    assert first == ids(tonight, days=38)
    assert len(set(first)) == len(first)
    assert tonight == tomorrow or not set(first) & set(ids(tomorrow))


# Limits.


@given(INSTANCES, BACKUPS, POLICIES, COVERED_ELSEWHERE)
def test_the_totals_count_everything(
    instances: list[Instance], backups: list[Backup], policies: list[dict[str, Any]], elsewhere: list[dict[str, Any]]
) -> None:
    """They do not depend on how the lists are cut. All is well exactly if all of them are zero."""
    found = audit(instances, backups, policies=policies, covered_elsewhere=elsewhere)
    whole, cut = serialize_audit(found, most=1000), serialize_audit(found, most=1)

    assert whole["totals"] == cut["totals"]
    assert whole["totals"]["covered"] == whole["totals"]["fine"] + len(whole["missed"])
    assert whole["cut"] == []
    assert set(cut["cut"]) == {name for name, items in whole.items() if isinstance(items, list) and len(items) > 1}
    wrong = [whole["totals"][name] for name in ("missed", "uncovered", "failed_backups", "stuck_backups")]
    wrong += [whole["totals"][name] for name in ("empty_policies", "unknown_instances", "leaked_drills")]
    assert (found.verdict is Verdict.ALL_WELL) == (sum(wrong) == 0)


@pytest.mark.parametrize("instances", [100, 2000])
@pytest.mark.parametrize("name", ["db", "订单数据库" * 12, '"\\\n' * 20], ids=["plain", "chinese", "escaped"])
def test_no_report_exceeds_the_limit_of_smn(instances: int, name: str) -> None:
    """The limit is 256 KB in JSON form. Lists are cut no more than needed, and totals are complete."""
    listed = [instance(number, name=f"{name}{number}", tags={"backup": name}) for number in range(instances)]
    policies = [{**NIGHTLY, "name": f"p{number}", "select": {"name": "none"}} for number in range(99)]
    backups = [backup(f"gone-{number}", 1, size=1) for number in range(instances)]
    found = audit(listed, backups, NIGHTLY, *policies)
    notification, data = BUILD.report(found, findings_published=False)

    structure = json.dumps({"default": notification.body, "email": notification.email, "sms": notification.sms})
    assert len(structure.encode()) <= 256 * 1024
    assert data["totals"]["missed"] == data["totals"]["deleted_instances"] == instances
    assert 10 <= len(data["missed"]) <= instances
    assert ("missed" in data["cut"]) is (len(data["missed"]) < instances)
    assert f"... and {instances - 20:,} more" in notification.email or len(data["missed"]) < 20


def test_names_that_are_too_long_leave_only_the_totals() -> None:
    """The lists are empty."""
    listed = [instance(number, name="n" * 300_000) for number in range(2)]
    notification, data = BUILD.report(audit(listed), findings_published=False)

    assert len(notification.body) < 10_000
    assert (data["missed"], data["cut"], data["totals"]["missed"]) == ([], ["policies", "missed"], 2)


# Results.

DONE = AuditResult(serialize_audit(FINDINGS, most=10), notified=True)
FAILED = AuditResult(BUILD.failure(TransientError("x"), NOW)[1], error=TransientError("x"), notified=True)
DENIED = AuditResult(BUILD.failure(DeniedError("x"), NOW)[1], error=DeniedError("x"), notified=True)


@pytest.mark.parametrize(
    ("result", "status", "codes", "unfinished"),
    [
        (DONE, Status.SUCCEEDED, [], False),
        (replace(DONE, notified=False), Status.FAILED, ["not_notified"], True),
        (replace(DONE, unpublished=1), Status.FAILED, ["not_notified"], True),
        (FAILED, Status.FAILED, ["unavailable"], True),
        (DENIED, Status.FAILED, ["denied"], False),
        (replace(DENIED, notified=False), Status.FAILED, ["denied"], True),
    ],
    ids=range(6),
)
def test_an_audit_succeeds_if_it_is_done_and_published(
    result: AuditResult, *, status: Status, codes: list[str], unfinished: bool
) -> None:
    """Findings do not matter. A redelivery helps if the error is retryable or something is not published."""
    assert (result.status, result.codes, result.unfinished) == (status, codes, unfinished)


def test_the_log_has_a_line_for_each_finding_and_each_failure() -> None:
    """A finding is a warning, an audit that could not be done is an error."""
    asking = {**NIGHTLY, "verified_within": "1d"}
    drill = instance(9, name=f"drill-20261101T000000Z-{9:032x}")
    unverified = audit([instance(1), drill], [backup(1, 1)], asking)
    unknown = audit([instance(1)], [backup(1, 1)], asking, verified=DeniedError("x"))
    lines = [
        [(level, text) for level, text, _ in AuditResult(serialize_audit(found, most=9), notified=True).log_events()]
        for found in (unverified, unknown)
    ]
    assert lines == [
        [(logging.WARNING, "backup unverified"), (logging.WARNING, "drill leaked")],
        [(logging.WARNING, "verification not known")],
    ]
    assert [(level, text) for level, text, _ in DONE.log_events()] == [
        (logging.WARNING, "backup missed"),
        (logging.WARNING, "instance not covered"),
    ]
    assert [(level, text) for level, text, _ in DENIED.log_events()] == [(logging.ERROR, "audit failed")]
