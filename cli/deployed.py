"""Functions as they are deployed in a local cloud, invoked through its FunctionGraph API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cli.cloud import Cloud
from cli.errors import WrongCall, did_you_mean
from localcloud.functiongraph.runtime.model import FunctionError, Invocation, Report


MARGIN = 60.0
"""Seconds within which everything but the function itself is done: unpacking, above all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An invocation, and the access key that its calls were made with, "" for none."""

    invocation: Invocation
    access_key: str


class DeployedFunction:
    """The function *name* of a local cloud. Raises WrongCall when it is not there, naming those that are."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self._cloud = cloud
        functions = cloud.call("GET", f"{cloud.project}/fgs/functions")["functions"]
        found = {function["func_name"]: function for function in functions}
        if name not in found:
            here = f"{did_you_mean(name, found)} Deployed: {', '.join(sorted(found)) or 'none'}"
            raise WrongCall(
                f"there is no function {name!r} at {cloud.connection.endpoint}{here} (see ddsbackup deploy)"
            )
        self._function: dict[str, Any] = found[name]
        self._path = f"{cloud.project}/fgs/functions/{self._function['func_urn']}"

    def invoke(self, event: str, start: Callable[[str], None], log: Callable[[str], None]) -> Outcome:
        """Run it on an event, a JSON text, and wait; then *start* gets its request id and *log* each line."""
        function = self._function
        seconds = function["timeout"] + (function["initializer_timeout"] or 0) + MARGIN
        answer = self._cloud.call(
            "POST",
            f"{self._path}/invocations",
            content=event,
            headers={"X-CFF-Request-Version": "v1"},
            timeout=seconds,
        )
        # The API answers the end of the log only, and no report.
        [record] = self._cloud.call("GET", f"/_local/invocations?request_id={answer['request_id']}")
        start(record["request_id"])
        for line in record["log"]:
            log(line)
        return _outcome(record)

    def send(self, event: str) -> str:
        """Have it run on an event, a JSON text, later; returns the request id."""
        request_id: str = self._cloud.call("POST", f"{self._path}/invocations-async", content=event)["request_id"]
        return request_id


def _outcome(record: dict[str, Any]) -> Outcome:
    error = record["error"]
    report = {name: value for name, value in record["report"].items() if name != "billed_duration_ms"}
    failure = error and FunctionError(error["errorType"], error["errorMessage"], tuple(error["stackTrace"]))
    return Outcome(Invocation(record["result"], failure, Report(**report)), record["access_key"])
