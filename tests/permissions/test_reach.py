"""Least privilege: each policy, in both models, allows what the functions call and nothing else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from huaweicloudsdkdds.v3 import DdsClient
from huaweicloudsdksmn.v2 import SmnClient

from cli.paths import CHECKOUT
from cli.permissions.agencies import Agency, agencies, custom_policy, identity_policy
from cli.template.load import load_template
from localcloud import LocalCloud
from localcloud.auth.authorization import action_of
from shared.cloud import operations
from shared.cloud.operations import OPERATIONS, Operation
from tests.permissions.reach import REACHES, Reach


AGENCIES = agencies(load_template(CHECKOUT / "template.yaml"))
CLIENTS: dict[str, Any] = {"DDS": DdsClient, "SMN": SmnClient}
NEEDED = [(agency, operation) for agency in AGENCIES for operation in agency.operations]


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
    reach.allow(form(agency))

    exercise(reach, agency)

    assert [call for call in reach.calls() if call["status"] == 403] == []
    assert {operation_of(call) for call in reach.calls()} == {operation.name for operation in agency.operations}


@pytest.mark.parametrize(
    ("agency", "missing"), NEEDED, ids=[f"{agency.name} {operation.name}" for agency, operation in NEEDED]
)
def test_each_permission_is_needed(reach: Reach, agency: Agency, missing: Operation) -> None:
    """Without a permission, that call and no other is denied."""
    actions = [action for action in agency.identity_actions if action != missing.identity_action]
    reach.allow({"Version": "5.0", "Statement": [{"Effect": "Allow", "Action": actions}]})

    exercise(reach, agency)

    assert {operation_of(call) for call in reach.calls() if call["status"] == 403} == {missing.name}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_local_cloud_knows_the_same_actions(operation: Operation) -> None:
    """The application and the local cloud each state the action of an operation, independently."""
    method, path = http_of(operation)

    action = action_of(method, path.replace("{", "").replace("}", ""))
    assert action is not None
    assert (action.name, action.identity_name) == (operation.action, operation.identity_action)


def calls_in(file: Path) -> list[ast.Call]:
    """The calls of SdkService.call in a module."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"self._service.call", "service.call"}
    ]


def test_the_code_calls_exactly_the_known_operations() -> None:
    """Every call names an operation, and every operation is called."""
    calls = [call for file in (CHECKOUT / "shared" / "cloud").glob("*.py") for call in calls_in(file)]
    named = [ast.unparse(call.args[0]) for call in calls]
    constants = {name.removeprefix("operations.") for name in named}

    assert all(name.startswith("operations.") for name in named)
    assert {getattr(operations, name).name for name in constants} == set(OPERATIONS)


def test_only_the_service_calls_the_sdk() -> None:
    """Only SdkService.call, which takes an operation, uses the SDK's clients."""
    for file in (CHECKOUT / "shared").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert file.name == "sdk.py" or "_client." not in text, file


def test_every_operation_is_a_permission_of_some_function() -> None:
    """The permissions in the template are exactly the operations of the code."""
    assert {operation.name for agency in AGENCIES for operation in agency.operations} == set(OPERATIONS)


def test_every_function_of_the_template_is_exercised() -> None:
    """A new function in the template needs an entry in REACHES."""
    assert {name for agency in AGENCIES for name in agency.functions} == set(REACHES)
