"""A replacement that fails leaves what was there, and says what the state means for the backups."""

import json
from typing import Any

import pytest

from cli.deploy.consequences import consequences
from cli.deploy.deployment import look_up, services
from cli.huaweicloud.resources import Kind
from localcloud import LocalCloud
from tests.deploy.conftest import App, Output


EDITS = {
    "timer": ("0 0 2", "0 0 3"),
    "queue": ("batch_size: 100", "batch_size: 50"),
    "function": ("Python3.10", "Python3.12"),
    "topic": ("DisplayName: Backups", "DisplayName: Nightly"),
    "policy": ("DDS.ListBackups, ", "DDS.ListTasks, "),
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
    keys = {item.key for item in wanted}

    said = list(consequences(deployment.template, wanted, {key for key in keys if key[0] is not kind}, keys))

    assert len(said) == 1
    assert said[0].startswith(sentence)


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
