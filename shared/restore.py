"""Plans an instance that is made from a backup: what its source is, unless the caller wants something else."""

from datetime import datetime

from shared.errors import UnrestorableError
from shared.model import Backup, Flavor, Instance, NewInstance, NodeGroup


_STEP = 10  # GB; a disk is a multiple of it
_ONE = {"config", "replica", "single"}


def plan_restore(
    source: Instance,
    name: str,
    *,
    backup: Backup | None = None,
    time: datetime | None = None,
    enterprise_project_id: str | None = None,
    vpc_id: str | None = None,
    subnet_id: str | None = None,
    security_group_id: str | None = None,
    availability_zone: str | None = None,
    spec_codes: dict[str, str] | None = None,
    password: str | None = None,
) -> NewInstance:
    """Return the request for a new instance with the data of `backup`, or of `source` at `time`.

    The new instance has the source's mode, version, specifications, disks with their encryption, network and
    availability zone. A text that is given replaces the source's. `spec_codes` replaces specifications by the kind of
    node (mongos, shard, config, replica, single).

    Raises:
        UnrestorableError: DDS does not tell enough of the source; names what is missing.
    """
    wanted = spec_codes or {}
    zones = [zone for group in source.groups for zone in group.availability_zones]
    new = NewInstance(
        name=name,
        backup_id=backup.id if backup else None,
        source_id=source.id,
        flavors=tuple(_flavors(source, wanted)),
        availability_zone=availability_zone or ",".join(dict.fromkeys(zones)),
        vpc_id=vpc_id or source.vpc_id,
        subnet_id=subnet_id or source.subnet_id,
        security_group_id=security_group_id or source.security_group_id,
        enterprise_project_id=enterprise_project_id or source.enterprise_project_id,
        has_tls=source.has_tls,
        restore_time=time,
        password=password,
        disk_encryption_id=source.disk_encryption_id,
    )
    required = ("availability_zone", "vpc_id", "subnet_id", "security_group_id")
    missing = [name for name in required if not getattr(new, name)]
    missing += [f"spec_code of {flavor.kind}" for flavor in new.flavors if not flavor.spec_code]
    missing += [] if new.flavors else ["groups of nodes"]
    if missing:
        raise UnrestorableError([f"DDS does not tell {text} of {source.name} ({source.id})" for text in missing])
    return new


def _flavors(source: Instance, wanted: dict[str, str]) -> list[Flavor]:
    """Return a flavor for each kind of node: DDS takes one for all shards, with the largest disk among them."""
    kinds: dict[str, list[NodeGroup]] = {}
    for group in source.groups:
        kinds.setdefault(group.kind, []).append(group)
    return [
        Flavor(
            kind=kind,
            number=1 if kind in _ONE else len(groups) if kind == "shard" else max(1, len(groups[0].hosts)),
            spec_code=wanted.get(kind) or groups[0].spec_code,
            size=_size(groups),
        )
        for kind, groups in kinds.items()
    ]


def _size(groups: list[NodeGroup]) -> int | None:
    sizes = [group.size for group in groups if group.size]
    return -(-max(sizes) // _STEP) * _STEP if sizes else None
