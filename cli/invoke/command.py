"""``ddsbackup invoke``: run a function on this machine the way FunctionGraph runs it, or invoke a deployed one."""

import json
import sys
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.cloud import open_cloud
from cli.deploy.options import StackName, region_option
from cli.errors import WrongCall
from cli.event.changes import UnusableJsonError, decode_json
from cli.event.command import at_option, moment_of, now_option
from cli.event.samples import CARRIERS, CREATE, sample_event
from cli.functions import function_settings, function_spec
from cli.invoke.display import Ended, print_report
from cli.json_value import Json, JsonObject
from cli.options import read_env_file, template_option
from cli.template.load import find_function, find_template, load_template
from localcloud.functiongraph.runtime.inside.handler import MAX_BODY_BYTES
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.functiongraph.runtime.model import FunctionError


if TYPE_CHECKING:
    from cli.template.model import Function, Template


@click.command(short_help="Run a function with an event.")
@click.argument("function")
@click.option("event_file", "-e", "--event", metavar="FILE", help="The event, a JSON file; - is standard input.")
@click.option(
    "-t",
    "--trigger",
    metavar="TRIGGER",
    type=click.Choice(list(CARRIERS), case_sensitive=False),
    help=f"Use the function's sample event of a trigger: {', '.join(CARRIERS)}.",
)
@now_option
@at_option
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
    help="Invoke the function that is deployed in the local cloud (ddsbackup deploy).",
)
@region_option
@click.option(
    "--stack-name",
    type=StackName(),
    metavar="NAME",
    help="With --region or --deployed: the function of this stack. Default: of any stack, or of none.",
)
@click.option(
    "is_async",
    "--async",
    is_flag=True,
    help="With --region or --deployed: invoke it asynchronously and print the request id.",
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
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document: ok, result, error and report.")
def invoke(
    function: str,
    event_file: str | None,
    trigger: str | None,
    is_now: bool,
    at: datetime | None,
    changes: tuple[str, ...],
    cloud: str | None,
    is_deployed: bool,
    region: str | None,
    stack_name: str | None,
    is_async: bool,
    env_file: Path | None,
    timeout: float | None,
    template_file: Path | None,
    as_json: bool,
) -> None:
    """Run FUNCTION, a function of template.yaml, with an event.

    The function runs in its own process with FunctionGraph's environment variables and context, and with temporary
    credentials of the local cloud. At the timeout the process is killed. The log and a report go to standard error,
    the return value of the handler to standard output.

    The sample event of a trigger takes place now, by the clock of the cloud, so that every call sends a new event. With
    --at it takes place at another time, and the same time sends the same event again.

    \b
      ddsbackup invoke create_backup -t timer
      ddsbackup invoke prune_backups -t direct --set retention="last=3 daily=7"
      ddsbackup invoke create_backup -t apig --set name=before-release --json
      ddsbackup event smn | ddsbackup invoke create_backup -e - --cloud http://127.0.0.1:8600

    With --region, FunctionGraph runs the function that is deployed in that region of the real cloud, with your keys
    (see ddsbackup deploy --help). With --cloud and --deployed, the local cloud does. FUNCTION may leave out the prefix
    of the deployed name. The end of the log goes to standard error.

    \b
      ddsbackup invoke create_backup --region cn-north-4 -t direct --set instance_id=...
      ddsbackup invoke create_backup --deployed --cloud local -t timer --async

    The exit status is 1 if the function raises or times out, and if the status of its result is FAILED or
    PARTIALLY_FAILED. With --async it is 0 as soon as FunctionGraph has accepted the event.
    """
    is_remote = is_deployed or region is not None
    _check(env_file, timeout, cloud, region, stack_name, is_deployed=is_deployed, is_async=is_async)
    event = _Event(event_file, trigger, changes, at, is_now=is_now)
    template = load_template(template_file or find_template())
    chosen = find_function(template, function)
    if is_remote:
        ended = _invoke_deployed(chosen, event, cloud, region, stack_name, is_async=is_async, as_json=as_json)
    else:
        ended = _run(template, chosen, event, cloud, read_env_file(env_file) if env_file else {}, timeout)
    if ended:
        ended.show(as_json=as_json)
        sys.exit(0 if ended.ok else 1)


def _check(
    env_file: Path | None,
    timeout: float | None,
    cloud: str | None,
    region: str | None,
    stack_name: str | None,
    *,
    is_deployed: bool,
    is_async: bool,
) -> None:
    is_remote = is_deployed or region is not None
    if cloud and region:
        raise click.UsageError("give either --cloud for a local cloud or --region for the real one")
    if is_async and not is_remote:
        raise click.UsageError("--async needs --region, or --deployed with --cloud")
    if stack_name and not is_remote:
        raise click.UsageError("--stack-name needs --region, or --deployed with --cloud")
    if is_deployed and cloud is None and region is None:
        raise click.UsageError("--deployed needs --cloud, the cloud where the function is deployed")
    if is_remote and (env_file or timeout):
        raise click.UsageError(
            "a deployed function has the deployed settings and timeout: remove --env-file and --timeout"
        )


class _Event:
    """The event of the call: the content of a file, or a sample event, which needs the clock of the cloud."""

    def __init__(
        self, file: str | None, trigger: str | None, changes: tuple[str, ...], at: datetime | None, *, is_now: bool
    ) -> None:
        """Raise UsageError unless exactly one of *file* and *trigger* is given."""
        if (file is None) == (trigger is None):
            raise click.UsageError("give either an event (-e FILE, -e - for standard input) or a trigger (-t TRIGGER)")
        if file is not None and changes:
            raise click.UsageError("--set changes a sample event (-t TRIGGER), not the event of -e")
        if file is not None and (at or is_now):
            raise click.UsageError("--now and --at change a sample event (-t TRIGGER), not the event of -e")
        self._file = _read(file) if file is not None else None
        self._trigger, self._changes, self._at = trigger or "", changes, at
        self._moment = moment_of(at, datetime.now(timezone.utc) if is_now or not at else None)

    def text(self, function: "Function", clock_offset: float = 0) -> str:
        """Return the event as JSON text. Raises WrongCall for a sample that cannot be made.

        A sample of the present takes place *clock_offset* seconds later than by the clock of this machine.
        """
        if self._file is not None:
            return self._file
        from cli.preflight.functions import known_function

        kind = function.code_uri.name if known_function(function) else CREATE
        moment = self._moment and self._moment + timedelta(seconds=0 if self._at else clock_offset)
        return json.dumps(sample_event(self._trigger, self._changes, function=kind, moment=moment))


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


def _invoke_deployed(
    function: "Function",
    event: _Event,
    cloud: str | None,
    region: str | None,
    stack_name: str | None,
    *,
    is_async: bool,
    as_json: bool,
) -> Ended | None:
    """Invoke a deployed function through FunctionGraph's API. Returns None for an asynchronous invocation."""
    from cli.huaweicloud.access import open_access
    from cli.huaweicloud.invocations import DeployedFunction

    offset = 0.0
    if cloud:
        with open_cloud(cloud) as local:
            offset = local.clock_offset()
    text = event.text(function, offset)
    deployed = DeployedFunction(open_access(cloud, region), function.name, stack_name)
    if is_async:
        request_id = deployed.invoke_async(text)
        print(json.dumps({"ok": True, "request_id": request_id}) if as_json else request_id)
        return None
    answer = deployed.invoke(text)
    for line in [*answer.log.splitlines(), f"RequestId: {answer.request_id}"]:
        _log(line)
    facts: JsonObject = {"report": {"request_id": answer.request_id}, "log": list[Json](answer.log.splitlines())}
    failure = answer.error
    error = FunctionError(failure.error_type, failure.error_message, failure.stack_trace) if failure else None
    return Ended(answer.result, error, facts)


def _run(
    template: "Template",
    function: "Function",
    event: _Event,
    cloud: str | None,
    from_file: Mapping[str, str],
    timeout: float | None,
) -> Ended:
    """Run a function from its source folder."""
    with open_cloud(cloud) as local:
        offset = local.clock_offset()
        text = event.text(function, offset)
        settings = function_settings(function, template.topics, local.connection, from_file)
        request_id, credentials = str(uuid.uuid4()), local.temporary_credentials()
        _log(f"START RequestId: {request_id}")
        with Instance(function_spec(function, timeout), settings, local.connection.project_id, log=_log) as instance:
            invocation = instance.invoke(text, credentials, request_id, clock_offset=offset)
        messages = local.messages(credentials.access_key)
    _log(f"END RequestId: {request_id}")
    print_report(invocation.report)
    facts: JsonObject = {"report": invocation.report.as_json(), "messages": list[Json](messages)}
    return Ended(invocation.result, invocation.error, facts)


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
