"""The official SDK's requests for new instances, for restores and for what follows."""

from typing import Any

import huaweicloudsdkdds.v3 as sdk

from localcloud import LocalCloud
from localcloud.dds.specification import SECURITY_GROUP, SUBNET, VPC


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"  # a cluster that is billed monthly
CUSTOMERS = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"  # a replica set with two manual backups
SCRATCH = "e41c70b5d2964f7fb83a9de65a0c173bin02"  # a single node
KEPT = "43e4feaab48f41e89039fa163ebaa7e4br02"  # the newest backup of customers
UNKNOWN = "0" * 32 + "in02"

NO_BACKUPS = sdk.BackupStrategy(start_time="00:00-01:00", keep_days="0")
REPLICA = {"type": "replica", "num": "1", "size": "40", "spec_code": "dds.mongodb.c6.large.2.repset"}
SINGLE = {"type": "single", "num": "1", "size": "10", "spec_code": "dds.mongodb.c6.large.2.single"}
CLUSTER = (
    {"type": "mongos", "num": "2", "spec_code": "dds.mongodb.c6.large.2.mongos"},
    {"type": "shard", "num": "2", "size": "80", "spec_code": "dds.mongodb.c6.large.2.shard"},
    {"type": "config", "num": "1", "size": "20", "spec_code": "dds.mongodb.c6.large.2.config"},
)


def restore(*flavors: dict[str, Any], **changes: Any) -> Any:
    """The SDK's request to restore the newest backup of customers, unless `changes` say otherwise."""
    fields: dict[str, Any] = {
        "name": "copy",
        "availability_zone": "cn-north-4a",
        "vpc_id": VPC,
        "subnet_id": SUBNET,
        "security_group_id": SECURITY_GROUP,
        "flavor": [sdk.RestoreNewInstanceFlavorOption(**flavor) for flavor in flavors or (REPLICA,)],
        "backup_strategy": NO_BACKUPS,
        "restore_point": sdk.RestorePoint(backup_id=KEPT),
    }
    return sdk.RestoreNewInstanceRequest(body=sdk.RestoreNewInstanceRequestBody(**fields | changes))


def creation(*flavors: dict[str, Any], mode: str = "ReplicaSet", version: str = "4.0", **changes: Any) -> Any:
    """The SDK's request for an empty instance: a replica set, unless `changes` say otherwise."""
    engine = "wiredTiger" if version in {"3.4", "4.0"} else "rocksDB"
    fields: dict[str, Any] = {
        "name": "fresh",
        "datastore": sdk.Datastore(type="DDS-Community", version=version, storage_engine=engine),
        "region": "cn-north-4",
        "availability_zone": "cn-north-4a",
        "vpc_id": VPC,
        "subnet_id": SUBNET,
        "security_group_id": SECURITY_GROUP,
        "mode": mode,
        "flavor": [sdk.CreateInstanceFlavorOption(**flavor) for flavor in flavors or (REPLICA,)],
        "backup_strategy": NO_BACKUPS,
    }
    return sdk.CreateInstanceRequest(body=sdk.CreateInstanceRequestBody(**fields | changes))


def show(client: Any, instance_id: str) -> Any:
    """An instance as it is listed, or None if it is not."""
    found = client.list_instances(sdk.ListInstancesRequest(id=instance_id)).instances
    return found[0] if found else None


def job(client: Any, job_id: str) -> Any:
    """A job as it is shown."""
    return client.show_job_detail(sdk.ShowJobDetailRequest(id=job_id)).job


def created(cloud: LocalCloud, client: Any, *flavors: dict[str, Any], **changes: Any) -> str:
    """The id of a new empty instance that is normal."""
    answer = client.create_instance(creation(*flavors, **changes))
    cloud.advance(3600)
    return str(answer.id)


def delete(client: Any, instance_id: str) -> Any:
    """Delete an instance."""
    return client.delete_instance(sdk.DeleteInstanceRequest(instance_id=instance_id))


def restart(client: Any, instance_id: str, **body: Any) -> Any:
    """Restart an instance, or what `target_id` says."""
    request = sdk.RestartInstanceRequestBody(**{"target_id": instance_id} | body)
    return client.restart_instance(sdk.RestartInstanceRequest(instance_id=instance_id, body=request))


def password(instance_id: str, user_pwd: str = "Str0ng#enough", **body: Any) -> Any:
    """The SDK's request to change a password."""
    return sdk.ResetPasswordRequest(
        instance_id=instance_id, body=sdk.ResetPasswordRequestBody(user_pwd=user_pwd, **body)
    )


def tasks(cloud: LocalCloud, name: str) -> list[dict[str, Any]]:
    """The jobs of a name, as the local cloud knows them."""
    return [dict(one) for one in cloud.state()["jobs"] if one["name"] == name]
