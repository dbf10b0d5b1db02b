"""Planning a new instance from a backup."""

from dataclasses import replace

import pytest

from shared.errors import UnrestorableError
from shared.model import Backup, Flavor, Instance, NodeGroup
from shared.restore import plan_restore


ZONES = ("cn-north-4a", "cn-north-4b")
REPLICA_SET = Instance(
    "a",
    "customers",
    mode="ReplicaSet",
    enterprise_project_id="0",
    has_tls=True,
    vpc_id="vpc",
    subnet_id="subnet",
    security_group_id="group",
    groups=(NodeGroup("replica", "dds.c6.large.2.repset", 20, 1.5, ("10.0.0.1", "10.0.0.2"), ZONES),),
)
CLUSTER = replace(
    REPLICA_SET,
    mode="Sharding",
    groups=(
        NodeGroup("mongos", "m", None, None, ("10.0.0.1", "10.0.0.2", "10.0.0.3"), ZONES),
        NodeGroup("shard", "s", 10, 1.0, ("10.0.0.4",), ZONES),
        NodeGroup("shard", "s", 30, 1.0, ("10.0.0.5",), ZONES),
        NodeGroup("config", "c", 20, 1.0, ("10.0.0.6",), ZONES),
    ),
)
BACKUP = Backup("backup", "nightly", "a", "COMPLETED", None)


def test_a_copy_is_what_its_source_is() -> None:
    """Network, zone, specification, disk and TLS are the source's."""
    new = plan_restore(REPLICA_SET, "copy", backup=BACKUP)

    assert new.flavors == (Flavor("replica", 1, "dds.c6.large.2.repset", 20),)
    assert (new.backup_id, new.name, new.has_tls) == ("backup", "copy", True)
    assert (new.vpc_id, new.subnet_id, new.security_group_id) == ("vpc", "subnet", "group")
    assert (new.availability_zone, new.enterprise_project_id) == ("cn-north-4a,cn-north-4b", "0")


def test_an_encrypted_disk_stays_encrypted() -> None:
    """By the same key."""
    assert (
        plan_restore(replace(REPLICA_SET, disk_encryption_id="key"), "copy", backup=BACKUP).disk_encryption_id == "key"
    )


def test_a_cluster_has_one_flavor_for_all_shards() -> None:
    """The number of shards counts groups, and the largest disk decides."""
    assert plan_restore(CLUSTER, "copy", backup=BACKUP).flavors == (
        Flavor("mongos", 3, "m", None),
        Flavor("shard", 2, "s", 30),
        Flavor("config", 1, "c", 20),
    )


def test_what_is_given_replaces_the_source() -> None:
    """A drill runs in a project and subnet of its own, with smaller nodes."""
    new = plan_restore(
        REPLICA_SET,
        "copy",
        backup=BACKUP,
        enterprise_project_id="drills",
        subnet_id="x",
        spec_codes={"replica": "tiny"},
    )

    assert (new.enterprise_project_id, new.subnet_id, new.flavors[0].spec_code) == ("drills", "x", "tiny")


def test_a_disk_is_rounded_up_to_tens() -> None:
    """DDS takes multiples of 10 GB, and none below the source's."""
    odd = replace(REPLICA_SET, groups=(replace(REPLICA_SET.groups[0], size=21),))

    assert plan_restore(odd, "copy", backup=BACKUP).flavors[0].size == 30


def test_a_source_that_is_not_fully_known_is_refused() -> None:
    """All that is missing is named at once."""
    bare = replace(REPLICA_SET, subnet_id="", groups=())

    with pytest.raises(UnrestorableError) as caught:
        plan_restore(bare, "copy", backup=BACKUP)

    missing = " ".join(caught.value.errors)
    assert all(word in missing for word in ("availability_zone", "subnet_id", "groups of nodes"))
