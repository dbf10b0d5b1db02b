"""An invocation's end in words."""

from rich.console import Console
from rich.text import Text

from localcloud.functiongraph.runtime.model import FunctionError, Report


def report_line(report: Report) -> str:
    """Return the line that sums *report* up, in the spirit of the platform's "Finish invoke request" line.

    A second line warns of a function that needs more memory than it has: here nothing ends it.
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
        line += "\nWARNING more memory was used than the function has: FunctionGraph would have ended it"
    return line


def write_error(console: Console, error: FunctionError) -> None:
    """Write *error* with its frames, the way Python shows an exception."""
    if error.stack_trace:
        console.print("Traceback (from the function's entry file on):")
        console.print(Text("\n".join(error.stack_trace)), soft_wrap=True)
    console.print(Text.assemble((error.error_type, "bold red"), f": {error.error_message}"), soft_wrap=True)
