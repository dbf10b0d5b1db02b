"""What is stored of FunctionGraph. Times are seconds since the epoch (UTC), sizes of memory MB, of code bytes."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Function:
    """A function; its id here is its URN without a version."""

    id: str
    name: str
    package: str
    func_id: str
    runtime: str
    handler: str
    timeout: int
    memory_size: int
    modified: float
    user_data: dict[str, str]
    encrypted_user_data: dict[str, str]
    code_type: str
    code_filename: str
    code_size: int
    digest: str
    """SHA-512 of the package, in hex; that of nothing for a function without code."""
    description: str = ""
    xrole: str | None = None
    app_xrole: str | None = None
    initializer_handler: str | None = None
    initializer_timeout: int | None = None
    enterprise_project_id: str = "0"
    concurrency: int = -1
    """How many instances it has at most: -1 for no limit, 0 for a function that is disabled."""
    enable_lts_log: bool = False
    log_group_id: str | None = None
    log_stream_id: str | None = None
    lts_custom_tag: dict[str, str] = field(default_factory=dict)
    depend_version_list: list[str] = field(default_factory=list)
    func_vpc: dict[str, Any] | None = None

    @property
    def agency(self) -> str | None:
        """The agency whose credentials an invocation gets: the one for execution, else the one for all."""
        return self.app_xrole or self.xrole


@dataclass(frozen=True, slots=True)
class Package:
    """The zip of a function, whose URN is its id here. In base64, as it came."""

    id: str
    file: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger. `event_data` is its configuration without passwords; `since` is when it was last turned on."""

    id: str
    function_urn: str
    type: str
    status: str
    event_data: dict[str, Any]
    created: float
    updated: float
    since: float


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the result of an asynchronous invocation goes: OBS, SMN, DIS or FunctionGraph, with its parameters."""

    destination: str
    param: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AsyncConfig:
    """What becomes of the events that a function, whose URN is its id here, gets asynchronously."""

    id: str
    max_event_age: int
    """Seconds."""
    max_retry_attempts: int
    created: float
    modified: float
    on_success: Destination | None = None
    on_failure: Destination | None = None
    enable_status_log: bool = False


@dataclass(frozen=True, slots=True)
class AsyncEvent:
    """An event that was accepted and is to be delivered: its id is the request id, `event` a JSON text.

    It is for the function of `func_id`, not for a later one of that name.
    """

    id: str
    function_urn: str
    func_id: str
    event: str
    source: str
    accepted: float
    due: float
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Invocation:
    """An invocation that came to an end; its id is the request id and the number of the attempt.

    `source` is TIMER, SMN, InvokeFunction, AsyncInvokeFunction, or Destination for the result of another function.
    `error` has errorType, errorMessage and stackTrace, `report` durations in milliseconds and memory in MB. The
    credentials that it had are those of `access_key`. `destination` is what was told of its end, and to whom.
    """

    id: str
    request_id: str
    attempt: int
    function_urn: str
    source: str
    event: Any
    started: str
    finished: str
    ok: bool
    result: Any
    error: dict[str, Any] | None
    report: dict[str, Any]
    log: list[str]
    access_key: str
    destination: dict[str, Any] | None = None
