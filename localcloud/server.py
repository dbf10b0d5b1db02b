"""Serving the local cloud over real HTTP: for ever, or in a thread while a `with` block lasts."""

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self

from localcloud.cloud import Cloud
from localcloud.http_server import HttpServer, listen, url_of
from localcloud.seed import Seed, load_seed


def serve(
    host: str = "127.0.0.1",
    port: int = 8600,
    *,
    state_file: Path | None = None,
    seed_file: Path | None = None,
    switches: Mapping[str, Any] | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. `announce` is given the base URL as soon as calls are answered.

    `port` 0 picks a free one. Raises OSError when the port is taken, ValueError for a wrong seed file, state file or
    switch.
    """
    cloud = Cloud(load_seed(seed_file), dict(switches or {}), state_file)
    try:
        with listen(host, port) as listener:
            server = HttpServer(cloud, url_of(listener), on_started=lambda: announce and announce(url_of(listener)))
            server.run(sockets=[listener])
    finally:
        cloud.close()


class LocalCloud:
    """A local cloud in this process, answering real HTTP in a thread of its own while the `with` block lasts.

    `seed` is a Seed or the path of a seed file, `state_file` a SQLite file; the switches are those of
    `localcloud.switches.Switches`.
    """

    def __init__(
        self,
        port: int = 0,
        seed: Seed | Path | None = None,
        state_file: Path | None = None,
        **switches: Any,
    ) -> None:
        self._port = port
        self._cloud = Cloud(seed if isinstance(seed, Seed) else load_seed(seed), switches, state_file)
        self.url = ""

    def __enter__(self) -> Self:
        """Start to answer."""
        self._listener = listen("127.0.0.1", self._port)
        self.url = url_of(self._listener)
        started = threading.Event()
        self._server = HttpServer(self._cloud, self.url, on_started=started.set)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, name="localcloud", daemon=True
        )
        self._thread.start()
        while not started.wait(0.1):
            if not self._thread.is_alive():
                self._close()
                raise RuntimeError("the local cloud did not start: its thread has ended")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and let go of port and file."""
        self._server.should_exit = True
        self._close()

    def connection(self) -> dict[str, Any]:
        """What a client needs: endpoint, region, credentials, topic and instances."""
        return dict(self._local("GET", "connection"))

    def state(self) -> dict[str, Any]:
        """Instances, backups and jobs at this moment."""
        return dict(self._local("GET", "state"))

    def messages(self) -> list[dict[str, Any]]:
        """The messages published, the oldest first."""
        return list(self._local("GET", "messages"))

    def requests(self) -> list[dict[str, Any]]:
        """The calls seen, the oldest first."""
        return list(self._local("GET", "requests"))

    def functions(self) -> list[dict[str, Any]]:
        """The functions with their triggers, and what they run on."""
        return list(self._local("GET", "functions"))

    def invocations(self) -> list[dict[str, Any]]:
        """The invocations that came to an end, the oldest first."""
        return list(self._local("GET", "invocations"))

    def advance(self, seconds: float) -> None:
        """Move the clock forward; timers that become due fire."""
        self._local("POST", "clock", {"advance": seconds})

    def faults(self) -> list[dict[str, Any]]:
        """The fault rules with their counters."""
        return list(self._local("GET", "faults"))

    def set_faults(self, rules: list[dict[str, Any]]) -> None:
        """Put these fault rules in place of all others. Raises ValueError for a wrong one."""
        self._local("PUT", "faults", rules)

    def switch(self, **switches: Any) -> None:
        """Change switches. Raises ValueError for a wrong one."""
        self._local("PATCH", "switches", switches)

    def change_instance(self, instance_id: str, **changes: Any) -> None:
        """Change status, actions, busy_for, hidden_node or fails_with of an instance. Raises ValueError."""
        self._local("PATCH", f"instances/{instance_id}", changes)

    def reset(self) -> None:
        """Put everything back to the seed."""
        self._local("POST", "reset")

    def _close(self) -> None:
        self._thread.join()
        self._listener.close()
        self._cloud.close()

    def _local(self, method: str, what: str, body: Any = None) -> Any:
        # By HTTP like anybody else: the state belongs to the server's thread.
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        try:
            connection.request(method, f"/_local/{what}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise ValueError(f"{method} /_local/{what}: {answer}")
        return answer
