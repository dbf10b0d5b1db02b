"""A plan and its result, for people and as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from cli.deploy.plan import Action, Change, Plan
from cli.deploy.steps import Result
from cli.huaweicloud.client import ServiceError
from cli.huaweicloud.resources import Found, Kind, Resource
from cli.json_value import Json, JsonObject


SIGNS = {Action.CREATE: ("+", "green"), Action.UPDATE: ("~", "yellow"), Action.REPLACE: ("-/+", "yellow")}
DELETION = ("-", "red")

LONGEST = 100
"""Characters of a value that is shown whole."""
DIGEST = 12

SHOWN_FIELDS = {
    Kind.POLICY: ("policy",),
    Kind.FUNCTION: ("runtime", "memory_size", "timeout", "agency", "vpc", "variables"),
    Kind.TRIGGER: ("status", "event_data"),
}
"""The fields of a new resource that are shown. The JSON document has all of them."""


def print_plan(console: Console, plan: Plan) -> None:
    """Print every step with its changes, the resources that are left, and the totals."""
    for change in plan.changes:
        sign, style = SIGNS.get(change.action, DELETION)
        note = f"  ({change.found.note})" if change.found and change.found.note and not change.wanted else ""
        line = f"{sign:>3} {change.action.value:<8} {_name(change)}{note}"
        console.print(Text(line, style=style), soft_wrap=True)
        for detail in _details(change):
            console.print(Text(f"{'':13}{detail}", style="dim"), soft_wrap=True)
    for found in plan.left:
        console.print(Text(f"  ! left     {found.resource.kind.value} {found.resource.name}", style="yellow"))
    if plan.left:
        console.print("The template does not have these resources; --prune deletes them.")
    for found in plan.awaiting:
        console.print(Text(f"  ! kept     {found.resource.kind.value} {found.resource.name}", style="yellow"))
    if plan.awaiting:
        console.print(
            "They stay until the new subscriptions of their topics are confirmed, so that somebody is told. Then run "
            "again with --prune.",
            soft_wrap=True,
        )
    console.print(_totals(plan))


def _totals(plan: Plan) -> str:
    counts = Counter(change.action for change in plan.changes)
    parts = [f"{counts[action]} to {action.value}" for action in Action if counts[action]]
    return f"{', '.join(parts) or 'Nothing to do'}; {len(plan.unchanged)} unchanged."


def _details(change: Change) -> Iterator[str]:
    if change.action is Action.CREATE:
        yield from _lines_of_new(change.resource)
    elif change.wanted:
        for field in change.fields:
            yield from lines_of_change(field.name, field.old, field.new)


def _lines_of_new(resource: Resource) -> Iterator[str]:
    """Yield a line for each field of a new resource that matters for the decision to go on."""
    for name in SHOWN_FIELDS.get(resource.kind, ()):
        value = resource.fields.get(name)
        if isinstance(value, dict) and name != "policy":
            yield from (f"{key}: {shown(key, item)}" for key, item in value.items())
        elif value is not None:
            yield f"{name}: {shown(name, value)}"


def lines_of_change(name: str, old: Json, new: Json) -> Iterator[str]:
    """Yield a line for each part of a field that differs. Keys that only *old* has count in ``variables`` only."""
    if name == "policy":
        before, after = set(_actions(old)), set(_actions(new))
        yield from (f"{name}: + {action}" for action in sorted(after - before))
        yield from (f"{name}: - {action}" for action in sorted(before - after))
        if before == after:
            yield f"{name}: the same actions in another form"
    elif isinstance(new, dict) and isinstance(old, dict):
        extra = old.keys() - new.keys() if name == "variables" else set()
        for key in sorted(new.keys() | extra):
            if old.get(key) != new.get(key):
                yield from lines_of_change(f"{name}.{key}", old.get(key), new.get(key))
    else:
        yield f"{name}: {shown(name, old)} -> {shown(name, new)}"


def shown(name: str, value: Json) -> str:
    """Return a value on one line, shortened unless it is a policy."""
    if value is None or value == "":
        return "(none)"
    if name == "code":
        return f"{str(value)[:DIGEST]}..."
    text = ", ".join(_actions(value)) if name == "policy" else str(value)
    return text if len(text) <= LONGEST or name == "policy" else f"{text[:LONGEST]}... ({len(text)} characters)"


def _actions(policy: Json) -> Iterator[str]:
    """Yield the actions of a policy document. Denied actions start with the effect."""
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    for statement in statements if isinstance(statements, list) else ():
        named = statement.get("Action") if isinstance(statement, dict) else None
        if isinstance(statement, dict) and isinstance(named, list):
            effect = "" if statement.get("Effect") == "Allow" else f"{statement.get('Effect')} "
            yield from (f"{effect}{action}" for action in named)


class Progress:
    """Shows each step while it is carried out: a spinner on a terminal, and a line when it is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")

    def begins(self, change: Change) -> None:
        """Show the spinner."""
        if self._console.is_terminal:
            self._status.update(Text(f"{change.action.value} {_name(change)}"))
            self._status.start()

    def ends(self, change: Change, error: ServiceError | None) -> None:
        """Print the line."""
        self._status.stop()
        word, style = ("failed", "red") if error else ("done", "green")
        self._console.print(Text(f"{word:<7} {change.action.value:<8} {_name(change)}", style=style), soft_wrap=True)


def print_failure(console: Console, result: Result, means: Sequence[str] = ()) -> None:
    """Print why a step failed, what was not begun, what the state now *means* for the backups, and how to go on."""
    assert result.failed  # noqa: S101 the caller checks it
    assert result.error  # noqa: S101 a failed step has one
    failure = f"\n{_name(result.failed)}: {result.error.operation}: {result.error.reason}"
    console.print(Text(failure, style="red"), soft_wrap=True)
    console.print(Text(f"What to do: {result.error.advice}."), soft_wrap=True)
    for change in result.not_begun:
        console.print(Text(f"not begun {change.action.value:<8} {_name(change)}"), soft_wrap=True)
    if result.is_put_back:
        console.print("What was to be replaced is back as it was, with all that belongs to it.", soft_wrap=True)
    elif result.put_back_error:
        lost = f"What was to be replaced could not be put back: {result.put_back_error.reason}."
        console.print(Text(lost, style="red"), soft_wrap=True)
    for sentence in means:
        console.print(Text(sentence, style="red"), soft_wrap=True)
    counts = f"{len(result.done)} done, 1 failed, {len(result.not_begun) + len(result.undone)} not begun"
    console.print(
        f"{counts}. Finished steps stay: run the same command again, and it continues from here.", soft_wrap=True
    )


def foreign_message(foreign: Sequence[Found]) -> str:
    """Return the error message for resources that have a wanted name but are not the stack's."""
    lines = [
        f"{found.resource.kind.value} {found.resource.name} exists already and "
        + (f"belongs to the stack {found.stack}" if found.stack else "was not created by ddsbackup deploy")
        for found in foreign
    ]
    ways = "Choose other names in the template (such as --parameter Prefix=...)"
    if all(found.stack is None for found in foreign):
        ways += ", or take over what exists with --adopt: deploy then changes it, and ddsbackup destroy deletes it"
    return "\n".join([*lines, f"{ways}."])


def plan_document(plan: Plan, result: Result | None = None, means: Sequence[str] = ()) -> JsonObject:
    """Return the plan as JSON, with the state of each step according to *result*, or "planned", and what it *means*."""
    states = _states(plan, result)
    return {
        "changes": [
            {
                "action": change.action.value,
                "kind": change.resource.kind.value,
                "name": change.resource.name,
                "fields": [{"name": field.name, "old": field.old, "new": field.new} for field in change.fields],
                "state": state,
            }
            for change, state in zip(plan.changes, states, strict=True)
        ],
        "unchanged": [_reference(resource) for resource in plan.unchanged],
        "left": [_reference(found.resource) for found in plan.left],
        "awaiting": [_reference(found.resource) for found in plan.awaiting],
        "is_put_back": result.is_put_back if result else None,
        "consequences": list(means),
        "error": _error(result.error) if result and result.error else None,
    }


def _states(plan: Plan, result: Result | None) -> list[str]:
    if result is None:
        return ["planned"] * len(plan.changes)
    states = ["done"] * len(result.done) + ["undone"] * len(result.undone) + ["failed"] * (result.failed is not None)
    return states + ["not begun"] * len(result.not_begun)


def _reference(resource: Resource) -> JsonObject:
    return {"kind": resource.kind.value, "name": resource.name}


def _error(error: ServiceError) -> JsonObject:
    return {
        "operation": error.operation,
        "status": error.status,
        "code": error.code,
        "message": error.text,
        "request_id": error.request_id,
        "what_to_do": error.advice,
    }


def _name(change: Change) -> str:
    return f"{change.resource.kind.value} {change.resource.name}"
