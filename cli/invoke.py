"""``ddsbackup invoke``: run a function on this machine as FunctionGraph runs it."""

import json
import sys
import uuid
from pathlib import Path

import click

from cli.cloud import open_cloud
from cli.console import make_console
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
from localcloud.functiongraph.runtime.invocation import Invocation


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
@click.option("--cloud", metavar="URL", help="A running local cloud (ddsbackup serve). Default: a new one, embedded.")
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
    """
    template = load_template(template_file or find_template())
    chosen = find_function(template, function)
    text = event_text(event_file, trigger, changes)
    from_file = read_env_file(env_file) if env_file else {}
    request_id = str(uuid.uuid4())
    with open_cloud(cloud) as local:
        settings = function_settings(chosen, template.topics, local.connection, from_file)
        credentials = local.temporary_credentials()
        print(f"START RequestId: {request_id}", file=sys.stderr, flush=True)
        with Instance(function_spec(chosen, timeout), settings, local.connection.project_id, log=_log) as instance:
            invocation = instance.invoke(text, credentials, request_id)
        messages = local.messages(credentials.access_key)
    print(f"END RequestId: {request_id}", report_line(invocation.report), sep="\n", file=sys.stderr, flush=True)
    if as_json:
        print(json.dumps(_document(invocation, messages), ensure_ascii=False))
    else:
        _show(invocation)
    sys.exit(0 if invocation.ok else 1)


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
