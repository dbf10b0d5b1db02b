"""The instance list, tags, quotas."""

from typing import Any

import httpx
import pytest
from huaweicloudsdkdds.v3 import (
    BatchOperateInstanceTagRequestBody,
    BatchTagActionRequest,
    ListInstancesByTagsRequest,
    ListInstancesByTagsRequestBody,
    ListInstancesRequest,
    ListInstanceTagsRequest,
    ListProjectTagsRequest,
    QueryMatchItem,
    QueryTagItem,
    ShowQuotasRequest,
    TagItem,
)

from localcloud import LocalCloud
from tests.localcloud.sdk import rejection


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
UNKNOWN = "0" * 32 + "in02"


def names(dds: Any, **query: Any) -> list[str]:
    """The names of the listed instances."""
    return [instance.name for instance in dds.list_instances(ListInstancesRequest(**query)).instances]


def test_every_instance_of_the_seed_is_listed(cloud: LocalCloud, dds: Any) -> None:
    """Instances of all modes and states are listed newest first. Those of the connection are normal and idle."""
    found = dds.list_instances(ListInstancesRequest())
    created = [instance.created for instance in found.instances]
    idle = {one.id for one in found.instances if one.status == "normal" and not one.actions}

    assert found.total_count == len(found.instances) == 15
    assert created == sorted(created, reverse=True)
    assert {one.mode for one in found.instances} == {"Sharding", "ReplicaSet", "Single"}
    assert {one.status for one in found.instances} == {
        "normal",
        "abnormal",
        "creating",
        "createfail",
        "enlargefail",
        "frozen",
        "data_disk_full",
    }
    assert set(cloud.connection()["instance_ids"]) <= idle
    assert cloud.connection()["instance_ids"][0] == ORDERS


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"id": ORDERS}, ["orders-cluster"]),
        ({"id": UNKNOWN}, []),
        ({"name": "orders-cluster"}, ["orders-cluster"]),
        ({"name": "orders"}, []),
        ({"name": "*cluster"}, ["metrics-cluster", "orders-cluster"]),
        ({"mode": "Single"}, ["scratch", "unpaid"]),
        ({"datastore_type": "DDS-Community", "mode": "Single"}, ["scratch", "unpaid"]),
        ({"datastore_type": "DDS-Other"}, []),
        ({"vpc_id": "674e9b42-cd8d-4d25-a2e6-5abcc565b961", "mode": "Single"}, ["scratch", "unpaid"]),
        ({"vpc_id": "another"}, []),
        ({"subnet_id": "another"}, []),
        ({"tags": "env=production,team=orders"}, ["orders-cluster"]),
        ({"tags": "env=staging"}, ["sessions"]),
        ({"tags": "env="}, []),
        ({"mode": "Single", "limit": 1}, ["scratch"]),
        ({"mode": "Single", "offset": 1}, ["unpaid"]),
    ],
)
def test_filters(dds: Any, query: dict[str, Any], expected: list[str]) -> None:
    """Each filter selects the matching instances. All tags must match."""
    assert names(dds, **query) == expected


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"name": "*"}, "DBS.200001"),
        ({"mode": "Cluster"}, "DBS.280342"),
        ({"limit": 101}, "DBS.280439"),
        ({"offset": -1}, "DBS.280440"),
        ({"tags": "env"}, "DBS.200001"),
        ({"tags": "=x"}, "DBS.200001"),
        ({"tags": "a=1,a=2"}, "DBS.200001"),
        ({"tags": ",".join(f"k{number}=v" for number in range(21))}, "DBS.200001"),
    ],
)
def test_wrong_parameters(http: httpx.Client, project: str, query: dict[str, Any], code: str) -> None:
    """An invalid parameter is rejected with its documented code."""
    response = http.get(f"{project}/instances", params=query)

    assert (response.status_code, response.json()["error_code"]) == (400, code)


def test_an_instance_in_full(dds: Any) -> None:
    """Groups and nodes depend on the mode. Ids, sizes and times have the documented forms."""
    [cluster] = dds.list_instances(ListInstancesRequest(id=ORDERS)).instances
    [replica_set] = dds.list_instances(ListInstancesRequest(name="customers")).instances
    [single] = dds.list_instances(ListInstancesRequest(name="scratch")).instances

    assert [group.type for group in cluster.groups] == ["mongos", "shard", "shard", "config"]
    assert [node.role for node in replica_set.groups[0].nodes] == ["Primary", "Secondary", "Hidden"]
    assert [(group.type, len(group.nodes)) for group in single.groups] == [("single", 1)]
    assert cluster.groups[1].id.endswith("gr02")
    assert cluster.groups[1].nodes[0].id.endswith("no02")
    assert len({node.id for group in cluster.groups for node in group.nodes}) == 11
    assert (cluster.groups[1].volume.size, cluster.groups[1].volume.used) == ("80", "4.000")
    assert (cluster.datastore.type, cluster.datastore.version, cluster.engine) == (
        "DDS-Community",
        "4.4",
        "rocksDB",
    )
    assert cluster.backup_strategy.keep_days == 7
    assert {tag.key: tag.value for tag in cluster.tags} == {"env": "production", "backup": "nightly", "team": "orders"}


def test_an_abnormal_hidden_node(dds: Any) -> None:
    """An instance with an abnormal hidden node is normal itself."""
    [geo] = dds.list_instances(ListInstancesRequest(name="geo")).instances

    assert geo.status == "normal"
    assert [node.status for node in geo.groups[0].nodes] == ["normal", "normal", "abnormal"]


def test_actions_end(cloud: LocalCloud, dds: Any) -> None:
    """An instance is busy until busy_for is over."""
    cloud.change_instance(ORDERS, actions=["RESTARTING"], busy_for=30)
    assert dds.list_instances(ListInstancesRequest(id=ORDERS)).instances[0].actions == ["RESTARTING"]
    cloud.advance(30)
    assert dds.list_instances(ListInstancesRequest(id=ORDERS)).instances[0].actions == []


def by_tags(dds: Any, **body: Any) -> Any:
    """Query instances by tag."""
    return dds.list_instances_by_tags(ListInstancesByTagsRequest(body=ListInstancesByTagsRequestBody(**body)))


@pytest.mark.parametrize(
    ("tags", "matches", "expected"),
    [
        ({"env": ["staging", "development"]}, {}, ["scratch", "sessions"]),
        ({"env": ["production"], "team": ["crm", "shop"]}, {}, ["catalogue", "customers"]),
        ({"team": []}, {"instance_name": "orders"}, ["orders-cluster"]),
        ({}, {"instance_id": ORDERS}, ["orders-cluster"]),
        ({"env": ["nowhere"]}, {}, []),
    ],
)
def test_by_tags(dds: Any, tags: dict[str, list[str]], matches: dict[str, str], expected: list[str]) -> None:
    """An instance must have every key with any of its values. A key without values matches any value."""
    conditions = [QueryTagItem(key=key, values=values) for key, values in tags.items()]
    found = by_tags(
        dds,
        action="filter",
        tags=conditions,
        matches=[QueryMatchItem(key=key, value=value) for key, value in matches.items()],
    )
    counted = by_tags(dds, action="count", tags=conditions)

    assert [instance.instance_name for instance in found.instances] == expected
    assert found.total_count == len(expected)
    assert counted.instances is None
    assert counted.total_count >= len(expected)


def test_by_tags_in_pages(dds: Any) -> None:
    """The strings offset and limit select a page."""
    page = by_tags(dds, action="filter", offset="1", limit="1", tags=[QueryTagItem(key="env", values=["production"])])

    assert (len(page.instances), page.total_count) == (1, 5)
    assert {tag.key for tag in page.instances[0].tags} >= {"env"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"action": "find"}, "DBS.200001"),
        ({"action": "filter", "limit": "0"}, "DBS.280439"),
        ({"action": "filter", "limit": "101"}, "DBS.280439"),
        ({"action": "filter", "offset": "-1"}, "DBS.280440"),
        ({"action": "filter", "tags": [{"key": "a" * 37, "values": []}]}, "DBS.200001"),
    ],
)
def test_wrong_queries_by_tag(http: httpx.Client, project: str, body: dict[str, Any], code: str) -> None:
    """Invalid actions, pages and keys are rejected."""
    response = http.post(f"{project}/instances/action", json=body)

    assert (response.status_code, response.json()["error_code"]) == (400, code)


def tag(action: str, *tags: tuple[str, str], instance_id: str = ORDERS) -> Any:
    """The SDK's request to change tags."""
    items = [TagItem(key=key, value=value) for key, value in tags]
    return BatchTagActionRequest(
        instance_id=instance_id, body=BatchOperateInstanceTagRequestBody(action=action, tags=items)
    )


def test_tags_come_and_go(dds: Any) -> None:
    """Tags are created, replaced and deleted by key, and listed for the whole project."""
    dds.batch_tag_action(tag("create", ("owner", "dba"), ("env", "test")))
    dds.batch_tag_action(tag("delete", ("team", "")))

    mine = dds.list_instance_tags(ListInstanceTagsRequest(instance_id=ORDERS)).tags
    every = {item.key: item.values for item in dds.list_project_tags(ListProjectTagsRequest()).tags}

    assert {item.key: item.value for item in mine} == {"env": "test", "backup": "nightly", "owner": "dba"}
    assert every["env"] == ["development", "production", "staging", "test"]
    assert every["owner"] == ["dba"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (tag("create", ("a b", "x")), "DBS.280482"),
        (tag("create", ("a" * 37, "x")), "DBS.280482"),
        (tag("create", ("a", "x" * 44)), "DBS.280483"),
        (tag("create", *((f"k{number}", "v") for number in range(19))), "DBS.280484"),
        (tag("create", *((f"k{number}", "v") for number in range(21))), "DBS.200001"),
        (tag("rename", ("a", "x")), "DBS.200001"),
        (tag("create", ("a", "x"), instance_id=UNKNOWN), "DBS.200002"),
    ],
)
def test_wrong_tags(dds: Any, request_: Any, code: str) -> None:
    """Invalid keys and values and too many tags are rejected."""
    assert rejection(dds.batch_tag_action, request_)[1] == code


def test_quotas(dds: Any) -> None:
    """Each mode has a quota and the number of its instances."""
    resources = dds.show_quotas(ShowQuotasRequest()).quotas.resources

    assert {(one.mode, one.quota, one.used) for one in resources} == {
        ("Sharding", 10, 4),
        ("ReplicaSet", 50, 9),
        ("Single", 50, 2),
    }
