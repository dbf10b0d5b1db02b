"""What doctor finds in an application on the local cloud, one fault at a time."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from huaweicloudsdkfunctiongraph.v2 import (
    DeleteFunctionTriggerRequest,
    ListFunctionTriggersRequest,
    UpdateFunctionConfigRequest,
    UpdateTriggerRequest,
)
from huaweicloudsdkiam.v3 import (
    AssociateAgencyWithAllProjectsPermissionRequest,
    CreateCloudServiceCustomPolicyRequest,
    UpdateAgencyRequest,
)
from huaweicloudsdksmn.v2 import AddSubscriptionRequest, DeleteTopicRequest

from cli.doctor.account import clock
from cli.doctor.checks import CHECKS, run_checks
from cli.doctor.findings import Finding, Level
from cli.doctor.stack import Stack
from cli.huaweicloud.access import Access
from cli.huaweicloud.agencies import Agencies, Grants
from cli.huaweicloud.keys import Keys
from cli.huaweicloud.policies import Policies
from cli.huaweicloud.resources import Kind
from cli.main import main
from cli.package.model import PackagingFailed
from localcloud import LocalCloud
from tests.deploy.conftest import SECRET, App


Findings = list[tuple[str, Finding]]


@pytest.fixture
def deployed(app: App, capsys: pytest.CaptureFixture[str]) -> App:
    """The application, deployed, with somebody who listens."""
    app.deploy()
    capsys.readouterr()
    body = {"protocol": "functionstage", "endpoint": "urn:fss:r:p:function:default:f:latest"}
    urn = app.access.topic_urn("dds-events")
    app.access.smn.call("add_subscription", AddSubscriptionRequest(topic_urn=urn, body=body))
    return app


def stack(app: App, access: Access | None = None) -> Stack:
    deployment = app.deployment()
    packages = deployment.pack(deployment.template.functions, None)
    return Stack(access or app.access, deployment.template, app.stack, packages)


def find(app: App, access: Access | None = None) -> Findings:
    return [(check, finding) for check, found in run_checks(stack(app, access)) for finding in found]


def bad(findings: Findings) -> list[tuple[str, str, str]]:
    """What is not as it should be, a subscriber aside who has not confirmed yet."""
    return [
        (check, finding.level.value, finding.found)
        for check, finding in findings
        if finding.level is not Level.OK and "not confirmed" not in finding.found
    ]


def configure(app: App, **changes: Any) -> None:
    """Change the deployed function as one does in the console."""
    body = {"func_name": "backup", "runtime": "Python3.10", "handler": "index.handler", "memory_size": 256}
    request = UpdateFunctionConfigRequest(
        function_urn=app.access.function_urn("backup"), body={**body, "timeout": 30, **changes}
    )
    app.access.functiongraph.call("update_function_config", request)


def triggers(app: App) -> dict[str, str]:
    """The ids of the function's triggers, by type."""
    request = ListFunctionTriggersRequest(function_urn=app.access.function_urn("backup"))
    found = app.access.functiongraph.call("list_function_triggers", request)
    return {item["trigger_type_code"]: item["trigger_id"] for item in found}


def test_a_deployed_application_is_well(deployed: App) -> None:
    """Every check finds something, and nothing bad."""
    findings = find(deployed)

    assert bad(findings) == []
    assert {check for check, _ in findings} == {check.name for check in CHECKS}


def test_what_is_not_deployed_is_said_once(app: App) -> None:
    """And not again for all that is part of it."""
    assert bad(find(app)) == [
        ("functions", "problem", "it is not there"),
        ("agencies", "problem", "it is not there"),
    ]


def wrong_handler(app: App) -> None:
    configure(app, handler="other.handler")


def no_agency(app: App) -> None:
    configure(app, xrole="")


def no_vpc(app: App) -> None:
    configure(app)


def queue_of_the_console_and_no_vpc(app: App) -> None:
    no_vpc(app)
    app.leave_the_vpc()


def vpc_of_the_console(app: App) -> None:
    app.leave_the_vpc()
    app.deploy(prune=True)


def another_memory(app: App) -> None:
    configure(app, memory_size=512)


def another_code(app: App) -> None:
    app.source += "# newer\n"


def wrong_variables(app: App) -> None:
    configure(app, user_data='{"NOTIFY_TOPIC_URN": "nowhere", "MAX_CONCURRENCY": "many"}')


def topic_elsewhere(app: App) -> None:
    configure(app, user_data='{"NOTIFY_TOPIC_URN": "urn:smn:eu-west-101:%s:t", "LOG_LEVEL": "INFO"}' % ("0" * 32))


def no_topic(app: App) -> None:
    urn = app.access.topic_urn("dds-events")
    app.access.smn.call("delete_topic", DeleteTopicRequest(topic_urn=urn))


def other_trust(app: App) -> None:
    agency_id = Agencies(app.access, app.stack).id_of("dds-backup")
    request = UpdateAgencyRequest(agency_id=agency_id, body={"agency": {"trust_domain_name": "op_svc_ecs"}})
    app.access.iam.call("update_agency", request)


def short_agency(app: App) -> None:
    agency_id = Agencies(app.access, app.stack).id_of("dds-backup")
    request = UpdateAgencyRequest(agency_id=agency_id, body={"agency": {"duration": "ONEDAY"}})
    app.access.iam.call("update_agency", request)


def disabled(app: App) -> None:
    configure(app, strategy_config={"concurrency": 0})


def other_execution_agency(app: App) -> None:
    configure(app, app_xrole="other")


def no_grant(app: App) -> None:
    policies, agencies = Policies(app.access, app.stack), Agencies(app.access, app.stack)
    found = agencies.find(["dds-backup"], app.stack, ())
    grants = Grants(app.access, agencies, policies)
    for grant in grants.find((), app.stack, found):
        grants.delete(grant)


def too_much(app: App) -> None:
    policies, agencies = Policies(app.access, app.stack), Agencies(app.access, app.stack)
    policy = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["dds:*:*"]}]}
    role = {"display_name": "wide", "type": "XA", "description": "", "policy": policy}
    request = CreateCloudServiceCustomPolicyRequest(body={"role": role})
    app.access.iam.call("create_cloud_service_custom_policy", request)
    wanted = next(item for item in stack(app).wanted if item.kind is Kind.GRANT)
    grant = replace(wanted, fields={"agency": "dds-backup", "policy": "wide"})
    Grants(app.access, agencies, policies).create(grant)


def kafka_off(app: App) -> None:
    request = UpdateTriggerRequest(
        function_urn=app.access.function_urn("backup"),
        trigger_type_code="KAFKA",
        trigger_id=triggers(app)["KAFKA"],
        body={"trigger_status": "DISABLED"},
    )
    app.access.functiongraph.call("update_trigger", request)


def kafka_off_in_the_template(app: App) -> None:
    kafka_off(app)
    app.change("Status: ACTIVE", "Status: DISABLED")


def no_timer(app: App) -> None:
    request = DeleteFunctionTriggerRequest(
        function_urn=app.access.function_urn("backup"), trigger_type_code="TIMER", trigger_id=triggers(app)["TIMER"]
    )
    app.access.functiongraph.call("delete_function_trigger", request)


def wrong_event(app: App) -> None:
    app.change('"instance_ids"', '"instances"')
    app.deploy()


def unknown_instance(app: App) -> None:
    app.change("a89dab5e39394eccbdb77b19d57b0180in02", "a" * 32 + "in02")
    app.deploy()


def frozen_instance(app: App) -> None:
    app.change("a89dab5e39394eccbdb77b19d57b0180in02", "f7a2d50e6c934b18a0e3c45b91d8f267in02")
    app.deploy()


FAULTS: list[tuple[Callable[[App], None], str, str, str]] = [
    (wrong_handler, "functions", "problem", "other.handler"),
    (no_agency, "functions", "problem", "nothing"),
    (no_vpc, "functions", "problem", "nothing"),
    (queue_of_the_console_and_no_vpc, "triggers", "problem", "backup has no access to a VPC, in which"),
    (vpc_of_the_console, "functions", "warning", "it is in the VPC v-1"),
    (another_memory, "functions", "warning", "512"),
    (another_code, "functions", "warning", "SHA-512 "),
    (wrong_variables, "settings", "problem", "NOTIFY_TOPIC_URN: must be urn:smn:.*MAX_CONCURRENCY"),
    (topic_elsewhere, "topics", "warning", "is in another region or project"),
    (no_topic, "topics", "problem", "is not there"),
    (other_trust, "agencies", "problem", "op_svc_ecs"),
    (short_agency, "agencies", "warning", "24"),
    (disabled, "functions", "problem", "it is disabled"),
    (other_execution_agency, "functions", "problem", "its code runs under other"),
    (no_grant, "permissions", "problem", "may not dds:backup:list, .*smn:topic:publish"),
    (too_much, "permissions", "warning", r"may also dds:\*:\*"),
    (kafka_off, "triggers", "problem", "DISABLED"),
    (kafka_off_in_the_template, "triggers", "warning", "DISABLED, as the template says"),
    (no_timer, "triggers", "problem", "it is not there"),
    (wrong_event, "timers", "problem", "instances: unknown field"),
    (unknown_instance, "instances", "problem", "it is not there"),
    (frozen_instance, "instances", "problem", "unpaid is frozen"),
]


@pytest.mark.parametrize(("break_it", "check", "level", "found"), FAULTS, ids=[fault[0].__name__ for fault in FAULTS])
def test_each_fault_is_found(
    deployed: App, break_it: Callable[[App], None], check: str, level: str, found: str
) -> None:
    """By its check, with what to do."""
    break_it(deployed)

    findings = find(deployed)

    fitting = [item for name, item in findings if (name, item.level.value) == (check, level)]
    assert [item for item in fitting if re.search(found, item.found)]
    assert all(item.what_to_do and item.expected for item in fitting)


def test_a_function_outside_of_its_vpc_is_said_once(deployed: App) -> None:
    """Of the function, not of its trigger again."""
    no_vpc(deployed)

    assert [(check, level) for check, level, _ in bad(find(deployed))] == [("functions", "problem")]


def test_what_is_granted_on_all_projects_counts(deployed: App) -> None:
    """The console grants for all resources, unless it is told otherwise."""
    no_grant(deployed)
    access = deployed.access
    request = AssociateAgencyWithAllProjectsPermissionRequest(
        domain_id=access.domain_id,
        agency_id=Agencies(access, deployed.stack).id_of("dds-backup"),
        role_id=Policies(access, deployed.stack).id_of("dds-backup"),
    )
    access.iam.call("associate_agency_with_all_projects_permission", request)

    assert bad(find(deployed)) == []


def test_a_system_defined_role_is_no_problem(deployed: App, cloud: LocalCloud) -> None:
    """What it allows cannot be read from it."""
    document = {"Version": "1.0", "Statement": [{"Effect": "Allow", "Action": ["dds:dds:*"]}]}
    body = {"roles": [{"id": "r-1", "name": "dds_adm", "display_name": "DDS Administrator", "policy": document}]}
    cloud.set_faults([{"method": "GET", "path": "agencies/[^/]+/roles$", "answer": {"status": 200, "body": body}}])

    assert [item[:2] for item in bad(find(deployed))] == [("permissions", "warning")]


def test_what_is_denied_is_not_allowed(deployed: App, cloud: LocalCloud) -> None:
    """Whatever else allows it."""
    statements = [{"Effect": "Allow", "Action": ["*:*:*"]}, {"Effect": "Deny", "Action": ["DDS:backup:*"]}]
    body = {"roles": [{"id": "r-1", "name": "n", "policy": {"Version": "1.1", "Statement": statements}}]}
    cloud.set_faults([{"method": "GET", "path": "agencies/[^/]+/roles$", "answer": {"status": 200, "body": body}}])

    assert ("permissions", "problem", "may not dds:backup:list") in bad(find(deployed))


def test_nobody_listens(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """A subscription that was not confirmed gets nothing."""
    app.deploy()
    capsys.readouterr()

    found = [finding.found for _, finding in find(app) if finding.level is Level.WARNING]

    assert found == ["none is confirmed, email dba@example.com not yet"]


def test_wrong_keys_cost_all_the_rest(deployed: App) -> None:
    """Nothing is known then, and nothing is said of it."""
    right = deployed.access
    keys = Keys(right.keys.access_key, "wrong", right.keys.security_token, right.project_id)
    wrong = Access(right.region, keys, right.endpoint, lambda _: None)

    findings = find(deployed, wrong)

    levels = {check: finding.level for check, finding in findings}
    assert levels.pop("credentials") is Level.PROBLEM
    assert levels.pop("clock") is Level.OK
    assert set(levels.values()) == {Level.NOT_CHECKED}
    assert "check the keys" in findings[0][1].what_to_do


def test_what_may_not_be_asked_is_not_checked(deployed: App, cloud: LocalCloud) -> None:
    """The other checks go on."""
    cloud.set_faults([{"path": "/v3/[0-9a-f]+/instances$", "answer": {"status": 403}}])

    findings = find(deployed)

    assert [item[:2] for item in bad(findings)] == [("instances", "not checked")]
    assert "DDS.ListInstances" in bad(findings)[0][2]


@pytest.mark.parametrize(
    ("skew", "level", "found"),
    [
        (-2.0, "ok", "2 s behind the service"),
        (120.0, "warning", "120 s ahead of the service"),
        (-1000.0, "problem", "1000 s behind the service"),
        (None, "not checked", "no answer told the time"),
    ],
)
def test_a_wrong_clock_is_found(app: App, skew: float | None, level: str, found: str) -> None:
    """Signatures carry its time."""
    access = Access(app.access.region, app.access.keys, app.access.endpoint)
    access.clock_skew = skew

    (finding,) = clock(stack(app, access))

    assert (finding.level.value, finding.found) == (level, found)


def test_a_project_of_another_region_is_found(deployed: App) -> None:
    """The keys work in both."""
    right = deployed.access
    elsewhere = Access("eu-west-101", right.keys, right.endpoint, lambda _: None)

    assert ("project", "problem", "it belongs to cn-north-4") in bad(find(deployed, elsewhere))


def test_full_quotas_are_found(deployed: App, cloud: LocalCloud) -> None:
    """Before a deployment fails for them."""
    resources = [{"type": "fgs_func_num", "quota": 400, "used": 399}, {"type": "unknown", "quota": 1, "used": 1}]
    body = {"quotas": {"resources": resources}}
    cloud.set_faults([{"path": "quotas$", "answer": {"status": 200, "body": body}}])

    assert bad(find(deployed)) == [("quotas", "warning", "399 of 400 functions")]


def run(app: App, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    app.deployment()
    monkeypatch.setattr("cli.huaweicloud.access.open_access", lambda _cloud, _region: app.access)
    template = str(app.folder / "template.yaml")
    return CliRunner().invoke(main, ["doctor", "--region", "r", "--skip-code", "--template", template, *arguments])


def test_the_command_ends_with_1_when_there_is_a_problem(deployed: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """And with 0 for warnings."""
    well = run(deployed, monkeypatch, "--json")
    no_timer(deployed)
    ill = run(deployed, monkeypatch)

    assert (well.exit_code, ill.exit_code) == (0, 1)
    document = json.loads(well.stdout)
    assert document["ok"] is True
    assert document["findings"][0]["check"] == "credentials"
    assert "problem     triggers     trigger backup TIMER Nightly: it is not there" in ill.stdout
    assert "what to do: ddsbackup deploy makes it so" in ill.stdout
    assert "1 problem" in ill.stdout
    assert SECRET not in well.stdout + ill.stdout


def test_what_depends_on_a_parameter_that_is_not_given_is_not_compared(
    deployed: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to give an address to have the application checked."""
    deployed.change("Endpoint: dba@example.com", 'Endpoint: "${Email}"')
    deployed.change("Parameters:", "Parameters:\n  Email: {Type: String}")

    assert run(deployed, monkeypatch).exit_code == 0


def test_keys_that_may_ask_nothing_are_still_keys(deployed: App, cloud: LocalCloud) -> None:
    """A denial is not a rejection."""
    cloud.set_faults([{"path": "quotas$", "answer": {"status": 403}}])

    findings = find(deployed)

    assert findings[0][1].level is Level.OK
    assert [item[:2] for item in bad(findings)] == [("quotas", "not checked")]


def test_a_project_that_the_account_does_not_have_is_found(deployed: App, cloud: LocalCloud) -> None:
    """As after a slip in HUAWEICLOUD_SDK_PROJECT_ID."""
    body = {"projects": [{"id": "other", "name": "cn-north-4"}]}
    cloud.set_faults([{"path": "/v3/projects$", "answer": {"status": 200, "body": body}}])

    assert ("project", "problem", "the account has no such project") in bad(find(deployed))


def test_no_instance_at_all_is_a_problem(deployed: App, cloud: LocalCloud) -> None:
    """Most likely the wrong region."""
    answer = {"status": 200, "body": {"instances": [], "total_count": 0}}
    cloud.set_faults([{"path": "/v3/[0-9a-f]+/instances$", "answer": answer}])

    assert ("instances", "problem", "none in cn-north-4") in bad(find(deployed))


def test_code_that_cannot_be_packed_is_not_compared(deployed: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the rest is checked."""

    def fail(*_: object, **__: object) -> None:
        raise PackagingFailed("no Python 3.10 on this machine")

    monkeypatch.setattr("cli.deploy.packing.build_packages", fail)
    deployed.deployment()
    monkeypatch.setattr("cli.huaweicloud.access.open_access", lambda _cloud, _region: deployed.access)

    result = CliRunner().invoke(main, ["doctor", "--template", str(deployed.folder / "template.yaml")])

    assert result.exit_code == 0
    assert "The code is not compared, since it cannot be packed: no Python 3.10 on this machine" in result.stderr
