"""Checks of the functions' input and output: settings, topics, the events of timers, and the instances they name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from cli.doctor.checks import Check, Finding, Stack, ok, problem, warning
from cli.huaweicloud.resources import Found, Kind, Resource
from cli.huaweicloud.smn import Subscriptions, Topics
from cli.template.exposure import exposed_endpoints
from cli.template.model import Function
from shared.audit.function import AuditBackupsSettings
from shared.audit.request import AuditRequest
from shared.create.function import CreateBackupSettings
from shared.create.request import BackupRequest
from shared.errors import SettingsError
from shared.prune.function import PruneBackupsSettings
from shared.prune.request import PruneRequest
from shared.runtime.settings import Settings, load_settings, unknown_settings
from shared.track.function import TrackBackupsSettings
from shared.track.request import TrackRequest
from shared.triggers.receive import receive


REQUESTS: Mapping[str, type[BaseModel]] = {
    "create_backup": BackupRequest,
    "audit_backups": AuditRequest,
    "prune_backups": PruneRequest,
    "track_backups": TrackRequest,
}
SETTINGS: Mapping[str, type[Settings]] = {
    "create_backup": CreateBackupSettings,
    "audit_backups": AuditBackupsSettings,
    "prune_backups": PruneBackupsSettings,
    "track_backups": TrackBackupsSettings,
}
"""By the folder of the entry file, because the template may give a function any name."""

TOPIC_SETTING = "NOTIFY_TOPIC_URN"
CORRECT = "correct the template and deploy, or the variables in the console"


@dataclass(frozen=True, slots=True)
class _Variables:
    """The part of FunctionGraph's context that settings are read from."""

    values: Mapping[str, str]

    def getUserData(self, key: str) -> str | None:  # noqa: N802 the platform's name
        return self.values.get(key)


def settings(stack: Stack) -> Iterator[Finding]:
    """Check that the variables of each deployed function are valid settings, are spelt right, and expose nothing."""
    for function, found in stack.deployed():
        model = SETTINGS.get(function.code_uri.name)
        variables = found.resource.fields["variables"]
        if model is None or not isinstance(variables, dict):
            continue
        subject = f"settings of {function.name}"
        given = {name: str(value) for name, value in variables.items()}
        try:
            load_settings(model, _Variables(given), given)  # type: ignore[arg-type]  # it only calls getUserData
        except SettingsError as error:
            yield problem(subject, str(error), "settings as in the documentation of the function", CORRECT)
        else:
            yield ok(subject, f"{len(given)} variables")
        for name, meant, is_error in unknown_settings(model, given):
            if not is_error:
                yield warning(subject, f"{name} has no effect: it is not a setting", f"did you mean {meant}?", CORRECT)
        for found_there, expected, _ in exposed_endpoints(given):
            yield warning(subject, found_there, expected, CORRECT)


def topics(stack: Stack) -> Iterator[Finding]:
    """Check that the topic of each deployed function is in its project, exists, and has a confirmed subscription."""
    users: dict[str, list[str]] = {}
    for function in stack.of_kind(Kind.FUNCTION):
        variables = function.resource.fields["variables"]
        urn = variables.get(TOPIC_SETTING) if isinstance(variables, dict) else None
        if urn:
            users.setdefault(str(urn), []).append(function.resource.name)
    for urn, functions in users.items():
        yield from _topic(stack, urn, f"topic of {', '.join(functions)}")


def _topic(stack: Stack, urn: str, subject: str) -> Iterator[Finding]:
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
    yield _subscriptions(stack, topic)


def _subscriptions(stack: Stack, topic: Found) -> Finding:
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
    return ok(subject, f"{len(confirmed)} confirmed")


def _endpoint(subscription: Resource) -> str:
    return f"{subscription.fields['protocol']} {subscription.fields['endpoint']}"


def timers(stack: Stack) -> Iterator[Finding]:
    """Check that the event of each timer is a valid request to its function."""
    for function, trigger, text in _timer_events(stack):
        model = REQUESTS.get(function.code_uri.name)
        if model is None:
            continue
        subject = f"event of {trigger.resource.name}"
        received = receive(_event(text), model, request_id="doctor")
        faults = [fault for rejection in received.rejected for fault in rejection.errors]
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
        model = REQUESTS.get(function.code_uri.name)
        received = receive(_event(text), model, request_id="doctor") if model else None
        for request in received.requests if received else ():
            for instance_id in dict.fromkeys(_named(request.request.model_dump())):
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


def _event(user_event: str) -> dict[str, str]:
    return {
        "version": "v2.0",
        "time": "2026-01-01T00:00:00Z",
        "trigger_type": "TIMER",
        "trigger_name": "doctor",
        "user_event": user_event,
    }


def _named(value: object, key: str = "") -> Iterator[str]:
    """Yield the instance ids in a request, at any depth."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _named(item, name)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _named(item, key)
    elif isinstance(value, str) and key in ("instance_id", "instance_ids"):
        yield value


CHECKS: Sequence[Check] = (
    Check("settings", settings),
    Check("topics", topics),
    Check("timers", timers),
    Check("instances", instances),
)
