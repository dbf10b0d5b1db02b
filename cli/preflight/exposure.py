"""What a template or a deployment works with, but exposes: endpoints in clear text and API gateways open to anybody."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple


ENDPOINTS = ("DDS_ENDPOINT", "SMN_ENDPOINT")
GATEWAYS = frozenset({"APIG", "DEDICATEDGATEWAY"})


class Exposure(NamedTuple):
    """One value that exposes something: its name, what it means, what is expected, and what to do."""

    name: str
    found: str
    expected: str
    what_to_do: str


def exposed_endpoints(variables: Mapping[str, object]) -> Iterator[Exposure]:
    """Yield each endpoint that a function calls without TLS: its security token then goes in clear text."""
    for name in ENDPOINTS:
        if str(variables.get(name) or "").lower().startswith("http://"):
            found = f"{name} is http://, so that the security token goes in clear text"
            yield Exposure(name, found, "https://", f"correct {name}")


def exposed_gateway(kind: str, properties: Mapping[str, object]) -> Iterator[Exposure]:
    """Yield why a trigger of the type *kind* with these ``event_data`` lets anybody call the function or listen."""
    if kind not in GATEWAYS:
        return
    if str(properties.get("auth")).upper() == "NONE":
        found = "auth is NONE, so that anybody who knows the URL can call the function"
        yield Exposure("auth", found, "IAM or APP", "set auth: IAM")
    if str(properties.get("protocol")).upper() == "HTTP":
        found = "protocol is HTTP, so that requests and their credentials go in clear text"
        yield Exposure("protocol", found, "HTTPS", "set protocol: HTTPS")
