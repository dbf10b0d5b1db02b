"""Every notification of an audit is what its published schema says."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from shared.audit.audit import judge
from shared.audit.report import AuditNotifications
from shared.audit.request import AuditRequest
from shared.errors import DeniedError, TransientError
from shared.model import Backup, Instance, Notification
from tests.audit.drawn import BACKUPS, ELSEWHERE, INSTANCES, POLICIES, SENDER
from tests.audit.fleet import NOW, RULES


FOLDER = Path(__file__).parent.parent.parent / "docs" / "events"
TYPES = ("dds.backup.missed", "dds.backup.uncovered", "dds.backup.audited")
SCHEMAS = {kind: json.loads((FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8")) for kind in TYPES}
VALIDATORS = {
    kind: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for kind, schema in SCHEMAS.items()
}


def check(notification: Notification) -> None:
    """Hold a notification against the schema of its type."""
    event = json.loads(notification.body)
    VALIDATORS[event["type"]].validate(event)


@pytest.mark.parametrize("kind", TYPES)
def test_a_schema_is_one_and_describes_every_field(kind: str) -> None:
    """2020-12, and nothing without a word about it."""
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


@given(INSTANCES, BACKUPS, POLICIES, ELSEWHERE)
def test_whatever_is_found_fits_its_schema(
    instances: list[Instance], backups: list[Backup], policies: list[dict[str, Any]], elsewhere: list[dict[str, Any]]
) -> None:
    """The report, and each finding by itself."""
    request = AuditRequest.model_validate({"policies": policies, "covered_elsewhere": elsewhere})
    found = judge(request, instances, backups, RULES, NOW)
    occasion = AuditNotifications(("timer", "Morning"), SENDER, NOW)

    for judgement in found.missed:
        check(occasion.missed(judgement))
    for instance in found.uncovered:
        check(occasion.uncovered(instance, NOW))
    check(occasion.report(found, findings_published=True)[0])


@pytest.mark.parametrize("error", [TransientError("HTTP 503"), DeniedError("no", cloud_code="DBS.280408", status=403)])
def test_an_audit_that_could_not_be_done_fits_the_schema_of_the_report(error: Any) -> None:
    """It has no totals and no lists, and says why."""
    check(AuditNotifications(("timer", "Morning"), SENDER, NOW).failure(error, NOW)[0])


def test_a_schema_refuses_what_is_not_published() -> None:
    """A report that claims to have failed and to have found something, say."""
    notification = AuditNotifications(("timer",), SENDER, NOW).failure(TransientError("x"), NOW)[0]
    event = json.loads(notification.body)
    event["data"]["missed"] = []

    assert not VALIDATORS["dds.backup.audited"].is_valid(event)
    event["data"] = {"verdict": "all_well"}
    assert not VALIDATORS["dds.backup.audited"].is_valid(event)
