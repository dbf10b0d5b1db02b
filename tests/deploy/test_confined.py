"""A function that makes instances: its second policy is granted in the enterprise project of the drills only."""

import pytest

from cli.deploy.deployment import look_up, services
from cli.doctor import resources
from cli.doctor.checks import Level, Stack
from cli.huaweicloud.iam import Agencies, Grants, Policies
from cli.huaweicloud.resources import Found, Kind
from tests.deploy.conftest import App, Output


PLACE = "8f1c2d3e-0000-4000-8000-000000000001"
ELSEWHERE = "8f1c2d3e-0000-4000-8000-000000000002"
OWN = "dds-backup to dds-backup"
SECOND = "dds-backup-instances to dds-backup in the enterprise project"


@pytest.fixture
def drilling(app: App) -> App:
    """The application, deployed with permissions that are confined to an enterprise project."""
    app.change("SMN.PublishMessage]", "SMN.PublishMessage, DDS.RestoreNewInstance, DDS.DeleteInstance]")
    app.change("LOG_LEVEL: INFO", f"LOG_LEVEL: INFO, DRILL_ENTERPRISE_PROJECT_ID: {PLACE}")
    app.deploy()
    return app


def grants(app: App) -> dict[str, Found]:
    """The grants of the stack by name."""
    found = look_up(services(app.access, app.stack), app.stack)
    return {item.resource.name: item for item in found if item.resource.kind is Kind.GRANT}


def findings(app: App) -> list[tuple[Level, str]]:
    """What doctor finds about the second policy."""
    stack = Stack(app.access, app.deployment().template, app.stack)
    return [(one.level, one.found) for one in resources.permissions(stack) if "instances" in one.subject]


def test_the_second_policy_is_granted_in_the_enterprise_project(drilling: App, document: Output) -> None:
    """Deploying again changes nothing, and doctor agrees."""
    assert sorted(grants(drilling)) == sorted([OWN, f"{SECOND} {PLACE}"])

    drilling.deploy()

    assert document()["changes"] == []
    assert findings(drilling) == [(Level.OK, f"granted in the enterprise project {PLACE} only")]


def test_another_enterprise_project_takes_the_place_of_the_first(drilling: App) -> None:
    """Pruning revokes the old grant. Before that, doctor names it."""
    drilling.change(PLACE, ELSEWHERE)
    drilling.deploy()
    assert findings(drilling) == [(Level.PROBLEM, f"is granted in the enterprise project {PLACE}")]

    drilling.deploy(prune=True)

    assert sorted(grants(drilling)) == sorted([OWN, f"{SECOND} {ELSEWHERE}"])


def test_switched_off_and_pruned_it_may_do_nothing(drilling: App) -> None:
    """Without an enterprise project the second policy and its grant are deleted."""
    drilling.change(f", DRILL_ENTERPRISE_PROJECT_ID: {PLACE}", "")

    drilling.deploy(prune=True)

    assert sorted(grants(drilling)) == [OWN]
    assert findings(drilling) == []


def test_a_revoked_grant_is_found(drilling: App) -> None:
    """Doctor says what no longer works."""
    where = Grants(drilling.access, Agencies(drilling.access, ""), Policies(drilling.access, ""))
    where.delete(grants(drilling)[f"{SECOND} {PLACE}"])

    assert findings(drilling) == [(Level.PROBLEM, "is not granted, so that no instance can be made or deleted")]
