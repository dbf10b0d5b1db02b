"""``ddsbackup invoke``: run a function on this machine the way FunctionGraph runs it."""

import json
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from cli.cloud import Cloud, open_cloud
from cli.console import make_console
from cli.errors import WrongCall
from cli.event import CARRIERS, UnusableJsonError, decode_json, sample_event
from cli.functions import DeployedFunction, Outcome, function_settings, function_spec
from cli.json_value import Json, JsonObject
from cli.options import read_env_file, template_option
from cli.template.load import find_function, find_template, load_template
from localcloud.functiongraph.runtime.inside.handler import MAX_BODY_BYTES
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.functiongraph.runtime.model import FunctionError, FunctionSpec, Invocation, Report


@click.command(short_help="Run a function with an event.")
@click.argument("function")
@click.option("event_file", "-e", "--event", metavar="FILE", help="The event, a JSON file; - is standard input.")
@click.option(
    "-t",
    "--trigger",
    metavar="TRIGGER",
    type=click.Choice(list(CARRIERS), case_sensitive=False),
    help=f"Use the sample event of a trigger: {', '.join(CARRIERS)}.",
)
@click.option(
    "changes",
    "--set",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change the sample event. Repeatable (see ddsbackup event --help).",
)
@click.option(
    "--cloud",
    metavar="URL",
    help="A running local cloud (ddsbackup serve): its URL, or local for the default one. "
    "Default: start one for this call.",
)
@click.option(
    "is_deployed",
    "--deployed",
    is_flag=True,
    help="Invoke the function that is deployed in that cloud (ddsbackup deploy).",
)
@click.option(
    "is_async", "--async", is_flag=True, help="With --deployed: invoke it asynchronously and print the request id."
)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Environment variables, one NAME=value per line. They override those of the template.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=259_200),
    metavar="SECONDS",
    help="Default: the function's Timeout in the template.",
)
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: result, error, report, messages.")
def invoke(
    function: str,
    event_file: str | None,
    trigger: str | None,
    changes: tuple[str, ...],
    cloud: str | None,
    is_deployed: bool,
    is_async: bool,
    env_file: Path | None,
    timeout: float | None,
    template_file: Path | None,
    as_json: bool,
) -> None:
    """Run FUNCTION, a function of template.yaml, with an event.

    The function runs in its own process with FunctionGraph's environment variables and context, and with temporary
    credentials of the local cloud. At the timeout the process is killed. The log and a report go to standard error,
    the return value of the handler to standard output. The exit status is 1 if the function raises or times out.

    \b
      ddsbackup invoke create_backup -t timer
      ddsbackup invoke create_backup -t apig --set name=before-release --json
      ddsbackup event smn | ddsbackup invoke create_backup -e - --cloud http://127.0.0.1:8600
      ddsbackup invoke create_backup -t timer --deployed --cloud local

    With --deployed, FunctionGraph's API in the local cloud runs the uploaded package.
    """
    _check(env_file, timeout, cloud, is_deployed=is_deployed, is_async=is_async)
    template = load_template(template_file or find_template())
    chosen = find_function(template, function)
    text = _event_text(event_file, trigger, changes)
    from_file = read_env_file(env_file) if env_file else {}
    with open_cloud(cloud) as local:
        if is_async:
            request_id = DeployedFunction(local, chosen.name).invoke_async(text)
            print(json.dumps({"request_id": request_id}) if as_json else request_id)
            return
        if is_deployed:
            outcome = DeployedFunction(local, chosen.name).invoke(text, _start, _log)
        else:
            settings = function_settings(chosen, template.topics, local.connection, from_file)
            outcome = _run(local, function_spec(chosen, timeout), settings, text)
        messages = local.messages(outcome.access_key)
    invocation, report = outcome.invocation, outcome.invocation.report
    print(f"END RequestId: {report.request_id}", _report_line(report), sep="\n", file=sys.stderr, flush=True)
    if as_json:
        print(json.dumps(_document(invocation, messages), ensure_ascii=False))
    else:
        _show(invocation)
    sys.exit(0 if invocation.ok else 1)


def _check(
    env_file: Path | None, timeout: float | None, cloud: str | None, *, is_deployed: bool, is_async: bool
) -> None:
    if is_async and not is_deployed:
        raise click.UsageError("--async needs --deployed")
    if is_deployed and cloud is None:
        raise click.UsageError("--deployed needs --cloud, the cloud where the function is deployed")
    if is_deployed and (env_file or timeout):
        raise click.UsageError("--deployed uses the deployed settings and timeout: remove --env-file and --timeout")


def _event_text(file: str | None, trigger: str | None, changes: Sequence[str]) -> str:
    """Return the event as JSON text: the content of *file*, or the sample event of *trigger* with *changes*.

    Raises UsageError unless exactly one of the two is given, and WrongCall for an event that cannot be sent.
    """
    if file is not None and trigger is None:
        if changes:
            raise click.UsageError("--set changes a sample event (-t TRIGGER), not the event of -e")
        return _read(file)
    if trigger is not None and file is None:
        return json.dumps(sample_event(trigger, changes))
    raise click.UsageError("give either an event (-e FILE, -e - for standard input) or a trigger (-t TRIGGER)")


def _read(file: str) -> str:
    name = "standard input" if file == "-" else file
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = data.decode("utf-8-sig")
        decode_json(text)
    except OSError as error:
        raise WrongCall(f"cannot read the event {name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongCall(f"{name} is not UTF-8 text: {error}") from error
    except json.JSONDecodeError as error:
        found = f"{error.msg} at line {error.lineno}, column {error.colno}" if text.strip() else "it is empty"
        raise WrongCall(f"{name} is not JSON: {found}") from error
    except UnusableJsonError as error:
        raise WrongCall(f"{name} is not a usable event: {error}") from error
    if len(data) > MAX_BODY_BYTES:
        raise WrongCall(f"{name} has {len(data)} bytes, expected an event of at most {MAX_BODY_BYTES} (6 MB)")
    return text


def _run(cloud: Cloud, spec: FunctionSpec, settings: Mapping[str, str], event: str) -> Outcome:
    """Run a function from its source folder."""
    request_id = str(uuid.uuid4())
    credentials = cloud.temporary_credentials()
    _start(request_id)
    offset = cloud.clock_offset()
    with Instance(spec, settings, cloud.connection.project_id, log=_log) as instance:
        invocation = instance.invoke(event, credentials, request_id, clock_offset=offset)
    return Outcome(invocation, credentials.access_key)


def _start(request_id: str) -> None:
    print(f"START RequestId: {request_id}", file=sys.stderr, flush=True)


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _report_line(report: Report) -> str:
    """Return a summary of *report* in the style of the platform's "Finish invoke request" line.

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
    return line


def _document(invocation: Invocation, messages: list[JsonObject]) -> JsonObject:
    return {
        "ok": invocation.ok,
        "result": invocation.result,
        "error": invocation.error.as_json() if invocation.error else None,
        "report": invocation.report.as_json(),
        "messages": list[Json](messages),
    }


def _show(invocation: Invocation) -> None:
    if invocation.error:
        _print_error(make_console(stderr=True), invocation.error)
    elif isinstance(invocation.result, str):
        print(invocation.result)
    elif invocation.result is not None:
        make_console().print_json(data=invocation.result)


def _print_error(console: Console, error: FunctionError) -> None:
    """Print *error* with its frames, like a Python traceback."""
    if error.stack_trace:
        console.print("Traceback (from the function's entry file on):")
        console.print(Text("\n".join(error.stack_trace)), soft_wrap=True)
    console.print(Text.assemble((error.error_type, "bold red"), f": {error.error_message}"), soft_wrap=True)
