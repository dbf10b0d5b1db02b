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


@contextmanager
def https(url: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield an https URL for the http one, and a bundle of the usual CA certificates and that of the proxy."""
    key, certificate, bundle = folder / "key.pem", folder / "certificate.pem", folder / "bundle.pem"
    command = ["openssl", *CERTIFICATE.split(), "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    bundle.write_text(certifi.contents() + certificate.read_text())
    address = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
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
        # The local cloud answers only under its own name.
        names = tuple(f":{port}\r\n".encode() for port in (outside.getsockname()[1], address[1]))
        _copy(outside, inside, (names[0], names[1]))
        back.join()


def _copy(source: socket.socket, target: socket.socket, names: tuple[bytes, bytes] = (b"", b"")) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data.replace(*names) if names[0] else data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
