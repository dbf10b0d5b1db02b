"""A replacement that fails leaves what was there, and says what the state means for the backups."""

import base64
import hashlib
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cli.deploy.consequences import consequences
from cli.deploy.deployment import look_up, services
from cli.errors import WrongCall
from cli.huaweicloud.functiongraph import read_code
from cli.huaweicloud.resources import Kind
from localcloud import LocalCloud
from tests.deploy.conftest import App, Output


EDITS = {
    "timer": ("0 0 2", "0 0 3"),
    "queue": ("batch_size: 100", "batch_size: 50"),
    "function": ("Python3.10", "Python3.12"),
    "topic": ("DisplayName: Backups", "DisplayName: Nightly"),
    "policy": ("DDS.ListBackups, ", "DDS.DeleteManualBackup, "),
    "configuration": ("MemorySize: 256", "MemorySize: 512"),
    "asynchronous invocation": ("MaxRetryAttempts: 3", "MaxRetryAttempts: 1"),
}
CALLS = {
    "timer": [("DELETE", "triggers/", 1), ("POST", "triggers/", 1)],
    "queue": [("DELETE", "triggers/", 1), ("POST", "triggers/", 1)],
    "function": [
        ("GET", "/code$", 1),
        ("DELETE", "fgs/functions/", 1),
        ("POST", "fgs/functions$", 1),
        ("PUT", "async-invoke-config$", 1),
        ("POST", "triggers/", 1),
        ("POST", "triggers/", 2),
    ],
    "topic": [("PUT", "topics/", 1)],
    "policy": [("PATCH", "roles/", 1)],
    "configuration": [("PUT", "/config$", 1)],
    "asynchronous invocation": [("PUT", "async-invoke-config$", 1)],
}
"""The calls of each edit that can fail: method, path, and which of these calls."""
FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"answer": {"status": 400, "body": {"error_code": "FSS.0400", "error_msg": "no"}}},
    "broken": {"answer": {"status": 500}},
    "no response": {"drop": "after"},
}


def there(app: App) -> dict[Any, Any]:
    """All resources with their fields, without ids."""
    found = look_up(services(app.access, app.stack), app.stack)
    return {item.resource.key: dict(item.resource.fields) for item in found}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("edit", "call"), [(edit, call) for edit, calls in CALLS.items() for call in calls], ids=str)
def test_nothing_is_missing_after_any_call_that_fails(
    deployed: App, cloud: LocalCloud, document: Output, edit: str, call: tuple[str, str, int], fault: str
) -> None:
    """What is replaced is as it was, what is changed is old or new, and the next run completes the change."""
    if call[0] == "GET" and fault != "refused":
        pytest.skip("a read is repeated")
    before = there(deployed)
    deployed.change(*EDITS[edit])
    cloud.set_faults([{"method": call[0], "path": call[1], "nth": call[2], **FAULTS[fault]}])

    with pytest.raises(SystemExit) as ended:
        deployed.deploy()

    run, after = document(), there(deployed)
    assert ended.value.code == 1
    assert run["consequences"] == []
    if edit in ("timer", "queue", "function"):
        assert after == before
        assert run["is_put_back"] is (None if call[0] == "GET" else True)
    assert after.keys() == before.keys()
    cloud.set_faults([])
    deployed.deploy()
    assert document()["error"] is None
    assert there(deployed) != before
    deployed.deploy()
    assert document()["changes"] == []


def test_a_timer_that_cannot_be_put_back_is_a_consequence(
    deployed: App, cloud: LocalCloud, document: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no scheduled backup, and the next run makes the timer from the template."""
    deployed.change(*EDITS["timer"])
    cloud.set_faults([{"method": "POST", "path": "triggers/", "answer": {"status": 500}}])
    with pytest.raises(SystemExit) as ended:
        deployed.deploy()
    out, err = capsys.readouterr()
    cloud.set_faults([])

    deployed.deploy()

    assert ended.value.code == 1
    run = json.loads(out)
    assert (run["is_put_back"], run["consequences"]) == (
        False,
        ["There is no scheduled backup now: the trigger backup TIMER Nightly is gone."],
    )
    assert "could not be put back" in err
    assert "There is no scheduled backup now" in err
    assert [(change["action"], change["state"]) for change in document()["changes"]] == [("create", "done")]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Kind.FUNCTION, "No backup is made: the function backup is gone."),
        (Kind.AGENCY, "No backup is made: the agency dds-backup is gone, which backup needs to call DDS and SMN."),
        (Kind.POLICY, "No backup is made: the policy dds-backup is gone, which backup needs to call DDS and SMN."),
        (Kind.GRANT, "No backup is made: the grant dds-backup to dds-backup is gone, which backup needs"),
        (Kind.TOPIC, "Backups are made but nobody is told: the topic dds-events is gone."),
        (Kind.SUBSCRIPTION, "Backups are made but nobody is told: the subscription dds-events email"),
        (Kind.ASYNC_INVOCATION, "A failed event of backup is retried as the platform's defaults say"),
    ],
    ids=lambda value: value.value if isinstance(value, Kind) else "",
)
def test_what_is_missing_is_said_by_what_it_means(app: App, kind: Kind, sentence: str) -> None:
    """One sentence for each cause, by the role of the resource in the template."""
    deployment = app.deployment()
    wanted = deployment.resources()
    before = {item.key: item for item in wanted}
    there = {key: item for key, item in before.items() if key[0] is not kind}

    said = list(consequences(deployment.template, wanted, there, before))

    assert len(said) == 1
    assert said[0].startswith(sentence)


def test_a_disabled_timer_is_a_consequence(deployed: App, cloud: LocalCloud, document: Output) -> None:
    """It is there, but starts nothing. The failed step would have enabled it."""
    switch(deployed, "DISABLED")
    cloud.set_faults([{"method": "PUT", "path": "triggers/", "answer": {"status": 500}}])

    with pytest.raises(SystemExit):
        deployed.deploy()

    said = ["There is no scheduled backup now: the trigger backup TIMER Nightly is disabled."]
    assert document()["consequences"] == said
    cloud.set_faults([])
    deployed.deploy()
    assert document()["error"] is None
    deployed.change(
        "      Nightly:\n        Type: TIMER\n", "      Nightly:\n        Type: TIMER\n        Status: DISABLED\n"
    )
    deployed.change("MemorySize: 256", "MemorySize: 512")
    cloud.set_faults([{"method": "PUT", "path": "/config$", "answer": {"status": 500}}])
    with pytest.raises(SystemExit):
        deployed.deploy()
    assert document()["consequences"] == []


def switch(app: App, status: str) -> None:
    """Switch the timer as the console does."""
    where = services(app.access, app.stack)
    [timer] = [item for item in look_up(where, app.stack) if item.resource.name == "backup TIMER Nightly"]
    changed = replace(timer.resource, fields={**timer.resource.fields, "status": status})
    where[Kind.TRIGGER].update(timer, changed, ["status"])


def test_new_code_with_the_old_configuration_is_a_consequence(
    deployed: App, cloud: LocalCloud, document: Output
) -> None:
    """The code has its own call, and the call for the configuration fails."""
    deployed.source += "# new\n"
    deployed.change("LOG_LEVEL: INFO", "LOG_LEVEL: DEBUG")
    cloud.set_faults([{"method": "PUT", "path": "/config$", "answer": {"status": 500}}])

    with pytest.raises(SystemExit):
        deployed.deploy()

    said = ["Backup may fail: it runs its new code with the old configuration (variables)."]
    assert document()["consequences"] == said
    with pytest.raises(SystemExit):
        deployed.deploy()
    assert document()["consequences"] == []  # the code is no longer new in this run


def test_a_function_whose_code_cannot_be_read_is_not_replaced(
    deployed: App, cloud: LocalCloud, document: Output
) -> None:
    """Nothing is deleted. The advice says how to get there without a replacement."""
    cloud.switch(code_in_answer=False)
    before = there(deployed)
    deployed.change(*EDITS["function"])

    with pytest.raises(SystemExit) as ended:
        deployed.deploy()

    run = document()
    assert ended.value.code == 1
    assert "the code of backup cannot be read" in run["error"]["message"]
    assert "another FunctionName" in run["error"]["what_to_do"]
    assert (there(deployed), run["consequences"]) == (before, [])


def test_a_function_with_a_foreign_queue_is_not_replaced(deployed: App, document: Output) -> None:
    """Nobody knows the password of the trigger that the template does not have, so it could not be made again."""
    before = there(deployed)
    deployed.text = deployed.text[: deployed.text.index("      Queue:\n")]
    deployed.change(*EDITS["function"])

    with pytest.raises(WrongCall, match="password no service returns"):
        deployed.deploy()

    assert there(deployed) == before


@pytest.mark.parametrize(
    ("link", "content", "is_read"),
    [
        ("https://obs.example.com/code.zip", b"zip", True),
        ("https://obs.example.com/code.zip", b"another", False),
        ("http://obs.example.com/code.zip", b"zip", False),
        ("", b"zip", False),
    ],
    ids=["the code", "another code", "without TLS", "no link"],
)
def test_the_code_is_read_by_its_link(
    monkeypatch: pytest.MonkeyPatch, link: str, content: bytes, is_read: bool
) -> None:
    """Its page calls the field with the code deprecated. What the link returns has to have the function's digest."""

    def get(url: str, **_: object) -> SimpleNamespace:
        assert url == link
        return SimpleNamespace(content=content)

    monkeypatch.setattr("cli.huaweicloud.functiongraph.requests.get", get)

    found = read_code({"file": "", "link": link}, hashlib.sha512(b"zip").hexdigest())

    assert found == (base64.b64encode(b"zip").decode() if is_read else None)


def test_a_manual_trigger_survives_the_replacement_of_its_function(deployed: App, document: Output) -> None:
    """The template does not have it, and nothing is pruned."""
    start, end = deployed.text.index("      Nightly:\n"), deployed.text.index("      Queue:\n")
    deployed.text = deployed.text[:start] + deployed.text[end:]
    deployed.change(*EDITS["function"])

    deployed.deploy()

    document()
    assert (Kind.TRIGGER, "backup TIMER Nightly") in there(deployed)


def test_ctrl_c_in_a_replacement_puts_the_old_back(
    deployed: App, document: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit status is that of an interrupted command."""
    before = there(deployed)
    deployed.change(*EDITS["timer"])
    client, calls = deployed.access.functiongraph, []
    real = client.call

    def call(method: str, request: Any, *needs: Any) -> Any:
        calls.append(method)
        if method == "create_function_trigger" and calls.count(method) == 1:
            raise KeyboardInterrupt
        return real(method, request, *needs)

    with monkeypatch.context() as patch:
        patch.setattr(client, "call", call)
        with pytest.raises(SystemExit) as ended:
            deployed.deploy()

    assert ended.value.code == 130
    assert document()["is_put_back"] is True
    assert there(deployed) == before
