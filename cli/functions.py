"""The functions of the template as the command runs them: from their source folders, or deployed in a local cloud."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.cloud import Cloud, Connection
from cli.errors import WrongCall, did_you_mean
from cli.template.document import fill_in, references
from cli.template.model import Function, Topic
from localcloud.functiongraph.runtime.model import FunctionError, FunctionSpec, Invocation, Report


MARGIN = 60.0
"""Seconds for everything but the function itself, mainly for unpacking its code."""


def function_spec(function: Function, timeout: float | None = None) -> FunctionSpec:
    """Return what the local runtime needs to run *function* from its source folder.

    *timeout* (seconds) replaces the timeout in the template.
    """
    return FunctionSpec(
        name=function.name,
        handler=function.handler,
        initializer=function.initializer,
        initializer_timeout=function.initializer_timeout,
        timeout=function.timeout if timeout is None else timeout,
        memory_size=function.memory_size,
        code_root=function.code_root,
        code_uri=function.code_uri,
    )


def function_settings(
    function: Function, topics: Sequence[Topic], connection: Connection, from_file: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment variables of *function* when it runs against the local cloud at *connection*.

    They come from the template, then from the connection (endpoints and topic), then *from_file*; the last one wins. A
    reference to one of the *topics* becomes its URN in that cloud.

    Raises WrongCall for a variable that refers to a parameter without a default, unless *from_file* has the variable.
    """
    endpoints = {"DDS_ENDPOINT": connection.endpoint, "SMN_ENDPOINT": connection.endpoint}
    topic = {"NOTIFY_TOPIC_URN": connection.topic_urn} if "NOTIFY_TOPIC_URN" in function.variables else {}
    here = connection.topic_urn.rpartition(":")[0]
    urns = {topic.resource: f"{here}:{topic.name}" for topic in topics}
    settings = {**fill_in(dict(function.variables), urns), **topic, **endpoints, **from_file}
    for name in sorted(settings.keys() - from_file.keys()):
        unresolved = next(references(settings[name]), None)
        if unresolved:
            raise WrongCall(
                f"the setting {name} of {function.name} needs the parameter {unresolved[1]}, which has no Default "
                f"in the template: add a Default, or put a line {name}=... into a file for --env-file"
            )
    return settings


@dataclass(frozen=True, slots=True)
class Outcome:
    """An invocation, and the access key that the function made its calls with ("" if it had none)."""

    invocation: Invocation
    access_key: str


class DeployedFunction:
    """The function *name* that is deployed in a local cloud, invoked through FunctionGraph's API.

    Raises WrongCall, which names the deployed functions, if it is not among them.
    """

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
        """Invoke it with *event*, a JSON text, and wait until it returns.

        *start* is then called with the request id, and *log* with each line of the log.
        """
        function = self._function
        seconds = function["timeout"] + (function["initializer_timeout"] or 0) + MARGIN
        answer = self._cloud.call(
            "POST",
            f"{self._path}/invocations",
            content=event,
            headers={"X-CFF-Request-Version": "v1"},
            timeout=seconds,
        )
        # The response of the API has only the end of the log and no report.
        [record] = self._cloud.call("GET", f"/_local/invocations?request_id={answer['request_id']}")
        start(record["request_id"])
        for line in record["log"]:
            log(line)
        return _outcome(record)

    def invoke_async(self, event: str) -> str:
        """Invoke it asynchronously with *event*, a JSON text. Returns the request id."""
        request_id: str = self._cloud.call("POST", f"{self._path}/invocations-async", content=event)["request_id"]
        return request_id


def _outcome(record: dict[str, Any]) -> Outcome:
    error = record["error"]
    report = {name: value for name, value in record["report"].items() if name != "billed_duration_ms"}
    failure = error and FunctionError(error["errorType"], error["errorMessage"], tuple(error["stackTrace"]))
    return Outcome(Invocation(record["result"], failure, Report(**report)), record["access_key"])
