"""Listing instances, by their properties or by tag, and quotas (DDS API, DB Instance Management)."""

from dataclasses import dataclass

from localcloud.dds import instance_schemas as schemas
from localcloud.dds.errors import parameter_error
from localcloud.dds.facts import Instance, Mode
from localcloud.dds.instance_view import SUBNET, VPC, instance_view
from localcloud.dds.state import DdsState


QUOTAS: tuple[tuple[Mode, int], ...] = (("Sharding", 10), ("ReplicaSet", 50), ("Single", 50))
MAX_TAGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceQuery:
    """The query parameters as they came."""

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
    """The page of instances that the query asks for, the newest first (Querying Instances and Details).

    Raises DBS.200001 for a parameter that is not as documented.
    """
    if query.name == "*":
        raise parameter_error("name: * alone is reserved")
    tags = _tags(query.tags)
    now = state.present()
    found = [
        instance
        for instance in state.instances
        if query.id in (None, instance.id)
        and query.mode in (None, instance.mode)
        and query.datastore_type in (None, "DDS-Community")
        and query.vpc_id in (None, VPC)
        and query.subnet_id in (None, SUBNET)
        and _named(instance, query.name)
        and tags.items() <= instance.tags.items()
    ]
    found.sort(key=lambda instance: instance.created, reverse=True)
    page = found[query.offset : query.offset + query.limit]
    return schemas.Instances(
        instances=[instance_view(state, instance, now) for instance in page], total_count=len(found)
    )


def list_by_tags(state: DdsState, query: schemas.ListByTags) -> schemas.TaggedInstances:
    """The instances that match: every key, any of its values (Querying DB Instances by Tag)."""
    found = [
        instance
        for instance in state.instances
        if all(_matches(instance, match) for match in query.matches or [])
        and all(
            condition.key in instance.tags
            and (not condition.values or instance.tags[condition.key] in condition.values)
            for condition in query.tags or []
        )
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
                tags=[schemas.Tag(key=key, value=value) for key, value in instance.tags.items()],
            )
            for instance in found[offset : offset + limit]
        ],
        total_count=len(found),
    )


def quotas(state: DdsState) -> schemas.Quotas:
    """How many instances of each mode there may be and are (Querying Quotas)."""
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


def _matches(instance: Instance, match: schemas.Match) -> bool:
    if match.key == "instance_id":
        return match.value == instance.id
    return match.value in instance.name


def _tags(text: str | None) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",")] if text else []
    tags = {key: value for key, _, value in pairs}
    if len(pairs) > MAX_TAGS or len(tags) < len(pairs) or not all(key and eq for key, eq, _ in pairs):
        raise parameter_error("tags is key=value pairs between commas, at most 20, no key twice")
    return tags
