"""Checks of what the functions are given: their settings and the events of their timers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from cli.doctor.findings import Finding, ok, problem
from cli.doctor.stack import Stack
from cli.huaweicloud.resources import Found, Kind
from cli.template.model import Function
from shared.audit.function import AuditBackupsSettings
from shared.audit.request import AuditRequest
from shared.create.function import CreateBackupSettings
from shared.create.request import BackupRequest
from shared.errors import SettingsError
from shared.prune.function import PruneBackupsSettings
from shared.prune.request import PruneRequest
from shared.runtime.settings import Settings, load_settings
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
"""By the folder of the entry file: what a function is called in FunctionGraph is up to the template."""


@dataclass(frozen=True, slots=True)
class _Variables:
    """As much of a context as settings are read from."""

    values: Mapping[str, str]

    def getUserData(self, key: str) -> str | None:  # noqa: N802 the platform's name
        return self.values.get(key)


def settings(stack: Stack) -> Iterator[Finding]:
    """The variables of each deployed function are settings that it takes."""
    for function, found in _deployed(stack):
        model = SETTINGS.get(function.code_uri.name)
        variables = found.resource.fields["variables"]
        if model is None or not isinstance(variables, dict):
            continue
        subject = f"settings of {function.name}"
        given = {name: str(value) for name, value in variables.items()}
        try:
            load_settings(model, _Variables(given), {})  # type: ignore[arg-type]  # it asks for nothing else
        except SettingsError as error:
            yield problem(subject, str(error), "settings as the documentation of the function lists them", CORRECT)
        else:
            yield ok(subject, f"{len(given)} variables")


CORRECT = "correct the template and deploy, or the variables in the console"


def timers(stack: Stack) -> Iterator[Finding]:
    """The event of each timer is a request that its function takes."""
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
    """Instances are to be seen, and those that timers name exist and are well."""
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
        return problem(subject, "it is not there", "an instance of this project", "correct the user_event of the timer")
    if instance["status"] != "normal":
        return problem(subject, f"{instance['name']} is {instance['status']}", "normal", "look at it in the console")
    return ok(subject, f"{instance['name']} is normal")


def _deployed(stack: Stack) -> Iterator[tuple[Function, Found]]:
    for function in stack.template.functions:
        found = stack.deployed(function)
        if found:
            yield function, found


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
    """Yield the instance ids in a request, at whatever depth it names them."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _named(item, name)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _named(item, key)
    elif isinstance(value, str) and key in ("instance_id", "instance_ids"):
        yield value
