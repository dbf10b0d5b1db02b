"""Deploying to the local cloud, over HTTP, with the official SDK."""

import re
from typing import Any

import pytest
from huaweicloudsdkfunctiongraph.v2 import ShowFunctionConfigRequest, UpdateFunctionConfigRequest
from huaweicloudsdkiam.v3 import UpdateAgencyRequest
from huaweicloudsdksmn.v2 import ListSubscriptionsByTopicRequest

from cli.deploy.deployment import look_up, services
from cli.deploy.plan import plan
from cli.errors import WrongCall
from cli.huaweicloud.resources import Kind, read_mark
from localcloud import LocalCloud
from tests.deploy.conftest import App, Output, kinds_there, steps, writes


def test_deploying_creates_the_template_in_order(app: App, cloud: LocalCloud, document: Output) -> None:
    """Parents come first, all fields are as the services return them, and a second run writes nothing."""
    app.deploy()

    assert steps(document()) == [
        ("create", kind)
        for kind in (
            "topic",
            "subscription",
            "policy",
            "agency",
            "grant",
            "function",
            "asynchronous invocation",
            "trigger",
            "trigger",
        )
    ]
    found = {item.resource.key: item.resource for item in look_up(services(app.access, app.stack), app.stack)}
    urn = app.access.topic_urn("dds-events")
    assert found[Kind.TOPIC, "dds-events"].fields == {"display_name": "Backups"}
    function = found[Kind.FUNCTION, "backup"].fields
    assert (function["runtime"], function["memory_size"], function["timeout"]) == ("Python3.10", 256, 30)
    assert (function["agency"], function["description"]) == ("dds-backup", "Makes backups.")
    assert function["vpc"] == {"vpc_id": "v-1", "subnet_id": "s-1"}
    assert function["variables"] == {"NOTIFY_TOPIC_URN": urn, "LOG_LEVEL": "INFO"}
    assert found[Kind.AGENCY, "dds-backup"].fields["trusts"] == "op_svc_cff"
    assert (Kind.GRANT, "dds-backup to dds-backup") in found
    assert found[Kind.ASYNC_INVOCATION, "backup"].fields == {
        "max_retry_attempts": 3,
        "max_event_age": 3600,
        "on_success": None,
        "on_failure": {"destination": "SMN", "param": {"topic_urn": urn}},
    }
    assert found[Kind.TRIGGER, "backup KAFKA k-1 a,b"].fields["status"] == "ACTIVE"
    written = len(writes(cloud))
    app.deploy()
    assert document()["changes"] == []
    assert len(writes(cloud)) == written


def test_a_dry_run_writes_nothing(app: App, cloud: LocalCloud, document: Output) -> None:
    """All steps are planned."""
    app.deploy(dry_run=True, yes=False)

    assert {change["state"] for change in document()["changes"]} == {"planned"}
    assert writes(cloud) == []


CHANGES = [
    ("MemorySize: 256", "MemorySize: 512", ["update"], ["PUT config"]),
    ("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG", ["update"], ["PUT config"]),
    (", LOG_LEVEL: DEBUG", "", ["update"], ["PUT config"]),
    ("MaxRetryAttempts: 3", "MaxRetryAttempts: 0", ["update"], ["PUT async-invoke-config"]),
    ("Status: ACTIVE", "Status: DISABLED", ["update"], ["PUT"]),
    ("0 0 2", "0 0 3", ["replace"], ["DELETE", "POST"]),
    ("DisplayName: Backups", "DisplayName: Nightly", ["update"], ["PUT"]),
    ("DDS.ListBackups, ", "", ["update"], ["PATCH"]),
    ("SubnetId: s-1", "SubnetId: s-2", ["update"], ["PUT config"]),
    # A new Kafka trigger is disabled, as wanted by now.
    ("Python3.10", "Python3.12", ["replace", *["create"] * 3], ["DELETE", "POST functions", "PUT", "POST", "POST"]),
]
"""An edit of the template, and the actions and calls that it leads to. The edits build upon one another."""


def test_each_edit_changes_only_what_differs(deployed: App, cloud: LocalCloud, document: Output) -> None:
    """The calls of each run are those of the last edit, so every earlier run has done all there was to do."""
    for old, new, actions, calls in CHANGES:
        before = len(writes(cloud))
        deployed.change(old, new)

        deployed.deploy()

        made = writes(cloud)[before:]
        assert ([action for action, _ in steps(document())], len(made)) == (actions, len(calls)), new
        assert all(call.startswith(expected) for call, expected in zip(made, calls, strict=True)), new
    deployed.deploy()
    assert document()["changes"] == []


def test_the_filter_policy_of_a_subscription(deployed: App, cloud: LocalCloud, document: Output) -> None:
    """It is created, updated and deleted in place. The order of its values makes no difference."""
    line = "Remark: the DBA"
    edits = [
        (line, f"{line}, FilterPolicy: {{severity: [warning, error]}}", "POST filter_polices"),
        ("[warning, error]", "[error, warning]", None),
        ("[error, warning]", "[error], outcome: [FAILED]", "PUT filter_polices"),
        (", FilterPolicy: {severity: [error], outcome: [FAILED]}", "", "DELETE filter_polices"),
    ]
    for old, new, call in edits:
        before = len(writes(cloud))
        deployed.change(old, new)

        deployed.deploy()

        assert steps(document()) == ([("update", "subscription")] if call else [])
        assert writes(cloud)[before:] == ([call] if call else [])
    deployed.deploy()
    assert document()["changes"] == []


def test_a_new_subscription_has_its_filter_policy(app: App, cloud: LocalCloud, document: Output) -> None:
    """A filter that SMN refuses is a failed step. The next run makes up for it."""
    app.change("Remark: the DBA", "FilterPolicy: {severity: [warning, error]}")
    failure = {"code": "SMN.00011027", "message": "not now", "subscription_urn": "urn"}
    answer = {"status": 200, "body": {"request_id": "r", "batch_result": [failure]}}
    cloud.set_faults([{"method": "POST", "path": "filter_polices$", "times": 1, "answer": answer}])

    with pytest.raises(SystemExit):
        app.deploy()
    first = document()
    failed = first["changes"][1]
    assert first["error"]["code"] == "SMN.00011027"
    app.deploy()
    made_up = document()["changes"][0]

    assert (failed["kind"], failed["state"]) == ("subscription", "failed")
    assert (made_up["action"], made_up["fields"][0]["new"]) == ("update", {"severity": ["error", "warning"]})


def test_new_code_is_only_uploaded(deployed: App, cloud: LocalCloud, document: Output) -> None:
    """The digest of the package differs."""
    before = len(writes(cloud))
    deployed.source += "# changed\n"

    deployed.deploy()

    assert [field["name"] for field in document()["changes"][0]["fields"]] == ["code"]
    assert writes(cloud)[before:] == ["PUT code"]


def test_an_agency_that_expires_is_made_permanent(deployed: App, document: Output) -> None:
    """Without the agency the functions would have no credentials."""
    agencies = services(deployed.access, deployed.stack)[Kind.AGENCY]
    found = agencies.find(["dds-backup"], deployed.stack, ())[0]
    request = UpdateAgencyRequest(agency_id=found.id, body={"agency": {"duration": "ONEDAY"}})
    deployed.access.iam.call("update_agency", request)

    deployed.deploy()

    assert [change["fields"] for change in document()["changes"]] == [
        [{"name": "duration", "old": "24", "new": "FOREVER"}]
    ]
    deployed.deploy()
    assert document()["changes"] == []


def test_texts_that_are_too_long_with_the_mark_are_shortened(app: App, document: Output) -> None:
    """A remark, a function's description and an agency's list of functions; a second run changes nothing."""
    app.stack = "s" * 32
    app.change("Remark: the DBA", f"Remark: {'é' * 64}")
    app.change("Description: Makes backups.", f"Description: {'é' * 255}")
    start, end = app.text.index("  Backup:\n"), len(app.text)
    for number in range(8):
        name = f"function_with_a_long_name_{number}"
        copy = app.text[start:end].split("    Events:\n", maxsplit=1)[0]
        app.text += copy.replace("  Backup:", f"  Backup{number}:").replace("Name: backup", f"Name: {name}")

    app.deploy()

    assert document()["error"] is None
    request = ListSubscriptionsByTopicRequest(topic_urn=app.access.topic_urn("dds-events"))
    [subscription] = app.access.smn.pages("list_subscriptions_by_topic", request, "subscriptions", 100)
    assert len(str(subscription["remark"]).encode()) <= 128
    assert read_mark(str(subscription["remark"]), app.access.project_id)[1] == app.stack
    app.deploy()
    assert document()["changes"] == []


def test_resources_that_left_the_template_stay_until_they_are_pruned(deployed: App, document: Output) -> None:
    """Without --prune the document lists them under "left"."""
    start, end = deployed.text.index("      Nightly:\n"), deployed.text.index("      Queue:\n")
    deployed.text = deployed.text[:start] + deployed.text[end:]

    deployed.deploy()
    left = document()
    deployed.deploy(prune=True)
    pruned = document()
    deployed.deploy(prune=True)

    assert (left["changes"], left["left"]) == ([], [{"kind": "trigger", "name": "backup TIMER Nightly"}])
    assert steps(pruned) == [("delete", "trigger")]
    assert document()["changes"] == []


def test_a_resource_without_a_stack_has_to_be_adopted(
    app: App, document: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --adopt it is refused. Then it belongs to the stack."""
    app.stack = "first"
    app.deploy()
    document()
    app.values = {"Prefix": "other"}  # now only the function has a wanted name
    body = {"func_name": "backup", "runtime": "Python3.10", "handler": "index.handler", "memory_size": 256}
    body |= {"timeout": 30, "description": "Made by hand."}
    request = UpdateFunctionConfigRequest(function_urn=app.access.function_urn("backup"), body=body)
    app.access.functiongraph.call("update_function_config", request)
    app.stack = "second"

    with pytest.raises(WrongCall, match="function backup exists already and was not created by ddsbackup deploy"):
        app.deploy()
    capsys.readouterr()
    app.deploy(adopt=True)
    adopted = next(change for change in document()["changes"] if change["kind"] == "function")
    app.deploy()

    assert adopted["action"] == "update"
    assert {"name": "stack", "old": None, "new": "second"} in adopted["fields"]
    assert document()["changes"] == []


def test_two_stacks_live_side_by_side(deployed: App, document: Output) -> None:
    """Each knows its own resources, and takes over none of the other's, not even with --adopt."""
    deployed.stack = "second"
    with pytest.raises(WrongCall, match="belongs to the stack dds-backup"):
        deployed.deploy(adopt=True)
    deployed.values = {"Prefix": "second"}
    deployed.change("FunctionName: backup", "FunctionName: second")

    deployed.deploy()

    assert len(kinds_there(deployed)) == 9
    deployed.stack = "dds-backup"
    assert len(kinds_there(deployed)) == 9


def in_the_console(app: App, **vpc: Any) -> None:
    """Put the function into a VPC, as in the console."""
    urn = app.access.function_urn("backup")
    config = app.access.functiongraph.call("show_function_config", ShowFunctionConfigRequest(function_urn=urn))
    request = UpdateFunctionConfigRequest(function_urn=urn, body=config | {"func_vpc": vpc})
    app.access.functiongraph.call("update_function_config", request)


def vpc_of(app: App) -> Any:
    """The VPC of the function as the API returns it, without empty fields."""
    request = ShowFunctionConfigRequest(function_urn=app.access.function_urn("backup"))
    vpc = app.access.functiongraph.call("show_function_config", request)["func_vpc"]
    return vpc and {name: value for name, value in vpc.items() if value is not None}


def test_an_update_keeps_a_vpc_that_only_the_console_knows(app: App, document: Output) -> None:
    """An update without a VPC would take the function out of it."""
    vpc = {"vpc_id": "v-9", "subnet_id": "s-9", "security_groups": ["g-9"]}
    app.leave_the_vpc()
    app.deploy()
    in_the_console(app, **vpc)
    app.change("MemorySize: 256", "MemorySize: 512")
    document()

    app.deploy()

    assert [field["name"] for field in document()["changes"][0]["fields"]] == ["memory_size"]
    assert vpc_of(app) == vpc


def test_the_vpc_of_the_template_wins(deployed: App, document: Output) -> None:
    """Other settings of the VPC are kept as long as the function is in it."""
    groups = {"security_groups": ["g-1"]}
    in_the_console(deployed, vpc_id="v-1", subnet_id="s-1", **groups)
    deployed.change("MemorySize: 256", "MemorySize: 512")
    deployed.deploy()
    assert vpc_of(deployed) == {"vpc_id": "v-1", "subnet_id": "s-1", **groups}

    in_the_console(deployed, vpc_id="v-9", subnet_id="s-9", **groups)
    document()
    deployed.deploy()

    (change,) = document()["changes"]
    old, new = {"vpc_id": "v-9", "subnet_id": "s-9"}, {"vpc_id": "v-1", "subnet_id": "s-1"}
    assert change["fields"] == [{"name": "vpc", "old": old, "new": new}]
    assert vpc_of(deployed) == new


def test_an_update_keeps_the_execution_agency(deployed: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The template has no field for it, so it is sent back as it was."""
    client, sent = deployed.access.functiongraph, []
    config = {"func_urn": "u", "runtime": "Python3.10", "app_xrole": "other"}
    functions = services(deployed.access, deployed.stack)[Kind.FUNCTION]
    found = functions.find(["backup"], deployed.stack, ())[0]
    wanted = next(item for item in deployed.deployment().resources() if item.kind is Kind.FUNCTION)

    def call(method: str, request: Any, needs: Any = None) -> Any:
        sent.append((method, request))
        return config

    monkeypatch.setattr(client, "call", call)
    functions.update(found, wanted, ["memory_size"])

    method, request = sent[-1]
    assert method == "update_function_config"
    assert request.body["app_xrole"] == "other"


def test_lists_are_read_to_the_last_page(deployed: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """With pages of one item nothing is missing."""
    pages = ("smn.TOPICS", "smn.TAGS", "smn.SUBSCRIPTIONS", "iam.POLICIES", "iam.AGENCIES", "functiongraph.FUNCTIONS")
    for page in pages:
        monkeypatch.setattr(f"cli.huaweicloud.{page}_PAGE", 1)
    wanted = deployed.deployment().resources()
    found = look_up(services(deployed.access, deployed.stack), deployed.stack, wanted)

    assert plan(wanted, found, deployed.stack).changes == ()


def test_a_kind_that_the_template_lacks_need_not_be_listable(app: App, cloud: LocalCloud, document: Output) -> None:
    """If others manage the agencies, a user without any IAM permission can deploy a function without Permissions."""
    app.text = re.sub(r"      Permissions: .*\n", "", app.text)
    cloud.set_faults([{"path": "/v3.0/", "answer": {"status": 403}}])

    app.deploy()

    assert {kind for _, kind in steps(document())} == {
        "topic",
        "subscription",
        "function",
        "asynchronous invocation",
        "trigger",
    }


def test_without_a_terminal_yes_is_required(app: App, cloud: LocalCloud) -> None:
    """A pipeline has to give --yes, or nothing is written."""
    with pytest.raises(WrongCall, match="give --yes to go on, or --dry-run"):
        app.deploy(yes=False)
    assert writes(cloud) == []
