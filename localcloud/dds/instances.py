"""Instances as the API lists them, their tags, and the quotas (DDS API, DB Instance Management, Tag Management)."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from localcloud.clock import text
from localcloud.dds import schemas
from localcloud.dds.errors import dds_error, parameter_error
from localcloud.dds.model import Instance
from localcloud.dds.specification import Flavor, Mode, engine, zones
from localcloud.dds.state import DdsState


QUOTAS: tuple[tuple[Mode, int], ...] = (("Sharding", 10), ("ReplicaSet", 50), ("Single", 50))

MAX_TAGS = 20
# Letters, digits, hyphens, underscores and CJK characters. A value may also contain periods or be empty (Batch Tag
# Action).
TAG_KEY = re.compile(r"[A-Za-z0-9_\-\u4e00-\u9fff]{1,36}")
TAG_VALUE = re.compile(r"[A-Za-z0-9._\-\u4e00-\u9fff]{0,43}")

_TIME = "%Y-%m-%dT%H:%M:%S"
_NODE_STATUS = {"BACKUP": "backup", "RESTARTING": "reboot", "RESTORING": "restore"}
_REPLICAS = ("Primary", "Secondary", "Hidden")
_NAMESPACE = uuid.UUID("5b3f8f2e-6c55-5d0e-8f5d-0a1e6f0c2b77")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceQuery:
    """The query parameters of "Querying Instances and Details", as given."""

    id: str | None = None
    name: str | None = None
    mode: str | None = None
    datastore_type: str | None = None
    vpc_id: str | None = None
    subnet_id: str | None = None
    offset: int = 0
    limit: int = 100
    tags: str | None = None


def list_instances(state: DdsState, query: InstanceQuery) -> schemas.Instances:
    """List instances, newest first (Querying Instances and Details).

    Raises DBS.200001 for an invalid parameter.
    """
    if query.name == "*":
        raise parameter_error("name must not be * alone")
    tags = _parse_tags(query.tags)
    now = state.present()
    found = [
        instance
        for instance in state.instances
        if query.id in (None, instance.id)
        and query.mode in (None, instance.mode)
        and query.datastore_type in (None, "DDS-Community")
        and query.vpc_id in (None, instance.spec.vpc_id)
        and query.subnet_id in (None, instance.spec.subnet_id)
        and _named(instance, query.name)
        and tags.items() <= instance.tags.items()
    ]
    found.sort(key=lambda instance: instance.created, reverse=True)
    page = found[query.offset : query.offset + query.limit]
    return schemas.Instances(instances=[_view(state, instance, now) for instance in page], total_count=len(found))


def list_by_tags(state: DdsState, query: schemas.ListByTags) -> schemas.TaggedInstances:
    """List or count the instances that have every tag key with any of its values (Querying DB Instances by Tag)."""
    state.present()
    found = [
        instance
        for instance in state.instances
        if all(_matches(instance, match) for match in query.matches or [])
        and all(_has_tag(instance, condition) for condition in query.tags or [])
    ]
    found.sort(key=lambda instance: instance.created, reverse=True)
    if query.action == "count":
        return schemas.TaggedInstances(total_count=len(found))
    offset, limit = int(query.offset or 0), int(query.limit or 100)
    return schemas.TaggedInstances(
        instances=[
            schemas.TaggedInstance(
                instance_id=instance.id,
                instance_name=instance.name,
                tags=show_tags(instance),
            )
            for instance in found[offset : offset + limit]
        ],
        total_count=len(found),
    )


def show_tags(instance: Instance) -> list[schemas.Tag]:
    """The tags of an instance."""
    return [schemas.Tag(key=key, value=value) for key, value in instance.tags.items()]


def change_tags(state: DdsState, instance_id: str, action: str, tags: list[schemas.Tag]) -> None:
    """Create or replace tags, or delete them by key (Batch Tag Action).

    Raises DBS.280482 or 280483 for an invalid key or value, DBS.280484 for more than 20 tags.
    """
    state.present()
    instance = state.instance(instance_id)
    if action == "delete":
        # "The character set of the tags will not be checked", and tags that do not exist are ignored.
        deleted = {tag.key for tag in tags}
        kept = {key: value for key, value in instance.tags.items() if key not in deleted}
    else:
        kept = check_tags(instance.tags, tags)
    state.instances.put(replace(instance, tags=kept))


def check_tags(present: dict[str, str], new: list[schemas.Tag]) -> dict[str, str]:
    """Add tags to those that are present. Raises as `change_tags`."""
    for tag in new:
        if not TAG_KEY.fullmatch(tag.key):
            raise dds_error("DBS.280482")
        if not TAG_VALUE.fullmatch(tag.value):
            raise dds_error("DBS.280483")
    tags = present | {tag.key: tag.value for tag in new}
    if len(tags) > MAX_TAGS:
        raise dds_error("DBS.280484")
    return tags


def project_tags(state: DdsState) -> list[schemas.ProjectTag]:
    """The tag keys in use, each with all its values."""
    state.present()
    values: dict[str, set[str]] = {}
    for instance in state.instances:
        for key, value in instance.tags.items():
            values.setdefault(key, set()).add(value)
    return [schemas.ProjectTag(key=key, values=sorted(values[key])) for key in sorted(values)]


def quotas(state: DdsState) -> schemas.Quotas:
    """The quota and the number of instances of each mode (Querying Quotas)."""
    state.present()
    used = [instance.mode for instance in state.instances]
    return schemas.Quotas(
        quotas=schemas.QuotaList(
            resources=[schemas.Quota(mode=mode, quota=quota, used=used.count(mode)) for mode, quota in QUOTAS]
        )
    )


def _named(instance: Instance, name: str | None) -> bool:
    if name is None:
        return True
    return name[1:] in instance.name if name.startswith("*") else name == instance.name


def _parse_tags(given: str | None) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in given.split(",")] if given else []
    tags = {key: value for key, _, value in pairs}
    if len(pairs) > MAX_TAGS or len(tags) < len(pairs) or not all(key and eq for key, eq, _ in pairs):
        raise parameter_error("tags must be up to 20 key=value pairs separated by commas, each key once")
    return tags


def _matches(instance: Instance, match: schemas.Match) -> bool:
    if match.key == "instance_id":
        return match.value == instance.id
    return match.value in instance.name


def _has_tag(instance: Instance, condition: schemas.TagCondition) -> bool:
    value = instance.tags.get(condition.key)
    return value is not None and (not condition.values or value in condition.values)


def groups_of(state: DdsState, instance: Instance, now: float) -> list[schemas.Group]:
    """The groups of nodes of an instance. What an instance does shows in the status of its nodes."""
    actions = state.operations(instance, now)
    status = next((_NODE_STATUS[action] for action in actions if action in _NODE_STATUS), "normal")
    address = state.address(instance)
    return [_reachable(group, address) for group in _groups(state.region.id, instance, status)]


def _view(state: DdsState, instance: Instance, now: float) -> schemas.Instance:
    actions = state.operations(instance, now)
    policy = instance.policy
    address = state.address(instance)
    return schemas.Instance(
        id=instance.id,
        name=instance.name,
        remark=instance.remark,
        status=instance.status,
        port=str(address[1] if address else instance.spec.port),
        mode=instance.mode,
        region=state.region.id,
        datastore=schemas.Datastore(version=instance.version, whole_version=f"{instance.version}.3.1"),
        engine=engine(instance.version),
        created=text(instance.created, _TIME),
        updated=text(instance.created, _TIME),
        db_user_name="rwuser",
        ssl=int(instance.ssl),
        vpc_id=instance.spec.vpc_id,
        subnet_id=instance.spec.subnet_id,
        security_group_id=instance.spec.security_group_id,
        backup_strategy=schemas.BackupStrategy(
            start_time=policy.start_time if policy else "", keep_days=policy.keep_days if policy else 0
        ),
        pay_mode=instance.spec.pay_mode,
        maintenance_window="02:00-06:00",
        groups=groups_of(state, instance, now),
        disk_encryption_id=instance.spec.disk_encryption_id,
        enterprise_project_id=instance.enterprise_project_id,
        time_zone="",
        actions=list(actions),
        order_id=instance.spec.order_id,
        tags=show_tags(instance),
    )


def _groups(region: str, instance: Instance, node_status: str) -> Iterator[schemas.Group]:
    for flavor in instance.spec.flavors:
        if flavor.type == "mongos":
            yield _group(region, instance, flavor, "", ("master",) * flavor.num, node_status)
        elif flavor.type == "shard":
            for number in range(1, flavor.num + 1):
                yield _group(region, instance, flavor, f"shard_{number}", _REPLICAS, node_status)
        elif flavor.type == "config":
            yield _group(region, instance, flavor, "config", _REPLICAS, node_status)
        else:
            yield _group(region, instance, flavor, "", _roles(flavor), node_status)


def _roles(flavor: Flavor) -> tuple[str, ...]:
    """The single node, or a replica set: of three nodes, or of five or seven if that many were asked for."""
    if flavor.type == "single":
        return ("Primary",)
    return ("Primary", *["Secondary"] * (max(3, flavor.num) - 2), "Hidden")


def _group(
    region: str, instance: Instance, flavor: Flavor, name: str, roles: tuple[str, ...], node_status: str
) -> schemas.Group:
    kind = flavor.type
    volume = schemas.Volume(size=str(flavor.disk_gb), used=f"{instance.data_kb / 1024**2:.3f}")
    chosen = instance.spec.availability_zone.split(",") if instance.spec.availability_zone else zones(region)
    return schemas.Group(
        type=kind,
        id=f"{_identity(instance, name).hex}gr02" if name else "",
        name=name,
        status="normal" if name else "",
        volume=None if kind == "mongos" else volume,
        nodes=[
            schemas.Node(
                id=f"{_identity(instance, f'{kind}{name}{number}').hex}no02",
                name=f"{instance.name}_{name or kind}_node_{number}",
                status=_node_status(instance, role, node_status),
                role=role,
                private_ip=f"192.168.{_identity(instance).int % 250}.{10 + number}",
                spec_code=flavor.spec_code,
                availability_zone=chosen[number % len(chosen)],
            )
            for number, role in enumerate(roles, start=1)
        ],
    )


def _reachable(group: schemas.Group, address: tuple[str, int] | None) -> schemas.Group:
    """The group with the address at which a client of this machine reaches its nodes, if it does."""
    if address is None:
        return group
    nodes = [node.model_copy(update={"private_ip": address[0]}) for node in group.nodes]
    return group.model_copy(update={"nodes": nodes})


def _node_status(instance: Instance, role: str, usual: str) -> str:
    return instance.hidden_node if role == "Hidden" and instance.hidden_node != "normal" else usual


def _identity(instance: Instance, part: str | None = None) -> uuid.UUID:
    return _derived(instance.id if part is None else f"{instance.id}/{part}")


@lru_cache(maxsize=5000)  # lists show the same nodes again and again
def _derived(name: str) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, name)
