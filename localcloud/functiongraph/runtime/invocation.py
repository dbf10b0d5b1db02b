"""What goes into an invocation and what comes out of it."""

import math
from dataclasses import dataclass, field
from typing import TypeAlias


Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The temporary credentials of one invocation, as the platform takes them from the function's agency."""

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
    """The frames from the function's own file on, outermost first; for a timeout, where it was at that moment."""

    def as_json(self) -> dict[str, Json]:
        return {
            "errorType": self.error_type,
            "errorMessage": self.error_message,
            "stackTrace": list(self.stack_trace),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What the platform writes about an invocation. Durations are milliseconds, memory is MB."""

    request_id: str
    duration_ms: float
    init_duration_ms: float | None
    """From the start of the process to the end of the initializer; None on a warm instance."""
    memory_size_mb: int
    max_memory_used_mb: int
    cold_start: bool

    @property
    def billed_duration_ms(self) -> int:
        """The duration rounded up to a whole millisecond, as the platform's log does."""
        return math.ceil(self.duration_ms)

    def as_json(self) -> dict[str, Json]:
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
    """The end of one invocation: a result, or an error."""

    result: Json
    """What the handler returned, decoded from the response body; None for an empty body and for an error."""
    error: FunctionError | None
    report: Report

    @property
    def ok(self) -> bool:
        return self.error is None
