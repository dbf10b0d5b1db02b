"""The same calls with the SDK alone, one after the other. Prints the seconds of each round."""

import json
import sys
import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkdds.v3 import (
    CreateManualBackupOption,
    CreateManualBackupRequest,
    CreateManualBackupRequestBody,
    DdsClient,
    ListBackupsRequest,
)
from huaweicloudsdksmn.v2 import PublishMessageRequest, PublishMessageRequestBody, SmnClient


job = json.load(sys.stdin)
connection = job["connection"]
credentials = BasicCredentials(
    connection["access_key"], connection["secret_key"], connection["project_id"]
).with_security_token(connection["security_token"])
endpoint = connection["endpoint"]
dds = DdsClient.new_builder().with_credentials(credentials).with_endpoints([endpoint]).build()
smn = SmnClient.new_builder().with_credentials(credentials).with_endpoints([endpoint]).build()

seconds = []
for number in range(job["rounds"]):
    ids = connection["instance_ids"][number * job["instances"] :][: job["instances"]]
    began = time.perf_counter()
    dds.list_backups(ListBackupsRequest(backup_type="Manual", backup_name=f"plain-{number}-", limit=100))
    for instance_id in ids:
        option = CreateManualBackupOption(instance_id=instance_id, name=f"plain-{number}-{instance_id[:32]}")
        body = CreateManualBackupRequestBody(backup=option)
        new = dds.create_manual_backup(CreateManualBackupRequest(body=body))
        message = PublishMessageRequestBody(subject="started", message=json.dumps({"job_id": new.job_id}))
        smn.publish_message(PublishMessageRequest(topic_urn=connection["topic_urn"], body=message))
    seconds.append(time.perf_counter() - began)
print(json.dumps({"rounds": seconds}))  # noqa: T201 the answer
