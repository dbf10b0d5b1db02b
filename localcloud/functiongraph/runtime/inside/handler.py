"""Loading a function's handler as FunctionGraph's runtime does, and encoding what it returns or raises."""

import importlib.util
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypedDict


MAX_BODY_BYTES = 6 * 1024 * 1024
"""The largest event and response body of a synchronous call (FunctionGraph, Notes and Constraints)."""


def entry_file(code_uri: Path, handler: str) -> Path:
    """Return the file in *code_uri* that *handler* (``index.handler``, ``src/index.handler``) names."""
    module, _, _ = handler.rpartition(".")
    return code_uri / (module.replace(".", "/") + ".py")


def load_entry(file: Path) -> ModuleType:
    """Run *file* as a module that is not in ``sys.modules``. Some dataclasses and pydantic models break there.

    Raises any exception of the file's own code, and FileNotFoundError if the file does not exist.
    """
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def entry_point(module: ModuleType, handler: str) -> Callable[..., Any]:
    """Return the function that *handler* names in *module*. Raises AttributeError if there is none."""
    function = getattr(module, handler.rpartition(".")[2])
    if not callable(function):
        raise TypeError(f"{handler} is a {type(function).__name__}, not a function")
    return function  # type: ignore[no-any-return]


class ResultError(Exception):
    """The handler's return value cannot be a response body."""


def response_body(returned: object) -> tuple[str, str]:
    """Return ``(kind, body)``: None is an ``empty`` body, a string is ``text``, anything else is ``json``.

    Raises ResultError if it is not JSON (code 4007 of the runtime) or larger than 6 MB (code 4004).
    """
    if returned is None:
        return "empty", ""
    if isinstance(returned, str):
        kind, body = "text", returned
    else:
        kind, body = "json", _encode(returned)
    size = len(_utf8(body))
    if size > MAX_BODY_BYTES:
        raise ResultError(f"the response body has {size} bytes, at most {MAX_BODY_BYTES} are allowed (4004)")
    return kind, body


def _encode(returned: object) -> str:
    try:
        return json.dumps(returned, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultError(f"failed to convert the result to a JSON string: {error} (4007)") from error


def _utf8(body: str) -> bytes:
    try:
        return body.encode()
    except UnicodeEncodeError as error:  # a lone surrogate
        raise ResultError(f"failed to convert the result to a JSON string: {error} (4007)") from error


class ErrorData(TypedDict):
    """An exception as the child process reports it."""

    type: str
    message: str
    stack_trace: list[str]


def error_data(error: BaseException, entry: Path) -> ErrorData:
    """Describe *error* with the frames from the file *entry* on, without those of the runtime and the import system."""
    if isinstance(error, ResultError):
        return ErrorData(type="FunctionResultError", message=str(error), stack_trace=[])
    frames = traceback.extract_tb(error.__traceback__)
    first = next((at for at, frame in enumerate(frames) if frame.filename == str(entry)), len(frames))
    return ErrorData(
        type=type(error).__name__,
        message=_message(error),
        stack_trace=[line.rstrip("\n") for line in traceback.format_list(frames[first:])],
    )


def _message(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the function called sys.exit({error.code!r})"
    try:
        return str(error).encode(errors="backslashreplace").decode()
    except Exception:  # noqa: BLE001 - __str__ is the function's own code
        return "<exception str() failed>"
