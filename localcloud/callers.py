"""Which callers are let in: the guard against web pages and other users of the machine.

The local cloud runs uploaded code. A web page reaches it with a request to 127.0.0.1, or under its own name once that
name resolves to 127.0.0.1 (DNS rebinding). So the names in `Host` and `Origin` are checked before anything else.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localcloud.auth.authentication import Call, authenticate
from localcloud.auth.credentials import Credentials
from localcloud.clock import Clock
from localcloud.errors import CloudError


if TYPE_CHECKING:
    from starlette.types import Scope  # the command imports this module, and has no other use for starlette


LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class CallerRefused(CloudError):  # noqa: N818 - the outcome of a check
    """A request that the guard refuses. It says what was found, what is expected, and what to do."""


class Guard:
    """Checks requests by their headers alone. `names` are further host names, each with or without a port.

    A name without a port stands for the name with the server's own port.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = (*LOOPBACK_NAMES, *names)

    def check(self, scope: "Scope") -> None:
        """Raise CallerRefused (403) for a `Host` that is not allowed and for a request from a foreign web page."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        port = (scope.get("server") or ("", None))[1] or 80
        allowed = {_with_port(name, port) for name in self._names}
        self._check_host(headers.get("host", []), port, allowed)
        for origin in headers.get("origin", []):
            if _address_of(origin) not in allowed:
                raise CallerRefused(403, "LocalCloud.Origin", _from_a_page(f"the Origin {origin!r}"))
        for site in headers.get("sec-fetch-site", []):
            if site not in {"same-origin", "none"}:
                raise CallerRefused(403, "LocalCloud.Origin", _from_a_page(f"Sec-Fetch-Site: {site}"))

    def _check_host(self, hosts: list[str], port: int, allowed: set[str]) -> None:
        if len(hosts) == 1 and _with_port(hosts[0], 80) in allowed:
            return
        found = f"the Host {hosts[0]!r}" if hosts else "no Host"
        raise CallerRefused(
            403,
            "LocalCloud.Host",
            f"found {found}, expected one of {', '.join(_with_port(name, port) for name in self._names)}. Call the "
            "local cloud under one of these names, or start it with --allow-host NAME to allow another one",
        )


def check_control(call: Call, credentials: Credentials, clock: Clock, scope: "Scope") -> None:
    """Check a call below `/_local`. Raise CallerRefused without credentials (401) and for those of an agency (403).

    With fixed credentials, callers on this machine need none.
    """
    if credentials.owner.is_fixed and is_loopback((scope.get("client") or ("", 0))[0]):
        return
    try:
        agency_id = authenticate(call, credentials, clock)
    except CloudError as error:
        raise CallerRefused(
            401,
            "LocalCloud.Token",
            f"the paths below /_local need the token of this local cloud in X-Auth-Token ({error.message}). "
            "ddsbackup serve prints it and keeps it in a file that only its owner can read; the commands of ddsbackup "
            "find it there. To call without a token, start with ddsbackup serve --fixed-credentials",
        ) from error
    if agency_id is not None:
        raise CallerRefused(
            403,
            "LocalCloud.Token",
            "found the credentials of an agency, expected those that ddsbackup serve prints: functions cannot control "
            "the local cloud",
        )


def is_loopback(host: str) -> bool:
    """Whether a host name or address always means this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _from_a_page(found: str) -> str:
    return (
        f"found {found}, so a foreign web page sent this request. Expected no Origin, or that of the local cloud. "
        "Call it from a program, or start it with --allow-host NAME[:PORT] if the page is yours"
    )


def _with_port(name: str, port: int) -> str:
    name = name.lower()
    has_port = name.rpartition(":")[2].isdigit() and not name.endswith("]")
    return name if has_port else f"{name}:{port}"


def _address_of(origin: str) -> str | None:
    """The host and port of an origin, or None if it has none (`Origin: null`)."""
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (KeyError, ValueError):
        return None
    host = parts.hostname or ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
