"""What the runtime runs and what comes of it: function, credentials, report, error, invocation."""

import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias


Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """How a function is run. Memory is in MB, times are in seconds."""

    name: str
    handler: str
    initializer: str | None
    initializer_timeout: float
    timeout: float
    memory_size: int
    code_root: Path
    """The folder that becomes the root of the package."""
    code_uri: Path
    """The folder that holds the entry file; in a package it is the root."""
    package: str = "default"
    """The app that the function belongs to (FunctionGraph API, Creating a Function, package)."""
    interpreter: str = sys.executable
    is_packaged: bool = False
    """Run as on the platform: only the code and the standard library can be imported, and no bytecode is written.

    Otherwise the packages that are installed for the interpreter can be imported too, as in a checkout.
    """


@dataclass(frozen=True, slots=True)
class Credentials:
    """The temporary credentials of one invocation, issued for the function's agency."""

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str = field(repr=False)
    token: str = field(repr=False)
    """An IAM token, for ``context.getToken()``."""


@dataclass(frozen=True, slots=True)
class FunctionError:
    """Why an invocation failed, in the platform's three fields."""

    error_type: str
    """The exception's class, or FunctionTimeout, FunctionInitTimeout, FunctionExited, FunctionOutOfMemory or
    FunctionResultError."""
    error_message: str
    stack_trace: tuple[str, ...] = ()
    """The frames from the function's own file on, outermost first. For a timeout: the stack at that moment."""

    def as_json(self) -> dict[str, Json]:
        """Return errorType, errorMessage and stackTrace."""
        return {
            "errorType": self.error_type,
            "errorMessage": self.error_message,
            "stackTrace": list(self.stack_trace),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The platform's report of an invocation. Durations are in milliseconds, memory is in MB."""

    request_id: str
    duration_ms: float
    init_duration_ms: float | None
    """From the start of the process to the end of the initializer; None on a warm instance."""
    memory_size_mb: int
    max_memory_used_mb: int
    cold_start: bool

    @property
    def billed_duration_ms(self) -> int:
        """The duration rounded up to a whole millisecond, as in the platform's log."""
        return math.ceil(self.duration_ms)

    def as_json(self) -> dict[str, Json]:
        """Return every field and the billed duration."""
        return {
            "request_id": self.request_id,
            "duration_ms": self.duration_ms,
            "billed_duration_ms": self.billed_duration_ms,
            "init_duration_ms": self.init_duration_ms,
            "memory_size_mb": self.memory_size_mb,
            "max_memory_used_mb": self.max_memory_used_mb,
            "cold_start": self.cold_start,
        }


@dataclass(frozen=True, slots=True)
class Invocation:
    """A finished invocation: a result or an error."""

    result: Json
    """What the handler returned, decoded from the response body. None for an empty body and for an error."""
    error: FunctionError | None
    report: Report

    @property
    def ok(self) -> bool:
        """Whether the function returned."""
        return self.error is None
