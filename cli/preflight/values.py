"""The parameters of a template, and the values whose place tells what they must be: addresses, topics and endpoints."""

import re
from collections.abc import Collection, Iterator
from itertools import chain

from pydantic import TypeAdapter, ValidationError

from cli.preflight.exposure import exposed_endpoints, exposed_gateway
from cli.template.document import REFERENCE, KeyPath, Level, Problem
from cli.template.load import Source, used_names
from shared.runtime.settings import TopicUrn


_ENDPOINTS = {
    "email": (re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), "an e-mail address"),
    "sms": (re.compile(r"\+?[0-9]{5,20}"), "a phone number: digits, with + and the country code before them"),
    "http": (re.compile(r"http://[^\s/]+\S*"), "an address that starts with http://"),
    "https": (re.compile(r"https://[^\s/]+\S*"), "an address that starts with https://"),
}
"""What SMN expects of an endpoint, by protocol (SMN API, Adding a Subscription)."""

_TOPIC_URN = TypeAdapter(TopicUrn)


def endpoint_fault(protocol: str, endpoint: str) -> str | None:
    """Return what SMN expects of an endpoint of a protocol, if *endpoint* is not that."""
    pattern, expected = _ENDPOINTS[protocol]
    return None if pattern.fullmatch(endpoint) else expected


def parameter_problems(source: Source, known: Collection[str]) -> Iterator[Problem]:
    """Yield the parameters that nothing refers to, and those without a value. *known* are those that have one."""
    for name, parameter in source.template.parameters.items():
        path = ("Parameters", name)
        if not parameter.is_used:
            what_to_do = f"remove {name}, or refer to it as ${{{name}}}"
            yield Problem(
                path, "nothing refers to it", "a reference", what_to_do, code="unused_parameter", level=Level.WARNING
            )
        elif name not in known and not parameter.is_secret:
            yield Problem(
                path,
                "found no value: the places that refer to it are checked only in part",
                "a value",
                f"give --parameter {name}=... or a --parameters-file",
                code="no_value",
                level=Level.NOT_CHECKED,
            )


def text_problems(source: Source) -> Iterator[Problem]:
    """Yield the texts of Locals that nothing refers to."""
    data = source.document.data
    texts = data.get("Locals") if isinstance(data, dict) else None
    used = used_names(data)
    for name in texts if isinstance(texts, dict) else ():
        if name not in used:
            yield Problem(
                ("Locals", str(name)),
                "nothing refers to it, so that changing it has no effect",
                "a reference",
                f"remove {name}, or refer to it as ${{{name}}}",
                code="unused_text",
                level=Level.WARNING,
            )


def address_problems(source: Source) -> Iterator[Problem]:
    """Yield the endpoints of subscriptions and the URNs of topics that cannot be any."""
    for topic in source.template.topics:
        for position, subscription in enumerate(topic.subscriptions):
            endpoint = subscription.endpoint
            expected = endpoint_fault(subscription.protocol, endpoint)
            if expected and not REFERENCE.search(endpoint):
                here: KeyPath = ("Resources", topic.resource, "Properties", "Subscriptions", position, "Endpoint")
                yield Problem(here, f"found {endpoint!r}", expected, "correct the endpoint", code="endpoint")
    for path, urn in _topic_urns(source):
        if not REFERENCE.search(urn):
            try:
                _TOPIC_URN.validate_python(urn)
            except ValidationError:
                expected = "urn:smn:REGION:PROJECT_ID:TOPIC, or ${Name} of a topic"
                yield Problem(path, f"found {urn!r:.120}", expected, "correct the URN of the topic", code="topic_urn")


def _topic_urns(source: Source) -> Iterator[tuple[KeyPath, str]]:
    for function in source.template.functions:
        here = ("Resources", function.resource)
        for event in function.events:
            if event.type == "SMN":
                yield (*here, "Events", event.name, "Properties", "topic_urn"), str(event.properties["topic_urn"])
        settings = function.async_invoke
        for name, target in (
            (("OnSuccess", settings.on_success), ("OnFailure", settings.on_failure)) if settings else ()
        ):
            if target and target.destination == "SMN":
                path = source.path(function, "AsyncInvoke", name, "Param", "topic_urn")
                yield path, str(target.param["topic_urn"])


def filter_problems(source: Source) -> Iterator[Problem]:
    """Yield the destinations of failed events whose topic tells nobody without a filter.

    FunctionGraph's messages have no attributes. SMN's documents imply that a filter lets them through, and do not say
    it outright (SMN user guide, Using a Subscription Filtering Policy).
    """
    filtered = {
        topic.resource
        for topic in source.template.topics
        if topic.subscriptions and all(subscription.filter_policy for subscription in topic.subscriptions)
    }
    for path, urn in _topic_urns(source):
        match = REFERENCE.fullmatch(urn)
        if path[-4:-2] == ("AsyncInvoke", "OnFailure") and match and match[1] in filtered:
            yield Problem(
                path,
                f"all subscriptions of {match[1]} have a FilterPolicy, and FunctionGraph's messages have no attributes",
                "a topic with a subscription that has no FilterPolicy",
                "send them to a topic of their own, as the template that comes with this command does",
                code="filtered_failures",
                level=Level.WARNING,
            )


def exposure_problems(source: Source) -> Iterator[Problem]:
    """Yield what works but exposes something: endpoints in clear text, and API gateways that are open to anybody."""
    for function in source.template.functions:
        for exposure in exposed_endpoints(function.variables):
            path = source.path(function, "Environment", "Variables", exposure.name)
            yield Problem(path, *exposure[1:], code="endpoint_without_tls", level=Level.WARNING)
        for event in function.events:
            for exposure in exposed_gateway(event.type, event.properties):
                path = ("Resources", function.resource, "Events", event.name, "Properties", exposure.name)
                yield Problem(path, *exposure[1:], code="open_gateway", level=Level.WARNING)


def value_problems(source: Source, known: Collection[str]) -> Iterator[Problem]:
    """Yield the problems with parameters, texts, addresses, filters and endpoints."""
    yield from chain(parameter_problems(source, known), text_problems(source), address_problems(source))
    yield from chain(filter_problems(source), exposure_problems(source))
