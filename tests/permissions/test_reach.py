"""Least privilege: each policy, in both models, allows what the functions call and nothing else."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from huaweicloudsdkdds.v3 import DdsClient
from huaweicloudsdksmn.v2 import SmnClient

from cli.paths import CHECKOUT
from cli.permissions.agencies import Agency, agencies, confined_policy, custom_policy, identity_policy
from cli.template.load import load_template
from localcloud import LocalCloud
from localcloud.auth.authorization import action_of
from shared.cloud import operations
from shared.cloud.operations import OPERATIONS, Operation
from shared.errors import DeniedError
from tests.permissions.reach import PLACE, REACHES, Reach


AGENCIES = agencies(load_template(CHECKOUT / "template.yaml", {"DrillEnterpriseProjectId": PLACE}))
CLIENTS: dict[str, Any] = {"DDS": DdsClient, "SMN": SmnClient}
NEEDED = [
    pytest.param(
        agency, one, id=f"{agency.name} {one.name}", marks=[pytest.mark.slow] if agency.confined_actions else []
    )
    for agency in AGENCIES
    for one in agency.operations
]


def http_of(operation: Operation) -> tuple[str, str]:
    """The HTTP method and path of an operation, from the SDK."""
    client = CLIENTS[operation.name.partition(".")[0]]
    # The SDK only reads the parameters of the request.
    info = getattr(client, f"_{operation.method}_http_info")(_Anything())
    return info["method"], info["resource_path"]


class _Anything:
    """A request without parameters."""

    attribute_map: ClassVar[dict[str, str]] = {}

    def __getattr__(self, name: str) -> None:
        return None


def operation_of(call: dict[str, Any]) -> str:
    """The name of the operation that a recorded call belongs to."""
    names = []
    for operation in OPERATIONS.values():
        method, path = http_of(operation)
        form = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        if method == call["method"] and re.fullmatch(form, call["path"]):
            names.append(operation.name)
    (name,) = names
    return name


@pytest.fixture
def reach(cloud: LocalCloud, agency: Agency) -> Iterator[Reach]:
    """The agency of the test, in a local cloud that enforces policies."""
    cloud.switch(enforce_policies=True)
    reach = Reach(cloud, agency.name)
    yield reach
    reach.close()


def exercise(reach: Reach, agency: Agency) -> None:
    """Run every function of the agency so that it makes every call that it can make."""
    for function in agency.functions:
        REACHES[function](reach)


def identity_policy_for_any_resource(agency: Agency) -> dict[str, Any]:
    """The identity policy without its resources, which the local cloud does not evaluate."""
    policy: dict[str, Any] = identity_policy(agency)
    statements = [{**statement, "Resource": ["*"]} for statement in policy["Statement"]]
    return {**policy, "Statement": statements}


@pytest.mark.parametrize("form", [custom_policy, identity_policy_for_any_resource])
@pytest.mark.parametrize("agency", AGENCIES, ids=lambda agency: agency.name)
def test_each_function_makes_exactly_the_calls_that_its_policy_allows(reach: Reach, agency: Agency, form: Any) -> None:
    """No call is denied, and every permission in the template is used."""
    reach.allow(form(agency), confined_policy(agency))

    exercise(reach, agency)

    assert [call for call in reach.calls() if call["status"] == 403] == []
    assert {operation_of(call) for call in reach.calls()} == {operation.name for operation in agency.operations}


@pytest.mark.parametrize(("agency", "missing"), NEEDED)
def test_each_permission_is_needed(reach: Reach, agency: Agency, missing: Operation) -> None:
    """Without a permission, that call and no other is denied."""
    lost = {missing.identity_action, *missing.other_names}
    actions = [action for action in (*agency.identity_actions, *agency.confined_identity_actions) if action not in lost]
    reach.allow({"Version": "5.0", "Statement": [{"Effect": "Allow", "Action": actions}]})

    exercise(reach, agency)

    assert {operation_of(call) for call in reach.calls() if call["status"] == 403} == {missing.name}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_local_cloud_knows_the_same_actions(operation: Operation) -> None:
    """The application and the local cloud each state the action of an operation, independently."""
    method, path = http_of(operation)

    path = path.replace("{instance_id}", "a89dab5e39394eccbdb77b19d57b0180in02").replace("{", "").replace("}", "")
    known = action_of(method, path)

    assert known is not None
    assert (known.name, known.identity_name) == (operation.action, operation.identity_action)
    assert set(known.dependencies) == set(operation.dependencies)
    if operation.is_confined:
        assert known.on_instances == operation.has_condition


def calls_in(file: Path) -> list[ast.Call]:
    """The calls of SdkService.call in a module."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"self._service.call", "service.call", "self._expect_job"}
        and ast.unparse(node.args[0]) != "operation"  # of the method that the others call
    ]


def test_the_code_calls_exactly_the_known_operations() -> None:
    """Every call names an operation, and every operation is called."""
    calls = [call for file in (CHECKOUT / "shared" / "cloud").glob("*.py") for call in calls_in(file)]
    named = [ast.unparse(call.args[0]) for call in calls]
    constants = {name.removeprefix("operations.") for name in named}

    assert all(name.startswith("operations.") for name in named)
    assert {getattr(operations, name).name for name in constants} == set(OPERATIONS)


def test_only_the_service_calls_the_sdk() -> None:
    """Only SdkService.call, which takes an operation, uses the SDK's clients. Another client is the database's."""
    for file in (CHECKOUT / "shared").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert file.name == "sdk.py" or "import pymongo" in text or "_client." not in text, file


def test_every_operation_is_a_permission_of_some_function() -> None:
    """The permissions in the template are the operations of the code, except one that only ddsbackup restore needs."""
    used = {operation.name for agency in AGENCIES for operation in agency.operations}

    assert set(OPERATIONS) - used == {"DDS.ListRestoreTimes"}


@pytest.mark.parametrize("form", [custom_policy, confined_policy, identity_policy])
@pytest.mark.parametrize("agency", AGENCIES, ids=lambda agency: agency.name)
def test_no_agency_may_restore_over_an_instance(agency: Agency, form: Any) -> None:
    """No policy of the template has such an action, and none has a wildcard that would match it."""
    policy = form(agency) or {"Statement": []}

    given = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert not given & operations.RESTORE_OVER
    assert not [action for action in given if "*" in action]


@pytest.mark.parametrize("form", [custom_policy, identity_policy])
@pytest.mark.parametrize("agency", [one for one in AGENCIES if one.enterprise_project], ids=lambda agency: agency.name)
def test_the_drill_can_change_nothing_outside_its_enterprise_project(reach: Reach, agency: Agency, form: Any) -> None:
    """Every call that changes or deletes an instance is denied for a source."""
    reach.allow(form(agency), confined_policy(agency))
    restores = reach.restores()
    changes: tuple[Callable[[], None], ...] = (
        lambda: restores.delete(reach.instance),
        lambda: restores.restart(reach.instance),
        lambda: restores.reset_password(reach.instance, "aA1-aA1-aA1"),
        lambda: restores.tag(reach.instance, "ddsbackup-drill", "x"),
    )

    for change in changes:
        with pytest.raises(DeniedError):
            change()

    assert {call["status"] for call in reach.calls()} == {403}


def test_every_function_of_the_template_is_exercised() -> None:
    """A new function in the template needs an entry in REACHES."""
    assert {name for agency in AGENCIES for name in agency.functions} == set(REACHES)
