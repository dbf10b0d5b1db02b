"""`LocalCloud`: a local cloud in this process, for tests."""

import http.client
import json
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from typing_extensions import Self

from localcloud.admin import schemas
from localcloud.clock import MAX_JUMP_TIME
from localcloud.cloud import Cloud
from localcloud.key_file import published
from localcloud.mongo.tls import authority_pem
from localcloud.seed import Seed, load_seed
from localcloud.server import HttpServer, listen, url_of


class LocalCloud:
    """A local cloud that answers HTTP at `url` in a thread of its own, within a `with` block.

    `port` 0 picks a free port. `seed` is a Seed or the path of a seed file, by default the built-in one. With
    `state_file` the state survives in a SQLite file. The switches are the fields of `localcloud.region.Switches`.

    The credentials are new for each LocalCloud: `connection()` returns them, and commands of this user that get `url`
    find them in a file. With `fixed_credentials` they are those of the seed, and `/_local` needs none. It answers under
    the names of loopback, and of `allow_hosts`, such as those of a proxy.

    Raises ValueError for an unknown switch, an invalid seed and an unusable state file, OSError for a taken port.
    """

    def __init__(
        self,
        port: int = 0,
        seed: Seed | Path | None = None,
        state_file: Path | None = None,
        *,
        fixed_credentials: bool = False,
        allow_hosts: Iterable[str] = (),
        **switches: Any,
    ) -> None:
        self._port = port
        self._allow_hosts = tuple(allow_hosts)
        seed = seed if isinstance(seed, Seed) else load_seed(seed)
        self._cloud = Cloud(seed, switches, state_file, fixed_credentials=fixed_credentials)
        self.url = ""

    def __enter__(self) -> Self:
        """Start to answer."""
        self._listener = listen("127.0.0.1", self._port)
        self.url = url_of(self._listener)
        started = threading.Event()
        self._server = HttpServer(self._cloud, self._listener, allow_hosts=self._allow_hosts, on_started=started.set)
        self._keys = published(self._cloud.connection(self.url))
        self._keys.__enter__()
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
        """Stop, and release port and file. Calls in flight get a second to finish."""
        self._server.stop()
        self._close()

    def _close(self) -> None:
        self._thread.join()
        self._keys.__exit__(None, None, None)
        self._listener.close()
        self._cloud.close()

    # What a client needs

    def connection(self) -> schemas.Connection:
        """Endpoint, region, project, credentials, a topic, and the ids of instances that can be backed up."""
        return cast("schemas.Connection", self._call("GET", "connection"))

    def authority(self) -> str:
        """The certificate, as PEM, of the authority that MongoDB clients need for an instance with TLS."""
        return authority_pem()

    # Looking inside

    def state(self) -> schemas.State:
        """The instances, backups and jobs of DDS."""
        return cast("schemas.State", self._call("GET", "state"))

    def backups(self) -> list[schemas.BackupState]:
        """The backups of DDS, oldest request first."""
        return self.state()["backups"]

    def messages(self) -> list[schemas.PublishedMessage]:
        """The messages published to SMN topics, oldest first, with what each subscription would have received."""
        return cast("list[schemas.PublishedMessage]", self._call("GET", "messages"))

    def requests(self) -> list[schemas.ReceivedRequest]:
        """The requests to the services, oldest first. Calls of `/_local` are not among them."""
        return cast("list[schemas.ReceivedRequest]", self._call("GET", "requests"))

    def functions(self) -> list[schemas.DeployedFunction]:
        """The functions of FunctionGraph with their triggers and interpreters."""
        return cast("list[schemas.DeployedFunction]", self._call("GET", "functions"))

    def invocations(self) -> list[schemas.FinishedInvocation]:
        """The finished invocations of functions, oldest first."""
        return cast("list[schemas.FinishedInvocation]", self._call("GET", "invocations"))

    # Changing what happens

    def reset(self) -> None:
        """Go back to the seed and to the switches of the start: no messages, requests, faults, or functions."""
        self._call("POST", "reset")

    def advance(self, seconds: float) -> schemas.Jump:
        """Move the clock forward. Timers that become due fire in order, each at its own time.

        Returns when their functions have finished: what fired, and what was skipped.
        """
        return cast("schemas.Jump", self._call("POST", "clock", {"advance": seconds}))

    def clock_offset(self) -> float:
        """By how many seconds the clock is ahead of the wall clock."""
        return float(self._call("GET", "clock")["offset"])

    def switch(self, **switches: Any) -> None:
        """Change switches until the next reset. Raises ValueError for an unknown switch or an invalid value."""
        self._call("PATCH", "switches", switches)

    def switches(self) -> dict[str, Any]:
        """The switches: the fields of `localcloud.region.Switches`."""
        return cast("dict[str, Any]", self._call("GET", "switches"))

    def set_faults(self, rules: list[dict[str, Any]]) -> None:
        """Replace all fault rules. A rule has the fields of `localcloud.faults.FaultRule`. Raises ValueError."""
        self._call("PUT", "faults", rules)

    def faults(self) -> list[dict[str, Any]]:
        """The fault rules, each with the number of calls it `matched` and on which it `acted`."""
        return cast("list[dict[str, Any]]", self._call("GET", "faults"))

    def change_instance(self, instance_id: str, **changes: Any) -> None:
        """Change `status`, `actions`, `busy_for`, `hidden_node` or `fails_with` of an instance. Raises ValueError."""
        self._call("PATCH", f"instances/{instance_id}", changes)

    def set_backup_fault(self, backup_id: str, **fault: Any) -> None:
        """Make the content of a backup faulty. The fields are those of `localcloud.dds.content_faults.ContentFault`.

        Without fields the fault ends. Raises ValueError for an unknown backup or field.
        """
        self._call("PUT", f"backups/{backup_id}/fault", fault)

    def confirm(self, subscription_urn: str) -> None:
        """Confirm a subscription, as the owner of its endpoint does. Raises ValueError for an unknown one."""
        self._call("POST", f"subscriptions/{subscription_urn}/confirm")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        # Through HTTP, because the state belongs to the server's thread.
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=MAX_JUMP_TIME + 60)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, f"/_local/{path}", text, {"X-Auth-Token": self._cloud.credentials.owner.token})
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise ValueError(f"{method} /_local/{path}: {answer}")
        return answer
