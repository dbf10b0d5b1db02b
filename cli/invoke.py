"""``ddsbackup invoke``: run a function on this machine as FunctionGraph runs it."""

import json
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

import click

from cli.cloud import Cloud, open_cloud
from cli.console import make_console
from cli.deployed import DeployedFunction, Outcome
from cli.env_file import read_env_file
from cli.event_source import event_text
from cli.function_spec import function_spec
from cli.json_value import Json, JsonObject
from cli.options import template_option
from cli.payloads import CARRIERS
from cli.report import report_line, write_error
from cli.settings import function_settings
from cli.template.load import find_function, find_template, load_template
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.functiongraph.runtime.model import FunctionSpec, Invocation


@click.command(short_help="Run a function on an event.")
@click.argument("function")
@click.option("event_file", "-e", "--event", metavar="FILE", help="The event, a JSON file; - is standard input.")
@click.option(
    "-t",
    "--trigger",
    metavar="TRIGGER",
    type=click.Choice(list(CARRIERS), case_sensitive=False),
    help=f"The sample event of a trigger: {', '.join(CARRIERS)}.",
)
@click.option(
    "changes",
    "--set",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change the sample event; may be repeated (see ddsbackup event --help).",
)
@click.option(
    "--cloud",
    metavar="URL",
    help="A running local cloud (ddsbackup serve), or local for the default one. Default: a new one, embedded.",
)
@click.option(
    "is_deployed", "--deployed", is_flag=True, help="The function as it is deployed there (ddsbackup deploy)."
)
@click.option(
    "is_async", "--async", is_flag=True, help="With --deployed: only send the event, and print its request id."
)
@click.option(
    "--env-file", type=click.Path(path_type=Path), metavar="FILE", help="Settings, NAME=value a line; they win."
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
    """Run FUNCTION, a function of template.yaml, on an event.

    It runs in a process of its own, which is ended at the timeout, with the platform's environment variables and
    context and with temporary credentials of the local cloud. The log and a report go to standard error, what the
    handler returned goes to standard output. The exit status is 1 when the function raised or timed out.

    \b
      ddsbackup invoke create_backup -t timer
      ddsbackup invoke create_backup -t apig --set name=before-release --json
      ddsbackup event smn | ddsbackup invoke create_backup -e - --cloud http://127.0.0.1:8600
      ddsbackup invoke create_backup -t timer --deployed --cloud local

    With --deployed it is the uploaded package that runs, in the local cloud, by FunctionGraph's API.
    """
    _check(env_file, timeout, cloud, is_deployed=is_deployed, is_async=is_async)
    template = load_template(template_file or find_template())
    chosen = find_function(template, function)
    text = event_text(event_file, trigger, changes)
    from_file = read_env_file(env_file) if env_file else {}
    with open_cloud(cloud) as local:
        if is_async:
            _send(DeployedFunction(local, chosen.name), text, as_json=as_json)
            return
        if is_deployed:
            outcome = DeployedFunction(local, chosen.name).invoke(text, _start, _log)
        else:
            settings = function_settings(chosen, template.topics, local.connection, from_file)
            outcome = _run(local, function_spec(chosen, timeout), settings, text)
        messages = local.messages(outcome.access_key)
    invocation, report = outcome.invocation, outcome.invocation.report
    print(f"END RequestId: {report.request_id}", report_line(report), sep="\n", file=sys.stderr, flush=True)
    if as_json:
        print(json.dumps(_document(invocation, messages), ensure_ascii=False))
    else:
        _show(invocation)
    sys.exit(0 if invocation.ok else 1)


def _check(
    env_file: Path | None, timeout: float | None, cloud: str | None, *, is_deployed: bool, is_async: bool
) -> None:
    if is_async and not is_deployed:
        raise click.UsageError("--async goes with --deployed")
    if is_deployed and cloud is None:
        raise click.UsageError("--deployed needs --cloud, where the function is deployed")
    if is_deployed and (env_file or timeout):
        raise click.UsageError("--deployed takes settings and timeout from there: no --env-file, no --timeout")


def _send(function: DeployedFunction, event: str, *, as_json: bool) -> None:
    request_id = function.send(event)
    print(json.dumps({"request_id": request_id}) if as_json else request_id)


def _run(cloud: Cloud, spec: FunctionSpec, settings: Mapping[str, str], event: str) -> Outcome:
    """Run a function of the checkout."""
    request_id = str(uuid.uuid4())
    credentials = cloud.temporary_credentials()
    _start(request_id)
    with Instance(spec, settings, cloud.connection.project_id, log=_log) as instance:
        return Outcome(instance.invoke(event, credentials, request_id), credentials.access_key)


def _start(request_id: str) -> None:
    print(f"START RequestId: {request_id}", file=sys.stderr, flush=True)


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


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
        write_error(make_console(stderr=True), invocation.error)
    elif isinstance(invocation.result, str):
        print(invocation.result)
    elif invocation.result is not None:
        make_console().print_json(data=invocation.result)
