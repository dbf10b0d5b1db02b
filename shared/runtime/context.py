"""FunctionGraph's context, as far as this application uses it."""

from typing import Protocol


# ruff: noqa: N802 the names are the platform's


class Context(Protocol):
    """What the platform hands to a handler beside the event (FunctionGraph, Developing an Event Function in Python)."""

    def getRequestID(self) -> str:
        """The invocation's id."""

    def getRemainingTimeInMilliSeconds(self) -> int:
        """How long the invocation may still take."""

    def getUserData(self, key: str) -> str | None:
        """A setting, also one that is stored encrypted; nothing if there is none of that name."""

    def getSecurityAccessKey(self) -> str | None:
        """The temporary access key of the function's agency; nothing without one."""

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
