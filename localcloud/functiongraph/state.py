"""The state of FunctionGraph: functions with what belongs to them, pending events, and finished invocations.

Times are seconds since the epoch (UTC), memory sizes MB, code sizes bytes.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from localcloud.functiongraph.errors import functiongraph_error
from localcloud.region import Region
from localcloud.store import Store


LATEST = "latest"
"""The only version of a function in the local cloud."""
_URN = re.compile(
    r"(?P<function>urn:fss:[A-Za-z0-9-]+:[A-Za-z0-9-]+:function:[^:/]+:[^:/]+)(?::(?P<version>!?[A-Za-z0-9_.-]+))?"
)


@dataclass(frozen=True, slots=True)
class Function:
    """A function. Its id here is its URN without a version."""

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
    """SHA-512 of the package in hex; of an empty package for a function without code."""
    description: str = ""
    xrole: str | None = None
    app_xrole: str | None = None
    initializer_handler: str | None = None
    initializer_timeout: int | None = None
    enterprise_project_id: str = "0"
    concurrency: int = -1
    """The maximum number of instances: -1 for no limit, 0 for a disabled function."""
    enable_lts_log: bool = False
    log_group_id: str | None = None
    log_stream_id: str | None = None
    lts_custom_tag: dict[str, str] = field(default_factory=dict)
    depend_version_list: list[str] = field(default_factory=list)
    func_vpc: dict[str, Any] | None = None

    @property
    def latest_urn(self) -> str:
        """The URN of the latest version."""
        return f"{self.id}:{LATEST}"

    @property
    def agency(self) -> str | None:
        """The agency whose credentials an invocation gets: the execution agency if there is one."""
        return self.app_xrole or self.xrole


@dataclass(frozen=True, slots=True)
class Package:
    """The zip of a function, in base64 as it was uploaded. Its id here is the function's URN."""

    id: str
    file: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger. `event_data` is its configuration without passwords, `since` is when it was last enabled."""

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
    """Where the result of an asynchronous invocation is sent: OBS, SMN, DIS or FunctionGraph, with its parameters."""

    destination: str
    param: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AsyncConfig:
    """The asynchronous configuration of a function. Its id here is the function's URN."""

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
    """An accepted event that waits for its delivery. Its id is the request id, `event` is a JSON text.

    `func_id` tells the function apart from a later one of the same name.
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
    """A finished invocation. Its id is made of the request id and the number of the attempt.

    `source` is TIMER, SMN, InvokeFunction, AsyncInvokeFunction, or Destination for the result of another function.
    `error` has errorType, errorMessage and stackTrace, `report` durations in milliseconds and memory in MB.
    `access_key` identifies the credentials that the function had. `destination` is what was sent to the destination.
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


class FunctionGraphState:
    """The tables of FunctionGraph."""

    def __init__(self, region: Region, store: Store) -> None:
        self.region = region
        self.store = store
        self.functions = store.table("function", Function)
        self.packages = store.table("function_package", Package)
        self.triggers = store.table("trigger", Trigger)
        self.async_configs = store.table("async_config", AsyncConfig)
        self.async_events = store.table("async_event", AsyncEvent)
        self.invocations = store.table("invocation", Invocation)

    def function(self, urn: str) -> Function:
        """The function of a URN with or without a version.

        Raises FSS.1309 for an invalid URN, FSS.1051 for an unknown function, FSS.1052 or FSS.1053 for a version or an
        alias other than `latest`.
        """
        name, version = split_urn(urn)
        function = self.functions.get(name)
        if function is None:
            raise functiongraph_error("FSS.1051")
        if version not in (None, LATEST):
            raise functiongraph_error("FSS.1053" if version.startswith("!") else "FSS.1052")
        return function

    def exists(self, function_urn: str, func_id: str) -> bool:
        """Whether this very function still exists, not a later one of the same name."""
        present = self.functions.get(function_urn)
        return present is not None and present.func_id == func_id

    def triggers_of(self, function: Function) -> list[Trigger]:
        """The triggers of a function, oldest first."""
        return [trigger for trigger in self.triggers if trigger.function_urn == function.id]

    def clear(self) -> None:
        """Remove everything."""
        for table in (
            self.functions,
            self.packages,
            self.triggers,
            self.async_configs,
            self.async_events,
            self.invocations,
        ):
            table.clear()


def split_urn(urn: str) -> tuple[str, str | None]:
    """Split `urn:fss:REGION:PROJECT:function:PACKAGE:NAME[:VERSION or :!ALIAS]` into URN and version.

    Raises FSS.1309 for an invalid URN.
    """
    found = _URN.fullmatch(urn)
    if found is None:
        raise functiongraph_error("FSS.1309", f"expected urn:fss:...:function:package:name, not {urn!r}.")
    return found["function"], found["version"]
