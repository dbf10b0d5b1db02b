"""A plan and how it was carried out, for people and as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from cli.deploy.carry_out import Result
from cli.deploy.difference import Action, Change, Plan
from cli.deploy.values import lines_of_change, lines_of_new
from cli.huaweicloud.errors import ServiceError
from cli.huaweicloud.resources import Found
from cli.json_value import JsonObject


SIGNS = {Action.CREATE: ("+", "green"), Action.UPDATE: ("~", "yellow"), Action.REPLACE: ("-/+", "yellow")}
DELETION = ("-", "red")


def print_plan(console: Console, plan: Plan) -> None:
    """Print every step, what each changes, what is left, and the sums."""
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
        console.print("The template does not have what is left; --prune deletes it.")
    console.print(sums(plan))


def sums(plan: Plan) -> str:
    """How many steps of each kind there are, as a sentence."""
    counts = Counter(change.action for change in plan.changes)
    parts = [f"{counts[action]} to {action.value}" for action in Action if counts[action]]
    return f"{', '.join(parts) or 'Nothing to do'}; {len(plan.unchanged)} unchanged."


def plan_document(plan: Plan, result: Result | None = None) -> JsonObject:
    """Return the plan, with the state of each step if a *result* is given."""
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
        "unchanged": [_reference(resource.kind.value, resource.name) for resource in plan.unchanged],
        "left": [_reference(found.resource.kind.value, found.resource.name) for found in plan.left],
        "error": _error(result.error) if result and result.error else None,
    }


class Progress:
    """Tells each step as it is taken: with a spinner on a terminal, by lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")

    def begins(self, change: Change) -> None:
        """A step is being taken."""
        if self._console.is_terminal:
            self._status.update(Text(f"{change.action.value} {_name(change)}"))
            self._status.start()

    def ends(self, change: Change, error: ServiceError | None) -> None:
        """It is done, or has failed."""
        self._status.stop()
        word, style = ("failed", "red") if error else ("done", "green")
        self._console.print(Text(f"{word:<7} {change.action.value:<8} {_name(change)}", style=style), soft_wrap=True)


def print_failure(console: Console, result: Result) -> None:
    """Print what stands after a failed step, and how to go on."""
    assert result.failed  # noqa: S101 there is nothing to tell otherwise
    assert result.error  # noqa: S101 there is nothing to tell otherwise
    failure = f"\n{_name(result.failed)}: {result.error.operation}: {result.error.reason}"
    console.print(Text(failure, style="red"), soft_wrap=True)
    console.print(Text(f"What to do: {result.error.advice}."), soft_wrap=True)
    for change in result.not_begun:
        console.print(Text(f"not begun {change.action.value:<8} {_name(change)}"), soft_wrap=True)
    console.print(
        f"{len(result.done)} done, 1 failed, {len(result.not_begun)} not begun. Nothing was taken back: run the same "
        "command again, and it goes on from here.",
        soft_wrap=True,
    )


def foreign_message(foreign: Sequence[Found]) -> str:
    """Say what has a wanted name and is not the stack's."""
    lines = [
        f"{found.resource.kind.value} {found.resource.name} is there already and "
        + (f"belongs to the stack {found.stack}" if found.stack else "was not made by ddsbackup deploy")
        for found in foreign
    ]
    ways = "Choose other names in the template (such as --parameter Prefix=...)"
    if all(found.stack is None for found in foreign):
        ways += ", or give --adopt to take over what is there: it is then changed, and deleted by ddsbackup destroy"
    return "\n".join([*lines, f"{ways}."])


def _details(change: Change) -> Iterator[str]:
    if change.action is Action.CREATE:
        yield from lines_of_new(change.resource)
    elif change.wanted:
        for field in change.fields:
            yield from lines_of_change(field.name, field.old, field.new)


def _name(change: Change) -> str:
    return f"{change.resource.kind.value} {change.resource.name}"


def _reference(kind: str, name: str) -> JsonObject:
    return {"kind": kind, "name": name}


def _error(error: ServiceError) -> JsonObject:
    return {
        "operation": error.operation,
        "status": error.status,
        "code": error.code,
        "message": error.text,
        "request_id": error.request_id,
        "what_to_do": error.advice,
    }


def _states(plan: Plan, result: Result | None) -> list[str]:
    if result is None:
        return ["planned"] * len(plan.changes)
    states = ["done"] * len(result.done) + ["failed"] * (result.failed is not None)
    return states + ["not begun"] * len(result.not_begun)
