"""Makes one cold start of a package as FunctionGraph does: loads index.py, starts it, handles one event.

Prints when the handler responded, the memory and the number of modules. The first argument is the folder of the
unpacked package. With "floor" as the second argument the same calls are made without the code of this project.
Only the standard library and the package can be imported (-I -S).
"""

import contextlib
import importlib.util
import io
import json
import os
import sys
import time
from typing import Any


def function(root: str, connection: dict[str, Any]) -> None:
    """Handle the first event of the function."""
    spec = importlib.util.spec_from_file_location("index", f"{root}/index.py")
    assert spec
    assert spec.loader
    index = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(index)
    from context import Context  # type: ignore[import-not-found]  # beside this file

    context = Context(connection)
    index.initializer(context)
    report = index.handler({"instance_ids": connection["instance_ids"][:1]}, context)
    assert report["status"] == "SUCCEEDED", report


def floor(_: str, connection: dict[str, Any]) -> None:
    """Import pydantic and both SDKs and make the calls: the minimum for any function that does so."""
    from shared.runtime.cold_start import importing

    with importing():
        from huaweicloudsdkcore.auth.credentials import BasicCredentials
        from huaweicloudsdkdds.v3 import (
            CreateManualBackupOption,
            CreateManualBackupRequest,
            CreateManualBackupRequestBody,
            DdsClient,
            ListBackupsRequest,
        )
        from huaweicloudsdksmn.v2 import PublishMessageRequest, PublishMessageRequestBody, SmnClient
        from pydantic import BaseModel

        class Request(BaseModel):
            instance_ids: list[str]

    instance_id = Request(instance_ids=connection["instance_ids"]).instance_ids[0]
    keys = BasicCredentials(connection["access_key"], connection["secret_key"], connection["project_id"])
    keys.with_security_token(connection["security_token"])
    endpoint = connection["endpoint"]
    dds = DdsClient.new_builder().with_credentials(keys).with_endpoints([endpoint]).build()
    smn = SmnClient.new_builder().with_credentials(keys).with_endpoints([endpoint]).build()
    for client in (dds, smn):
        client._http_client._session.trust_env = (
            False  # like create_backup: no lookup of proxies and .netrc at each call
        )
    dds.list_backups(ListBackupsRequest(backup_type="Manual", backup_name="floor", limit=100))
    option = CreateManualBackupOption(instance_id=instance_id, name="floor")
    dds.create_manual_backup(CreateManualBackupRequest(body=CreateManualBackupRequestBody(backup=option)))
    message = PublishMessageRequestBody(subject="started", message="{}")
    smn.publish_message(PublishMessageRequest(topic_urn=connection["topic_urn"], body=message))


def resident() -> int:
    """Return the resident memory of this process in KB."""
    with open("/proc/self/status") as status:  # noqa: PTH123 pathlib would add to the modules
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


sys.path[:0] = [sys.argv[1], os.path.dirname(__file__)]  # noqa: PTH120 pathlib would add to the modules
with contextlib.redirect_stdout(io.StringIO()):
    (floor if sys.argv[2:] else function)(sys.argv[1], json.load(sys.stdin))
answered = time.monotonic()
print(json.dumps({"answered": answered, "kb": resident(), "modules": len(sys.modules)}))  # noqa: T201 the answer
