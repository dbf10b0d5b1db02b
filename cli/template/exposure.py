"""What a template or a deployment works with, but exposes: endpoints in clear text and API gateways open to anybody."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cli.template.model import Template


ENDPOINTS = ("DDS_ENDPOINT", "SMN_ENDPOINT")
GATEWAYS = frozenset({"APIG", "DEDICATEDGATEWAY"})


class Exposure(NamedTuple):
    """One value that exposes something: what it means, what is expected, and what to do."""

    found: str
    expected: str
    what_to_do: str


def exposed_endpoints(variables: Mapping[str, object]) -> Iterator[Exposure]:
    """Yield each endpoint that a function calls without TLS: its security token then goes in clear text."""
    for name in ENDPOINTS:
        if str(variables.get(name) or "").lower().startswith("http://"):
            yield Exposure(
                f"{name} is http://, so that the security token goes in clear text", "https://", f"correct {name}"
            )


def exposed_gateway(kind: str, properties: Mapping[str, object]) -> Iterator[Exposure]:
    """Yield why a trigger of the type *kind* with these ``event_data`` lets anybody call the function or listen."""
    if kind not in GATEWAYS:
        return
    if str(properties.get("auth")).upper() == "NONE":
        yield Exposure(
            "auth is NONE, so that anybody who knows the URL can call the function", "IAM or APP", "set auth: IAM"
        )
    if str(properties.get("protocol")).upper() == "HTTP":
        yield Exposure(
            "protocol is HTTP, so that requests and their credentials go in clear text", "HTTPS", "set protocol: HTTPS"
        )


def exposures(template: Template) -> Iterator[str]:
    """Yield a sentence for everything that the functions and triggers of *template* expose."""
    for function in template.functions:
        for found, expected, _ in exposed_endpoints(function.variables):
            yield f"{function.name}: {found}. Expected {expected}."
        for event in function.events:
            for found, expected, _ in exposed_gateway(event.type, event.properties):
                yield f"{event.name} of {function.name}: {found}. Expected {expected}."
