"""Makes an event that breaks a rule as small as it goes, by leaving parts of it out while it still breaks the rule."""

import json
from collections.abc import Callable, Iterator
from typing import Any


_MOST_TRIES = 3000
_DEEPEST = 60
_SHORT = 50


def shrink(event: Any, fails: Callable[[Any], bool]) -> Any:
    """Return a smaller event for which `fails` still holds: parts left out, values made simple, also in JSON texts."""
    tries = 0
    progress = True
    while progress and tries < _MOST_TRIES:
        progress = False
        for candidate in _smaller(event):
            tries += 1
            if len(_text(candidate)) < len(_text(event)) and fails(candidate):
                event, progress = candidate, True
                break
            if tries >= _MOST_TRIES:
                break
    return event


def _text(value: Any) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        return "x" * 1_000_000


def _smaller(value: Any, depth: int = 0) -> Iterator[Any]:
    """Yield values with one change each, the largest changes first."""
    if depth > _DEEPEST:
        return
    if isinstance(value, (dict, list)):
        yield from _smaller_holder(value, depth)
    elif isinstance(value, str):
        yield from _smaller_text(value, depth)
    elif value is not None:
        yield from (None, 0)


def _smaller_holder(value: Any, depth: int) -> Iterator[Any]:
    yield from value.values() if isinstance(value, dict) else value
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    size = len(keys)
    while size >= 1:
        for start in range(0, len(keys), size):
            yield _without(value, set(keys[start : start + size]))
        size //= 2
    for key in keys:
        for inner in _smaller(value[key], depth + 1):
            copy = value.copy()
            copy[key] = inner
            yield copy


def _smaller_text(value: str, depth: int) -> Iterator[str]:
    if value[:1] in {"{", "[", '"'}:
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            pass
        else:
            yield from map(json.dumps, _smaller(parsed, depth + 1))
    half = len(value) // 2
    yield from ("", value[:half], value[half:])
    if len(value) < _SHORT:
        yield from (value[:at] + value[at + 1 :] for at in range(len(value)))


def _without(value: Any, keys: set[Any]) -> Any:
    if isinstance(value, dict):
        return {key: inner for key, inner in value.items() if key not in keys}
    return [inner for number, inner in enumerate(value) if number not in keys]
