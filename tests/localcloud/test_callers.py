"""Which callers are let in: Host, Origin, the token of /_local, the size and the depth of bodies."""

import http.client
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from localcloud import LocalCloud
from localcloud.callers import CallerRefused, Guard
from localcloud.key_file import find_token, published
from tests.localcloud.iam_sdk import make_agency


KEYS = {"access_key", "secret_key", "security_token", "token"}


@pytest.fixture
def nobody(cloud: LocalCloud) -> Iterator[httpx.Client]:
    """An HTTP client without credentials."""
    with httpx.Client(base_url=cloud.url, trust_env=False) as client:
        yield client


@pytest.fixture
def fixed(local_cloud_factory: Callable[..., LocalCloud]) -> Iterator[httpx.Client]:
    """An HTTP client without credentials, of a local cloud with fixed ones."""
    with httpx.Client(base_url=local_cloud_factory(fixed_credentials=True).url, trust_env=False) as client:
        yield client


def port_of(cloud: LocalCloud) -> int:
    return int(cloud.url.rpartition(":")[2])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_a_loopback_host_is_allowed(cloud: LocalCloud, http: httpx.Client, host: str) -> None:
    """Calls to the names of loopback with the server's port are answered, also those of the cloud's own pages."""
    headers = {"Host": f"{host}:{port_of(cloud)}"}

    assert http.get("/_local/state", headers=headers).status_code == 200
    headers |= {"Origin": f"http://localhost:{port_of(cloud)}", "Sec-Fetch-Site": "same-origin"}
    assert http.get("/_local/state", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/_local/reset", "/_local/connection", "/v3/auth/tokens", "/v3/projects", "/docs"])
@pytest.mark.parametrize(
    ("headers", "code", "found"),
    [
        ({"Host": "evil.example:{port}"}, "LocalCloud.Host", "the Host 'evil.example:{port}'"),
        ({"Host": "localhost.evil.example:{port}"}, "LocalCloud.Host", "the Host 'localhost.evil.example:{port}'"),
        ({"Host": "127.0.0.1:1"}, "LocalCloud.Host", "the Host '127.0.0.1:1'"),
        ({"Host": "localhost"}, "LocalCloud.Host", "the Host 'localhost'"),
        ({"Host": ""}, "LocalCloud.Host", "the Host ''"),
        ({"Origin": "https://evil.example"}, "LocalCloud.Origin", "the Origin 'https://evil.example'"),
        ({"Origin": "http://localhost:3000"}, "LocalCloud.Origin", "the Origin 'http://localhost:3000'"),
        ({"Origin": "null"}, "LocalCloud.Origin", "the Origin 'null'"),
        ({"Sec-Fetch-Site": "cross-site"}, "LocalCloud.Origin", "Sec-Fetch-Site: cross-site"),
        ({"Sec-Fetch-Site": "same-site"}, "LocalCloud.Origin", "Sec-Fetch-Site: same-site"),
    ],
)
def test_a_foreign_caller_is_refused(
    cloud: LocalCloud, http: httpx.Client, path: str, headers: dict[str, str], code: str, found: str
) -> None:
    """Any other Host and any foreign Origin is 403, with credentials too, and says what was found and what to do."""
    headers = {name: value.format(port=port_of(cloud)) for name, value in headers.items()}
    cloud.advance(5)
    cloud.set_faults([{"answer": {"status": 500}}])

    response = http.post(path, headers={"Content-Type": "text/plain"} | headers, content="{}")

    assert (response.status_code, response.json()["error_code"]) == (403, code)
    assert f"found {found.format(port=port_of(cloud))}" in response.json()["error_msg"]
    assert "expected" in response.json()["error_msg"].lower()
    assert "--allow-host NAME" in response.json()["error_msg"]
    assert (cloud.clock_offset(), cloud.requests(), cloud.faults()[0]["matched"]) == (5, [], 0)


def test_a_refused_caller_is_answered_before_its_body_is_read(cloud: LocalCloud) -> None:
    """A request with a foreign Host is refused although its body never comes."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(cloud), timeout=10)
    connection.putrequest("POST", "/_local/reset", skip_host=True)
    connection.putheader("Host", "evil.example")
    connection.putheader("Content-Length", "1000")
    connection.endheaders()

    assert connection.getresponse().status == 403
    connection.close()


def test_a_request_without_a_host_is_refused(cloud: LocalCloud) -> None:
    """HTTP/1.0 allows a request without a Host. It is refused."""
    with socket.create_connection(("127.0.0.1", port_of(cloud))) as connection:
        connection.sendall(b"GET /_local/connection HTTP/1.0\r\n\r\n")
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 403")
    assert b"found no Host" in answer


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("cloud.test:8600", True),
        ("cloud.test", False),
        ("proxy.test:80", True),
        ("proxy.test", True),
        ("proxy.test:8600", False),
        ("other.test:8600", False),
    ],
)
def test_further_names_can_be_allowed(host: str, is_allowed: bool) -> None:
    """A name without a port is allowed with the server's port, a name with a port as it is."""
    guard = Guard(["cloud.test", "proxy.test:80"])
    scope = {"headers": [(b"host", host.encode())], "server": ("0.0.0.0", 8600)}

    if is_allowed:
        guard.check(scope)
    else:
        with pytest.raises(CallerRefused):
            guard.check(scope)


def test_every_local_cloud_has_credentials_of_its_own(
    cloud: LocalCloud, local_cloud_factory: Callable[..., LocalCloud]
) -> None:
    """Keys and tokens are new for each start; those of the seed are refused."""
    one, other = cloud.connection(), local_cloud_factory().connection()
    seeds = local_cloud_factory(fixed_credentials=True).connection()

    assert all(len({one[name], other[name], seeds[name]}) == 3 for name in KEYS)  # type: ignore[literal-required]
    refused = httpx.get(f"{cloud.url}/v3/projects", headers={"X-Auth-Token": seeds["token"]}, trust_env=False)
    assert refused.status_code == 401


def test_a_restart_revokes_the_credentials(tmp_path: Path) -> None:
    """The keys of an earlier start, which the state file has, are refused."""
    state_file = tmp_path / "state.db"
    with LocalCloud(state_file=state_file, fixed_credentials=True) as cloud:
        earlier = cloud.connection()
    with LocalCloud(state_file=state_file) as cloud:
        answers = [
            httpx.get(f"{cloud.url}/v3/projects", headers={"X-Auth-Token": given["token"]}, trust_env=False)
            for given in (earlier, cloud.connection())
        ]

    assert [answer.status_code for answer in answers] == [401, 200]


@pytest.mark.parametrize("path", ["connection", "state", "messages", "requests", "functions", "clock", "switches", "x"])
def test_nobody_controls_without_the_token(nobody: httpx.Client, path: str) -> None:
    """Without credentials, the paths below /_local are 401 and say how to get them. The page of the API is public."""
    for headers in ({}, {"X-Auth-Token": "wrong"}, {"Authorization": "Basic eDp5"}):
        response = nobody.get(f"/_local/{path}", headers=headers)
        assert (response.status_code, response.json()["error_code"]) == (401, "LocalCloud.Token")
        assert "X-Auth-Token" in response.json()["error_msg"]
        assert "--fixed-credentials" in response.json()["error_msg"]
    assert nobody.get("/docs").status_code == 200


def test_an_agency_does_not_control(cloud: LocalCloud, http: httpx.Client, iam: Any) -> None:
    """The token of an agency, which functions get, is refused below /_local."""
    make_agency(iam)
    role = {"domain_name": "local-cloud", "agency_name": "dds-backup"}
    auth = {"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}
    token = http.post("/v3/auth/tokens", json=auth).headers["X-Subject-Token"]

    response = http.post("/_local/reset", headers={"X-Auth-Token": token})

    assert (response.status_code, response.json()["error_code"]) == (403, "LocalCloud.Token")


def test_the_password_is_the_secret_key(nobody: httpx.Client, fixed: httpx.Client) -> None:
    """Signing in needs the secret key as the password. With fixed credentials any password works."""
    user = {"name": "a", "password": "guessed", "domain": {"name": "d"}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}

    assert nobody.post("/v3/auth/tokens", json=body).status_code == 401
    assert fixed.post("/v3/auth/tokens", json=body).status_code == 201


def test_fixed_credentials_leave_the_control_open_to_this_machine(fixed: httpx.Client) -> None:
    """With fixed credentials, programs on this machine need no token. Web pages are still refused."""
    assert fixed.get("/_local/connection").json()["access_key"] == "LOCALCLOUDACCESSKEY0"
    assert fixed.post("/_local/reset", headers={"Origin": "https://evil.example"}).status_code == 403
    assert fixed.get("/_local/connection", headers={"Host": "evil.example"}).status_code == 403


def test_the_keys_are_in_a_file_of_their_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a local cloud runs, this user finds its token, in a file 0600 in a folder 0700."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "ddsbackup").mkdir(mode=0o755)
    with LocalCloud() as cloud:
        folder = tmp_path / "ddsbackup"
        [file] = folder.iterdir()
        assert json.loads(file.read_text()) == {**cloud.connection(), "pid": os.getpid()}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert find_token(cloud.url) == cloud.connection()["token"]
        assert find_token(cloud.url.replace("127.0.0.1", "evil.example")) is None
    assert list(folder.iterdir()) == []


def test_the_token_is_found_at_the_address_of_the_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cloud that does not listen on loopback has a token at its own URL, and no other host with its port has it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    with published({"endpoint": "http://192.0.2.2:8600", "token": "secret-token"}):
        assert find_token("http://192.0.2.2:8600") == "secret-token"
        assert find_token("http://192.0.2.3:8600") is None


def test_a_folder_of_another_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that is a link is neither written to nor read, and a warning says so."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ddsbackup").symlink_to(tmp_path / "theirs")

    with published({"endpoint": "http://127.0.0.1:8600", "token": "secret-token"}):
        assert find_token("http://127.0.0.1:8600") is None

    assert list((tmp_path / "theirs").iterdir()) == []
    assert "are not kept" in caplog.text
    assert "secret-token" not in caplog.text


def test_an_announced_body_is_refused_before_it_is_read(cloud: LocalCloud) -> None:
    """A body that Content-Length announces as too large is 413 although nothing of it has been sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(cloud), timeout=10)
    connection.putrequest("PUT", "/_local/faults")
    connection.putheader("Content-Length", str(300 << 20))
    connection.endheaders()

    assert connection.getresponse().status == 413
    connection.close()


def test_a_chunked_body_is_read_up_to_the_limit(cloud: LocalCloud) -> None:
    """A body in chunks is 413 as soon as it is too large, although it does not end."""
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", port_of(cloud)), timeout=30) as connection:
        host = f"127.0.0.1:{port_of(cloud)}".encode()
        connection.sendall(b"PUT /_local/faults HTTP/1.1\r\nHost: " + host + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(13):
            connection.sendall(chunk)
        assert connection.recv(12) == b"HTTP/1.1 413"


@pytest.mark.parametrize("path", ["/v3/auth/tokens", "/v3/{}/backups", "/v2/{}/fgs/functions", "/_local/faults"])
@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 501 + "]" * 501, '{"a":' * 600 + "1" + "}" * 600])
def test_a_deeply_nested_body_is_a_bad_request(cloud: LocalCloud, http: httpx.Client, path: str, text: str) -> None:
    """JSON nested more than 500 levels deep is a 400 for every service."""
    method = "PUT" if "_local" in path else "POST"

    response = http.request(method, path.format(cloud.connection()["project_id"]), content=text)

    assert (response.status_code, response.json()["error_code"]) == (400, "APIGW.0201")
    assert "nested more than 500 levels" in response.json()["error_msg"]


def test_brackets_in_a_text_do_not_nest(http: httpx.Client) -> None:
    """Brackets inside of strings do not count."""
    response = http.put("/_local/faults", json=[{"method": "[{" * 400 + '"' + "{" * 600}])

    assert "nested" not in response.text
    assert http.put("/_local/faults", json=[{"path": r"\[" * 99, "delay": 0}] * 9).status_code == 200


HIDDEN = """
import ctypes, encodings.ascii, os, subprocess, sys
from pathlib import Path
from localcloud.functiongraph.runtime.process import ChildProcess

READ = ["/bin/sh", "-c", "cat /proc/$PPID/environ"]

def look():
    ran = subprocess.run(READ, env={}, capture_output=True, text=True)
    print("canary" in ran.stdout, "Permission denied" in ran.stderr)

if os.getuid() == 0:  # root reads everything
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as a process that did not change its user
look()
ChildProcess(READ, {}, Path("/"), print).close(1)
look()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc and prctl are Linux's")
def test_a_function_does_not_read_the_variables_of_its_parent() -> None:
    """Once a process runs functions, its children cannot read its variables from /proc unless they are root's."""
    environment = os.environ | {"HUAWEICLOUD_SDK_SK": "canary"}
    ran = subprocess.run([sys.executable, "-c", HIDDEN], env=environment, capture_output=True, text=True, check=False)

    assert (ran.stdout.split(), ran.stderr) == (["True", "False", "False", "True"], "")
