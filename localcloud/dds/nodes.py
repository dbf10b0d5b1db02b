"""The nodes that a new instance is asked to have: what of them is allowed (Creating a DB Instance, table 4).

Where the documents contradict each other on a number, the SDK's is taken.
"""

from collections.abc import Sequence

from localcloud.dds.errors import dds_error, parameter_error
from localcloud.dds.instance_schemas import NewFlavor
from localcloud.dds.specification import CONFIG_DISK_GB, NODE_TYPES, OFFERS, Flavor, Mode, NodeType


# Numbers of nodes of mongos, otherwise of groups. For a replica set, the number of its nodes is accepted as well.
_NUMBERS: dict[NodeType, Sequence[int]] = {
    "mongos": range(2, 17),
    "shard": range(2, 17),
    "config": (1,),
    "replica": (1, 3, 5, 7),
    "single": (1,),
}
_DISKS: dict[NodeType, range] = {
    "shard": range(10, 2001),
    "config": range(CONFIG_DISK_GB, CONFIG_DISK_GB + 1),
    "replica": range(10, 2001),
    "single": range(10, 1001),
}
_OFFERS = {offer.spec_code: offer for offer in OFFERS}


def check_flavors(given: Sequence[NewFlavor], mode: Mode) -> tuple[Flavor, ...]:
    """Return the nodes of a new, empty instance.

    Raises DBS.280327 for other node types than the mode's, 200053, 280239 or 280267 for a specification, 280123 for a
    number, 280241 for a storage type, 200306, 200302 or 280242 for a disk.
    """
    return _checked({one.type: (one, _disk(one, None)) for one in _each_once(given, mode)}, mode)


def check_restored(given: Sequence[NewFlavor], mode: Mode, disk_gb: int, shards: int | None) -> tuple[Flavor, ...]:
    """Return the nodes of an instance restored from one of `mode`, with disks of at least `disk_gb`.

    A disk that is left out is as large as the source's. The number of shards cannot change: it is left out, or that of
    the source, if that is known; this is not documented. Raises as `check_flavors`, and DBS.200306 for a smaller disk.
    """
    chosen: dict[str, tuple[NewFlavor, int]] = {}
    for one in _each_once(given, mode):
        smallest = {"mongos": 0, "config": CONFIG_DISK_GB}.get(one.type, disk_gb)
        disk = _disk(one, smallest)
        if disk < smallest:
            raise dds_error("DBS.200306")
        if one.type == "shard" and shards is not None and one.num not in (None, shards):
            raise dds_error("DBS.280123")
        if one.type == "replica" and one.num != 1:
            raise dds_error("DBS.280123")
        number = one.num or shards or 2 if one.type == "shard" else one.num
        chosen[one.type] = (one.model_copy(update={"num": number}), disk)
    return _checked(chosen, mode)


def _each_once(given: Sequence[NewFlavor], mode: Mode) -> Sequence[NewFlavor]:
    if sorted(one.type for one in given) != sorted(NODE_TYPES[mode]):
        raise dds_error("DBS.280327")
    return given


def _disk(given: NewFlavor, usual: int | None) -> int:
    """The disk in GB. That of mongos is ignored, as it has none."""
    if given.type == "mongos":
        return 0
    if given.size is None and usual is None:
        raise dds_error("DBS.200306")
    return usual or 0 if given.size is None else given.size


def _checked(chosen: dict[str, tuple[NewFlavor, int]], mode: Mode) -> tuple[Flavor, ...]:
    flavors = []
    series = set()
    for node_type in NODE_TYPES[mode]:
        given, disk = chosen[node_type]
        offer = _OFFERS.get(given.spec_code)
        if offer is None:
            raise dds_error("DBS.200053")
        if offer.node_type != node_type:
            raise dds_error("DBS.280267")
        series.add(offer.series)
        if given.num is None:
            raise parameter_error(f"flavor: num is required for {node_type}")
        if given.num not in _NUMBERS[node_type]:
            raise dds_error("DBS.280123")
        _check_disk(node_type, given.storage, disk)
        flavors.append(Flavor(node_type, given.num, disk, given.spec_code))
    if len(series) > 1:
        raise dds_error("DBS.280267")
    return tuple(flavors)


def _check_disk(node_type: NodeType, storage: str | None, disk: int) -> None:
    if node_type == "mongos":
        return
    if storage not in (None, "ULTRAHIGH"):
        raise dds_error("DBS.280241")
    if disk % 10:
        raise dds_error("DBS.200302")
    if disk not in _DISKS[node_type]:
        raise dds_error("DBS.280242")
