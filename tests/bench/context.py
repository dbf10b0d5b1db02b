"""The context of the invocations in the benchmark."""

from typing import Any


class Context:
    """The methods of FunctionGraph's context that create_backup uses."""

    # ruff: noqa: N802 the names are the platform's

    def __init__(self, connection: dict[str, Any]) -> None:
        self._connection = connection
        self._user_data = {
            "NOTIFY_TOPIC_URN": connection["topic_urn"],
            "DDS_ENDPOINT": connection["endpoint"],
            "SMN_ENDPOINT": connection["endpoint"],
        }
        self.round = 0
        """The number of the invocation."""

    def getRequestID(self) -> str:
        return f"round-{self.round}"

    def getRemainingTimeInMilliSeconds(self) -> int:
        return 300_000

    def getUserData(self, key: str) -> str | None:
        return self._user_data.get(key)

    def getSecurityAccessKey(self) -> str:
        return str(self._connection["access_key"])

    def getSecuritySecretKey(self) -> str:
        return str(self._connection["secret_key"])

    def getSecurityToken(self) -> str:
        return str(self._connection["security_token"])

    def getProjectID(self) -> str:
        return str(self._connection["project_id"])

    def getFunctionName(self) -> str:
        return "create_backup"

    def getVersion(self) -> str:
        return "latest"

    def getPackage(self) -> str:
        return "default"
