"""Running the uploaded package: isolated, in a process of its own, from a read-only folder."""

import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk
import pytest

from localcloud import LocalCloud
from localcloud.functiongraph.routes import MAX_ASYNC_BODY, MAX_SYNC_BODY
from localcloud.functiongraph.runtime import interpreters
from localcloud.functiongraph.runtime.interpreters import Interpreter, interpreter_for
from tests.localcloud.functions import (
    NO_DATEUTIL,
    Answer,
    invoke,
    new_code,
    new_config,
    new_function,
    package,
    refused,
)


pytestmark = NO_DATEUTIL
FAILING = """
    def handler(event, context):
        print("about to fail")
        raise ValueError("no such luck")
    """


def run(cloud: LocalCloud, functiongraph: Any, source: str, event: Any = None, **changes: Any) -> Any:
    """The result of a new function with this source."""
    urn = functiongraph.create_function(new_function(content=package(source), **changes)).func_urn
    answer = invoke(cloud, urn, event)
    assert answer.headers["X-Is-Func-Err"] == "false", answer.text
    return answer.json


def test_invoke(functiongraph: Any, cloud: LocalCloud) -> None:
    """By default the body is the function's result, and the rest is in headers."""
    urn = functiongraph.create_function(new_function()).func_urn
    answer = invoke(cloud, urn, {"name": "you"})

    assert (answer.status, answer.json) == (200, {"hello": "you"})
    assert (answer.headers["X-Func-Err-Code"], answer.headers["X-Is-Func-Err"]) == ("0", "false")
    assert answer.headers["X-Cff-Request-Id"] == cloud.invocations()[-1]["request_id"]
    assert int(answer.headers["X-CFF-Billing-Duration"]) >= 1
    assert "X-Cff-Function-Log" not in answer.headers


def test_invoke_with_the_sdk(functiongraph: Any) -> None:
    """Version v1, which the SDK needs, returns JSON with result, status and log."""
    source = """
        def handler(event, context):
            print("here I am")
            return "it is " + event["name"]
        """
    urn = functiongraph.create_function(new_function(content=package(source))).func_urn
    request = sdk.InvokeFunctionRequest(
        function_urn=urn, body={"name": "you"}, x_cff_log_type="tail", x_cff_request_version="v1"
    )
    answer = functiongraph.invoke_function(request)

    assert (answer.result, answer.status) == ("it is you", 200)
    start, line, finish = answer.log.split("\n")
    assert f"Start invoke request '{answer.request_id}', version: latest" in start
    assert line == "here I am"
    assert f"Finish invoke request '{answer.request_id}', duration: " in finish
    assert "billing memory: 256MB" in finish


@pytest.mark.parametrize(
    ("expression", "text", "kind"),
    [
        ("None", "", "application/json"),
        ("'text'", "text", "text/plain; charset=utf-8"),
        ("[1, None]", "[1, null]", "application/json"),
    ],
)
def test_results(functiongraph: Any, cloud: LocalCloud, expression: str, text: str, kind: str) -> None:
    """None is an empty body, a string is the body, anything else is JSON."""
    source = f"def handler(event, context):\n    return {expression}\n"
    urn = functiongraph.create_function(new_function(content=package(source))).func_urn
    answer = invoke(cloud, urn)

    assert (answer.text, answer.headers["content-type"]) == (text, kind)


def test_a_failing_function(functiongraph: Any, cloud: LocalCloud) -> None:
    """A failure is status 200 with the error in the body and a header that says so."""
    urn = functiongraph.create_function(new_function(content=package(FAILING))).func_urn
    answer = invoke(cloud, urn, X_Cff_Log_Type="tail")

    assert (answer.status, answer.headers["X-Is-Func-Err"], answer.headers["X-Func-Err-Code"]) == (200, "true", "4001")
    assert (answer.json["errorType"], answer.json["errorMessage"]) == ("ValueError", "no such luck")
    assert 'raise ValueError("no such luck")' in answer.json["stackTrace"][0]
    assert "about to fail" in base64.b64decode(answer.headers["X-Cff-Function-Log"]).decode()


def test_a_timeout(functiongraph: Any, cloud: LocalCloud) -> None:
    """A timeout, here of the initializer, ends the instance, and the next event starts a new one."""
    source = """
        import time
        def start(context):
            time.sleep(60)
        def handler(event, context):
            pass
        """
    made = new_function(content=package(source), initializer_handler="index.start", initializer_timeout=1)
    urn = functiongraph.create_function(made).func_urn
    late = invoke(cloud, urn)

    assert (late.headers["X-Func-Err-Code"], late.json["errorType"]) == ("4211", "FunctionInitTimeout")
    functiongraph.update_function_code(new_code(urn, package(source.replace("60", "0"))))
    assert invoke(cloud, urn).headers["X-Is-Func-Err"] == "false"


def test_the_log_header(functiongraph: Any, cloud: LocalCloud) -> None:
    """The header contains the last 2000 bytes of the log."""
    source = "def handler(event, context):\n    print('x' * 5000)\n"
    urn = functiongraph.create_function(new_function(content=package(source))).func_urn
    log = base64.b64decode(invoke(cloud, urn, X_Cff_Log_Type="tail").headers["X-Cff-Function-Log"])

    assert len(log) == 2000
    assert b"Finish invoke request" in log


def test_only_the_package_is_importable(functiongraph: Any, cloud: LocalCloud) -> None:
    """Only the zip and the standard library can be imported, not installed packages or this repository."""
    source = """
        import importlib.util
        import sys

        def handler(event, context):
            names = ("helper", "json", "pydantic", "huaweicloudsdkcore", "requests", "localcloud", "shared", "cli")
            return {
                "found": [name for name in names if importlib.util.find_spec(name)],
                "path": sys.path,
                "site": "site" in sys.modules,
            }
        """
    urn = functiongraph.create_function(new_function(content=package(source, helper=""))).func_urn
    found = invoke(cloud, urn).json

    assert found["found"] == ["helper", "json"]
    assert not any("site-packages" in entry for entry in found["path"])
    assert found["site"] is False


def test_the_code_root(functiongraph: Any, cloud: LocalCloud) -> None:
    """RUNTIME_CODE_ROOT is the root of the zip. It is read-only and no bytecode is written to it."""
    source = """
        import os
        from pathlib import Path

        import helper

        def handler(event, context):
            root = Path(os.environ["RUNTIME_CODE_ROOT"])
            return {
                "cwd": os.getcwd() == str(root.parent),
                "modes": {p.name: oct(p.stat().st_mode)[-4:] for p in [root, *root.iterdir()]},
            }
        """
    urn = functiongraph.create_function(new_function(content=package(source, helper="X = 1"))).func_urn

    assert invoke(cloud, urn).json == {
        "cwd": True,
        "modes": {"code": "0555", "index.py": "0444", "helper.py": "0444"},
    }


@pytest.mark.parametrize(("runtime", "version"), [("Python3.10", [3, 10]), ("Python3.12", [3, 12])])
def test_the_interpreter(functiongraph: Any, cloud: LocalCloud, runtime: str, version: list[int]) -> None:
    """A function runs on a Python of its version, or the log and /_local/functions say that there is none."""
    source = "import sys\ndef handler(event, context):\n    return sys.version_info[:2]\n"
    found = run(cloud, functiongraph, source, runtime=runtime)
    [function] = cloud.functions()

    if function["note"] is None:
        assert found == version
    else:
        assert found == list(sys.version_info[:2])
        assert cloud.invocations()[-1]["log"] == [function["note"]]


def test_a_missing_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an interpreter of the version, this one is used with a note. Broken shims are ignored."""
    monkeypatch.setattr(interpreters, "_candidates", lambda name: ["/bin/false", "/nowhere"])
    found = interpreter_for.__wrapped__("Python3.9" if sys.version_info[:2] != (3, 9) else "Python3.10")

    assert found.executable == sys.executable
    assert "runs on Python" in (found.note or "")
    running = f"Python{sys.version_info[0]}.{sys.version_info[1]}"
    assert interpreter_for.__wrapped__(running) == Interpreter(sys.executable)


def test_variables(functiongraph: Any, cloud: LocalCloud) -> None:
    """Plain variables are in environment and context, encrypted ones in the context, endpoints in the environment."""
    source = """
        import os

        def handler(event, context):
            names = ("PLAIN", "SECRET", "DDS_ENDPOINT", "SMN_ENDPOINT")
            return [{name: os.environ.get(name) for name in names}, {name: context.getUserData(name) for name in names}]
        """
    variables = {"user_data": '{"PLAIN": "a", "SMN_ENDPOINT": "http://mine"}', "encrypted_user_data": '{"SECRET": "b"}'}
    environment, user_data = run(cloud, functiongraph, source, **variables)

    assert environment == {"PLAIN": "a", "SECRET": None, "DDS_ENDPOINT": cloud.url, "SMN_ENDPOINT": "http://mine"}
    assert user_data == {"PLAIN": "a", "SECRET": "b", "DDS_ENDPOINT": None, "SMN_ENDPOINT": "http://mine"}


CREDENTIALS = """
    def handler(event, context):
        return [context.getSecurityAccessKey(), context.getSecuritySecretKey(), context.getSecurityToken()]
    """


def test_credentials_of_the_agency(functiongraph: Any, cloud: LocalCloud, http: Any) -> None:
    """Each invocation gets new temporary credentials of the function's agency."""
    region = cloud.connection()
    agency = {"name": "backup", "domain_id": "0f3d2f0c1c7f118d2f7a542a4e5c589a", "trust_domain_name": "op_svc_cff"}
    http.post("/v3.0/OS-AGENCY/agencies", json={"agency": agency}).raise_for_status()
    created = functiongraph.create_function(new_function(content=package(CREDENTIALS), xrole="backup"))
    first, second = invoke(cloud, created.func_urn).json, invoke(cloud, created.func_urn).json

    assert all([*first, *second])
    assert first[0] != second[0] != region["access_key"]
    assert [one["access_key"] for one in cloud.invocations()] == [first[0], second[0]]


@pytest.mark.parametrize("agency", [None, "not-there"])
def test_no_credentials_without_an_agency(functiongraph: Any, cloud: LocalCloud, agency: str | None) -> None:
    """Without a valid agency the credentials are empty, as on the platform."""
    assert run(cloud, functiongraph, CREDENTIALS, xrole=agency) == ["", "", ""]


def test_the_initializer_runs_once(functiongraph: Any, cloud: LocalCloud) -> None:
    """The initializer runs before the first event of an instance only."""
    source = """
        ran = []
        def start(context):
            ran.append(context.getRequestID())
        def handler(event, context):
            return len(ran)
        """
    made = new_function(content=package(source), initializer_handler="index.start", initializer_timeout=5)
    urn = functiongraph.create_function(made).func_urn

    assert [invoke(cloud, urn).json for _ in range(2)] == [1, 1]
    assert [one["report"]["cold_start"] for one in cloud.invocations()] == [True, False]


PID = "import os\ndef handler(event, context):\n    return os.getpid()\n"


@pytest.mark.parametrize("change", ["code", "configuration", "idle"])
def test_the_life_of_an_instance(functiongraph: Any, cloud: LocalCloud, change: str) -> None:
    """An instance serves events until code or configuration change, or until it is idle for a minute."""
    urn = functiongraph.create_function(new_function(content=package(PID))).func_urn
    first, second = invoke(cloud, urn).json, invoke(cloud, urn).json
    if change == "code":
        functiongraph.update_function_code(new_code(urn, package(PID + "\n")))
    elif change == "configuration":
        functiongraph.update_function_config(new_config(urn, timeout=20))
    else:
        cloud.advance(61)

    assert first == second
    assert is_gone(first)
    assert invoke(cloud, urn).json != first


@pytest.mark.parametrize("way", ["delete", "reset"])
def test_no_instance_outlives_its_function(functiongraph: Any, cloud: LocalCloud, way: str) -> None:
    """Deleting a function or resetting the cloud ends its process."""
    urn = functiongraph.create_function(new_function(content=package(PID))).func_urn
    pid = invoke(cloud, urn).json
    if way == "delete":
        functiongraph.delete_function(sdk.DeleteFunctionRequest(function_urn=urn.removesuffix(":latest")))
    else:
        cloud.reset()

    assert is_gone(pid)


def is_gone(pid: int) -> bool:
    """Whether the process does not exist."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_disabled_function(functiongraph: Any, cloud: LocalCloud) -> None:
    """With a maximum of 0 instances every event is refused with 429."""
    urn = functiongraph.create_function(new_function()).func_urn
    functiongraph.update_function_config(
        new_config(urn, strategy_config=sdk.StrategyConfig(concurrency=0, concurrent_num=1))
    )

    request = sdk.InvokeFunctionRequest(function_urn=urn, body={}, x_cff_request_version="v1")
    assert refused(functiongraph.invoke_function, request) == (429, "FSS.0429")


@pytest.mark.parametrize(
    ("kind", "limit", "status"), [("invocations", MAX_SYNC_BODY, 200), ("invocations-async", MAX_ASYNC_BODY, 202)]
)
def test_the_size_of_an_event(functiongraph: Any, cloud: LocalCloud, kind: str, limit: int, status: int) -> None:
    """An event has at most 6 MB, an asynchronous one 256 KB."""
    urn = functiongraph.create_function(new_function()).func_urn
    frame = len(json.dumps({"x": ""}, separators=(",", ":")))

    def send(size: int) -> Answer:
        return invoke(cloud, urn, {"x": "x" * (size - frame)}, kind)

    assert send(limit).status == status
    assert (send(limit + 1).status, send(limit + 1).json["error_code"]) == (413, "FSS.1201")


@pytest.mark.parametrize("event", [[], "text", 5])
def test_an_event_is_an_object(functiongraph: Any, cloud: LocalCloud, event: Any) -> None:
    """Events other than JSON objects are refused."""
    urn = functiongraph.create_function(new_function()).func_urn

    assert (invoke(cloud, urn, event).status, invoke(cloud, urn, event).json["error_code"]) == (400, "FSS.0400")


def test_invocations_are_recorded(functiongraph: Any, cloud: LocalCloud) -> None:
    """/_local/invocations has event, outcome, report and log, also of failed invocations."""
    urn = functiongraph.create_function(new_function(content=package(FAILING))).func_urn
    invoke(cloud, urn, {"a": 1})
    [found] = cloud.invocations()

    assert (found["function_urn"], found["source"], found["event"]) == (urn, "InvokeFunction", {"a": 1})
    assert (found["ok"], found["log"]) == (False, ["about to fail"])
    assert found["error"] is not None
    assert found["error"]["errorType"] == "ValueError"
    assert found["report"]["cold_start"] is True
    assert not Path("/proc/1").exists() or found["report"]["max_memory_used_mb"] > 5
