"""The part of FunctionGraph's context that this application uses."""

from typing import Protocol


# ruff: noqa: N802 the names are the platform's


class Context(Protocol):
    """The second argument of a handler (FunctionGraph, Developing an Event Function in Python).

    A runtime that simulates time has one more method, `simulated_time`, which returns seconds since the epoch.
    FunctionGraph's context does not have it.
    """

    def getRequestID(self) -> str:
        """The id of the invocation."""

    def getRemainingTimeInMilliSeconds(self) -> int:
        """The time that is left for the invocation, in milliseconds."""

    def getUserData(self, key: str) -> str | None:
        """A setting, including encrypted ones; None if there is none of that name."""

    def getSecurityAccessKey(self) -> str | None:
        """The temporary access key of the function's agency; None without an agency."""

    def getSecuritySecretKey(self) -> str | None:
        """The secret key that belongs to it."""

    def getSecurityToken(self) -> str | None:
        """The token that belongs to it."""

    def getProjectID(self) -> str:
        """The project that the function is in."""

    def getFunctionName(self) -> str:
        """The function's name."""

    def getVersion(self) -> str:
        """The function's version, such as "latest"."""

    def getPackage(self) -> str:
        """The application that the function belongs to, such as "default"."""
