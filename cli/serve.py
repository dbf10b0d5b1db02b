"""``ddsbackup serve``: run the local cloud until it is stopped."""

import errno
import json
import signal
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from cli import background
from cli.console import make_console
from cli.errors import WrongCall
from localcloud.callers import is_loopback
from localcloud.key_file import find_endpoint
from localcloud.region import SLOWEST_BACKUP


if TYPE_CHECKING:
    from localcloud.admin.schemas import Connection


DEFAULT_PORT = 8600
LOOK_INSIDE = ("connection", "state", "messages", "requests", "functions", "invocations")


@click.command(short_help="Run a local cloud.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "allow_hosts",
    "--allow-host",
    metavar="NAME[:PORT]",
    multiple=True,
    help="Also answer calls to this host name. Default: 127.0.0.1, localhost and [::1] only. Repeatable.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port to listen on; 0 picks a free one.",
)
@click.option(
    "--state",
    "state_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the state in this SQLite file. Default: in memory.",
)
@click.option(
    "--seed",
    "seed_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Changes to the initial state, in the format of localcloud/seed.yaml: only what differs.",
)
@click.option("--region", metavar="REGION", help="The region. Default: that of the seed, cn-north-4.")
@click.option("--detach", is_flag=True, help="Run in the background. Returns when it accepts calls.")
@click.option("--stop", is_flag=True, help="Stop the local cloud that you run at --port.")
@click.option(
    "--fixed-credentials",
    is_flag=True,
    help="Use the public credentials of the seed, and let programs on this machine call /_local without them. "
    "For tests and other clients. Default: new credentials at each start.",
)
@click.option("--no-unique-names", is_flag=True, help="Allow two backups with the same name.")
@click.option("--no-newer-filters", is_flag=True, help="Ignore newer filters and the sort order in lists of backups.")
@click.option("--no-job-id", is_flag=True, help="Leave job_id out of the response when a backup is created.")
@click.option(
    "--enforce-policies",
    is_flag=True,
    help="Refuse calls that no policy of the agency allows (see ddsbackup permissions).",
)
@click.option("--job-delay", type=click.FloatRange(min=0), metavar="SECONDS", help="How long a new job is not found.")
@click.option(
    "--backup-rate",
    type=click.FloatRange(min=SLOWEST_BACKUP),
    metavar="MB/S",
    help="The speed of backups. Default: 60.",
)
@click.option(
    "--restore-rate",
    type=click.FloatRange(min=SLOWEST_BACKUP),
    metavar="MB/S",
    help="The speed of restores. Default: 40.",
)
@click.option(
    "--duration-scale",
    type=click.FloatRange(min=0, max=1000),
    metavar="FACTOR",
    help="Multiplies the time that an instance takes to be created, restarted and deleted. Default: 1.",
)
@click.option("as_json", "--json", is_flag=True, help="Print the connection as one line of JSON.")
def serve(
    host: str,
    allow_hosts: tuple[str, ...],
    port: int,
    state_file: Path | None,
    seed_file: Path | None,
    region: str | None,
    detach: bool,
    stop: bool,
    fixed_credentials: bool,
    no_unique_names: bool,
    no_newer_filters: bool,
    no_job_id: bool,
    enforce_policies: bool,
    job_delay: float | None,
    backup_rate: float | None,
    restore_rate: float | None,
    duration_scale: float | None,
    as_json: bool,
) -> None:
    """Run a local Huawei Cloud (IAM, DDS, SMN, FunctionGraph) until Ctrl-C.

    The official SDKs work with it unchanged, and so does "ddsbackup invoke --cloud URL". The switches (--no-...,
    --job-delay) turn off what some regions do not have.

    It runs the code that is deployed to it. So it makes new credentials at each start, which only the commands of the
    same user find, and refuses the requests of web pages.

    \b
      ddsbackup serve
      ddsbackup serve --state cloud.db --no-newer-filters
      ddsbackup serve --port 0 --json
      ddsbackup serve --detach
      ddsbackup serve --stop
    """
    if stop:
        pid = background.stop(port)
        print(json.dumps({"pid": pid}) if as_json else f"Stopped the local cloud at port {port} (process {pid}).")
        return
    if not is_loopback(host):
        _warn(host, fixed_credentials=fixed_credentials)
    if detach:
        _detach(port, as_json=as_json)
        return
    from localcloud import serve as serve_cloud

    switches: dict[str, Any] = {
        "unique_names": False if no_unique_names else None,
        "newer_filters": False if no_newer_filters else None,
        "job_id_in_answer": False if no_job_id else None,
        "enforce_policies": enforce_policies or None,
        "job_delay": job_delay,
        "backup_rate": backup_rate,
        "restore_rate": restore_rate,
        "duration_scale": duration_scale,
    }
    given = {name: value for name, value in switches.items() if value is not None}
    try:
        ended_by = serve_cloud(
            host,
            port,
            state_file=state_file,
            seed_file=seed_file,
            region=region,
            switches=given,
            fixed_credentials=fixed_credentials,
            allow_hosts=allow_hosts,
            announce=_print_json if as_json else _print_table,
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE and background.is_local_cloud(f"http://{host}:{port}"):
            raise click.ClickException(
                f"a local cloud already listens on {host}:{port}. Use it with --cloud http://{host}:{port}, "
                f"stop it with ddsbackup serve --stop --port {port}, or choose another --port (0 picks a free one)"
            ) from error
        reason = str(error.strerror or error).partition(" (while")[0]
        raise click.ClickException(
            f"cannot listen on {host}:{port}: {reason}. Choose another --host or --port (0 picks a free one)"
        ) from error
    except sqlite3.Error as error:
        raise WrongCall(f"cannot use the state file {state_file}: {error}") from error
    except ValueError as error:
        raise WrongCall(f"cannot start: {error}") from error
    if ended_by == signal.SIGINT:
        sys.exit(128 + signal.SIGINT)


def _detach(port: int, *, as_json: bool) -> None:
    """Start this same command in the background, and print how to reach and to stop it."""
    if port == 0:
        raise click.UsageError("--detach needs a fixed --port, by which --stop finds it")
    running = find_endpoint(port)
    if running and background.is_own_cloud(running[0]):
        raise click.ClickException(
            f"a local cloud already listens at {running[0]}. Stop it with ddsbackup serve --stop --port {port}"
        )
    url, pid, log = background.start(port, _arguments(click.get_current_context()))
    if as_json:
        print(json.dumps({"endpoint": url, "pid": pid, "log": str(log)}))
    else:
        print(f"A local Huawei Cloud listens at {url} (process {pid}, log {log})")
        print(f"Stop it with ddsbackup serve --stop{'' if port == DEFAULT_PORT else f' --port {port}'}")


def _arguments(context: click.Context) -> list[str]:
    """Return the command line of the call, without the options of the call itself."""
    arguments = []
    for option in context.command.params:
        value = context.params[str(option.name)]
        if option.name in {"detach", "stop", "as_json"} or value in (None, False, ()):
            continue
        for each in value if isinstance(value, tuple) else [value]:
            arguments += [option.opts[-1]] if each is True else [option.opts[-1], str(each)]
    return arguments


def _warn(host: str, *, fixed_credentials: bool) -> None:
    """Say on standard error what it means to listen on an address that other machines reach."""
    keys = "its credentials are public" if fixed_credentials else "nothing but its credentials protects it"
    click.echo(
        f"WARNING: listening on {host}, which other machines can reach. The local cloud runs uploaded code as you, "
        f"and {keys}: use it in a network that you trust. It answers calls to 127.0.0.1, localhost, [::1] and to the "
        "address it listens on. Allow each other name with --allow-host NAME",
        err=True,
    )


def _print_json(connection: "Connection") -> None:
    with suppress(BrokenPipeError):  # the reader may have closed the pipe
        print(json.dumps(connection), flush=True)


def _print_table(connection: "Connection") -> None:
    url = connection["endpoint"]
    rows = {
        "Endpoint": f"{url} (IAM, DDS, SMN and FunctionGraph), region {connection['region']}",
        "Project": connection["project_id"],
        "Access key": connection["access_key"],
        "Secret key": connection["secret_key"],
        "Security token": connection["security_token"],
        "X-Auth-Token": connection["token"],
        "Topic": connection["topic_urn"],
        "API": f"{url}/docs",
        "Look inside": [f"{url}/_local/{what}" for what in LOOK_INSIDE],
        "Change": [f"{url}/_local/{what}" for what in ("clock", "faults", "reset")],
        "Try": f"ddsbackup invoke create_backup -t timer --cloud {url}",
    }
    with suppress(BrokenPipeError):
        _print_instances(connection)
        _print_rows(url, rows)


def _print_instances(connection: "Connection") -> None:
    """Print the instances in 80 columns: id, name, mode and status, and below them the tags."""
    print(f"{'Instance':<36} {'Name':<15} {'Mode':<10} Status")
    for one in connection["instances"]:
        print(f"{one['id']:<36} {one['name']:<15} {one['mode']:<10} {one['status']}")
        if one["tags"]:
            print("    " + ", ".join(f"{key}={value}" for key, value in sorted(one["tags"].items())))
    print()


def _print_rows(url: str, rows: dict[str, Any]) -> None:
    console = make_console()
    console.print(f"A local Huawei Cloud listens at {url} (stop it with Ctrl-C)\n")
    for name, values in rows.items():
        for position, value in enumerate(values if isinstance(values, list) else [values]):
            label = "" if position else name
            console.print(Text.assemble((f"{label:<16}", "bold"), value), soft_wrap=True)
    console.file.flush()
