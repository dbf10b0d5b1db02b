"""Steps of a deployment that fail, and the runs that continue after them."""

from typing import Any

import pytest

from localcloud import LocalCloud
from tests.deploy.conftest import App, Output, kinds_there, writes


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
"""Method and path of each step, and the kind of resource."""

FAULTS: dict[str, dict[str, Any]] = {
    "denied": {"answer": {"status": 403}},
    "broken": {"answer": {"status": 500}},
    "no response": {"drop": "after"},
    "response of a proxy": {"answer": {"status": 200, "body": {"login": "please"}}},
}
USED = {"policy", "agency", "function", "trigger"}
"""The kinds whose response is used. For the others it makes no difference."""


@pytest.mark.parametrize("name", FAULTS)
def test_the_next_run_continues_after_a_failed_step(app: App, cloud: LocalCloud, document: Output, name: str) -> None:
    """Step after step fails, whether or not the service carried it out. Nothing is created twice or missing."""
    fault, done, adopt = FAULTS[name], set[tuple[str, str]](), False
    for method, path, kind in STEPS:
        if (name == "no response" and path == "topics$") or (name == "response of a proxy" and kind not in USED):
            continue  # this fault is no failure of the step
        cloud.set_faults([{"method": method, "path": path, **fault}])

        with pytest.raises(SystemExit) as ended:
            app.deploy(adopt=adopt)

        run = document()
        assert ended.value.code == 1
        failed = next(change for change in run["changes"] if change["state"] == "failed")
        assert failed["kind"] == kind
        assert run["error"]["what_to_do"]
        assert ("--adopt" in run["error"]["what_to_do"]) == (path == "tags$")
        assert not {(change["kind"], change["name"]) for change in run["changes"]} & done
        done |= {(change["kind"], change["name"]) for change in run["changes"] if change["state"] == "done"}
        adopt = path == "tags$" and "answer" in fault  # without a response, the topic may have its tag, and has it here
    cloud.set_faults([])
    app.deploy(adopt=adopt)
    assert not {(change["kind"], change["name"]) for change in document()["changes"]} & done
    app.deploy()
    assert document()["changes"] == []
    assert len(kinds_there(app)) == 9


def test_a_topic_without_a_response_is_looked_up(app: App, cloud: LocalCloud, document: Output) -> None:
    """It has no tag yet, so the next run would not recognize it."""
    cloud.set_faults([{"method": "POST", "path": "topics$", "nth": 1, "drop": "after"}])

    app.deploy()

    assert {change["state"] for change in document()["changes"]} == {"done"}
    assert len(kinds_there(app)) == 9


@pytest.mark.parametrize(
    ("fault", "operation", "text"),
    [
        (
            {
                "path": "fgs/functions$",
                "answer": {"status": 200, "body": {"func_urn": "u", "code_size": 0, "digest": ""}},
            },
            "FunctionGraph.CreateFunction",
            "code of 0 bytes",
        ),
        (
            {
                "path": "fgs/triggers/",
                "answer": {"status": 400, "body": {"error_code": "FSS.1114", "error_msg": "Not the subnet of Kafka."}},
            },
            "FunctionGraph.CreateFunctionTrigger",
            "write the VPC and subnet of the Kafka instance into VpcConfig",
        ),
    ],
    ids=["a function without its code", "a queue in another subnet"],
)
def test_a_failed_step_says_why(
    app: App, cloud: LocalCloud, document: Output, fault: dict[str, Any], operation: str, text: str
) -> None:
    """FunctionGraph may report success for a function without its code, and refuses a queue in another subnet."""
    cloud.set_faults([{"method": "POST", **fault}])

    with pytest.raises(SystemExit):
        app.deploy()

    error = document()["error"]
    assert error["operation"] == operation
    assert text in error["message"] + error["what_to_do"]


def test_a_new_kafka_trigger_is_enabled(app: App, cloud: LocalCloud, document: Output) -> None:
    """FunctionGraph creates it DISABLED, whatever status the request has."""
    body = {"trigger_id": "t-1", "trigger_type_code": "KAFKA", "trigger_status": "DISABLED", "event_data": {}}
    answer = {"status": 201, "body": body}
    cloud.set_faults([{"method": "POST", "path": "fgs/triggers/", "nth": 2, "answer": answer}])

    with pytest.raises(SystemExit):  # there is no trigger with the id of this response
        app.deploy()

    assert document()["error"]["operation"] == "FunctionGraph.UpdateTrigger"
    assert writes(cloud)[-1] == "PUT t-1"


def test_ctrl_c_is_a_failed_step(app: App, document: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document says how far it came, and the next run continues."""

    def interrupt(method: str, request: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        app.access.iam  # noqa: B018 the client has to exist to be patched
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
