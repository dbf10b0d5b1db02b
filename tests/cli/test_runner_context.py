"""The context has every documented method, with the values of the invocation."""

from collections.abc import Callable
from typing import Any

from localcloud.functiongraph.runtime.model import Credentials


Run = Callable[..., Any]
Make = Callable[..., Any]


def call(*methods: str) -> str:
    lines = ", ".join(f"{name!r}: context.{name}()" for name in methods)
    return f"def handler(event, context):\n    return {{{lines}}}\n"


def test_identity_of_the_function(run: Run) -> None:
    """Name, package, version, project, memory, CPU and timeout are those of the template."""
    methods = [
        "getFunctionName",
        "getPackage",
        "getVersion",
        "getAlias",
        "getProjectID",
        "getMemorySize",
        "getCPUNumber",
        "getRunningTimeInSeconds",
    ]
    assert run(call(*methods), memory_size=512, timeout=60).result == {
        "getFunctionName": "sample",
        "getPackage": "default",
        "getVersion": "latest",
        "getAlias": "",
        "getProjectID": "a-project",
        "getMemorySize": 512,
        "getCPUNumber": 600,
        "getRunningTimeInSeconds": 60,
    }


def test_credentials_are_those_of_the_invocation(make_instance: Make, credentials: Credentials) -> None:
    """A warm instance sees the credentials of each invocation. The deprecated methods return empty text."""
    methods = "getSecurityAccessKey getSecuritySecretKey getSecurityToken getToken getAccessKey getSecretKey"
    instance = make_instance(call(*methods.split()))
    later = type(credentials)("AK2", "SK2", "ST2", "T2")
    results = [tuple(instance.invoke("{}", given).result.values()) for given in (credentials, later)]
    assert results == [
        ("AKTEMPORARY", "a-secret-key", "a-security-token", "an-iam-token", "", ""),
        ("AK2", "SK2", "ST2", "T2", "", ""),
    ]


def test_request_id_is_that_of_the_report(run: Run) -> None:
    """The function and the report agree on the request id; trace and invocation ids are the same."""
    invocation = run(call("getRequestID", "get_trace_id", "get_invoke_id"))
    assert set(invocation.result.values()) == {invocation.report.request_id}


def test_user_data(run: Run) -> None:
    """getUserData returns a setting, or None if there is none."""
    source = """
        def handler(event, context):
            return [context.getUserData("ON_BUSY"), context.getUserData("NOT_THERE")]
        """
    assert run(source, settings={"ON_BUSY": "skip"}).result == ["skip", None]


def test_workflows_and_state(run: Run) -> None:
    """The methods for workflows return empty values. The state lasts for the invocation."""
    source = """
        def handler(event, context):
            context.set_state({"step": 1})
            return [
                context.getWorkflowID(), context.getWorkflowRunID(), context.getWorkflowStateID(),
                context.get_invoke_property(), context.get_state(), len(context.get_instance_id()),
            ]
        """
    assert run(source).result == ["", "", "", "", {"step": 1}, 36]


def test_remaining_time_runs_down(run: Run) -> None:
    """The remaining time starts at the timeout, in milliseconds, and decreases."""
    source = """
        import time

        def handler(event, context):
            first = context.getRemainingTimeInMilliSeconds()
            time.sleep(0.05)
            return [first, context.getRemainingTimeInMilliSeconds()]
        """
    first, later = run(source, timeout=60).result
    assert 59_000 < first <= 60_000
    assert 0 < later <= first - 50


def test_initializer_has_its_own_time(run: Run) -> None:
    """The remaining time in the initializer is that of its own timeout."""
    source = """
        def initializer(context):
            global remaining
            remaining = context.getRemainingTimeInMilliSeconds()

        def handler(event, context):
            return remaining
        """
    result = run(source, initializer="index.initializer", initializer_timeout=120, timeout=5).result
    assert 110_000 < result <= 120_000


def test_logger_writes_time_request_id_and_content(run: Run, log: list[str]) -> None:
    """A line of the context's logger has the time, the request id and the text."""
    source = """
        def handler(event, context):
            logger = context.getLogger()
            for write in (logger.info, logger.warning, logger.error):
                write("hello")
        """
    invocation = run(source)
    assert len(log) == 3
    for line in log:
        time, request_id, content = line.split(" ")
        assert time.endswith("Z")
        assert (request_id, content) == (invocation.report.request_id, "hello")
