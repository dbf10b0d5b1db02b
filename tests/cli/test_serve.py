"""``ddsbackup serve``: a process that runs until it is stopped."""

import json
import re
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

from cli.cloud import open_cloud
from cli.errors import WrongCall


COMMAND = Path(sys.executable).with_name("ddsbackup")
LONG = 120.0
"""Seconds after which a test gives up. A loaded machine takes long to start a process."""
Serve = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start ``ddsbackup serve`` with the given arguments. It ends with the test."""
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


def ended_by(process: "subprocess.Popen[str]", number: signal.Signals) -> str:
    """Send a signal; return what the process writes to standard error."""
    process.send_signal(number)
    return process.communicate(timeout=LONG)[1]


@pytest.mark.slow
def test_announcement_for_programs(serve: Serve) -> None:
    """--json prints the connection as one line as soon as the cloud, with all switches set, responds to calls."""
    without = ("--no-unique-names", "--no-newer-filters", "--no-job-id")
    switches = ("--enforce-policies", "--job-delay", "1", "--backup-rate", "10")
    process = serve("--port", "0", "--json", *without, *switches)
    connection = connection_of(process)
    url = f"{connection['endpoint']}/_local"
    token = {"X-Auth-Token": connection["token"]}
    assert httpx.get(f"{url}/connection", headers=token, trust_env=False, timeout=LONG).json() == connection
    assert httpx.get(f"{url}/switches", headers=token, trust_env=False, timeout=LONG).json() == {
        "unique_names": False,
        "newer_filters": False,
        "job_id_in_answer": False,
        "code_in_answer": True,
        "enforce_policies": True,
        "job_delay": 1.0,
        "backup_rate": 10.0,
        "restore_rate": 40.0,
        "duration_scale": 1.0,
        "unique_instance_names": False,
        "single_nodes": True,
    }
    assert "Traceback" not in ended_by(process, signal.SIGTERM)


def test_announcement_for_people(serve: Serve) -> None:
    """People read the address, the credentials and useful URLs, without color. Ctrl-C ends it without a traceback."""
    process = serve("--port", "0")
    assert process.stdout is not None
    text = ""
    while "\nTry" not in text:
        text += process.stdout.readline()
    url = text.partition("listens at ")[2].split()[0]
    token = re.search(r"^X-Auth-Token +(\S+)$", text, re.MULTILINE)
    assert token is not None
    headers = {"X-Auth-Token": token[1]}
    connection = httpx.get(f"{url}/_local/connection", headers=headers, trust_env=False, timeout=LONG).json()
    for key in ("endpoint", "project_id", "access_key", "secret_key", "security_token", "token", "topic_urn"):
        assert connection[key] in text
    for path in ("/docs", "/_local/state", "/_local/messages", "/_local/clock", "/_local/faults"):
        assert f"{url}{path}\n" in text
    assert "\x1b" not in text
    assert "Traceback" not in ended_by(process, signal.SIGINT)
    assert process.returncode == 130
    listed = text.partition("Instance ")[2].partition("A local Huawei Cloud")[0]
    assert "a89dab5e39394eccbdb77b19d57b0180in02 orders-cluster  Sharding   normal\n" in listed
    assert "    backup=nightly, env=production, team=orders\n" in listed
    assert max(map(len, listed.splitlines())) <= 80


@pytest.mark.slow
def test_state_survives(serve: Serve, tmp_path: Path) -> None:
    """After a kill, the next start with the same file has the same state."""
    for expected in (1000, 2000):
        process = serve("--port", "0", "--json", "--state", tmp_path / "state.db")
        connection = connection_of(process)
        url, headers = f"{connection['endpoint']}/_local/clock", {"X-Auth-Token": connection["token"]}
        offset = httpx.post(url, json={"advance": 1000}, headers=headers, trust_env=False, timeout=LONG).json()[
            "offset"
        ]
        assert offset == pytest.approx(expected)
        process.kill()
        process.wait()


def test_the_commands_of_the_same_user_find_the_keys(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """--cloud URL works without more. Without the file it is a wrong call that says how, and the token helps."""
    connection = connection_of(serve("--port", "0", "--json"))
    with open_cloud(connection["endpoint"]) as cloud:
        assert cloud.connection.token == connection["token"]
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(WrongCall, match=r"need the token .* DDSBACKUP_CLOUD_TOKEN"), open_cloud(connection["endpoint"]):
        pass
    monkeypatch.setenv("DDSBACKUP_CLOUD_TOKEN", connection["token"])
    with open_cloud(connection["endpoint"]) as cloud:
        assert cloud.state()["instances"]


def test_fixed_credentials(serve: Serve) -> None:
    """--fixed-credentials gives the keys of the seed and leaves /_local open to programs on this machine."""
    connection = connection_of(serve("--port", "0", "--json", "--fixed-credentials"))

    assert connection["access_key"] == "LOCALCLOUDACCESSKEY0"
    assert httpx.get(f"{connection['endpoint']}/_local/connection", trust_env=False, timeout=LONG).json() == connection


@pytest.mark.slow
def test_an_address_that_others_reach(serve: Serve) -> None:
    """--host with another address warns of what that means. Each further name has to be allowed."""
    process = serve("--host", "0.0.0.0", "--allow-host", "cloud.test", "--port", "0", "--json")
    connection = connection_of(process)
    url, token = connection["endpoint"], connection["token"]
    port = url.rpartition(":")[2]
    statuses = [
        httpx.get(
            f"{url}/_local/state", headers={"X-Auth-Token": token, "Host": f"{name}:{port}"}, trust_env=False
        ).status_code
        for name in ("localhost", "cloud.test", "other.test")
    ]
    warning = ended_by(process, signal.SIGTERM)

    assert url == f"http://127.0.0.1:{port}"
    assert statuses == [200, 200, 403]
    for said in ("WARNING", "0.0.0.0", "other machines can reach", "runs uploaded code", "--allow-host"):
        assert said in warning


def test_in_the_background(ddsbackup: Callable[..., Any]) -> None:
    """--detach returns when the cloud accepts calls, a second one says that it is there, and --stop ends it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    started = ddsbackup("serve", "--detach", "--port", port, "--region", "eu-west-101", "--json")
    try:
        running = json.loads(started.out)
        with open_cloud(running["endpoint"]) as cloud:
            topic = cloud.connection.topic_urn
        again = [ddsbackup("serve", *detach, "--port", port) for detach in (["--detach"], [])]
    finally:
        stopped = ddsbackup("serve", "--stop", "--port", port, "--json")

    assert started.status == 0
    assert topic.startswith("urn:smn:eu-west-101:")
    assert Path(running["log"]).stat().st_mode & 0o777 == 0o600
    for second in again:
        assert second.status == 1
        assert "a local cloud already listens" in second.err
        assert f"--stop --port {port}" in second.err
    assert (stopped.status, json.loads(stopped.out)) == (0, {"pid": running["pid"]})
    nothing = ddsbackup("serve", "--stop", "--port", port)
    assert (nothing.status, nothing.out) == (1, "")
    assert f"you run no local cloud at port {port}" in nothing.err


@pytest.mark.slow
def test_in_the_background_at_another_address(ddsbackup: Callable[..., Any]) -> None:
    """--detach and --stop find the cloud at the address of --host, and other commands find its token."""
    with socket.create_server(("127.0.0.2", 0)) as free:
        port = str(free.getsockname()[1])
    started = ddsbackup("serve", "--detach", "--host", "127.0.0.2", "--port", port, "--json")
    try:
        running = json.loads(started.out)
        with open_cloud(running["endpoint"]) as cloud:
            assert cloud.state()["instances"]
    finally:
        stopped = ddsbackup("serve", "--stop", "--port", port, "--json")

    assert running["endpoint"] == f"http://127.0.0.2:{port}"
    assert (stopped.status, json.loads(stopped.out)) == (0, {"pid": running["pid"]})


def test_an_address_that_this_machine_does_not_have(ddsbackup: Callable[..., Any]) -> None:
    """--detach warns of the address as without it, and says that it cannot be listened on."""
    ran = ddsbackup("serve", "--detach", "--host", "203.0.113.1", "--port", "8765")

    assert (ran.status, ran.out) == (1, "")
    assert "WARNING: listening on 203.0.113.1" in ran.err
    assert "the local cloud did not start: " in ran.err
    assert "cannot listen on 203.0.113.1:8765" in ran.err


def test_a_background_that_does_not_start(ddsbackup: Callable[..., Any]) -> None:
    """--detach has the exit status and the message of the command that it runs."""
    Path("seed.yaml").write_text("instances: 5\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    ran = ddsbackup("serve", "--detach", "--port", port, "--seed", "seed.yaml")

    assert (ran.status, ran.out) == (2, "")
    assert "cannot start: seed.yaml" in ran.err


@pytest.mark.slow
def test_port_that_is_taken(serve: Serve) -> None:
    """The exit status is 1, and one line says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = serve("--port", str(port))
        out, err = process.communicate(timeout=LONG)
    assert (process.returncode, out) == (1, "")
    assert err.startswith(
        f"Error: cannot listen on 127.0.0.1:{port}: Address already in use. Choose another --host or --port"
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
    """A wrong option or file has exit status 2 and a message without a traceback."""
    Path("seed.yaml").write_text("instances: 5\n")
    ran = ddsbackup("serve", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err
