"""Deployed functions, invoked through FunctionGraph's API."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from huaweicloudsdkfunctiongraph.v2 import AsyncInvokeFunctionRequest, InvokeFunctionRequest

from cli.errors import WrongCall, did_you_mean
from cli.huaweicloud.access import APPLICATION, Access
from cli.huaweicloud.functiongraph import Functions
from cli.huaweicloud.resources import read_mark
from cli.json_value import Json


MARGIN = 60.0
"""Seconds for everything but the function itself, mainly for unpacking its code."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a function failed: ``errorType``, ``errorMessage`` and ``stackTrace`` of the response."""

    error_type: str
    error_message: str
    stack_trace: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a synchronous invocation: what the function returned or raised, and the end of its log."""

    request_id: str
    result: Json
    error: Failure | None
    log: str


class DeployedFunction:
    """A function that is deployed in a project.

    Raises WrongCall, which names the deployed functions, if there is none, and ServiceError if FunctionGraph refuses.
    """

    def __init__(self, access: Access, name: str, stack: str | None) -> None:
        """*name* is its name, or the end of it. With *stack*, only the functions of that stack count."""
        self._access = access
        functions = [one for one in Functions(access, "").all() if one["package"] == APPLICATION]
        if stack:
            functions = [one for one in functions if read_mark(one.get("description"), access.project_id)[1] == stack]
        self._function = _choose(functions, name, f"the stack {stack} in {access.region}" if stack else access.region)

    def invoke(self, event: str) -> Answer:
        """Invoke it with *event*, a JSON text, and wait until it returns.

        FunctionGraph API, Executing a Function Synchronously: version v1 returns the end of the log, too.
        """
        function = self._function
        request = InvokeFunctionRequest(
            function_urn=function["func_urn"],
            x_cff_log_type="tail",
            x_cff_request_version="v1",
            body=_object(event),
        )
        seconds = function["timeout"] + (function.get("initializer_timeout") or 0) + MARGIN
        answer = self._access.functiongraph_within(seconds).call("invoke_function", request, "request_id")
        result = _decoded(answer.get("result"))
        error = _error(result, failed=(answer.get("status") or 0) >= 400)
        return Answer(answer["request_id"], None if error else result, error, answer.get("log") or "")

    def invoke_async(self, event: str) -> str:
        """Invoke it asynchronously with *event*, a JSON text. Returns the request id.

        FunctionGraph API, Executing a Function Asynchronously.
        """
        request = AsyncInvokeFunctionRequest(function_urn=self._function["func_urn"], body=_object(event))
        answer = self._access.functiongraph.call("async_invoke_function", request, "request_id")
        return str(answer["request_id"])


def _choose(functions: Sequence[dict[str, Any]], name: str, where: str) -> dict[str, Any]:
    """Return the function with this name, or else the only one whose name ends in it: names may have a prefix."""
    found = {function["func_name"]: function for function in functions}
    if name in found:
        return found[name]
    ending = [deployed for deployed in found if deployed.endswith(name)]
    if len(ending) == 1:
        return found[ending[0]]
    here = ", ".join(sorted(found)) or "none"
    if ending:
        raise WrongCall(f"several functions in {where} end in {name!r}: {', '.join(ending)}. Give --stack-name")
    hint = did_you_mean(name, found)
    raise WrongCall(f"there is no function {name!r} in {where}{hint} Deployed: {here} (see ddsbackup deploy)")


def _object(event: str) -> dict[str, Any]:
    decoded = json.loads(event)
    if not isinstance(decoded, dict):
        found = "a list" if isinstance(decoded, list) else "a value"
        raise WrongCall(f"the event is {found}, expected an object: FunctionGraph's API takes no other event")
    return decoded


def _decoded(text: Json) -> Json:
    """Return the result, which the API returns as text: the JSON of what the handler returned, or its own text."""
    if not isinstance(text, str):
        return text
    try:
        value: Json = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text
    return value


def _error(result: Json, *, failed: bool) -> Failure | None:
    """Return the error of the function, which takes the place of its result, or None if it returned."""
    found = result if isinstance(result, dict) else {}
    if not failed and not {"errorMessage", "errorType"} <= found.keys():
        return None
    trace = found.get("stackTrace")
    return Failure(
        str(found.get("errorType") or "FunctionError"),
        str(found.get("errorMessage") or result),
        tuple(map(str, trace)) if isinstance(trace, list) else (),
    )
