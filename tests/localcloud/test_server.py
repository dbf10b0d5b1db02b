"""The server: in-process and for ever, several at once, and a clean end."""

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
serve(port=0, announce=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def test_local_clouds_share_nothing(local_cloud_factory: Callable[..., LocalCloud]) -> None:
    """Two in one process have their own ports, states, clocks, faults and switches."""
    one, other = local_cloud_factory(), local_cloud_factory(newer_filters=False)
    build(DdsClient, one).create_manual_backup(new_backup(ORDERS))
    one.advance(500)
    one.set_faults([{"path": "/quotas$", "answer": {"status": 503}}])

    assert one.url != other.url
    assert "mybackup1" in {backup["name"] for backup in one.state()["backups"]}
    assert "mybackup1" not in {backup["name"] for backup in other.state()["backups"]}
    assert (other.faults(), other.requests()) == ([], [])
    clock = httpx.get(f"{other.url}/_local/clock", trust_env=False).json()
    assert clock["offset"] == 0
    assert build(DdsClient, other).list_backups(ListBackupsRequest(backup_name="no")).total_count > 0


def test_it_starts_fast_and_leaves_nothing_behind() -> None:
    """Started and stopped within a second, at the best of three; no thread stays, and the port is free again."""
    threads = set(threading.enumerate())
    times = []
    for _ in range(3):
        began = time.monotonic()
        with LocalCloud() as cloud:
            port = int(cloud.url.rpartition(":")[2])
        times.append(time.monotonic() - began)

    assert min(times) < 1
    assert set(threading.enumerate()) == threads
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_it_needs_nothing_of_what_it_proves() -> None:
    """The local cloud imports neither the functions' code nor the command's, nor any SDK."""
    code = "import sys, localcloud; localcloud.LocalCloud; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert "localcloud" in loaded
    assert not {"shared", "cli", "functions", "huaweicloudsdkcore", "huaweicloudsdkdds"} & set(loaded)


def test_it_stops_although_somebody_waits(caplog: pytest.LogCaptureFixture) -> None:
    """A call that is being delayed for long does not hold up the end for more than a second or two."""
    with ThreadPoolExecutor() as pool, LocalCloud() as cloud:
        cloud.set_faults([{"delay": 60}])
        waiting = pool.submit(httpx.get, f"{cloud.url}/v3/projects", timeout=30, trust_env=False)
        while not cloud.requests():
            time.sleep(0.01)
        began = time.monotonic()

    assert time.monotonic() - began < 5
    with pytest.raises(httpx.HTTPError):
        waiting.result().raise_for_status()


def test_a_taken_port_is_an_error() -> None:
    """A port that is in use is an OSError, not a server that nobody reaches."""
    with LocalCloud() as cloud, pytest.raises(OSError, match="in use"):
        serve(port=int(cloud.url.rpartition(":")[2]))


def test_a_wrong_switch_is_an_error() -> None:
    """An unknown switch is refused with the known ones."""
    with pytest.raises(ValueError, match=r"unknown field: unique_name\. Known fields: unique_names"):
        LocalCloud(unique_name=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_cleanly(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end `serve` with status 0 and without a traceback; the URL was announced before."""
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
    """A local cloud that cannot start says so instead of waiting for ever."""
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: None)

    with pytest.raises(RuntimeError, match="did not start"), LocalCloud():
        pass


def test_a_client_that_goes_away_while_it_sends(cloud: LocalCloud, http: httpx.Client, caplog: Any) -> None:
    """Half a request is no request: nothing is done or logged, and the next call is answered."""
    host, _, port = cloud.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")

    assert http.get("/v3/projects").status_code == 200
    assert [call["path"] for call in cloud.requests()] == ["/v3/projects"]
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_it_runs_without_a_server_too() -> None:
    """The application can be called in-process by any ASGI client, where a cut connection is an exception."""

    async def call() -> int:
        transport = httpx.ASGITransport(make_app(Cloud(load_seed(), {})))
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
            await client.put("/_local/faults", json=[{"drop": "before"}])
            with pytest.raises(ConnectionResetError):
                await client.get("/v3/projects")
            return len((await client.get("/_local/state")).json()["instances"])

    assert asyncio.run(call()) == 15


def test_the_log_of_calls_has_an_end() -> None:
    """The last ten thousand calls are kept."""
    log = RequestsLog(Store())
    for number in range(KEPT + 5):
        log.add(RequestRecord(str(number), "", "GET", "/", "", 200, None, None))

    assert (len(log.records), next(iter(log.records)).id) == (KEPT, "5")


def test_calls_are_logged_for_people(cloud: LocalCloud, dds: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Each call of the cloud is a line of the logger "localcloud", without query, headers or body."""
    with caplog.at_level(logging.INFO, logger="localcloud"):
        dds.list_backups(ListBackupsRequest(backup_name="x"))

    [line] = [record.getMessage() for record in caplog.records if record.name == "localcloud"]
    assert line == f"GET /v3/{cloud.connection()['project_id']}/backups 200"


def test_answers_are_not_held_back(cloud: LocalCloud, dds: Any) -> None:
    """No call waits for the 40 ms of a delayed acknowledgement between head and body: the fastest of 20 tells."""
    times = []
    for _ in range(20):
        began = time.monotonic()
        dds.list_backups(ListBackupsRequest(limit=1))
        times.append(time.monotonic() - began)

    assert min(times) < 0.03


def test_many_delayed_calls_side_by_side(cloud: LocalCloud, dds: Any) -> None:
    """Eight threads of SDK calls, each delayed by 50 ms, take an eighth of the time of one after the other."""
    cloud.set_faults([{"method": "GET", "delay": 0.05}])
    began = time.monotonic()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: dds.list_backups(ListBackupsRequest(limit=1)), range(40)))

    assert time.monotonic() - began < 40 * 0.05 / 2
    assert len(cloud.requests()) == 40
