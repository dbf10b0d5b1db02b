"""With ``enforce_policies``: who may create, restore, operate and delete which instance."""

import json
from typing import Any

import httpx
import huaweicloudsdkdds.v3 as dds_sdk
import pytest
from huaweicloudsdkdds.v3 import DdsClient
from hypothesis import given
from hypothesis import strategies as st

from localcloud import LocalCloud
from localcloud.auth.authorization import Action, Target, action_of, is_allowed, resources_of
from tests.localcloud.iam_sdk import (
    attach,
    grant,
    identity_document,
    make_agency,
    make_identity_policy,
    make_policy,
    temporary_key,
)
from tests.localcloud.instances_sdk import CUSTOMERS, KEPT, created, creation, delete, password, restart, restore
from tests.localcloud.sdk import build, rejection
from tests.localcloud.test_every_call import offered


DRILLS = "11111111-2222-4333-8444-555555555555"
OTHERS = "22222222-2222-4333-8444-555555555555"
DENIED = (403, "DBS.280032")
NETWORK = ("vpc:vpcs:list", "vpc:vpcs:get", "vpc:subnets:get", "vpc:securityGroups:get", "vpc:ports:get")
DELETE = Action("dds:instance:deleteInstance", "dds:instance:delete", on_instances=True)
pytestmark = pytest.mark.filterwarnings("ignore:Unable to convert string to datetime")  # the SDK of IAM's new edition


@pytest.fixture
def agency(cloud: LocalCloud, iam: Any) -> str:
    """The id of an agency without policies, in a cloud that enforces policies."""
    cloud.switch(enforce_policies=True)
    return make_agency(iam)


@pytest.fixture
def as_agency(cloud: LocalCloud, agency: str, iam: Any) -> Any:
    """An SDK client with a temporary key of the agency."""
    key = temporary_key(iam, seconds=86_400)
    return build(DdsClient, cloud, access_key=key.access, secret_key=key.secret, security_token=key.securitytoken)


def in_project(*actions: str, effect: str = "Allow", operator: str = "StringEquals", project: str = DRILLS) -> str:
    """An identity policy on the instances of an enterprise project."""
    condition = {operator: {"g:EnterpriseProjectId": [project]}}
    statement = {"Effect": effect, "Action": [*actions], "Resource": ["*"], "Condition": condition}
    return json.dumps({"Version": "5.0", "Statement": [statement]})


def set_tag(instance_id: str) -> Any:
    """The SDK's request to tag an instance."""
    tags = [dds_sdk.TagItem(key="a", value="b")]
    body = dds_sdk.BatchOperateInstanceTagRequestBody(action="create", tags=tags)
    return dds_sdk.BatchTagActionRequest(instance_id=instance_id, body=body)


def rename(instance_id: str) -> Any:
    """The SDK's request to rename an instance."""
    body = dds_sdk.UpdateNameRequestBody(new_instance_name="renamed")
    return dds_sdk.UpdateInstanceNameRequest(instance_id=instance_id, body=body)


def test_an_agency_reaches_the_instances_of_its_enterprise_project(
    cloud: LocalCloud, dds: Any, as_agency: Any, agency: str, iam5: Any
) -> None:
    """What the policy allows in one enterprise project is refused in every other one, production's included."""
    mine = created(cloud, dds, name="mine", enterprise_project_id=DRILLS)
    others = created(cloud, dds, name="others", enterprise_project_id=OTHERS)
    actions = ("delete", "restart", "resetPasswd", "setTag", "updateName")
    policy = in_project(*(f"dds:instance:{action}" for action in actions))
    attach(iam5, agency, make_identity_policy(iam5, policy))
    calls = [
        lambda one: as_agency.batch_tag_action(set_tag(one)),
        lambda one: as_agency.update_instance_name(rename(one)),
        lambda one: as_agency.reset_password(password(one)),
        lambda one: restart(as_agency, one),
        lambda one: delete(as_agency, one),
    ]
    before = cloud.state()["instances"]

    for instance_id in (others, CUSTOMERS, "0" * 32 + "in02"):
        for call in calls:
            assert rejection(call, instance_id) == DENIED
    assert cloud.state()["instances"] == before
    for call in calls:
        call(mine)
        cloud.advance(300)
    assert mine not in {one["id"] for one in cloud.state()["instances"]}


def test_creating_has_no_enterprise_project(as_agency: Any, agency: str, iam5: Any) -> None:
    """The key is not documented for creating or restoring an instance, so no condition on it allows that."""
    policy = in_project("dds:instance:create")
    attach(iam5, agency, make_identity_policy(iam5, policy))

    assert rejection(as_agency.create_instance, creation(enterprise_project_id=DRILLS)) == DENIED
    assert rejection(as_agency.restore_new_instance, restore(enterprise_project_id=DRILLS)) == DENIED
    attach(iam5, agency, make_identity_policy(iam5, identity_document("dds:instance:create"), name="create"))
    assert as_agency.restore_new_instance(restore(enterprise_project_id=DRILLS)).id


def test_a_custom_policy_needs_the_network_too(cloud: LocalCloud, as_agency: Any, agency: str, iam: Any) -> None:
    """With a custom policy, creating an instance depends on five actions of the VPC."""
    grant(iam, cloud, agency, make_policy(iam, "dds:instance:create"))
    assert rejection(as_agency.restore_new_instance, restore()) == DENIED
    grant(iam, cloud, agency, make_policy(iam, *NETWORK, name="network"))
    assert as_agency.restore_new_instance(restore()).id


def test_restoring_over_an_instance_needs_its_own_action(
    cloud: LocalCloud, as_agency: Any, agency: str, iam: Any, iam5: Any
) -> None:
    """Whoever may restore to a new instance may not restore over one that exists."""
    grant(iam, cloud, agency, make_policy(iam, "dds:instance:*", "vpc:*:*"))
    source = dds_sdk.Source(instance_id=CUSTOMERS, backup_id=KEPT)
    body = dds_sdk.RestoreInstanceRequestBody(source=source, target=dds_sdk.Target(instance_id=CUSTOMERS))
    request = dds_sdk.RestoreInstanceRequest(body=body)

    assert rejection(as_agency.restore_instance, request) == DENIED
    attach(iam5, agency, make_identity_policy(iam5, identity_document("dds:instance:restore")))
    assert as_agency.restore_instance(request).job_id


@pytest.mark.parametrize(
    ("document", "project", "allowed"),
    [
        (in_project("dds:instance:delete"), DRILLS, True),
        (in_project("dds:instance:delete"), OTHERS, False),
        (in_project("dds:instance:delete"), None, False),
        (in_project("dds:instance:deleteInstance"), DRILLS, True),
        (in_project("dds:instance:delete", operator="StringNotEquals"), OTHERS, True),
        (in_project("dds:instance:delete", operator="StringNotEquals"), DRILLS, False),
        (in_project("dds:instance:delete", operator="StringNotEquals"), None, False),
        (in_project("dds:instance:delete", operator="StringMatch", project="1111*"), DRILLS, True),
        (in_project("dds:instance:delete", operator="StringMatch", project="1111*"), OTHERS, False),
        (in_project("dds:instance:delete", operator="StringMatch", project="1111*"), None, False),
    ],
)
def test_conditions(document: str, project: str | None, allowed: bool) -> None:
    """A condition compares the enterprise project of the instance. Without one, it lets nothing be allowed."""
    assert is_allowed(DELETE, [json.loads(document)], Target(enterprise_project_id=project)) is allowed


@pytest.mark.parametrize(
    ("operator", "project", "allowed"),
    [
        ("StringEquals", DRILLS, False),
        ("StringEquals", OTHERS, True),
        ("StringNotEquals", DRILLS, True),
        ("StringNotEquals", OTHERS, False),
        ("StringNotEquals", None, False),
    ],
)
def test_denials_with_conditions(operator: str, project: str | None, allowed: bool) -> None:
    """A Deny applies where its condition holds; "not equal" also holds for a call that is about no instance."""
    deny = json.loads(in_project("dds:*:*", effect="Deny", operator=operator))
    allow = json.loads(identity_document("dds:instance:delete"))

    assert is_allowed(DELETE, [allow, deny], Target(enterprise_project_id=project)) is allowed


PROJECTS = st.sampled_from([DRILLS, OTHERS, "0"])


@given(named=st.sets(PROJECTS, min_size=1), project=PROJECTS)
def test_equal_and_not_equal_are_opposites(named: set[str], project: str) -> None:
    """For an instance, a policy for some enterprise projects and one for all others never both allow a call."""
    results = []
    for operator in ("StringEquals", "StringNotEquals"):
        document = json.loads(in_project("dds:instance:delete", operator=operator))
        document["Statement"][0]["Condition"][operator] = {"g:EnterpriseProjectId": sorted(named)}
        results.append(is_allowed(DELETE, [document], Target(enterprise_project_id=project)))

    assert results == [project in named, project not in named]


def test_a_policy_can_name_an_instance(as_agency: Any, agency: str, iam5: Any) -> None:
    """The resource of an instance is its id."""
    statement = {
        "Effect": "Allow",
        "Action": ["dds:instance:restart"],
        "Resource": [f"dds:cn-north-4:*:instance:{CUSTOMERS}"],
    }
    attach(iam5, agency, make_identity_policy(iam5, json.dumps({"Version": "5.0", "Statement": [statement]})))

    assert restart(as_agency, CUSTOMERS).job_id
    assert rejection(restart, as_agency, "e41c70b5d2964f7fb83a9de65a0c173bin02") == DENIED
    assert resources_of(f"/v3/p/instances/{CUSTOMERS}/restart", "cn-north-4", "me") == (
        f"dds:cn-north-4:me:instance:{CUSTOMERS}",
    )


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"g:SourceIp": ["127.0.0.1"]}},
        {"NumericEquals": {"g:EnterpriseProjectId": ["1"]}},
        {"StringEquals": {"g:EnterpriseProjectId": DRILLS}},
    ],
)
def test_other_conditions_are_refused(http: httpx.Client, condition: dict[str, Any]) -> None:
    """A condition that would not be evaluated is refused when the policy is created."""
    statement = {"Effect": "Allow", "Action": ["dds:*:*"], "Resource": ["*"], "Condition": condition}
    document = json.dumps({"Version": "5.0", "Statement": [statement]})
    answer = http.post("/v5/policies", json={"policy_name": "p", "policy_document": document})

    assert (answer.status_code, answer.json()["error_code"]) == (400, "PAP5.0011")


INSTANCE = f"/v3/p/instances/{CUSTOMERS}"


@pytest.mark.parametrize(
    ("call", "name", "identity_name"),
    [
        ("POST /v3/p/instances", "dds:instance:create", "dds:instance:create"),
        (f"DELETE {INSTANCE}", "dds:instance:deleteInstance", "dds:instance:delete"),
        (f"POST {INSTANCE}/restart", "dds:instance:reboot", "dds:instance:restart"),
        (f"PUT {INSTANCE}/modify-name", "dds:instance:modify", "dds:instance:updateName"),
        (f"PUT {INSTANCE}/reset-password", "dds:instance:resetPasswd", "dds:instance:resetPasswd"),
        (f"POST {INSTANCE}/tags/action", "dds:instance:modify", "dds:instance:setTag"),
        (f"GET {INSTANCE}/databases", "dds:instance:list", "dds:instance:getDatabases"),
        (f"GET {INSTANCE}/restore-time", "dds:instance:list", "dds:backup:getRestoreTimeList"),
        (f"GET {INSTANCE}/restore-database", "dds:instance:list", "dds:backup:getRestoreDatabases"),
        (f"GET {INSTANCE}/restore-collection", "dds:instance:list", "dds:backup:getRestoreCollections"),
        ("DELETE /v3/p/instances/backups", "dds:backup:delete", "dds:backup:delete"),
        ("POST /v3/p/instances/recovery", "dds:backup:refreshInstanceFromBackup", "dds:instance:restore"),
        ("GET /v3/p/recycle-instances", "dds:instance:list", "dds:instance:listRecycleInstances"),
        ("PUT /v3/p/instances/recycle-policy", "dds:instance:setRecyclePolicy", "dds:instance:setRecyclePolicy"),
        ("GET /v3/p/instances/recycle-policy", "dds:instance:list", "dds:instance:getBackupPolicy"),
        ("GET /v3/p/quotas", "dds:instance:list", "dds:instance:getQuotas"),
        ("GET /v3.1/p/flavors", "dds:instance:listFlavors", "dds:instance:listFlavors"),
    ],
)
def test_the_action_of_each_call(call: str, name: str, identity_name: str) -> None:
    """Each call needs the action of its page in the API reference."""
    action = action_of(*call.split())

    assert action is not None
    assert (action.name, action.identity_name) == (name, identity_name)


READS = ("listAll", "getDatabases", "getQuotas", "listRecycleInstances", "listFlavors")
DRILL = [
    json.loads(identity_document("dds:instance:create", *(f"dds:instance:{read}" for read in READS))),
    json.loads(in_project(*(f"dds:instance:{one}" for one in ("delete", "restart", "resetPasswd", "setTag")))),
]


@pytest.mark.parametrize(
    ("project", "changes"),
    [
        (OTHERS, {"POST /v3/{project_id}/instances"}),
        (
            DRILLS,
            {
                "POST /v3/{project_id}/instances",
                "DELETE /v3/{project_id}/instances/{instance_id}",
                "POST /v3/{project_id}/instances/{instance_id}/restart",
                "PUT /v3/{project_id}/instances/{instance_id}/reset-password",
                "POST /v3/{project_id}/instances/{instance_id}/tags/action",
            },
        ),
    ],
)
def test_of_all_calls_a_policy_for_drills_allows_few(cloud: LocalCloud, project: str, changes: set[str]) -> None:
    """Of all calls that are offered, such a policy allows few that change something, on instances of the drills."""
    allowed = set()
    for method, path in offered(cloud):
        call = path.replace("{instance_id}", CUSTOMERS)
        action = action_of(method, call)
        target = Target(resources_of(call, "cn-north-4", "me"), project if CUSTOMERS in call else None)
        if method != "GET" and action is not None and is_allowed(action, DRILL, target):
            allowed.add(f"{method} {path}")

    assert allowed == changes
