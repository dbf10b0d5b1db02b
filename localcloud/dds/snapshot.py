"""A snapshot of DDS for `/_local/state`."""

from typing import Any

from localcloud.clock import text
from localcloud.dds.backups import show_policy
from localcloud.dds.model import Instance
from localcloud.dds.state import DdsState
from localcloud.mongo.call import USER
from localcloud.mongo.descriptions import SET_NAME


def snapshot(dds: DdsState) -> dict[str, list[dict[str, Any]]]:
    """Instances, backups, jobs, restores and the recycle bin at the current time. Times are strings in UTC."""
    now = dds.present()
    return {
        "instances": [
            {
                "id": instance.id,
                "name": instance.name,
                "mode": instance.mode,
                "status": instance.status,
                "actions": list(dds.operations(instance, now)),
                "hidden_node": instance.hidden_node,
                "fails_with": instance.fails_with,
                "version": instance.version,
                "enterprise_project_id": instance.enterprise_project_id,
                "prepaid": instance.spec.pay_mode == "1",
                "created": text(instance.created),
                "tags": instance.tags,
                "uri": _uri(dds, instance),
                "backup_policy": show_policy(dds, instance.id).model_dump(exclude_none=True),
            }
            for instance in dds.instances
        ],
        "backups": [
            {
                "id": backup.id,
                "name": backup.name,
                "instance_id": backup.instance_id,
                "instance_name": backup.instance_name,
                "type": backup.type,
                "status": backup.status(now),
                "job_id": backup.job_id,
                "description": backup.description,
                "begin_time": text(backup.begin),
                "end_time": text(backup.end),
                "size": backup.size_kb,
                "fail_reason": backup.fail_reason if now >= backup.end else None,
                "fault": dds.fault_of(backup.id).model_dump(exclude_defaults=True),
            }
            for backup in dds.backups(now)
        ],
        "jobs": [
            {
                "id": job.id,
                "name": job.kind.value,
                "instance_id": job.instance_id,
                "instance_name": job.instance_name,
                "status": job.status(now),
                "progress": job.progress(now),
                "created": text(job.begin),
                "ended": text(job.end) if now >= job.end else None,
                "fail_reason": job.fail_reason if now >= job.end else None,
            }
            for job in dds.jobs
        ],
        "restores": [
            {
                "job_id": restore.id,
                "source_id": restore.source_id,
                "backup_id": restore.backup_id,
                "target_id": restore.target_id,
                "begin_time": text(restore.begin),
            }
            for restore in dds.restores
        ],
        "recycle_bin": [
            {
                "id": one.id,
                "name": one.name,
                "mode": one.mode,
                "enterprise_project_id": one.enterprise_project_id,
                "deleted": text(one.deleted),
                "retained_until": text(one.retained_until),
            }
            for one in dds.recycle_bin.at(now)
        ],
    }


def _uri(dds: DdsState, instance: Instance) -> str | None:
    address = dds.address(instance)
    if address is None:
        return None
    host, port = address
    members = f"&replicaSet={SET_NAME}" if instance.mode == "ReplicaSet" else ""
    return f"mongodb://{USER}@{host}:{port}/?authSource=admin{members}{'&tls=true' if instance.ssl else ''}"
