"""The clients follow the HTTP settings of the environment, which are read once."""

import shutil
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from localcloud import LocalCloud
from shared.errors import TransientError
from tests.bench.tls import https, listen
from tests.cloud.conftest import adapters_for


@pytest.fixture(name="proxy")
def recording_proxy() -> Iterator[tuple[str, list[str]]]:
    """Yield the URL of an HTTP proxy that answers with an empty list, and the requests that it received."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = b'{"backups": [], "total_count": 0}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def test_a_proxy_of_the_environment_is_used(
    cloud: LocalCloud, proxy: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is HTTP_PROXY."""
    url, asked = proxy
    monkeypatch.setenv("HTTP_PROXY", url)
    adapters = adapters_for(cloud.connection(), endpoint="http://dds.example.invalid")

    assert adapters.dds.list() == []
    assert asked[0].startswith("http://dds.example.invalid/v3/")


def test_a_host_that_needs_no_proxy_is_called_directly(
    cloud: LocalCloud, proxy: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is NO_PROXY."""
    url, asked = proxy
    monkeypatch.setenv("HTTP_PROXY", url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    assert adapters_for(cloud.connection()).dds.list()
    assert asked == []


def test_a_netrc_does_not_replace_the_signature(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default `requests` replaces the Authorization header with the login of the file."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    assert adapters_for(cloud.connection()).dds.list()


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_authorities_of_the_environment_are_trusted(
    local_cloud_factory: Callable[..., LocalCloud], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is REQUESTS_CA_BUNDLE. Other authorities are not trusted."""
    listener, host = listen()
    cloud = local_cloud_factory(allow_hosts=[host])
    with https(cloud.url, tmp_path, listener) as (endpoint, bundle):
        with pytest.raises(TransientError, match=r"(?i)certificate"):
            adapters_for(cloud.connection(), endpoint=endpoint).dds.list()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))

        expected = adapters_for(cloud.connection()).dds.list()
        assert adapters_for(cloud.connection(), endpoint=endpoint).dds.list() == expected
