"""The server: in a thread and in a process, several at once, and how it stops."""

import asyncio
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import uvicorn
from huaweicloudsdkdds.v3 import DdsClient, ListBackupsRequest

from localcloud import LocalCloud, serve
from localcloud.app import make_app
from localcloud.cloud import Cloud
from localcloud.requests_log import KEPT, RequestRecord, RequestsLog
from localcloud.seed import load_seed
from localcloud.store import Store
from tests.localcloud.sdk import build, new_backup


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
SERVE = """
from localcloud import serve
serve(port=0, fixed_credentials=True, announce=lambda connection: print(connection["endpoint"], flush=True))
print("ended", flush=True)
"""


def test_local_clouds_share_nothing(cloud: LocalCloud, local_cloud_factory: Callable[..., LocalCloud]) -> None:
    """Two local clouds in one process have their own ports, states, clocks, faults and switches."""
    one, other = cloud, local_cloud_factory(newer_filters=False)
    build(DdsClient, one).create_manual_backup(new_backup(ORDERS))
    one.advance(500)
    one.set_faults([{"path": "/quotas$", "answer": {"status": 503}}])

    assert one.url != other.url
    assert "mybackup1" in {backup["name"] for backup in one.state()["backups"]}
    assert "mybackup1" not in {backup["name"] for backup in other.state()["backups"]}
    assert (other.faults(), other.requests()) == ([], [])
    assert (one.clock_offset(), other.clock_offset()) == (500, 0)
    assert build(DdsClient, other).list_backups(ListBackupsRequest(backup_name="no")).total_count > 0


def test_it_starts_and_stops_fast_and_leaves_nothing_behind() -> None:
    """At the best of three it starts within a second and stops within 50 ms, without a thread, and frees the port."""
    threads = set(threading.enumerate())
    starts, stops = [], []
    with httpx.Client(trust_env=False) as client:
        for _ in range(3):
            began = time.monotonic()
            with LocalCloud() as cloud:
                starts.append(time.monotonic() - began)
                port = int(cloud.url.rpartition(":")[2])
                client.get(f"{cloud.url}/_local/clock")  # the connection stays open
                stopping = time.monotonic()
            stops.append(time.monotonic() - stopping)

    assert min(starts) < 1
    assert min(stops) < 0.05
    assert set(threading.enumerate()) <= threads
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_it_is_independent_of_the_code_under_test() -> None:
    """The local cloud imports neither the code of the functions nor the command, nor an SDK."""
    code = "import sys, localcloud; localcloud.LocalCloud; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert "localcloud" in loaded
    assert not {"shared", "cli", "functions", "huaweicloudsdkcore", "huaweicloudsdkdds"} & set(loaded)


def test_it_stops_although_a_call_is_waiting() -> None:
    """A call with a long delay holds up the stop for a second or two only."""
    with ThreadPoolExecutor() as pool, LocalCloud() as cloud:
        cloud.set_faults([{"delay": 60}])
        waiting = pool.submit(httpx.get, f"{cloud.url}/v3/projects", timeout=30, trust_env=False)
        while not cloud.requests():
            time.sleep(0.01)
        began = time.monotonic()

    assert time.monotonic() - began < 5
    with pytest.raises(httpx.HTTPError):
        waiting.result().raise_for_status()


def test_a_call_in_flight_is_answered() -> None:
    """A call that takes less than a second is answered although the server is stopping."""
    with ThreadPoolExecutor() as pool, LocalCloud() as cloud:
        token = cloud.connection()["token"]
        cloud.set_faults([{"delay": 0.3}])
        answered = pool.submit(
            httpx.get, f"{cloud.url}/v3/projects", headers={"X-Auth-Token": token}, timeout=5, trust_env=False
        )
        while not cloud.requests():
            time.sleep(0.01)

    assert answered.result().status_code == 200


def test_a_taken_port_is_an_error(cloud: LocalCloud) -> None:
    """A port in use is an OSError."""
    with pytest.raises(OSError, match="in use"):
        serve(port=int(cloud.url.rpartition(":")[2]))


def test_a_wrong_switch_is_an_error() -> None:
    """The error for an unknown switch lists the known ones."""
    with pytest.raises(ValueError, match=r"unknown field: unique_name\. Known fields: unique_names"):
        LocalCloud(unique_name=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_cleanly(number: signal.Signals) -> None:
    """SIGINT and SIGTERM end `serve` with status 0 and without a traceback."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        answered = httpx.get(f"{url}/_local/state", trust_env=False).status_code
        process.send_signal(number)
        out, err = process.communicate(timeout=10)

    assert answered == 200
    assert (out, err, process.returncode) == ("ended\n", "", 0)


def test_a_thread_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A local cloud whose thread ends during the start raises an error."""
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: None)

    with pytest.raises(RuntimeError, match="did not start"), LocalCloud():
        pass


def test_a_client_that_disconnects_while_it_sends(cloud: LocalCloud, http: httpx.Client, caplog: Any) -> None:
    """An incomplete request is ignored and not logged, and the next call is answered."""
    host, _, port = cloud.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"POST /v3/auth/tokens HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 100\r\n\r\n{{".encode()
        )

    assert http.get("/v3/projects").status_code == 200
    assert [call["path"] for call in cloud.requests()] == ["/v3/projects"]
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_it_runs_without_a_server() -> None:
    """An ASGI client can call the application in-process. A cut connection is an exception there."""

    async def call() -> int:
        transport = httpx.ASGITransport(
            make_app(Cloud(load_seed(), {}, fixed_credentials=True)), client=("127.0.0.1", 1)
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await client.put("/_local/faults", json=[{"drop": "before"}])
            with pytest.raises(ConnectionResetError):
                await client.get("/v3/projects")
            return len((await client.get("/_local/state")).json()["instances"])

    assert asyncio.run(call()) == 15


def test_the_request_log_is_bounded() -> None:
    """The last ten thousand requests are kept."""
    log = RequestsLog(Store())
    for number in range(KEPT + 5):
        log.add(RequestRecord(str(number), "", "GET", "/", "", 200, None, None))

    assert (len(log.records), next(iter(log.records)).id) == (KEPT, "5")


def test_calls_are_logged(cloud: LocalCloud, dds: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Each call of a service is a line of the logger "localcloud", without query, headers or body."""
    with caplog.at_level(logging.INFO, logger="localcloud"):
        dds.list_backups(ListBackupsRequest(backup_name="x"))

    [line] = [record.getMessage() for record in caplog.records if record.name == "localcloud"]
    assert line == f"GET /v3/{cloud.connection()['project_id']}/backups 200"


def test_responses_are_not_delayed(cloud: LocalCloud, dds: Any) -> None:
    """The fastest of 20 calls does not wait 40 ms for a delayed TCP acknowledgement between head and body."""
    times = []
    for _ in range(20):
        began = time.monotonic()
        dds.list_backups(ListBackupsRequest(limit=1))
        times.append(time.monotonic() - began)

    assert min(times) < 0.03


def test_concurrent_delayed_calls(cloud: LocalCloud, dds: Any) -> None:
    """Calls with a delay of 50 ms do not block each other: eight threads take less than half of the serial time."""
    cloud.set_faults([{"method": "GET", "delay": 0.05}])
    began = time.monotonic()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: dds.list_backups(ListBackupsRequest(limit=1)), range(40)))

    assert time.monotonic() - began < 40 * 0.05 / 2
    assert len(cloud.requests()) == 40
