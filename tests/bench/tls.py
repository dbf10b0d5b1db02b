"""An HTTPS proxy in front of the local cloud, since the real cloud is reached over HTTPS."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import certifi


CERTIFICATE = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"


def listen() -> tuple[socket.socket, str]:
    """Return a listener for the proxy, and the host under which it is called: the local cloud has to allow it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    return listener, f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def https(url: str, folder: Path, listener: socket.socket) -> Iterator[tuple[str, Path]]:
    """Yield the https URL of the proxy, and a bundle of the usual CA certificates and that of the proxy."""
    key, certificate, bundle = folder / "key.pem", folder / "certificate.pem", folder / "bundle.pem"
    command = ["openssl", *CERTIFICATE.split(), "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    bundle.write_text(certifi.contents() + certificate.read_text())
    address = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with listener:
        threading.Thread(
            target=_accept, args=(listener, context, (address.hostname, address.port)), daemon=True
        ).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", bundle


def _accept(listener: socket.socket, context: ssl.SSLContext, address: tuple[str, int]) -> None:
    with suppress(OSError):  # the listener is closed at the end
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, context, address), daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, address: tuple[str, int]) -> None:
    with (
        suppress(OSError),
        context.wrap_socket(client, server_side=True) as outside,
        socket.create_connection(address) as inside,
    ):
        back = threading.Thread(target=_copy, args=(inside, outside), daemon=True)
        back.start()
        _copy(outside, inside)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
