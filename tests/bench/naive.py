"""A naive function: it creates its clients for each event, makes one backup and publishes one message.

Prints the seconds and the CPU seconds of each round.
"""

import json
import sys
import time
from typing import Any

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkdds.v3 import (
    CreateManualBackupOption,
    CreateManualBackupRequest,
    CreateManualBackupRequestBody,
    DdsClient,
)
from huaweicloudsdksmn.v2 import PublishMessageRequest, PublishMessageRequestBody, SmnClient


def handle(instance_id: str, name: str, connection: dict[str, Any]) -> None:
    """Handle one event."""
    endpoint = connection["endpoint"]
    credentials = BasicCredentials(connection["access_key"], connection["secret_key"], connection["project_id"])
    credentials.with_security_token(connection["security_token"])
    dds = DdsClient.new_builder().with_credentials(credentials).with_endpoints([endpoint]).build()
    smn = SmnClient.new_builder().with_credentials(credentials).with_endpoints([endpoint]).build()
    option = CreateManualBackupOption(instance_id=instance_id, name=name)
    new = dds.create_manual_backup(CreateManualBackupRequest(body=CreateManualBackupRequestBody(backup=option)))
    message = PublishMessageRequestBody(subject="started", message=json.dumps({"job_id": new.job_id}))
    smn.publish_message(PublishMessageRequest(topic_urn=connection["topic_urn"], body=message))


job = json.load(sys.stdin)
ids = job["connection"]["instance_ids"]
seconds, cpu = [], []
for number in range(job["rounds"]):
    began, used = time.perf_counter(), time.process_time()
    handle(ids[number], f"naive-{number}", job["connection"])
    seconds.append(time.perf_counter() - began)
    cpu.append(time.process_time() - used)
print(json.dumps({"rounds": seconds, "cpu": cpu}))  # noqa: T201 the answer
