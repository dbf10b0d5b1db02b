"""Checks that what the functions announce is heard."""

from collections.abc import Iterator

from cli.doctor.findings import Finding, ok, problem, warning
from cli.doctor.stack import Stack
from cli.huaweicloud.resources import Found, Kind, Resource
from cli.huaweicloud.subscriptions import Subscriptions
from cli.huaweicloud.topics import Topics


SETTING = "NOTIFY_TOPIC_URN"


def topics(stack: Stack) -> Iterator[Finding]:
    """The topic of each deployed function is in its project, exists, and has somebody who listens."""
    users: dict[str, list[str]] = {}
    for function in stack.of_kind(Kind.FUNCTION):
        variables = function.resource.fields["variables"]
        urn = variables.get(SETTING) if isinstance(variables, dict) else None
        if urn:
            users.setdefault(str(urn), []).append(function.resource.name)
    for urn, functions in users.items():
        yield from _topic(stack, urn, f"topic of {', '.join(functions)}")


def _topic(stack: Stack, urn: str, subject: str) -> Iterator[Finding]:
    access = stack.access
    name = urn.rpartition(":")[2]
    here = access.topic_urn(name)
    if urn != here:
        yield warning(
            subject,
            f"{urn} is in another region or project",
            here,
            f"correct {SETTING}, unless this is meant: doctor cannot look there",
        )
        return
    found = Topics(access, stack.name).find([name], stack.name, ())
    topic = next((item for item in found if item.id == urn), None)
    if topic is None:
        yield problem(subject, f"{urn} is not there", "a topic", f"create it, or correct {SETTING}")
        return
    yield ok(subject, urn)
    yield _listeners(stack, topic)


def _listeners(stack: Stack, topic: Found) -> Finding:
    subscriptions = Subscriptions(stack.access, stack.name).find((), stack.name, [topic])
    confirmed = [item for item in subscriptions if not item.note]
    waiting = [_endpoint(item.resource) for item in subscriptions if item.note]
    subject = f"subscriptions of {topic.resource.name}"
    if not confirmed:
        return warning(
            subject,
            f"none is confirmed, {', '.join(waiting)} not yet" if waiting else "there are none",
            "at least one that is confirmed",
            "open the confirmation that SMN sent (ask for another in the console), or subscribe somebody",
        )
    if waiting:
        return warning(
            subject,
            f"{', '.join(waiting)} not confirmed",
            "all confirmed",
            "open the confirmation that SMN sent, or ask for another in the console",
        )
    return ok(subject, f"{len(confirmed)} confirmed")


def _endpoint(subscription: Resource) -> str:
    return f"{subscription.fields['protocol']} {subscription.fields['endpoint']}"
