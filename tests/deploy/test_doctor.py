"""What doctor finds in a deployed application, one fault at a time."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
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
from huaweicloudsdksmn.v2 import AddSubscriptionRequest, DeleteTopicRequest, ListSubscriptionsByTopicRequest

from cli.doctor import account, events, resources
from cli.doctor.account import clock
from cli.doctor.checks import Finding, Level, Stack, run_checks
from cli.huaweicloud.access import Access, Keys
from cli.huaweicloud.iam import Agencies, Grants, Policies
from cli.huaweicloud.resources import Kind
from cli.main import main
from cli.package.model import PackagingFailed
from localcloud import LocalCloud
from tests.deploy.conftest import SECRET, App
from tests.terraform.templates import GATEWAY


Findings = list[tuple[str, Finding]]
CHECKS = (*account.CHECKS, *resources.CHECKS, *events.CHECKS)


@pytest.fixture
def deployed(app: App, capsys: pytest.CaptureFixture[str]) -> App:
    """The application, deployed, with a confirmed subscription."""
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
    return [(check, finding) for check, found in run_checks(stack(app, access), CHECKS) for finding in found]


def bad(findings: Findings) -> list[tuple[str, str, str]]:
    """Check, level and text of all findings that are not ok, except the unconfirmed subscription of the template."""
    return [
        (check, finding.level.value, finding.found)
        for check, finding in findings
        if finding.level is not Level.OK and "not confirmed" not in finding.found
    ]


def configure(app: App, **changes: Any) -> None:
    """Change the deployed function, as in the console."""
    body = {"func_name": "backup", "runtime": "Python3.10", "handler": "index.handler", "memory_size": 256}
    request = UpdateFunctionConfigRequest(
        function_urn=app.access.function_urn("backup"), body={**body, "timeout": 30, **changes}
    )
    app.access.functiongraph.call("update_function_config", request)


def topic_urn(app: App) -> str:
    return app.access.topic_urn("dds-events")


def triggers(app: App) -> dict[str, str]:
    """The ids of the function's triggers, by type."""
    request = ListFunctionTriggersRequest(function_urn=app.access.function_urn("backup"))
    found = app.access.functiongraph.call("list_function_triggers", request)
    return {item["trigger_type_code"]: item["trigger_id"] for item in found}


def test_a_deployed_application_passes_every_check(deployed: App) -> None:
    """Each check has at least one finding, and all are ok."""
    findings = find(deployed)

    assert bad(findings) == []
    assert {check for check, _ in findings} == {check.name for check in CHECKS}


def test_a_missing_resource_is_one_problem(app: App) -> None:
    """Its parts are not reported."""
    assert bad(find(app)) == [
        ("functions", "problem", "it does not exist"),
        ("agencies", "problem", "it does not exist"),
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


def misspelt_setting(app: App) -> None:
    configure(app, user_data=json.dumps({"NOTIFY_TOPIC_URN": topic_urn(app), "ALOWED_INSTANCES": "a*"}))


def setting_of_another_name(app: App) -> None:
    configure(app, user_data=json.dumps({"NOTIFY_TOPIC_URN": topic_urn(app), "ALLOW_INSTANCES": "a*"}))


def endpoint_without_tls(app: App) -> None:
    configure(app, user_data=json.dumps({"NOTIFY_TOPIC_URN": topic_urn(app), "SMN_ENDPOINT": "http://10.0.0.1"}))


def gateway(app: App, **properties: str) -> None:
    data = {**GATEWAY, **properties}
    app.text += f"      Api: {{Type: APIG, Properties: {json.dumps(data)}}}\n"
    app.deploy()


def open_gateway(app: App) -> None:
    gateway(app, auth="NONE", protocol="HTTPS")


def gateway_without_tls(app: App) -> None:
    gateway(app, auth="IAM", protocol="HTTP")


FAULTS: list[tuple[Callable[[App], None], str, str, str]] = [
    (wrong_handler, "functions", "problem", "other.handler"),
    (no_agency, "functions", "problem", "nothing"),
    (no_vpc, "functions", "problem", "nothing"),
    (queue_of_the_console_and_no_vpc, "triggers", "problem", "backup has no access to a VPC, in which"),
    (vpc_of_the_console, "functions", "warning", "it is in the VPC v-1"),
    (another_memory, "functions", "warning", "512"),
    (another_code, "functions", "warning", "SHA-512 "),
    (wrong_variables, "settings", "problem", "NOTIFY_TOPIC_URN: must be urn:smn:.*MAX_CONCURRENCY"),
    (misspelt_setting, "settings", "problem", "ALOWED_INSTANCES: .* did you mean ALLOWED_INSTANCES"),
    (setting_of_another_name, "settings", "warning", "ALLOW_INSTANCES has no effect: it is not a setting"),
    (endpoint_without_tls, "settings", "warning", "SMN_ENDPOINT is http://, so that the security token goes"),
    (open_gateway, "triggers", "warning", "auth is NONE, so that anybody"),
    (gateway_without_tls, "triggers", "warning", "protocol is HTTP, so that requests"),
    (topic_elsewhere, "topics", "warning", "is in another region or project"),
    (no_topic, "topics", "problem", "does not exist"),
    (other_trust, "agencies", "problem", "op_svc_ecs"),
    (short_agency, "agencies", "warning", "24"),
    (disabled, "functions", "problem", "it is disabled"),
    (other_execution_agency, "functions", "problem", "its code runs under other"),
    (no_grant, "permissions", "problem", "may not dds:backup:list, .*smn:topic:publish"),
    (too_much, "permissions", "warning", r"may also dds:\*:\*"),
    (kafka_off, "triggers", "problem", "DISABLED"),
    (kafka_off_in_the_template, "triggers", "warning", "DISABLED, as in the template"),
    (no_timer, "triggers", "problem", "it does not exist"),
    (wrong_event, "timers", "problem", "instances: unknown field"),
    (unknown_instance, "instances", "problem", "it does not exist"),
    (frozen_instance, "instances", "problem", "unpaid is frozen"),
]


@pytest.mark.parametrize(("break_it", "check", "level", "found"), FAULTS, ids=[fault[0].__name__ for fault in FAULTS])
def test_each_fault_is_found(
    deployed: App, break_it: Callable[[App], None], check: str, level: str, found: str
) -> None:
    """The finding has the right check and level, and says what to do."""
    break_it(deployed)

    findings = find(deployed)

    fitting = [item for name, item in findings if (name, item.level.value) == (check, level)]
    assert [item for item in fitting if re.search(found, item.found)]
    assert all(item.what_to_do and item.expected for item in fitting)


def test_a_function_outside_of_its_vpc_is_one_problem(deployed: App) -> None:
    """The finding is about the function, not about its trigger."""
    no_vpc(deployed)

    assert [(check, level) for check, level, _ in bad(find(deployed))] == [("functions", "problem")]


def test_grants_on_all_projects_count(deployed: App) -> None:
    """The console grants on all projects by default."""
    no_grant(deployed)
    access = deployed.access
    request = AssociateAgencyWithAllProjectsPermissionRequest(
        domain_id=access.domain_id,
        agency_id=Agencies(access, deployed.stack).id_of("dds-backup"),
        role_id=Policies(access, deployed.stack).id_of("dds-backup"),
    )
    access.iam.call("associate_agency_with_all_projects_permission", request)

    assert bad(find(deployed)) == []


def test_a_system_defined_role_is_a_warning(deployed: App, cloud: LocalCloud) -> None:
    """Its document does not say all that it allows."""
    document = {"Version": "1.0", "Statement": [{"Effect": "Allow", "Action": ["dds:dds:*"]}]}
    body = {"roles": [{"id": "r-1", "name": "dds_adm", "display_name": "DDS Administrator", "policy": document}]}
    cloud.set_faults([{"method": "GET", "path": "agencies/[^/]+/roles$", "answer": {"status": 200, "body": body}}])

    assert [item[:2] for item in bad(find(deployed))] == [("permissions", "warning")]


def test_a_denied_action_is_not_allowed(deployed: App, cloud: LocalCloud) -> None:
    """Deny overrides any Allow."""
    statements = [{"Effect": "Allow", "Action": ["*:*:*"]}, {"Effect": "Deny", "Action": ["DDS:backup:*"]}]
    body = {"roles": [{"id": "r-1", "name": "n", "policy": {"Version": "1.1", "Statement": statements}}]}
    cloud.set_faults([{"method": "GET", "path": "agencies/[^/]+/roles$", "answer": {"status": 200, "body": body}}])

    assert ("permissions", "problem", "may not dds:backup:list") in bad(find(deployed))


def test_a_topic_without_a_confirmed_subscription_is_a_warning(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """An unconfirmed subscription receives nothing."""
    app.deploy()
    capsys.readouterr()

    found = [finding.found for _, finding in find(app) if finding.level is Level.WARNING]

    assert found == ["none is confirmed, email dba@example.com not yet"]


FILTERED = "Remark: the DBA, FilterPolicy: {severity: [warning, error]}"


def test_another_filter_policy_is_a_warning(deployed: App) -> None:
    """It changes who is told what."""
    deployed.change("Remark: the DBA", FILTERED)

    [(check, level, found)] = bad(find(deployed))

    assert (check, level, found) == ("topics", "warning", "every message")


def test_a_topic_for_failed_events_without_an_unfiltered_subscription_is_a_warning(
    app: App, cloud: LocalCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """What FunctionGraph says about them has no attributes, and a filter may hold it back."""
    app.change("Remark: the DBA", FILTERED)
    app.deploy()
    capsys.readouterr()
    request = ListSubscriptionsByTopicRequest(topic_urn=app.access.topic_urn("dds-events"))
    [subscription] = app.access.smn.pages("list_subscriptions_by_topic", request, "subscriptions", 100)
    headers = {"X-Auth-Token": cloud.connection()["token"]}
    path = f"/_local/subscriptions/{subscription['subscription_urn']}/confirm"
    httpx.post(f"{cloud.url}{path}", headers=headers, trust_env=False).raise_for_status()

    [(check, level, found)] = bad(find(app))

    assert (check, level) == ("topics", "warning")
    assert found.startswith("all have a filter policy, and what FunctionGraph says")


def test_the_topic_for_failed_events_is_checked(deployed: App) -> None:
    """It may be another one than that of the notifications."""
    deployed.change(
        "Resources:\n", "Resources:\n  Failures:\n    Type: HC::SMN::Topic\n    Properties: {Name: failures}\n"
    )
    deployed.change('OnFailure: {Destination: SMN, Param: {topic_urn: "${Topic}"}}', ON_FAILURE)
    deployed.deploy()

    assert bad(find(deployed)) == [("topics", "warning", "there are none")]


ON_FAILURE = 'OnFailure: {Destination: SMN, Param: {topic_urn: "${Failures}"}}'


def test_with_wrong_keys_nothing_else_is_checked(deployed: App) -> None:
    """All other checks but the clock need the keys."""
    right = deployed.access
    keys = Keys(right.keys.access_key, "wrong", right.keys.security_token, right.project_id)
    wrong = Access(right.region, keys, right.endpoint, lambda _: None)

    findings = find(deployed, wrong)

    levels = {check: finding.level for check, finding in findings}
    assert levels.pop("credentials") is Level.PROBLEM
    assert levels.pop("clock") is Level.OK
    assert set(levels.values()) == {Level.NOT_CHECKED}
    assert "check the keys" in findings[0][1].what_to_do


def test_a_check_with_a_denied_call_is_not_checked(deployed: App, cloud: LocalCloud) -> None:
    """The other checks run."""
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
        (None, "not checked", "no response had the time"),
    ],
)
def test_a_wrong_clock_is_found(app: App, skew: float | None, level: str, found: str) -> None:
    """Its time is part of every signature."""
    access = Access(app.access.region, app.access.keys, app.access.endpoint)
    access.clock_skew = skew

    (finding,) = clock(stack(app, access))

    assert (finding.level.value, finding.found) == (level, found)


def test_a_project_of_another_region_is_found(deployed: App) -> None:
    """The keys are valid in both regions."""
    right = deployed.access
    elsewhere = Access("eu-west-101", right.keys, right.endpoint, lambda _: None)

    assert ("project", "problem", "it belongs to cn-north-4") in bad(find(deployed, elsewhere))


def test_full_quotas_are_found(deployed: App, cloud: LocalCloud) -> None:
    """A deployment might fail because of them."""
    resources = [{"type": "fgs_func_num", "quota": 400, "used": 399}, {"type": "unknown", "quota": 1, "used": 1}]
    body = {"quotas": {"resources": resources}}
    cloud.set_faults([{"path": "quotas$", "answer": {"status": 200, "body": body}}])

    assert bad(find(deployed)) == [("quotas", "warning", "399 of 400 functions")]


def run(app: App, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    app.deployment()
    monkeypatch.setattr("cli.huaweicloud.access.open_access", lambda _cloud, _region: app.access)
    template = str(app.folder / "template.yaml")
    return CliRunner().invoke(main, ["doctor", "--region", "r", "--skip-code", "--template", template, *arguments])


def test_the_exit_status_is_1_if_there_is_a_problem(deployed: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 0 if there are only warnings."""
    well = run(deployed, monkeypatch, "--json")
    no_timer(deployed)
    ill = run(deployed, monkeypatch)

    assert (well.exit_code, ill.exit_code) == (0, 1)
    document = json.loads(well.stdout)
    assert document["ok"] is True
    checks = [finding["check"] for finding in document["findings"]]
    assert list(dict.fromkeys(checks)) == ["template", *(check.name for check in CHECKS)]
    assert "problem     triggers     trigger backup TIMER Nightly: it does not exist" in ill.stdout
    assert "what to do: run ddsbackup deploy" in ill.stdout
    assert "1 problem" in ill.stdout
    assert SECRET not in well.stdout + ill.stdout


def test_fields_that_depend_on_a_missing_parameter_are_not_compared(
    deployed: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check does not need the address of the subscription."""
    deployed.change("Endpoint: dba@example.com", 'Endpoint: "${Email}"')
    deployed.change("Parameters:", "Parameters:\n  Email: {Type: String}")

    assert run(deployed, monkeypatch).exit_code == 0


def test_keys_without_permissions_are_accepted(deployed: App, cloud: LocalCloud) -> None:
    """HTTP 403 means that the keys are valid."""
    cloud.set_faults([{"path": "quotas$", "answer": {"status": 403}}])

    findings = find(deployed)

    assert findings[0][1].level is Level.OK
    assert [item[:2] for item in bad(findings)] == [("quotas", "not checked")]


def test_a_project_that_the_account_does_not_have_is_found(deployed: App, cloud: LocalCloud) -> None:
    """HUAWEICLOUD_SDK_PROJECT_ID may be misspelt."""
    body = {"projects": [{"id": "other", "name": "cn-north-4"}]}
    cloud.set_faults([{"path": "/v3/projects$", "answer": {"status": 200, "body": body}}])

    assert ("project", "problem", "the account has no such project") in bad(find(deployed))


def test_no_instance_at_all_is_a_problem(deployed: App, cloud: LocalCloud) -> None:
    """Most likely the region is wrong."""
    answer = {"status": 200, "body": {"instances": [], "total_count": 0}}
    cloud.set_faults([{"path": "/v3/[0-9a-f]+/instances$", "answer": answer}])

    assert ("instances", "problem", "none in cn-north-4") in bad(find(deployed))


def test_code_that_cannot_be_packed_is_not_compared(deployed: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """All other checks run."""

    def fail(*_: object, **__: object) -> None:
        raise PackagingFailed("no Python 3.10 on this machine")

    monkeypatch.setattr("cli.deploy.deployment.build_packages", fail)
    deployed.deployment()
    monkeypatch.setattr("cli.huaweicloud.access.open_access", lambda _cloud, _region: deployed.access)

    result = CliRunner().invoke(main, ["doctor", "--template", str(deployed.folder / "template.yaml")])

    assert result.exit_code == 0
    assert (
        "The code is not compared, because the functions cannot be packaged: no Python 3.10 on this machine"
        in result.stderr
    )
