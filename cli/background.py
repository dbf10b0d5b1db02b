"""A local cloud in the background: start it, stop it, and say who has its port."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import httpx

from cli.errors import WrongCall
from localcloud.key_file import find_endpoint, find_token, log_file


START_TIME = 30.0
"""Seconds that a local cloud has to start, and to stop."""

_COMMAND = "import sys; sys.path.pop(0); from cli.main import main; main()"  # nothing of the current folder
_PAUSE = 0.05
_ANSWER_TIME = 2.0


def start(port: int, arguments: Sequence[str]) -> tuple[str, int, Path]:
    """Run ``ddsbackup serve`` with *arguments* until it accepts calls at *port*. Returns its URL, process id and log.

    Raises ClickException with its output if it ends instead, WrongCall if it ends because of a wrong call.
    """
    log = log_file(port)
    log.unlink(missing_ok=True)
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        process = subprocess.Popen(  # noqa: S603 - this command itself
            [
                sys.executable,
                "-c",
                _COMMAND,
                "serve",
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    end = time.monotonic() + START_TIME
    while process.poll() is None and time.monotonic() < end:
        url, pid = find_endpoint(port) or ("", 0)
        if pid == process.pid and is_local_cloud(url):
            process.returncode = 0  # it outlives this command, so do not warn of it
            return url, pid, log
        time.sleep(_PAUSE)
    process.kill()
    said = log.read_text(encoding="utf-8").strip().removeprefix("Error: ")
    kind = WrongCall if process.wait() == WrongCall.exit_code else click.ClickException
    raise kind(f"the local cloud did not start: {said or 'it took too long'}")


def stop(port: int) -> int:
    """End this user's local cloud at *port* and wait until it has ended. Returns its process id.

    Raises ClickException if there is none, or if it does not end.
    """
    url, pid = found = find_endpoint(port) or ("", 0)
    # The answer with the token of the same file shows that the process is the local cloud, not one that got its id.
    if not pid or not is_own_cloud(url):
        raise click.ClickException(f"you run no local cloud at port {port}. For another port: serve --stop --port PORT")
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + START_TIME
    while find_endpoint(port) == found:
        if time.monotonic() > end:
            raise click.ClickException(f"the local cloud with the process id {pid} does not end")
        time.sleep(_PAUSE)
    return pid


def is_local_cloud(url: str) -> bool:
    """Whether a local cloud answers at *url*, whoever runs it."""
    try:
        document = httpx.get(f"{url}/openapi.json", timeout=_ANSWER_TIME, trust_env=False).json()
        return bool(document["info"]["title"] == "Local Huawei Cloud")
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return False


def is_own_cloud(url: str) -> bool:
    """Whether the local cloud at *url* has the token of this user's key file."""
    headers = {"X-Auth-Token": find_token(url) or ""}
    try:
        return httpx.get(f"{url}/_local/clock", headers=headers, timeout=_ANSWER_TIME, trust_env=False).is_success
    except httpx.HTTPError:
        return False
