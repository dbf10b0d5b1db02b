"""Fields of resources as people read them."""

from collections.abc import Iterator

from cli.huaweicloud.resources import Kind, Resource
from cli.json_value import Json


LONGEST = 100
DIGEST = 12
TOLD = {
    Kind.POLICY: ("policy",),
    Kind.FUNCTION: ("runtime", "memory_size", "timeout", "agency", "vpc", "variables"),
    Kind.TRIGGER: ("status", "event_data"),
}
"""What is told of a resource that is to be made; all of it is in the JSON document."""


def lines_of_new(resource: Resource) -> Iterator[str]:
    """Yield a line for each field of a new resource that one wants to know before one agrees."""
    for name in TOLD.get(resource.kind, ()):
        value = resource.fields.get(name)
        if isinstance(value, dict) and name != "policy":
            yield from (f"{key}: {shown(key, item)}" for key, item in value.items())
        elif value is not None:
            yield f"{name}: {shown(name, value)}"


def lines_of_change(name: str, old: Json, new: Json) -> Iterator[str]:
    """Yield a line for each part of a field that differs: of what is wanted, and of what is there and has to go."""
    if name == "policy":
        before, after = set(actions(old)), set(actions(new))
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


def actions(policy: Json) -> Iterator[str]:
    """Yield the actions that a policy document names, those that it denies with their effect."""
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    for statement in statements if isinstance(statements, list) else ():
        named = statement.get("Action") if isinstance(statement, dict) else None
        if isinstance(statement, dict) and isinstance(named, list):
            effect = "" if statement.get("Effect") == "Allow" else f"{statement.get('Effect')} "
            yield from (f"{effect}{action}" for action in named)


def shown(name: str, value: Json) -> str:
    """Return a value on one line, not too long a one."""
    if value is None or value == "":
        return "(none)"
    if name == "code":
        return f"{str(value)[:DIGEST]}..."
    text = ", ".join(actions(value)) if name == "policy" else str(value)
    return text if len(text) <= LONGEST or name == "policy" else f"{text[:LONGEST]}... ({len(text)} characters)"
