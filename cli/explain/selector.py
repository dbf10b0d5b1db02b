"""Which instances a selector selects, and by which criterion it leaves the others out."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pydantic import ValidationError
from rich.console import Console

from cli.console import print_line
from cli.errors import WrongCall
from cli.json_value import Json, JsonObject
from shared.audit.request import AuditRequest
from shared.create.request import BackupRequest
from shared.drills import is_drill
from shared.errors import InvalidRequestError
from shared.fields import explain
from shared.fleet import Fence, Selector
from shared.format import counted
from shared.model import Instance
from shared.triggers.envelope import check_json
from shared.triggers.receive import receive


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion that an instance does not meet: what is expected, and what the instance has."""

    name: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An instance with the criteria that it does not meet, in the order of the selector's fields.

    Attributes:
        remark: why create_backup skips an instance that is selected; empty if it does not.
    """

    instance: Instance
    failing: tuple[Criterion, ...]
    remark: str = ""

    @property
    def is_selected(self) -> bool:
        """Whether the instance meets every criterion."""
        return not self.failing


@dataclass(frozen=True, slots=True)
class Selection:
    """A selector with its place in what was given, and what it makes of each instance, in the order of their ids."""

    place: str
    selector: Selector
    choices: tuple[Choice, ...]


def choose(place: str, selector: Selector, instances: Sequence[Instance], fence: Fence) -> Selection:
    """Return what a selector makes of each instance within ALLOWED_INSTANCES, its *fence*, and outside."""
    ordered = sorted({instance.id: instance for instance in instances}.values(), key=lambda instance: instance.id)
    return Selection(place, selector, tuple(_choice(selector, instance, fence) for instance in ordered))


def _choice(selector: Selector, instance: Instance, fence: Fence) -> Choice:
    failing = tuple(_failing(selector, instance, fence))
    is_skipped = not failing and instance.status != "normal"
    remark = f"create_backup skips it: its status is {instance.status}, not normal" if is_skipped else ""
    return Choice(instance, failing, remark)


def _failing_tags(selector: Selector, instance: Instance) -> Iterator[Criterion]:
    for key, values in selector.tags.items():
        found = instance.tags.get(key)
        if found is None:
            yield Criterion(f"tags.{key}", " or ".join(values) or "any value", "no such tag")
        elif values and found not in values:
            yield Criterion(f"tags.{key}", " or ".join(values), found)


def _failing(selector: Selector, instance: Instance, fence: Fence) -> Iterator[Criterion]:
    yield from _failing_tags(selector, instance)
    if selector.name is not None and not fnmatchcase(instance.name, selector.name):
        yield Criterion("name", selector.name, instance.name)
    if selector.mode and instance.mode not in selector.mode:
        yield Criterion("mode", " or ".join(selector.mode), instance.mode)
    wanted = selector.enterprise_project_id
    if wanted is not None and instance.enterprise_project_id != wanted:
        yield Criterion("enterprise_project_id", wanted, instance.enterprise_project_id)
    for pattern in selector.exclude:
        if text := next((text for text in (instance.id, instance.name) if fnmatchcase(text, pattern)), None):
            yield Criterion("exclude", f"not {pattern}", text)
    if not fence.allows(instance.id):
        yield Criterion("ALLOWED_INSTANCES", " or ".join(fence.allowed), instance.id)
    if is_drill(instance):
        yield Criterion("drill", "no instance of a restore drill", "its name or its tag says so")


_FIELDS = Selector.model_fields.keys()
_ONLY_OF_SELECTORS = _FIELDS - BackupRequest.model_fields.keys()


def read_selectors(given: Json) -> list[tuple[str, Selector]]:
    """Return the selectors in what was given, with their places: a selector, a request, or an event of any trigger.

    Raises WrongCall if there is none, or if it is wrong.
    """
    if isinstance(given, dict) and given and (given.keys() <= _FIELDS or given.keys() & _ONLY_OF_SELECTORS):
        return [("", _validated(given))]
    faults: list[str] = []
    for model in (BackupRequest, AuditRequest):
        received = receive(given, model, request_id="explain")
        found = [
            (".".join(filter(None, (one.position, place))), selector)
            for one in received.requests
            for place, selector in _selectors_of(one.request)
        ]
        if found:
            return found
        named = [f"{one.position or 'event'} names its instances by id" for one in received.requests]
        faults = faults or [*(fault for one in received.rejected for fault in one.errors), *named]
    example = '{"tags": {"env": ["production"]}}'
    raise WrongCall(f"found no selector, expected one such as {example}, or an event with one: {'; '.join(faults)}")


def _validated(given: JsonObject) -> Selector:
    try:
        check_json(given)
        return Selector.model_validate(given)
    except ValidationError as error:
        raise WrongCall(f"the selector is wrong: {'; '.join(explain(error, Selector))}") from error
    except InvalidRequestError as error:
        raise WrongCall(f"the selector is wrong: {error}") from error


def _selectors_of(request: object) -> Iterator[tuple[str, Selector]]:
    if isinstance(request, BackupRequest) and request.select:
        yield "select", request.select
    if isinstance(request, AuditRequest):
        for policy in request.policies:
            if policy.select:
                yield f"policies.{policy.name}", policy.select
        for number, selector in enumerate(request.covered_elsewhere):
            yield f"covered_elsewhere.{number}", selector


def show_selection(console: Console, selection: Selection) -> None:
    """Print the selected instances, and of the others every criterion that they do not meet, the first one first."""
    title = json.dumps(selection.selector.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
    print_line(console, f"{selection.place}: {title}" if selection.place else title, style="bold")
    selected = [choice for choice in selection.choices if choice.is_selected]
    others = [choice for choice in selection.choices if not choice.is_selected]
    console.print(f"\nSelects {len(selected)} of {counted(len(selection.choices), 'instance')}")
    for choice in selected:
        print_line(console, f"+ {choice.instance.name}  {choice.instance.id}", indent=2)
        if choice.remark:
            print_line(console, f"! {choice.remark}", indent=6)
    if others:
        console.print("\nLeaves out")
    for choice in others:
        print_line(console, f"- {choice.instance.name}  {choice.instance.id}", indent=2)
        for one in choice.failing:
            line = f"{one.name}: expected {one.expected}; found {one.found or 'nothing'}"
            print_line(console, line, indent=6)
    console.print()


def selection_document(selection: Selection) -> JsonObject:
    """Return a selection as JSON. `first_failing` is null for a selected instance."""
    return {
        "place": selection.place,
        "selector": selection.selector.model_dump(mode="json", exclude_defaults=True),
        "selected": sum(choice.is_selected for choice in selection.choices),
        "instances": [_choice_document(choice) for choice in selection.choices],
    }


def _choice_document(choice: Choice) -> JsonObject:
    failing: list[Json] = [
        {"criterion": one.name, "expected": one.expected, "found": one.found} for one in choice.failing
    ]
    return {
        "id": choice.instance.id,
        "name": choice.instance.name,
        "status": choice.instance.status,
        "selected": choice.is_selected,
        "first_failing": choice.failing[0].name if choice.failing else None,
        "failing": failing,
        "remark": choice.remark or None,
    }
