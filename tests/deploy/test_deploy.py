"""Deploying to the local cloud, over HTTP, through the official SDK."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from huaweicloudsdkfunctiongraph.v2 import ShowFunctionConfigRequest, UpdateFunctionConfigRequest
from huaweicloudsdkiam.v3 import UpdateAgencyRequest
from huaweicloudsdksmn.v2 import ListSubscriptionsByTopicRequest

from cli.deploy.difference import plan
from cli.deploy.stack import look, services
from cli.errors import WrongCall
from cli.huaweicloud.mark import read_mark
from cli.huaweicloud.resources import Kind
from localcloud import LocalCloud
from tests.deploy.conftest import SECRET, App


WRITES = {"POST", "PUT", "PATCH", "DELETE"}
Output = Callable[[], Any]


@pytest.fixture
def document(capsys: pytest.CaptureFixture[str]) -> Output:
    """The JSON document that the last run printed; nothing that any run prints holds a secret."""

    def read() -> Any:
        out, err = capsys.readouterr()
        assert SECRET not in out + err
        return json.loads(out)

    return read


@pytest.fixture
def deployed(app: App, document: Output) -> App:
    """The application, deployed."""
    app.deploy()
    assert {change["state"] for change in document()["changes"]} == {"done"}
    return app


def steps(document: Any) -> list[tuple[str, str]]:
    return [(change["action"], change["kind"]) for change in document["changes"]]


def writes(cloud: LocalCloud) -> list[str]:
    """The calls that may change something, searching by tag aside."""
    return [
        f"{call['method']} {call['path'].rpartition('/')[2]}"
        for call in cloud.requests()
        if call["method"] in WRITES and not call["path"].endswith("resource_instances/action")
    ]


def kinds_there(app: App) -> list[str]:
    """The kinds of everything that belongs to the stack."""
    found = look(services(app.access, app.stack), app.stack)
    return [item.resource.kind.value for _, here in found for item in here if item.stack == app.stack]


def test_everything_is_made_in_order(app: App, document: Output) -> None:
    """What something is part of comes first."""
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


def test_what_is_made_is_what_the_template_says(deployed: App) -> None:
    """As the services answer it, secrets aside."""
    found = {
        item.resource.key: item.resource
        for _, here in look(services(deployed.access, deployed.stack), deployed.stack)
        for item in here
    }
    urn = deployed.access.topic_urn("dds-events")

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


def test_the_second_time_there_is_nothing_to_do(deployed: App, cloud: LocalCloud, document: Output) -> None:
    """And nothing is written."""
    before = len(writes(cloud))

    deployed.deploy()

    assert document()["changes"] == []
    assert len(writes(cloud)) == before


@pytest.mark.parametrize(
    ("old", "new", "actions", "calls"),
    [
        ("MemorySize: 256", "MemorySize: 512", ["update"], ["PUT config"]),
        ("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG", ["update"], ["PUT config"]),
        (", LOG_LEVEL: INFO", "", ["update"], ["PUT config"]),
        ("MaxRetryAttempts: 3", "MaxRetryAttempts: 0", ["update"], ["PUT async-invoke-config"]),
        ("Status: ACTIVE", "Status: DISABLED", ["update"], ["PUT"]),
        ("0 0 2", "0 0 3", ["replace"], ["DELETE", "POST"]),
        ("DisplayName: Backups", "DisplayName: Nightly", ["update"], ["PUT"]),
        ("DDS.ListBackups, ", "", ["update"], ["PATCH"]),
        ("SubnetId: s-1", "SubnetId: s-2", ["update"], ["PUT config"]),
        ("Python3.10", "Python3.12", ["replace", *["create"] * 3], ["DELETE", "POST functions", "PUT", "POST", "POST"]),
    ],
    ids=[
        "memory",
        "variable",
        "no variable",
        "retries",
        "status",
        "schedule",
        "display",
        "permission",
        "subnet",
        "runtime",
    ],
)
def test_only_what_differs_is_changed(
    deployed: App, cloud: LocalCloud, document: Output, old: str, new: str, actions: list[str], calls: list[str]
) -> None:
    """By as many calls as it takes, and then there is nothing to do."""
    before = len(writes(cloud))
    deployed.change(old, new)

    deployed.deploy()

    assert [action for action, _ in steps(document())] == actions
    made = writes(cloud)[before:]
    assert len(made) == len(calls)
    assert all(call.startswith(expected) for call, expected in zip(made, calls, strict=True))
    deployed.deploy()
    assert document()["changes"] == []


def test_an_agency_that_would_end_is_made_to_last(deployed: App, document: Output) -> None:
    """Whoever gave it an end: without it the functions have no credentials."""
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


def test_what_is_too_long_with_the_mark_is_shortened(app: App, document: Output) -> None:
    """A remark, a function's description, and the functions of an agency; the next run finds nothing to do."""
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


def test_new_code_is_uploaded_and_nothing_else(deployed: App, cloud: LocalCloud, document: Output) -> None:
    """The digest tells."""
    before = len(writes(cloud))
    deployed.source += "# changed\n"

    deployed.deploy()

    assert [field["name"] for field in document()["changes"][0]["fields"]] == ["code"]
    assert writes(cloud)[before:] == ["PUT code"]


def test_a_dry_run_shows_and_does_nothing(app: App, cloud: LocalCloud, document: Output) -> None:
    """Every step is planned."""
    app.deploy(dry_run=True, yes=False)

    assert {change["state"] for change in document()["changes"]} == {"planned"}
    assert writes(cloud) == []


def test_what_the_template_has_no_more_is_left_until_it_is_pruned(deployed: App, document: Output) -> None:
    """And said to be left."""
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


def test_what_is_there_and_was_not_made_here_is_refused(
    app: App, document: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until one says that it is to be adopted; then it is the stack's."""
    app.stack = "first"
    app.deploy()
    document()
    _forget_whose(app)
    app.stack = "second"

    with pytest.raises(WrongCall, match="function backup is there already and was not made by ddsbackup deploy"):
        app.deploy()
    capsys.readouterr()
    app.deploy(adopt=True)
    adopted = next(change for change in document()["changes"] if change["kind"] == "function")
    app.deploy()

    assert adopted["action"] == "update"
    assert {"name": "stack", "old": None, "new": "second"} in adopted["fields"]
    assert document()["changes"] == []


def _forget_whose(app: App) -> None:
    """Rename all that is not the function, and take the mark from the function."""
    from huaweicloudsdkfunctiongraph.v2 import UpdateFunctionConfigRequest

    app.values = {"Prefix": "other"}
    urn = app.access.function_urn("backup")
    body = {"func_name": "backup", "runtime": "Python3.10", "handler": "index.handler", "memory_size": 256}
    body |= {"timeout": 30, "description": "Made by hand."}
    request = UpdateFunctionConfigRequest(function_urn=urn, body=body)
    app.access.functiongraph.call("update_function_config", request)


def test_another_stack_is_never_taken_over(deployed: App) -> None:
    """Not even with --adopt."""
    deployed.stack = "another"

    with pytest.raises(WrongCall, match="belongs to the stack dds-backup"):
        deployed.deploy(adopt=True)


def test_two_stacks_live_side_by_side(deployed: App, document: Output) -> None:
    """Under other names, each knows its own."""
    deployed.stack = "second"
    deployed.values = {"Prefix": "second"}
    deployed.change("FunctionName: backup", "FunctionName: second")

    deployed.deploy()

    assert len(document()["changes"]) == 9
    assert len(kinds_there(deployed)) == 9
    deployed.stack = "dds-backup"
    assert len(kinds_there(deployed)) == 9


STEPS = [
    ("POST", "topics$", "topic"),
    ("POST", "tags$", "topic"),
    ("POST", "subscriptions$", "subscription"),
    ("POST", "OS-ROLE/roles$", "policy"),
    ("POST", "OS-AGENCY/agencies$", "agency"),
    ("PUT", "OS-AGENCY/projects/.*/roles/", "grant"),
    ("POST", "fgs/functions$", "function"),
    ("PUT", "async-invoke-config$", "asynchronous invocation"),
    ("POST", "fgs/triggers/", "trigger"),
]


FAULTS: dict[str, dict[str, Any]] = {
    "denied": {"answer": {"status": 403}},
    "broken": {"answer": {"status": 500}},
    "no answer": {"drop": "after"},
    "another's answer": {"answer": {"status": 200, "body": {"login": "please"}}},
}
USED = {"policy", "agency", "function", "trigger"}
"""The kinds that are told by what is answered: of the others an answer is not looked at."""
FAILURES = [
    pytest.param(*step, fault, id=f"{name} {step[1]}")
    for step in STEPS
    for name, fault in FAULTS.items()
    if (step[1], name) != ("topics$", "no answer") and (name != "another's answer" or step[2] in USED)
]


@pytest.mark.parametrize(("method", "path", "kind", "fault"), FAILURES)
def test_after_a_failed_step_the_next_run_goes_on(
    app: App,
    cloud: LocalCloud,
    document: Output,
    method: str,
    path: str,
    kind: str,
    fault: dict[str, Any],
) -> None:
    """Whether the service carried it out or not: nothing is made twice, and all is there in the end."""
    cloud.set_faults([{"method": method, "path": path, **fault}])

    with pytest.raises(SystemExit) as ended:
        app.deploy()
    first = document()
    cloud.set_faults([])
    untagged = path == "tags$" and "answer" in fault  # no answer: it may be tagged, and here it is
    app.deploy(adopt=untagged)
    second = document()

    assert ended.value.code == 1
    failed = next(change for change in first["changes"] if change["state"] == "failed")
    assert failed["kind"] == kind
    assert first["error"]["what_to_do"]
    assert ("--adopt" in first["error"]["what_to_do"]) == (path == "tags$")
    done = [(c["kind"], c["name"]) for c in first["changes"] if c["state"] == "done"]
    assert not {(c["kind"], c["name"]) for c in second["changes"]} & set(done)
    app.deploy()
    assert document()["changes"] == []
    assert len(kinds_there(app)) == 9


def test_a_topic_without_an_answer_is_looked_for(app: App, cloud: LocalCloud, document: Output) -> None:
    """It carries no mark yet, so the next run would take it for somebody else's."""
    cloud.set_faults([{"method": "POST", "path": "topics$", "nth": 1, "drop": "after"}])

    app.deploy()

    assert {change["state"] for change in document()["changes"]} == {"done"}
    assert len(kinds_there(app)) == 9


def test_code_that_did_not_arrive_is_a_failed_step(app: App, cloud: LocalCloud, document: Output) -> None:
    """FunctionGraph may make an empty function, and call it a success."""
    empty = {"func_urn": "u", "code_size": 0, "digest": ""}
    cloud.set_faults([{"method": "POST", "path": "fgs/functions$", "answer": {"status": 200, "body": empty}}])

    with pytest.raises(SystemExit):
        app.deploy()

    error = document()["error"]
    assert error["operation"] == "FunctionGraph.CreateFunction"
    assert "code of 0 bytes" in error["message"]


def test_a_new_kafka_trigger_that_is_off_is_turned_on(app: App, cloud: LocalCloud, document: Output) -> None:
    """FunctionGraph makes it DISABLED, whatever it is asked."""
    body = {"trigger_id": "t-1", "trigger_type_code": "KAFKA", "trigger_status": "DISABLED", "event_data": {}}
    answer = {"status": 201, "body": body}
    cloud.set_faults([{"method": "POST", "path": "fgs/triggers/", "nth": 2, "answer": answer}])

    with pytest.raises(SystemExit):  # the trigger of the made-up answer is not there
        app.deploy()

    assert document()["error"]["operation"] == "FunctionGraph.UpdateTrigger"
    assert writes(cloud)[-1] == "PUT t-1"


def in_the_console(app: App, **vpc: Any) -> None:
    """Put the function into a VPC as one does in the console."""
    urn = app.access.function_urn("backup")
    config = app.access.functiongraph.call("show_function_config", ShowFunctionConfigRequest(function_urn=urn))
    request = UpdateFunctionConfigRequest(function_urn=urn, body=config | {"func_vpc": vpc})
    app.access.functiongraph.call("update_function_config", request)


def vpc_of(app: App) -> Any:
    """The VPC that the function is in, as the API answers it, without what is not known of it."""
    request = ShowFunctionConfigRequest(function_urn=app.access.function_urn("backup"))
    vpc = app.access.functiongraph.call("show_function_config", request)["func_vpc"]
    return vpc and {name: value for name, value in vpc.items() if value is not None}


def test_a_vpc_of_the_console_outlasts_an_update(app: App, document: Output) -> None:
    """Where the template has none: an update without one would take the function out of it."""
    vpc = {"vpc_id": "v-9", "subnet_id": "s-9", "security_groups": ["g-9"]}
    app.leave_the_vpc()
    app.deploy()
    in_the_console(app, **vpc)
    app.change("MemorySize: 256", "MemorySize: 512")
    document()

    app.deploy()

    assert [field["name"] for field in document()["changes"][0]["fields"]] == ["memory_size"]
    assert vpc_of(app) == vpc


def test_a_vpc_of_the_template_wins(deployed: App, document: Output) -> None:
    """What else the console knows of the VPC stays for as long as the function is in it."""
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


def test_a_template_that_drops_its_vpc_leaves_it(deployed: App, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody knows any more who chose it, so it is said."""
    deployed.leave_the_vpc()
    capsys.readouterr()

    deployed.deploy(prune=True)

    out, err = capsys.readouterr()
    assert steps(json.loads(out)) == [("update", "policy"), ("delete", "trigger")]
    assert vpc_of(deployed) == {"vpc_id": "v-1", "subnet_id": "s-1"}
    assert "Note: backup was found in the VPC v-1, which the template does not say" in err


def test_a_queue_in_another_subnet_says_what_to_do(app: App, cloud: LocalCloud, document: Output) -> None:
    """FunctionGraph refuses the trigger."""
    body = {"error_code": "FSS.1114", "error_msg": "The subnet of the function must be the same as that of Kafka."}
    cloud.set_faults([{"method": "POST", "path": "fgs/triggers/", "answer": {"status": 400, "body": body}}])

    with pytest.raises(SystemExit):
        app.deploy()

    assert document()["error"]["what_to_do"] == "write the VPC and subnet of the Kafka instance into VpcConfig"


def test_what_an_update_does_not_say_outlasts_it(
    deployed: App, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agency for execution that was chosen in the console is sent back."""
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


def test_what_is_read_in_pages_is_read_to_the_end(deployed: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whatever size the pages are."""
    for module in ("topics.TOPICS_PAGE", "topics.TAGS_PAGE", "subscriptions.PAGE", "policies.PAGE", "agencies.PAGE"):
        monkeypatch.setattr(f"cli.huaweicloud.{module}", 1)
    monkeypatch.setattr("cli.huaweicloud.functions.PAGE", 1)
    wanted = deployed.deployment().resources()
    found = [
        item for _, here in look(services(deployed.access, deployed.stack), deployed.stack, wanted) for item in here
    ]

    assert plan(wanted, found, deployed.stack).changes == ()


def test_people_see_old_and_new(deployed: App, capsys: pytest.CaptureFixture[str]) -> None:
    """And what is left to them."""
    deployed.change("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG")
    capsys.readouterr()

    deployed.deploy(as_json=False)

    out, err = capsys.readouterr()
    assert out == ""
    assert "variables.LOG_LEVEL: INFO -> DEBUG" in err
    assert "1 to update; 8 unchanged." in err
    assert "done    update   function backup" in err
    assert "dba@example.com has to confirm" in err
    assert "Note: backup is in a VPC and reaches DDS and SMN only through it" in err
    assert SECRET not in err


def test_people_see_what_a_policy_gains_and_loses(deployed: App, capsys: pytest.CaptureFixture[str]) -> None:
    """Action by action."""
    deployed.change("DDS.ListBackups, ", "DDS.ListTasks, ")
    capsys.readouterr()

    deployed.deploy(dry_run=True)

    err = capsys.readouterr().err
    assert "policy: + dds:task:list\n" in err
    assert "policy: - dds:backup:list\n" in err


def test_people_see_what_they_agree_to(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """What is to be allowed, what runs, and when; no secret."""
    app.deploy(dry_run=True)

    err = capsys.readouterr().err
    assert "policy: dds:backup:list, " in err
    assert "memory_size: 256" in err
    assert "subnet_id: s-1" in err
    assert "schedule: CRON_TZ=UTC 0 0 2 * * ?" in err
    assert "kafka_user: me" in err
    assert SECRET not in err
    assert "kafka_password" not in err


def test_without_yes_and_without_anybody_to_ask_it_is_a_wrong_call(app: App, cloud: LocalCloud) -> None:
    """A pipeline has to say that it means it."""
    with pytest.raises(WrongCall, match="give --yes to go on, or --dry-run"):
        app.deploy(yes=False)
    assert writes(cloud) == []


def test_ctrl_c_is_a_failed_step(app: App, document: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told how far it came, and the next run goes on."""

    def interrupt(method: str, request: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        app.access.iam  # noqa: B018 so that it is there to be patched
        real = app.access.iam.call
        patch.setattr(
            app.access.iam, "call", lambda m, r, *n: interrupt(m, r) if m == "create_agency" else real(m, r, *n)
        )
        with pytest.raises(SystemExit):
            app.deploy()
    first = document()
    app.deploy()

    assert first["error"]["operation"] == "Ctrl-C"
    assert [change["state"] for change in first["changes"]].index("failed") == 3
    assert len(document()["changes"]) == 6


def test_who_may_not_look_at_what_is_not_wanted_can_deploy(app: App, cloud: LocalCloud, document: Output) -> None:
    """Where agencies are looked after by others, a function without permissions needs nothing of IAM."""
    app.change("      Permissions: [DDS.ListBackups, SMN.PublishMessage]\n", "")
    cloud.set_faults([{"path": "/v3.0/", "answer": {"status": 403}}])

    app.deploy()

    assert {kind for _, kind in steps(document())} == {
        "topic",
        "subscription",
        "function",
        "asynchronous invocation",
        "trigger",
    }
