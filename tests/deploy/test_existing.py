"""Agencies that the template names and does not describe."""

from collections.abc import Callable

import pytest
from huaweicloudsdkiam.v3 import UpdateAgencyRequest

from cli.deploy.deployment import look_up, services
from cli.doctor import resources
from cli.doctor.checks import Level, Stack
from cli.errors import WrongCall
from cli.huaweicloud.resources import Kind
from localcloud import LocalCloud
from tests.deploy.conftest import App, writes


PERMISSIONS = "      Permissions: [DDS.CreateManualBackup, DDS.ListBackups, DDS.ListInstances, DDS.ListTasks, SMN.Pub"


@pytest.fixture
def borrowed(deployed: App) -> App:
    """The application, whose agency was made by somebody else and is no longer described."""
    deployed.change(f"{PERMISSIONS}lishMessage]\n", "")
    deployed.stack = "another"
    deployed.change("${Prefix}-events", "other-events")
    deployed.change("FunctionName: backup", "FunctionName: other")
    return deployed


def doctor(app: App) -> list[tuple[Level, str]]:
    """What doctor finds about the agencies that are not deployed."""
    stack = Stack(app.access, app.deployment().template, app.stack)
    return [(one.level, one.found) for one in resources.permissions(stack) if "not deployed" in one.subject]


def test_an_existing_agency_is_used(borrowed: App, capsys: pytest.CaptureFixture[str]) -> None:
    """It is neither created nor changed, and there is nothing to warn of."""
    borrowed.deploy()

    assert "Warning" not in capsys.readouterr().err
    found = look_up(services(borrowed.access, borrowed.stack), borrowed.stack)
    assert Kind.AGENCY not in {item.resource.kind for item in found}
    assert doctor(borrowed) == [(Level.OK, "as its functions need it")]


def test_an_agency_that_does_not_exist_stops_the_deployment(borrowed: App, cloud: LocalCloud) -> None:
    """Nothing is changed."""
    borrowed.change("Agency: ${Prefix}-backup", "Agency: nobody")
    before = writes(cloud)

    with pytest.raises(WrongCall, match="there is no agency nobody, under which other should run: create it"):
        borrowed.deploy()

    assert writes(cloud) == before
    assert doctor(borrowed) == [(Level.PROBLEM, "it does not exist")]


def _without_policies(app: App) -> None:
    where = services(app.access, "dds-backup")
    [grant] = [item for item in look_up(where, "dds-backup") if item.resource.kind is Kind.GRANT]
    where[Kind.GRANT].delete(grant)


def _of_another_service(app: App) -> None:
    [agency] = services(app.access, "")[Kind.AGENCY].find(["dds-backup"], "", ())
    body = {"agency": {"trust_domain_name": "op_svc_ecs"}}
    app.access.iam.call("update_agency", UpdateAgencyRequest(agency_id=agency.id, body=body))


@pytest.mark.parametrize(
    ("change", "found"),
    [(_without_policies, "it may not dds:backup:list, dds:instance:"), (_of_another_service, "it trusts op_svc_ecs")],
)
def test_what_it_lacks_is_a_warning(
    borrowed: App, capsys: pytest.CaptureFixture[str], change: Callable[[App], None], found: str
) -> None:
    """A policy may take effect later, so that the deployment goes on."""
    change(borrowed)

    borrowed.deploy()

    assert f"Warning: the agency dds-backup: {found}" in capsys.readouterr().err
    [(level, text)] = doctor(borrowed)
    assert (level, text.startswith(found)) == (Level.PROBLEM, True)


def test_without_the_permission_to_look_they_are_not_checked(
    borrowed: App, cloud: LocalCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user who may deploy may not be allowed to look at agencies."""
    cloud.set_faults([{"method": "GET", "path": "OS-AGENCY/agencies$", "answer": {"status": 403}}])

    borrowed.deploy()

    assert "Warning: the agencies that are not deployed are not checked" in capsys.readouterr().err
