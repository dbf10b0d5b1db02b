"""What an instance consists of: its network, nodes, disks, price. And the node specifications that are on offer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


Mode = Literal["Sharding", "ReplicaSet", "Single"]
NodeType = Literal["mongos", "shard", "config", "replica", "single"]

# The network of the instances of the seed.
VPC = "674e9b42-cd8d-4d25-a2e6-5abcc565b961"
SUBNET = "f1df08c5-71d1-406a-aff0-de435a51007b"
SECURITY_GROUP = "7aa51dbf-5b63-40db-9724-dad3c4828b58"

VERSIONS = ("3.4", "4.0", "4.2", "4.4", "5.0")
NODE_TYPES: dict[Mode, tuple[NodeType, ...]] = {
    "Sharding": ("mongos", "shard", "config"),
    "ReplicaSet": ("replica",),
    "Single": ("single",),
}
PORT = 8635
# "The config storage space is 20 GB" (Creating a DB Instance).
CONFIG_DISK_GB = 20

_SERIES = ("s6", "c6")
# Size, vCPUs, GB of memory. Config nodes come in one size.
_SIZES = (
    ("medium.4", 1, 4),
    ("large.2", 2, 4),
    ("large.4", 2, 8),
    ("xlarge.2", 4, 8),
    ("xlarge.4", 4, 16),
    ("2xlarge.4", 8, 32),
    ("4xlarge.4", 16, 64),
)
_CONFIG_SIZE = "large.2"


@dataclass(frozen=True, slots=True)
class Flavor:
    """Nodes of one type. `num` counts nodes of mongos and groups of nodes otherwise; mongos has no disk (0 GB)."""

    type: NodeType
    num: int
    disk_gb: int
    spec_code: str


@dataclass(frozen=True, slots=True)
class Specification:
    """What was asked for at creation.

    Without an availability zone the nodes are spread over all zones. `pay_mode` is "1" for an instance that is billed
    yearly or monthly, which cannot be deleted, otherwise "0".
    """

    flavors: tuple[Flavor, ...] = ()
    vpc_id: str = VPC
    subnet_id: str = SUBNET
    security_group_id: str = SECURITY_GROUP
    availability_zone: str = ""
    port: int = PORT
    pay_mode: str = "0"
    order_id: str | None = None
    disk_encryption_id: str = ""

    def flavor(self, node_type: NodeType) -> Flavor | None:
        """The nodes of a type, or None if there are none."""
        return next((flavor for flavor in self.flavors if flavor.type == node_type), None)

    @property
    def disk_gb(self) -> int:
        """The disk of each group that holds data."""
        return max((one.disk_gb for one in self.flavors if one.type in {"shard", "replica", "single"}), default=0)


@dataclass(frozen=True, slots=True)
class Offer:
    """A specification on offer: vCPUs, and GB of memory."""

    node_type: NodeType
    spec_code: str
    vcpus: int
    ram: int

    @property
    def series(self) -> str:
        """General-purpose (s6) or enhanced II (c6). All nodes of an instance are of one series."""
        return self.spec_code.split(".")[2]


def spec_code(size: str, node_type: NodeType) -> str:
    """The code of a specification such as c6.large.2 for nodes of a type."""
    return f"dds.mongodb.{size}.{'repset' if node_type == 'replica' else node_type}"


def usual_flavors(mode: Mode, disk_gb: int) -> tuple[Flavor, ...]:
    """The nodes of an instance of the seed: two mongos and two shards, or one group."""
    numbers = {"mongos": 2, "shard": 2}
    disks = {"mongos": 0, "config": CONFIG_DISK_GB}
    return tuple(
        Flavor(one, numbers.get(one, 1), disks.get(one, disk_gb), spec_code(f"c6.{_CONFIG_SIZE}", one))
        for one in NODE_TYPES[mode]
    )


def engine(version: str) -> str:
    """The storage engine of a version (Creating a DB Instance, table 3)."""
    return "wiredTiger" if version in {"3.4", "4.0"} else "rocksDB"


def zones(region: str) -> tuple[str, ...]:
    """The availability zones of a region."""
    return tuple(f"{region}{letter}" for letter in "abc")


def _offers() -> Iterator[Offer]:
    types: tuple[NodeType, ...] = ("mongos", "shard", "config", "replica", "single")
    for node_type in types:
        for series in _SERIES:
            for size, vcpus, ram in _SIZES:
                if node_type != "config" or size == _CONFIG_SIZE:
                    yield Offer(node_type, spec_code(f"{series}.{size}", node_type), vcpus, ram)


OFFERS = tuple(_offers())
