"""What a handler returned or raised, turned into what the platform answers, inside the function's process."""

import json
import traceback
from pathlib import Path
from typing import TypedDict


MAX_BODY_BYTES = 6 * 1024 * 1024
"""The largest event and response body of a synchronous call (FunctionGraph, Notes and Constraints)."""


class ErrorData(TypedDict):
    type: str
    message: str
    stack_trace: list[str]


class ResultError(Exception):
    """What the handler returned cannot be a response body."""


def response_body(returned: object) -> tuple[str, str]:
    """Return ``(kind, body)``: None is an ``empty`` body, text is itself, anything else is ``json``.

    Raises ResultError when it is no JSON (code 4007 of the runtime) or more than 6 MB (code 4004).
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


def _utf8(body: str) -> bytes:
    try:
        return body.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise ResultError(f"failed to convert the result to a JSON string: {error} (4007)") from error


def _encode(returned: object) -> str:
    try:
        return json.dumps(returned, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultError(f"failed to convert the result to a JSON string: {error} (4007)") from error


def error_data(error: BaseException, entry: Path) -> ErrorData:
    """Describe *error* with the frames from the file *entry* on: not the runner's, nor the import system's."""
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
    except Exception:  # noqa: BLE001 - it is the function's own code that says what an exception of its own is
        return "<exception str() failed>"
