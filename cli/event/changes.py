"""Changes to a sample event: the values of ``--set``, and how they are put into the JSON."""

import json
from collections.abc import Collection
from typing import Any

from cli.errors import WrongCall, did_you_mean
from cli.json_value import Json


MAX_DEPTH = 100
"""How deep a value of ``--set`` may be nested."""
_SHOWN = 40


class UnusableJsonError(ValueError):
    """JSON text that this command cannot use, although it follows the grammar."""


def decode_json(text: str | bytes) -> Json:
    """Decode *text*. Raises ValueError if it is not JSON, is nested too deeply, or has a number that is too long."""
    try:
        value: Json = json.loads(text)
    except RecursionError as error:
        raise UnusableJsonError("it is nested too deeply") from error
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError as error:
        # Python's limit, sys.get_int_max_str_digits(), is the only other cause.
        raise UnusableJsonError("it has a number of too many digits") from error
    return value


def read_change(change: str) -> tuple[list[str], Json]:
    """Return path and value of a change such as ``name=nightly``. Raises WrongCall if it cannot be read."""
    try:
        change.encode()
    except UnicodeEncodeError as error:
        raise WrongCall(f"found --set {change!a}, which is not UTF-8 text") from error
    key, equals, text = change.partition("=")
    if not equals or not key:
        raise WrongCall(f"found --set {change}, expected KEY=VALUE, such as name=nightly")
    return key.split("."), _value(text)


def _value(text: str) -> Json:
    """Decode the value of ``--set``: as JSON if it is JSON, otherwise as text. Raises WrongCall for unusable JSON."""
    try:
        value = decode_json(text)
    except UnusableJsonError as error:
        raise WrongCall(f"found --set ...={text[:_SHOWN]}..., which is not usable: {error}") from error
    except ValueError:
        return text
    if _is_deeper(value, MAX_DEPTH):
        raise WrongCall(f"found --set ...={text[:_SHOWN]}..., which is nested more than {MAX_DEPTH} deep")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise WrongCall(f"found --set ...={text[:_SHOWN]}, which has half a surrogate pair") from error
    return value


def _is_deeper(value: Json, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return any(isinstance(node, (dict, list)) for node in level)


def put(tree: Any, path: list[str], value: Json, *, new: bool = False, others: Collection[str] = ()) -> None:
    """Set *value* at *path* of *tree*. The path has to exist, except that *new* allows a new last key.

    Otherwise raises WrongCall. *others* are the keys that a first key could have meant instead: fields of the request.
    """
    node = tree
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        key: str | int = part
        if isinstance(node, list):
            known = [str(position) for position in range(len(node))]
            key = int(part) if part in known else part
        else:
            known = list(node) if isinstance(node, dict) else []
        if part not in known and not (new and last and isinstance(node, dict)):
            raise WrongCall(_absent(path, depth, known, others if depth == 0 else ()))
        if last:
            node[key] = value
        else:
            node = node[key]


def _absent(path: list[str], depth: int, known: list[str], others: Collection[str]) -> str:
    where = ".".join(path[:depth]) or "the event"
    has = f"has {', '.join(known)}" if known else "has no keys"
    fields = f", and the request may have {', '.join(others)}" if others else ""
    return f"cannot set {'.'.join(path)}: {where} {has}{fields}{did_you_mean(path[depth], [*known, *others])}"
