# ruff: noqa: N802 - the names are FunctionGraph's.
"""The context object that FunctionGraph passes to the initializer and the handler.

It has the documented methods (Developer Guide, "Developing Functions in Python", and the context of the Open Telekom
Cloud's Python runtime), and one that FunctionGraph does not have, `simulated_time`, for functions that ask for it.
"""

import time
from datetime import datetime, timezone
from typing import TypedDict


VERSION = "latest"
"""The version that is invoked by default."""


class ContextData(TypedDict):
    """The data of one context; memory is in MB."""

    request_id: str
    instance_id: str
    function_name: str
    package: str
    project_id: str
    timeout: float
    """The configured timeout in seconds."""
    remaining: float
    """Seconds until the initializer or the handler times out."""
    clock_offset: float
    """Seconds that the local cloud's clock is ahead of the machine's."""
    memory_size: int
    user_data: dict[str, str]
    access_key: str
    secret_key: str
    security_token: str
    token: str


class Logger:
    """Writes lines of the form ``time request-id content`` to the function's log."""

    def __init__(self, request_id: str, clock_offset: float) -> None:
        self._request_id = request_id
        self._clock_offset = clock_offset

    def info(self, content: object) -> None:
        self._write(content)

    def warning(self, content: object) -> None:
        self._write(content)

    def error(self, content: object) -> None:
        self._write(content)

    def _write(self, content: object) -> None:
        now = datetime.fromtimestamp(time.time() + self._clock_offset, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        print(f"{now} {self._request_id} {content}", flush=True)  # noqa: T201 - standard output is the log


class Context:
    """The context of one invocation. The remaining time counts from its creation."""

    def __init__(self, data: ContextData) -> None:
        self._data = data
        self._deadline = time.monotonic() + data["remaining"]
        self._logger = Logger(data["request_id"], data["clock_offset"])
        self._state: object = None

    def getRequestID(self) -> str:
        return self._data["request_id"]

    def getRemainingTimeInMilliSeconds(self) -> int:
        """Return the remaining time in milliseconds, at least 0."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    def simulated_time(self) -> float:
        """Return the time of the local cloud in seconds since the epoch. FunctionGraph's context has no such method.

        A move of the clock during an invocation shows in the next one.
        """
        return time.time() + self._data["clock_offset"]

    def getAccessKey(self) -> str:
        """Return an empty string: the platform has deprecated this method and returns no key."""
        return ""

    def getSecretKey(self) -> str:
        """Return an empty string: the platform has deprecated this method and returns no key."""
        return ""

    def getSecurityAccessKey(self) -> str:
        return self._data["access_key"]

    def getSecuritySecretKey(self) -> str:
        return self._data["secret_key"]

    def getSecurityToken(self) -> str:
        return self._data["security_token"]

    def getToken(self) -> str:
        return self._data["token"]

    def getUserData(self, key: str) -> str | None:
        """Return the user's variable *key*, or None if there is none."""
        return self._data["user_data"].get(key)

    def getFunctionName(self) -> str:
        return self._data["function_name"]

    def getVersion(self) -> str:
        return VERSION

    def getAlias(self) -> str:
        return ""

    def getPackage(self) -> str:
        return self._data["package"]

    def getProjectID(self) -> str:
        return self._data["project_id"]

    def getMemorySize(self) -> int:
        """Return the configured memory in MB."""
        return self._data["memory_size"]

    def getCPUNumber(self) -> int:
        """Return the CPU in millicores: 200 plus 100 for every 128 MB of memory."""
        return millicores(self._data["memory_size"])

    def getRunningTimeInSeconds(self) -> int:
        """Return the configured timeout in seconds."""
        return int(self._data["timeout"])

    def getLogger(self) -> Logger:
        return self._logger

    def getWorkflowID(self) -> str:
        return ""

    def getWorkflowRunID(self) -> str:
        return ""

    def getWorkflowStateID(self) -> str:
        return ""

    def get_trace_id(self) -> str:
        return self._data["request_id"]

    def get_invoke_id(self) -> str:
        return self._data["request_id"]

    def get_instance_id(self) -> str:
        return self._data["instance_id"]

    def get_invoke_property(self) -> str:
        return ""

    def get_state(self) -> object:
        return self._state

    def set_state(self, state: object) -> None:
        self._state = state


def millicores(memory_size: int) -> int:
    """Return the CPU in millicores that FunctionGraph allots to *memory_size* MB."""
    return int(200 + memory_size / 128 * 100)
