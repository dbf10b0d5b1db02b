"""An instance as the list shows it, with its groups and nodes."""

import uuid
from collections.abc import Iterator

from localcloud.clock import text
from localcloud.dds import instance_schemas as schemas
from localcloud.dds.facts import Instance
from localcloud.dds.state import DdsState


VPC = "674e9b42-cd8d-4d25-a2e6-5abcc565b961"
SUBNET = "f1df08c5-71d1-406a-aff0-de435a51007b"
SECURITY_GROUP = "7aa51dbf-5b63-40db-9724-dad3c4828b58"
_TIME = "%Y-%m-%dT%H:%M:%S"
_NAMESPACE = uuid.UUID("5b3f8f2e-6c55-5d0e-8f5d-0a1e6f0c2b77")


def instance_view(state: DdsState, instance: Instance, now: float) -> schemas.Instance:
    """The instance at `now`: what is being done to it is in `actions`, a backup shows in its nodes too."""
    actions = state.operations(instance, now)
    policy = instance.policy
    return schemas.Instance(
        id=instance.id,
        name=instance.name,
        remark=instance.remark,
        status=instance.status,
        port="8635",
        mode=instance.mode,
        region=state.region.id,
        datastore=schemas.Datastore(version=instance.version, whole_version=f"{instance.version}.3.1"),
        engine="wiredTiger",
        created=text(instance.created, _TIME),
        updated=text(instance.created, _TIME),
        db_user_name="rwuser",
        ssl=1,
        vpc_id=VPC,
        subnet_id=SUBNET,
        security_group_id=SECURITY_GROUP,
        backup_strategy=schemas.BackupStrategy(
            start_time=policy.start_time if policy else "", keep_days=policy.keep_days if policy else 0
        ),
        pay_mode="0",
        maintenance_window="02:00-06:00",
        groups=list(_groups(state.region.id, instance, "backup" if "BACKUP" in actions else "normal")),
        disk_encryption_id="",
        enterprise_project_id=instance.enterprise_project_id,
        time_zone="",
        actions=list(actions),
        order_id=None,
        tags=[schemas.Tag(key=key, value=value) for key, value in instance.tags.items()],
    )


def _groups(region: str, instance: Instance, node_status: str) -> Iterator[schemas.Group]:
    replicas = ("Primary", "Secondary", "Hidden")
    if instance.mode == "Single":
        yield _group(region, instance, "single", "", ("Primary",), node_status)
    elif instance.mode == "ReplicaSet":
        yield _group(region, instance, "replica", "", replicas, node_status)
    else:
        yield _group(region, instance, "mongos", "", ("unknown", "unknown"), node_status)
        for number in (1, 2):
            yield _group(region, instance, "shard", f"shard_{number}", replicas, node_status)
        yield _group(region, instance, "config", "config", replicas, node_status)


def _group(
    region: str, instance: Instance, kind: str, name: str, roles: tuple[str, ...], node_status: str
) -> schemas.Group:
    volume = schemas.Volume(size=str(instance.volume_gb), used=f"{instance.data_kb / 1024**2:.3f}")
    return schemas.Group.model_validate(
        {
            "type": kind,
            "id": f"{_identity(instance, name)}gr02" if name else "",
            "name": name,
            "status": "normal" if name else "",
            "volume": None if kind == "mongos" else volume,
            "nodes": [
                schemas.Node(
                    id=f"{_identity(instance, f'{kind}{name}{number}')}no02",
                    name=f"{instance.name}_{name or kind}_node_{number}",
                    status=_node_status(instance, role, node_status),
                    role=role,
                    private_ip=f"192.168.{_identity_number(instance) % 250}.{10 + number}",
                    spec_code=f"dds.mongodb.c6.large.2.{kind}",
                    availability_zone=f"{region}{'abc'[number % 3]}",
                )
                for number, role in enumerate(roles, start=1)
            ],
        }
    )


def _node_status(instance: Instance, role: str, usual: str) -> str:
    return instance.hidden_node if role == "Hidden" and instance.hidden_node != "normal" else usual


def _identity(instance: Instance, part: str) -> str:
    return uuid.uuid5(_NAMESPACE, f"{instance.id}/{part}").hex


def _identity_number(instance: Instance) -> int:
    return uuid.uuid5(_NAMESPACE, instance.id).int
