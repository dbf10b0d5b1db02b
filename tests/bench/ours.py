"""create_backup in a process of its own, as the platform loads it; reports the seconds of each round."""

import importlib.util
import io
import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any


ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))


def load() -> Any:
    """The entry file, not registered as a module."""
    spec = importlib.util.spec_from_file_location("index", ROOT / "functions" / "create_backup" / "index.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Context:
    """The platform's context, as far as it is used."""

    # ruff: noqa: N802 the names are the platform's

    def __init__(self, connection: dict[str, Any]) -> None:
        self._connection = connection
        self._user_data = {
            "NOTIFY_TOPIC_URN": connection["topic_urn"],
            "DDS_ENDPOINT": connection["endpoint"],
            "SMN_ENDPOINT": connection["endpoint"],
        }
        self.round = 0

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


job = json.load(sys.stdin)
context = Context(job["connection"])
handler = load().handler
seconds = []
for number in range(job["rounds"]):
    context.round = number
    ids = job["connection"]["instance_ids"][number * job["instances"] :][: job["instances"]]
    with redirect_stdout(io.StringIO()):
        began = time.perf_counter()
        report = handler({"instance_ids": ids}, context)
        seconds.append(time.perf_counter() - began)
    assert report["status"] == "SUCCEEDED", report
print(json.dumps({"rounds": seconds}))  # noqa: T201 the answer
