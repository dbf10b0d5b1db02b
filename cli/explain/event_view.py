"""The explanation of an event as text of 80 columns and as JSON."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from cli.console import print_fact, print_line
from cli.explain.event import REQUEST_ID, Explanation, NeedsCloudError
from cli.json_value import Json, JsonObject
from shared.create.report import CreateReport, InstanceResult, Outcome
from shared.drill.report import DrillItem, DrillReport, SlotItem, SlotState
from shared.format import counted, plain, shortened, timestamp
from shared.identity import event_key
from shared.notify import Rejection
from shared.triggers.receive import Incoming


_MOST_LINES = 20


def show_explanation(console: Console, explanation: Explanation) -> None:
    """Print the trigger, the function, each message with what would happen, the rejected ones, and what is told."""
    received = explanation.received
    print_fact(console, "Trigger", received.trigger)
    print_fact(console, "Function", f"{explanation.function}: {explanation.why}")
    for incoming in received.requests:
        console.print()
        _show_message(console, explanation, incoming)
    for rejection in _rejected(explanation):
        if isinstance(rejection.error, NeedsCloudError):
            continue  # it is shown with its message
        console.print()
        console.print(Text(plain(rejection.position), style="bold"))
        print_fact(console, "Identity", _shown(rejection.identity), indent=2)
        for fault in rejection.errors:
            print_line(console, f"! rejected: {fault}", indent=2)
    _show_drills(console, explanation)
    if received.ignored:
        console.print(f"\n{counted(received.ignored, 'message')} ignored: they repeat another one, or are our own.")
    console.print()
    for line in _effects(explanation):
        print_line(console, line, indent=2 if line.startswith("* ") else 0)


def _show_message(console: Console, explanation: Explanation, incoming: Incoming[Any]) -> None:
    identity = identity_of(incoming)
    console.print(Text(incoming.position or "the event itself", style="bold"))
    print_fact(console, "Identity", _shown(identity), indent=2)
    print_fact(console, "Key", key_of_event(identity) or "not known before the invocation", indent=2)
    if incoming.time:
        print_fact(console, "Time", timestamp(incoming.time), indent=2)
    print_fact(console, "Request", shortened(json.dumps(incoming.payload, default=str), 300), indent=2)
    results = _results(explanation, incoming)
    for rejection in _rejected(explanation):
        if isinstance(rejection.error, NeedsCloudError) and rejection.identity == incoming.identity:
            print_line(console, f"? {rejection.error}", indent=2)
    for result in results[:_MOST_LINES]:
        instance = explanation.instances.get(result.instance_id)
        name = f"{instance.name}  " if instance else ""
        print_line(console, f"{_MARKS[result.outcome]} {name}{result.instance_id}", indent=2)
        for line in instance_lines(explanation, result):
            print_line(console, line, indent=6)
    if len(results) > _MOST_LINES:
        console.print(f"  and {len(results) - _MOST_LINES:,} more; --json has all")


def _show_drills(console: Console, explanation: Explanation) -> None:
    if not isinstance(explanation.report, DrillReport):
        return
    items = [item for item in explanation.report.found if isinstance(item, DrillItem | SlotItem)]
    console.print()
    for item in items[:_MOST_LINES]:
        first, *others = _drill_lines(item)
        print_line(console, first)
        for line in others:
            print_line(console, line, indent=4)
    if len(items) > _MOST_LINES:
        console.print(f"and {len(items) - _MOST_LINES:,} more; --json has all")
    if not items:
        console.print("No drill runs, and no slot is due or has ended.")


_SLOT_MARKS = {SlotState.BEGUN: "+", SlotState.WOULD_BEGIN: "=", SlotState.FAILED: "!"}


def _drill_lines(item: DrillItem | SlotItem) -> Iterator[str]:
    """Yield what would happen with a drill that runs, or in a slot."""
    if isinstance(item, DrillItem):
        yield f"* {item.drill.instance.name}"
        yield f"{item.drill.instance.id}: {item.decision.step.value}, {item.decision.message}"
        yield from (f"not done, {one.code}: {one.message}" for one in item.interlocks)
        if item.trouble:
            yield f"not done, {item.trouble.code}: {item.trouble.message}"
        return
    name = f"{item.instance_name}  " if item.instance_name else ""
    yield f"{_SLOT_MARKS.get(item.state, '-')} {name}{item.instance_id}"
    yield f"slot from {timestamp(item.slot.begin)} to {timestamp(item.slot.end)}"
    if item.code or item.message:
        yield f"{item.state.value}, {item.code}: {item.message}"
    else:
        dry_run = " if it were no dry run" if item.state is SlotState.WOULD_BEGIN else ""
        yield f"would be restored{dry_run}, to an instance with {item.gigabytes} GB:"
        yield f"{item.drill}"


_MARKS = {
    Outcome.CREATED: "+",
    Outcome.ALREADY_EXISTS: "=",
    Outcome.SKIPPED: "-",
    Outcome.DEFERRED: "-",
    Outcome.FAILED: "!",
}


def instance_lines(explanation: Explanation, result: InstanceResult) -> Iterator[str]:
    """Yield what would happen with an instance."""
    instance = explanation.instances.get(result.instance_id)
    if result.outcome is Outcome.CREATED:
        unless = "" if explanation.has_cloud else ", unless it exists already"
        yield f"would be created as {name_of(explanation, result)}{unless}"
        if instance and instance.actions:
            yield f"now busy with {', '.join(instance.actions)}: waits for its end, within the time of the invocation"
        if instance and instance.status != "normal":
            yield f"its status is {instance.status}: DDS may refuse"
    elif result.outcome is Outcome.ALREADY_EXISTS:
        yield f"exists already as {result.name}"
        yield f"{result.backup_id}, {result.backup_status}"
    else:
        yield f"{result.outcome.value}, {result.code}: {result.message}"
    yield from result.warnings


def _effects(explanation: Explanation) -> Iterator[str]:
    noted, report = explanation.noted, explanation.report
    if report is None:
        yield f"Give --cloud or --region to see what {explanation.function} would do."
        return
    if isinstance(report, CreateReport) and report.handed_on:
        yield f"{counted(report.handed_on, 'instance')} would be handed on to further invocations."
    if noted.created:
        yield f"Would create {counted(len(noted.created), 'backup')}."
    if noted.deleted:
        yield f"Would delete {counted(len(noted.deleted), 'backup')}: {', '.join(noted.deleted[:_MOST_LINES])}"
    for operation, instance in noted.instances:
        yield f"Would {operation.replace('_', ' ')} {'to ' * (operation == 'restore')}{instance}."
    subjects = sorted(notification.subject for notification in noted.published)
    yield f"Would publish {counted(len(subjects), 'notification')}{':' if subjects else '.'}"
    yield from (f"* {subject}" for subject in subjects[:_MOST_LINES])
    if len(subjects) > _MOST_LINES:
        yield f"* and {len(subjects) - _MOST_LINES:,} more; --json has all"
    yield "Nothing was changed."


def identity_of(incoming: Incoming[Any]) -> tuple[str, ...]:
    """Return what identifies the event of a message: that of the first sender if its instances were handed on."""
    handed_on = getattr(incoming.request, "handed_on", None)
    identity: tuple[str, ...] = handed_on.identity if handed_on else incoming.identity
    return identity


def key_of_event(identity: Sequence[str]) -> str | None:
    """Return the key of an event; None if the request id of the invocation identifies it."""
    return None if tuple(identity[:2]) == ("request_id", REQUEST_ID) else event_key(identity)


def name_of(explanation: Explanation, result: InstanceResult) -> str | None:
    """Return the name of a backup, with question marks for the digits that depend on the request id."""
    keys = [event_key(identity_of(one)) for one in explanation.received.requests if not key_of_event(identity_of(one))]
    for key in keys:
        if result.event_key == key and result.name:
            return result.name.replace(f"-{key[:12]}-", f"-{'?' * 12}-")
    return result.name


def _results(explanation: Explanation, incoming: Incoming[Any]) -> list[InstanceResult]:
    if not isinstance(explanation.report, CreateReport):
        return []
    key = event_key(identity_of(incoming))
    return [result for result in explanation.report.results if result.event_key == key]


def _rejected(explanation: Explanation) -> Sequence[Rejection]:
    source = explanation.received.rejected if explanation.report is None else explanation.report.rejected
    return [one for one in source if isinstance(one, Rejection)]


def _shown(identity: Sequence[str]) -> str:
    if key_of_event(identity) is None:
        return "the request id of the invocation"
    return plain(", ".join(shortened(part, 80) for part in identity))


def explanation_document(explanation: Explanation) -> JsonObject:
    """Return an explanation as JSON: the messages with what would happen, the rejected ones, and what was noted."""
    noted, received = explanation.noted, explanation.received
    return {
        "trigger": received.trigger,
        "function": explanation.function,
        "why": explanation.why,
        "has_cloud": explanation.has_cloud,
        "messages": [_message_document(explanation, incoming) for incoming in received.requests],
        "rejected": [_rejection_document(rejection) for rejection in _rejected(explanation)],
        "ignored": received.ignored,
        "drill": explanation.report.body() if isinstance(explanation.report, DrillReport) else None,
        "would": {
            "create": list[Json](sorted(noted.created)),
            "delete": list[Json](sorted(noted.deleted)),
            "instances": [{"operation": operation, "instance": instance} for operation, instance in noted.instances],
            "publish": [
                {"subject": one.subject, "event_type": one.attributes.get("event_type")}
                for one in sorted(noted.published, key=lambda one: one.subject)
            ],
        },
    }


def _message_document(explanation: Explanation, incoming: Incoming[Any]) -> JsonObject:
    identity = identity_of(incoming)
    payload: Json = json.loads(json.dumps(incoming.payload, default=str))
    return {
        "position": incoming.position,
        "identity": list[Json](identity),
        "key": key_of_event(identity),
        "time": timestamp(incoming.time),
        "recurring": incoming.is_recurring,
        "request": payload,
        "instances": [
            {
                "instance_id": result.instance_id,
                "outcome": result.outcome.value,
                "name": name_of(explanation, result),
                "code": result.code,
                "says": list[Json](list(instance_lines(explanation, result))),
            }
            for result in _results(explanation, incoming)
        ],
    }


def _rejection_document(rejection: Rejection) -> JsonObject:
    return {
        "position": rejection.position,
        "identity": list[Json](rejection.identity),
        "code": rejection.error.code,
        "faults": list[Json](rejection.errors),
        "needs_cloud": isinstance(rejection.error, NeedsCloudError),
    }
