"""What FunctionGraph's API returns of an invocation, and what is made of it."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from cli.huaweicloud.access import Access
from cli.huaweicloud.invocations import MARGIN, Answer, DeployedFunction


FUNCTION = {
    "func_name": "create_backup",
    "func_urn": "urn:fss:cn-north-4:p:function:default:create_backup:latest",
    "package": "default",
    "description": "",
    "timeout": 300,
    "initializer_timeout": 30,
}


@dataclass
class Client:
    """FunctionGraph with one function, which answers every invocation alike."""

    answer: dict[str, Any]
    seconds: list[float] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)

    def call(self, method: str, request: Any, _: str) -> dict[str, Any]:
        if method == "list_functions":
            return {"functions": [FUNCTION], "next_marker": 1}
        self.requests.append(request)
        return {"request_id": "r-1", **self.answer}


@dataclass
class Project(Access):
    """A project whose FunctionGraph is a `Client`."""

    client: Client
    region: str = "cn-north-4"
    project_id: str = "p"

    @property
    def functiongraph(self) -> Any:
        return self.client

    def functiongraph_within(self, seconds: float) -> Any:
        self.client.seconds.append(seconds)
        return self.client


def invoked(event: str = "{}", **answer: Any) -> tuple[Answer, Client]:
    """The answer to an invocation, and the client that was used."""
    client = Client(answer)
    return DeployedFunction(Project(client), "create_backup", None).invoke(event), client


def test_the_request() -> None:
    """It asks for the end of the log, and waits as long as the function and its initializer may run."""
    _, client = invoked('{"a": 1}', result="{}")
    [request] = client.requests

    assert (request.x_cff_log_type, request.x_cff_request_version, request.body) == ("tail", "v1", {"a": 1})
    assert request.function_urn == FUNCTION["func_urn"]
    assert client.seconds == [300 + 30 + MARGIN]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ('{"status": "SUCCEEDED"}', {"status": "SUCCEEDED"}),
        ({"status": "SUCCEEDED"}, {"status": "SUCCEEDED"}),
        ("", None),
        (None, None),
        ("plain text", "plain text"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
@pytest.mark.parametrize("status", [200, 0, None])
def test_results(result: Any, expected: Any, status: int | None) -> None:
    """A result is text: JSON, or the text that the function returned. Not every version says the status."""
    answer, _ = invoked(result=result, status=status, log="one\ntwo")

    assert (answer.result, answer.error, answer.log, answer.request_id) == (expected, None, "one\ntwo", "r-1")


def test_a_function_that_raised() -> None:
    """The API answers with the fields of the exception in place of the result, whatever the status is."""
    error = {"errorMessage": "no such luck", "errorType": "ValueError", "stackTrace": ["line 1"]}
    answer, _ = invoked(result=json.dumps(error), status=200)

    assert answer.result is None
    assert answer.error is not None
    assert (answer.error.error_type, answer.error.error_message) == ("ValueError", "no such luck")
    assert answer.error.stack_trace == ("line 1",)


def test_a_function_that_the_platform_ended() -> None:
    """Without the fields of an exception, the status and the text of the result say that it failed."""
    answer, _ = invoked(result="function instance exited", status=500, log=None)

    assert answer.error is not None
    assert (answer.error.error_type, answer.error.error_message) == ("FunctionError", "function instance exited")
    assert answer.log == ""
