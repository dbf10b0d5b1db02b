"""``ddsbackup serve``: a process of its own, until it is told to stop."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest


COMMAND = Path(sys.executable).with_name("ddsbackup")
Serve = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start ``ddsbackup serve`` with the given arguments; it is ended after the test."""
    with ExitStack() as stack:

        def start(*arguments: str | Path) -> "subprocess.Popen[str]":
            process = stack.enter_context(
                subprocess.Popen(
                    [COMMAND, "serve", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
                )
            )
            stack.callback(process.kill)
            return process

        yield start


def connection_of(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    connection: dict[str, Any] = json.loads(process.stdout.readline())
    return connection


def test_announcement_for_programs(serve: Serve) -> None:
    """With --json the connection is one line, printed as soon as calls are answered."""
    connection = connection_of(serve("--port", "0", "--json"))
    answer = httpx.get(f"{connection['endpoint']}/_local/connection", trust_env=False)
    assert answer.json() == connection


def test_announcement_for_people(serve: Serve) -> None:
    """A person reads the address, the credentials and the addresses to look at, at once and without colour."""
    process = serve("--port", "0")
    assert process.stdout is not None
    text = ""
    while "\nTry" not in text:
        text += process.stdout.readline()
    url = text.partition("listens at ")[2].split()[0]
    connection = httpx.get(f"{url}/_local/connection", trust_env=False).json()
    for key in ("endpoint", "project_id", "access_key", "secret_key", "security_token", "token", "topic_urn"):
        assert connection[key] in text
    for path in ("/docs", "/_local/state", "/_local/messages", "/_local/clock", "/_local/faults"):
        assert f"{url}{path}\n" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_told(serve: Serve, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it without a traceback."""
    process = serve("--port", "0", "--json")
    connection_of(process)
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert "Traceback" not in err


def test_switches(serve: Serve) -> None:
    """Each switch reaches the cloud."""
    without = ("--no-unique-names", "--no-newer-filters", "--no-job-id")
    switches = ("--enforce-policies", "--job-delay", "1", "--backup-rate", "10")
    connection = connection_of(serve("--port", "0", "--json", *without, *switches))
    assert httpx.get(f"{connection['endpoint']}/_local/switches", trust_env=False).json() == {
        "unique_names": False,
        "newer_filters": False,
        "job_id_in_answer": False,
        "enforce_policies": True,
        "job_delay": 1.0,
        "backup_rate": 10.0,
    }


def test_state_survives(serve: Serve, tmp_path: Path) -> None:
    """What was there before it was killed is there when it is started again with the same file."""
    for expected in (1000, 2000):
        process = serve("--port", "0", "--json", "--state", tmp_path / "state.db")
        url = f"{connection_of(process)['endpoint']}/_local/clock"
        offset = httpx.post(url, json={"advance": 1000}, trust_env=False).json()["offset"]
        assert offset == pytest.approx(expected)
        process.kill()
        process.wait()


def test_port_that_is_taken(serve: Serve) -> None:
    """A taken port is exit status 1 and one line that says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = serve("--port", str(port))
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (1, "")
    assert err.startswith(
        f"Error: cannot listen at 127.0.0.1:{port}: Address already in use. Choose another --host or --port"
    )
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "65536"], "65536 is not in the range 0<=x<=65535"),
        (["--seed", "nowhere.yaml"], "'nowhere.yaml' does not exist"),
        (["--job-delay", "-1"], "-1.0 is not in the range x>=0"),
        (["--seed", "seed.yaml", "--port", "0"], "cannot start: "),
        (["--state", "seed.yaml", "--port", "0"], "seed.yaml"),
        (["--state", "nowhere/cloud.db", "--port", "0"], "nowhere/cloud.db"),
    ],
)
def test_wrong_call(ddsbackup: Callable[..., Any], arguments: list[str], message: str) -> None:
    """A wrong flag or file is exit status 2 and a message without a traceback."""
    Path("seed.yaml").write_text("instances: 5\n")
    ran = ddsbackup("serve", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err
