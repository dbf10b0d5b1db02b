"""Checks of the template, and of what the deployed functions read and write: settings, topics, timers, instances."""

from collections.abc import Iterator, Mapping, Sequence

from cli.doctor.checks import Check, Finding, Stack, not_checked, ok, problem, warning
from cli.huaweicloud.resources import Found, Kind, Resource
from cli.huaweicloud.smn import Subscriptions, Topics
from cli.json_value import Json
from cli.preflight.exposure import exposed_endpoints
from cli.preflight.functions import known_function
from cli.preflight.report import Report
from cli.preflight.settings import TOPIC_SETTING, misspelt_settings, read_variables
from cli.preflight.timers import named_instances, receive_user_event, request_faults
from cli.template.document import Level as Preflight
from cli.template.model import Function
from shared.errors import SettingsError


CORRECT = "correct the template and deploy, or the variables in the console"


def template(report: Report) -> Iterator[Finding]:
    """Yield what the preflight found in the template."""
    for one in report.findings:
        subject = f"{report.file.name}:{one.line} {one.key}".rstrip()
        if one.level is Preflight.NOT_CHECKED:
            yield not_checked(subject, one.found)
        else:
            level = problem if one.level is Preflight.ERROR else warning
            yield level(subject, one.found, one.expected, one.what_to_do)
    if not report.findings:
        yield ok(report.file.name, "passes ddsbackup validate")


def settings(stack: Stack) -> Iterator[Finding]:
    """Check that the variables of each deployed function are valid settings, are spelt right, and expose nothing."""
    for function, found in stack.deployed():
        known = known_function(function)
        variables = found.resource.fields["variables"]
        if known is None or not isinstance(variables, dict):
            continue
        subject = f"settings of {function.name}"
        given = {name: str(value) for name, value in variables.items()}
        try:
            read_variables(known.settings, given)
        except SettingsError as error:
            yield problem(subject, str(error), "settings as in the documentation of the function", CORRECT)
        else:
            yield ok(subject, f"{len(given)} variables")
        for name, meant, is_error in misspelt_settings(known.settings, given):
            if not is_error:
                yield warning(subject, f"{name} has no effect: it is not a setting", f"did you mean {meant}?", CORRECT)
        for _, found_there, expected, _ in exposed_endpoints(given):
            yield warning(subject, found_there, expected, CORRECT)


def topics(stack: Stack) -> Iterator[Finding]:
    """Check that the topics of the deployed functions are in their project, exist, and have confirmed subscriptions.

    A function has one for what it publishes, and one for its events that FunctionGraph gives up.
    """
    users: dict[str, list[str]] = {}
    for function in stack.of_kind(Kind.FUNCTION):
        variables = function.resource.fields["variables"]
        urn = variables.get(TOPIC_SETTING) if isinstance(variables, dict) else None
        if urn:
            users.setdefault(str(urn), []).append(function.resource.name)
    failures = _failure_topics(stack)
    for urn, functions in users.items():
        yield from _topic(stack, urn, f"topic of {', '.join(functions)}", has_failures=urn in failures)
    for urn, functions in failures.items():
        if urn not in users:
            yield from _topic(stack, urn, f"topic for failed events of {', '.join(functions)}", has_failures=True)
    for change in stack.changes:
        if change.resource.kind is Kind.SUBSCRIPTION and change.found:
            for field in change.fields:
                subject = f"subscription {change.resource.name}: {field.name}"
                yield warning(subject, _filter(field.old), _filter(field.new), "run ddsbackup deploy")


def _failure_topics(stack: Stack) -> dict[str, list[str]]:
    """Return the functions whose failed events go to a topic, by its URN."""
    topics: dict[str, list[str]] = {}
    for item in stack.of_kind(Kind.ASYNC_INVOCATION):
        match item.resource.fields["on_failure"]:
            case {"destination": "SMN", "param": {"topic_urn": urn}}:
                topics.setdefault(str(urn), []).append(item.resource.name)
    return topics


def _filter(policy: Json) -> str:
    given = policy if isinstance(policy, dict) else {}
    parts = [f"{name}: {', '.join(map(str, value))}" for name, value in given.items() if isinstance(value, list)]
    return "; ".join(parts) or "every message"


def _topic(stack: Stack, urn: str, subject: str, *, has_failures: bool) -> Iterator[Finding]:
    name = urn.rpartition(":")[2]
    here = stack.access.topic_urn(name)
    if urn != here:
        yield warning(
            subject,
            f"{urn} is in another region or project",
            here,
            f"correct {TOPIC_SETTING}, unless this is intended: doctor cannot look there",
        )
        return
    found = Topics(stack.access, stack.name).find([name], stack.name, ())
    topic = next((item for item in found if item.id == urn), None)
    if topic is None:
        yield problem(subject, f"{urn} does not exist", "a topic", f"create it, or correct {TOPIC_SETTING}")
        return
    yield ok(subject, urn)
    yield _subscriptions(stack, topic, has_failures=has_failures)


def _subscriptions(stack: Stack, topic: Found, *, has_failures: bool) -> Finding:
    subscriptions = Subscriptions(stack.access, stack.name).find((), stack.name, [topic])
    confirmed = [item for item in subscriptions if not item.note]
    waiting = [_endpoint(item.resource) for item in subscriptions if item.note]
    subject = f"subscriptions of {topic.resource.name}"
    if not confirmed:
        return warning(
            subject,
            f"none is confirmed, {', '.join(waiting)} not yet" if waiting else "there are none",
            "at least one that is confirmed",
            "open the confirmation that SMN sent (request another one in the console), or add a subscription",
        )
    if waiting:
        return warning(
            subject,
            f"{', '.join(waiting)} not confirmed",
            "all confirmed",
            "open the confirmation that SMN sent, or request another one in the console",
        )
    if has_failures and all(item.resource.fields["filter_policy"] for item in confirmed):
        return warning(
            subject,
            "all have a filter policy, and what FunctionGraph says about failed events has no attributes",
            "one without a filter policy",
            "send failed events to a topic of their own, as the template that comes with this command does",
        )
    return ok(subject, f"{len(confirmed)} confirmed")


def _endpoint(subscription: Resource) -> str:
    return f"{subscription.fields['protocol']} {subscription.fields['endpoint']}"


def timers(stack: Stack) -> Iterator[Finding]:
    """Check that the event of each timer is a valid request to its function."""
    for function, trigger, text in _timer_events(stack):
        known = known_function(function)
        if known is None:
            continue
        subject = f"event of {trigger.resource.name}"
        faults = request_faults(known.request, text)
        if faults:
            yield problem(subject, "; ".join(faults), f"a request to {function.name}", "correct its user_event")
        else:
            yield ok(subject, "is valid")


def instances(stack: Stack) -> Iterator[Finding]:
    """Check that there are instances, and that those that timers name exist and are normal."""
    there = {item["id"]: item for item in stack.instances}
    if not there:
        yield problem(
            "DDS instances",
            f"none in {stack.access.region}",
            "at least one",
            "check --region and the project; the user of the keys needs dds:instance:list",
        )
        return
    yield ok("DDS instances", f"{len(there)} visible")
    for function, trigger, text in _timer_events(stack):
        known = known_function(function)
        received = receive_user_event(known.request, text) if known else None
        for request in received.requests if received else ():
            for instance_id in dict.fromkeys(named_instances(request.request.model_dump())):
                yield _instance(instance_id, there, trigger.resource.name)


def _instance(instance_id: str, there: Mapping[str, Mapping[str, object]], trigger: str) -> Finding:
    subject = f"instance {instance_id} of {trigger}"
    instance = there.get(instance_id)
    if instance is None:
        return problem(subject, "it does not exist", "an instance of this project", "correct the timer's user_event")
    if instance["status"] != "normal":
        return problem(subject, f"{instance['name']} is {instance['status']}", "normal", "look at it in the console")
    return ok(subject, f"{instance['name']} is normal")


def _timer_events(stack: Stack) -> Iterator[tuple[Function, Found, str]]:
    functions = {function.name: function for function in stack.template.functions}
    for trigger in stack.of_kind(Kind.TRIGGER):
        fields = trigger.resource.fields
        function, data = functions.get(str(fields["function"])), fields["event_data"]
        if fields["type"] == "TIMER" and function and isinstance(data, dict):
            yield function, trigger, str(data.get("user_event") or "")


CHECKS: Sequence[Check] = (
    Check("settings", settings),
    Check("topics", topics),
    Check("timers", timers),
    Check("instances", instances),
)
