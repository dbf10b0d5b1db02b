"""``ddsbackup serve``: run the local cloud until it is stopped."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import click
import httpx
from rich.text import Text

from cli.console import make_console
from cli.errors import WrongCall


LOOK_INSIDE = ("connection", "state", "messages", "requests", "functions", "invocations")


@click.command(short_help="Run a local cloud.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8600,
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
    help="The initial state, in the format of localcloud/seed.yaml.",
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
    type=click.FloatRange(min=0, min_open=True),
    metavar="MB/S",
    help="The speed of backups. Default: 60.",
)
@click.option("as_json", "--json", is_flag=True, help="Print the connection as one line of JSON.")
def serve(
    host: str,
    port: int,
    state_file: Path | None,
    seed_file: Path | None,
    no_unique_names: bool,
    no_newer_filters: bool,
    no_job_id: bool,
    enforce_policies: bool,
    job_delay: float | None,
    backup_rate: float | None,
    as_json: bool,
) -> None:
    """Run a local Huawei Cloud (IAM, DDS, SMN, FunctionGraph) until Ctrl-C.

    The official SDKs work with it unchanged, and so does "ddsbackup invoke --cloud URL". The switches (--no-...,
    --job-delay) turn off what some regions do not have.

    \b
      ddsbackup serve
      ddsbackup serve --state cloud.db --no-newer-filters
      ddsbackup serve --port 0 --json
    """
    from localcloud import serve as serve_cloud

    switches: dict[str, Any] = {
        "unique_names": False if no_unique_names else None,
        "newer_filters": False if no_newer_filters else None,
        "job_id_in_answer": False if no_job_id else None,
        "enforce_policies": enforce_policies or None,
        "job_delay": job_delay,
        "backup_rate": backup_rate,
    }
    given = {name: value for name, value in switches.items() if value is not None}
    try:
        serve_cloud(
            host,
            port,
            state_file=state_file,
            seed_file=seed_file,
            switches=given,
            announce=_announcer(_print_json if as_json else _print_table),
        )
    except OSError as error:
        reason = str(error.strerror or error).partition(" (while")[0]
        raise click.ClickException(
            f"cannot listen on {host}:{port}: {reason}. Choose another --host or --port (0 picks a free one)"
        ) from error
    except sqlite3.Error as error:
        raise WrongCall(f"cannot use the state file {state_file}: {error}") from error
    except ValueError as error:
        raise WrongCall(f"cannot start: {error}") from error


def _announcer(write: Callable[[dict[str, Any]], None]) -> Callable[[str], None]:
    """Return a callback that gets the base URL once the cloud listens.

    It runs in the thread that serves requests, so the request for the connection happens in another thread.
    """

    def ask_and_write(url: str) -> None:
        # The cloud may have stopped already, and the reader may have closed the pipe.
        with suppress(httpx.HTTPError, BrokenPipeError), httpx.Client(trust_env=False) as client:
            write(client.get(f"{url}/_local/connection").json())

    return lambda url: Thread(target=ask_and_write, args=(url,), daemon=True).start()


def _print_json(connection: dict[str, Any]) -> None:
    print(json.dumps(connection), flush=True)


def _print_table(connection: dict[str, Any]) -> None:
    url = connection["endpoint"]
    rows = {
        "Endpoint": f"{url} (IAM, DDS, SMN and FunctionGraph), region {connection['region']}",
        "Project": connection["project_id"],
        "Access key": connection["access_key"],
        "Secret key": connection["secret_key"],
        "Security token": connection["security_token"],
        "X-Auth-Token": connection["token"],
        "Topic": connection["topic_urn"],
        "Instances": connection["instance_ids"],
        "API": f"{url}/docs",
        "Look inside": [f"{url}/_local/{what}" for what in LOOK_INSIDE],
        "Change": [f"{url}/_local/{what}" for what in ("clock", "faults", "reset")],
        "Try": f"ddsbackup invoke create_backup -t timer --cloud {url}",
    }
    console = make_console()
    console.print(f"A local Huawei Cloud listens at {url} (stop it with Ctrl-C)\n")
    for name, values in rows.items():
        for position, value in enumerate(values if isinstance(values, list) else [values]):
            label = "" if position else name
            console.print(Text.assemble((f"{label:<16}", "bold"), value), soft_wrap=True)
    console.file.flush()
