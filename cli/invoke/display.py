"""The end of an invocation, for people and as JSON: the result, and whether the event succeeded."""

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from cli.console import make_console
from cli.json_value import Json, JsonObject
from shared.report import Status


if TYPE_CHECKING:
    from localcloud.functiongraph.runtime.model import FunctionError, Report


@dataclass(frozen=True, slots=True)
class Ended:
    """An invocation that has ended: the return value of the handler, or its error.

    Attributes:
        facts: what else is known of it, for the JSON document.
    """

    result: Json
    error: "FunctionError | None"
    facts: JsonObject

    @property
    def ok(self) -> bool:
        """Whether the function returned, and its result is not a failure."""
        return self.error is None and failed_status(self.result) is None

    def show(self, *, as_json: bool) -> None:
        """Print the result or the document to standard output, and an error to standard error."""
        console = make_console(stderr=True)
        if as_json:
            print(json.dumps(self._document(), ensure_ascii=False))
        elif self.error:
            _print_error(console, self.error)
        elif isinstance(self.result, str):
            print(self.result)
        elif self.result is not None:
            make_console().print_json(data=self.result)
        status = failed_status(self.result)
        if self.error is None and status:
            console.print(Text(f"The status of the result is {status}, so the exit status is 1."), soft_wrap=True)

    def _document(self) -> JsonObject:
        error = self.error.as_json() if self.error else None
        return {"ok": self.ok, "result": self.result, "error": error, **self.facts}


def failed_status(result: Json) -> str | None:
    """Return the status of a *result* that says that the event failed, even if only in part, and otherwise None.

    The result of an API gateway's event is an HTTP response with the report in its body.
    """
    if not isinstance(result, dict):
        return None
    code, report = result.get("statusCode"), result
    if isinstance(code, int):
        if code >= 400:
            return f"HTTP {code}"
        try:
            body = json.loads(str(result.get("body")))
        except ValueError:
            return None
        report = body if isinstance(body, dict) else {}
    status = report.get("status")
    return status if status in (Status.FAILED.value, Status.PARTIALLY_FAILED.value) else None


def print_report(report: "Report") -> None:
    """Print a summary of *report* in the style of the platform's "Finish invoke request" line, to standard error.

    A second line warns if the function used more memory than it has. The local runtime does not enforce that limit.
    """
    parts = [
        f"REPORT RequestId: {report.request_id}",
        f"Duration: {report.duration_ms:.3f} ms",
        f"Billed Duration: {report.billed_duration_ms} ms",
        f"Memory Size: {report.memory_size_mb} MB",
        f"Max Memory Used: {report.max_memory_used_mb} MB",
    ]
    if report.init_duration_ms is not None:
        parts.append(f"Init Duration: {report.init_duration_ms:.3f} ms (cold start)")
    line = "  ".join(parts)
    if report.max_memory_used_mb > report.memory_size_mb:
        line += "\nWARNING the function used more memory than it has: FunctionGraph would have killed it"
    print(line, file=sys.stderr, flush=True)


def _print_error(console: Console, error: "FunctionError") -> None:
    """Print *error* with its frames, like a Python traceback."""
    if error.stack_trace:
        console.print("Traceback (from the function's entry file on):")
        console.print(Text("\n".join(error.stack_trace)), soft_wrap=True)
    console.print(Text.assemble((error.error_type, "bold red"), f": {error.error_message}"), soft_wrap=True)
