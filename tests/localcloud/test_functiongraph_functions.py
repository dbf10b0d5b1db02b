"""Creating, showing, changing and deleting functions, as documented."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk
import pytest
from huaweicloudsdkfunctiongraph.v2 import FunctionGraphClient

from localcloud import LocalCloud
from localcloud.functiongraph import packages
from tests.localcloud.functions import (
    HELLO,
    NO_DATEUTIL,
    code,
    invoke,
    new_code,
    new_config,
    new_function,
    package,
    refused,
)
from tests.localcloud.sdk import build


pytestmark = NO_DATEUTIL


def needs_version(number: int) -> bytes:
    """A zip whose only entry needs this version of the format, times ten."""
    content = bytearray(package())
    content[content.index(b"PK\1\2") + 6] = number
    return bytes(content)


def test_create(functiongraph: Any) -> None:
    """A new function has the URN of its latest version and the SHA-512 of its zip, and can be shown."""
    content = package()
    created = functiongraph.create_function(new_function(content=content, user_data='{"A": "b"}', xrole="an-agency"))

    assert created.func_urn == f"urn:fss:cn-north-4:{created.namespace}:function:default:hello:latest"
    assert (created.digest, created.code_size) == (hashlib.sha512(content).hexdigest(), len(content))
    assert (created.cpu, created.version, json.loads(created.user_data)) == (400, "latest", {"A": "b"})
    for urn in (created.func_urn, created.func_urn.removesuffix(":latest")):
        shown = functiongraph.show_function_config(sdk.ShowFunctionConfigRequest(function_urn=urn))
        assert shown.to_json_object() == created.to_json_object()


def test_a_vpc(functiongraph: Any) -> None:
    """The VPC is shown as given. An update without a VPC removes it."""
    vpc = {"vpc_id": "v-1", "subnet_id": "s-1", "security_groups": ["g-1"]}
    created = functiongraph.create_function(new_function(func_vpc=sdk.FuncVpc(**vpc)))
    assert given_fields(created) == vpc
    (listed,) = functiongraph.list_functions(sdk.ListFunctionsRequest()).functions
    assert listed.func_vpc_id == "v-1"

    moved = vpc | {"subnet_id": "s-2"}
    config = new_config(created.func_urn, func_vpc=sdk.FuncVpc(**moved))
    assert given_fields(functiongraph.update_function_config(config)) == moved
    assert functiongraph.update_function_config(new_config(created.func_urn)).func_vpc is None


def given_fields(answer: Any) -> dict[str, Any]:
    """The given fields of the VPC in a response."""
    vpc = answer.to_json_object()["func_vpc"]
    return {name: value for name, value in vpc.items() if value is not None}


def test_encrypted_variables_are_shown_without_values(functiongraph: Any) -> None:
    """No response contains the value of an encrypted variable."""
    created = functiongraph.create_function(new_function(encrypted_user_data='{"PASSWORD": "secret"}'))

    assert json.loads(created.encrypted_user_data) == {"PASSWORD": ""}
    assert "secret" not in str(functiongraph.list_functions(sdk.ListFunctionsRequest()))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"func_name": "1st"}, (400, "FSS.1002")),
        ({"func_name": "ends-with-"}, (400, "FSS.1002")),
        ({"func_name": "x" * 61}, (400, "FSS.1002")),
        ({"handler": "handler"}, (400, "FSS.1003")),
        ({"handler": f"index.{'x' * 123}"}, (400, "FSS.1003")),
        ({"package": ""}, (400, "FSS.1004")),
        ({"runtime": "Python3.11"}, (400, "FSS.1005")),
        ({"code_type": "obs"}, (400, "FSS.1006")),
        ({"memory_size": 200}, (400, "FSS.1007")),
        ({"timeout": 2}, (400, "FSS.1008")),
        ({"timeout": 259_201}, (400, "FSS.1008")),
        ({"user_data": "[]"}, (400, "FSS.1009")),
        ({"user_data": '{"A": 1}'}, (400, "FSS.1009")),
        ({"user_data": "no json"}, (400, "FSS.1009")),
        ({"user_data": '{"1A": ""}'}, (400, "FSS.1009")),
        ({"user_data": json.dumps({f"A{number}": "" for number in range(21)})}, (400, "FSS.1017")),
        ({"user_data": json.dumps({"A": "x" * 4096})}, (400, "FSS.1018")),
        ({"description": "x" * 513}, (400, "FSS.1019")),
        ({"func_code": sdk.FuncCode(file="no base64!")}, (400, "FSS.1011")),
        ({"func_code": sdk.FuncCode(file="é")}, (400, "FSS.1011")),
        ({"func_code": code(needs_version(99))}, (400, "FSS.1011")),
        ({"func_code": code(b"no zip")}, (400, "FSS.1011")),
        ({"code_filename": None}, (400, "FSS.0400")),
        ({"initializer_handler": "initializer", "initializer_timeout": 3}, (400, "FSS.1404")),
        ({"initializer_handler": "index.initializer"}, (400, "FSS.1405")),
        ({"initializer_handler": "index.initializer", "initializer_timeout": 301}, (400, "FSS.1405")),
    ],
)
def test_invalid_fields(functiongraph: Any, changes: dict[str, Any], error: tuple[int, str]) -> None:
    """Each invalid field has its documented error, and no function is created."""
    assert refused(functiongraph.create_function, new_function(**changes)) == error
    assert functiongraph.list_functions(sdk.ListFunctionsRequest()).functions == []


@pytest.mark.parametrize(
    "changes",
    [
        {"func_name": "x" * 60},
        {"timeout": 259_200},
        {"user_data": json.dumps({f"A{number}": "" for number in range(20)})},
        {"user_data": json.dumps({"A": "x" * 4095})},
        {"description": "x" * 512},
        {"handler": "src/index.handler"},
    ],
)
def test_values_at_the_limit(functiongraph: Any, changes: dict[str, Any]) -> None:
    """Values at the limit are accepted."""
    assert functiongraph.create_function(new_function(**changes)).func_urn


def test_names_are_unique(functiongraph: Any) -> None:
    """A second function of the same name is 409, unless it is in another package."""
    functiongraph.create_function(new_function())

    assert refused(functiongraph.create_function, new_function()) == (409, "FSS.1061")
    assert functiongraph.create_function(new_function(package="other")).package == "other"


def test_at_most_400_functions(functiongraph: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Creating a function beyond the quota is refused."""
    monkeypatch.setattr("localcloud.functiongraph.functions.MAX_FUNCTIONS", 1)
    functiongraph.create_function(new_function())

    assert refused(functiongraph.create_function, new_function("other")) == (403, "FSS.1041")
    quotas = {quota.type: quota for quota in functiongraph.list_quotas(sdk.ListQuotasRequest()).quotas.resources}
    assert (quotas["fgs_func_num"].quota, quotas["fgs_func_num"].used) == (400, 1)


def test_a_package_may_be_larger_than_other_bodies(functiongraph: Any) -> None:
    """The 12 MB limit of other services does not apply to packages."""
    content = package(blob="#" * (13 * 1024 * 1024))

    assert functiongraph.create_function(new_function(content=content)).code_size > 13 * 1024 * 1024


def test_a_package_has_50_mb_at_most(functiongraph: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package at the limit, lowered for the test, is accepted, a larger one is refused."""
    small, large = package(blob="#" * 300), package(blob="#" * 600)
    monkeypatch.setattr(packages, "MAX_BASE64_CHARACTERS", len(code(small).file))

    assert packages.MAX_BYTES == 50 * 1024 * 1024
    assert functiongraph.create_function(new_function(content=small)).func_urn
    assert refused(functiongraph.create_function, new_function("other", large)) == (413, "FSS.1071")


def test_a_package_unpacks_to_1500_mb_at_most(functiongraph: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package whose content is too large is refused without unpacking it."""
    monkeypatch.setattr(packages, "MAX_UNPACKED_BYTES", 100)

    assert refused(functiongraph.create_function, new_function(content=package("#" * 101))) == (400, "FSS.1011")


def test_list(functiongraph: Any) -> None:
    """The list has pages and filters. Its URNs have no version, as in the API's example."""
    for name in ("one", "two", "three"):
        functiongraph.create_function(new_function(name))

    page = functiongraph.list_functions(sdk.ListFunctionsRequest(marker="1", maxitems="1"))
    found = functiongraph.list_functions(sdk.ListFunctionsRequest(func_name="t"))
    assert ([function.func_name for function in page.functions], page.next_marker, page.count) == (["two"], 2, 3)
    assert [function.func_urn.rpartition(":")[2] for function in found.functions] == ["two", "three"]
    assert functiongraph.list_functions(sdk.ListFunctionsRequest(package_name="other")).count == 0


def test_configure(functiongraph: Any) -> None:
    """Given fields change, omitted fields stay."""
    urn = functiongraph.create_function(new_function(user_data='{"A": "b"}', description="before")).func_urn
    strategy = sdk.StrategyConfig(concurrency=7, concurrent_num=1)
    functiongraph.update_function_config(new_config(urn, timeout=9, description="after", strategy_config=strategy))

    shown = functiongraph.show_function_config(sdk.ShowFunctionConfigRequest(function_urn=urn))
    assert (shown.timeout, shown.description, json.loads(shown.user_data)) == (9, "after", {"A": "b"})
    assert shown.strategy_config.concurrency == 7


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"func_name": "other"}, (400, "FSS.1002")),
        ({"runtime": "Python3.12"}, (400, "FSS.1005")),
        ({"user_data": '{"1A": ""}'}, (400, "FSS.1009")),
        ({"memory_size": 129}, (400, "FSS.1007")),
    ],
)
def test_invalid_changes(functiongraph: Any, changes: dict[str, Any], error: tuple[int, str]) -> None:
    """Name and runtime cannot be changed, and invalid values are refused."""
    created = functiongraph.create_function(new_function())

    assert refused(functiongraph.update_function_config, new_config(created.func_urn, **changes)) == error
    shown = functiongraph.show_function_config(sdk.ShowFunctionConfigRequest(function_urn=created.func_urn))
    assert shown.last_modified == created.last_modified


def test_replace_code(functiongraph: Any) -> None:
    """A new package changes the digest. A query returns the digest and the code."""
    urn = functiongraph.create_function(new_function()).func_urn
    content = package("def handler(event, context):\n    return 2\n")
    changed = functiongraph.update_function_code(new_code(urn, content))
    shown = functiongraph.show_function_code(sdk.ShowFunctionCodeRequest(function_urn=urn))

    assert changed.digest == shown.digest == hashlib.sha512(content).hexdigest()
    assert shown.code_filename == "x.zip"
    assert base64.b64decode(shown.func_code.file) == content
    assert refused(functiongraph.update_function_code, new_code(urn, b"no zip")) == (400, "FSS.1011")
    nothing = new_code(urn, b"")
    assert refused(functiongraph.update_function_code, nothing) == (400, "FSS.1012")


def test_without_code(functiongraph: Any, cloud: LocalCloud) -> None:
    """A function without code has size 0, and its invocation fails."""
    created = functiongraph.create_function(new_function(func_code=None))

    assert created.code_size == 0
    assert "without code" in invoke(cloud, created.func_urn).json["errorMessage"]


def test_delete(functiongraph: Any) -> None:
    """Deleting takes the URN without a version and frees the name."""
    urn = functiongraph.create_function(new_function()).func_urn

    assert refused(functiongraph.delete_function, sdk.DeleteFunctionRequest(function_urn=urn)) == (403, "FSS.0403")
    functiongraph.delete_function(sdk.DeleteFunctionRequest(function_urn=urn.removesuffix(":latest")))
    show = sdk.ShowFunctionConfigRequest(function_urn=urn)
    assert refused(functiongraph.show_function_config, show) == (404, "FSS.1051")
    assert functiongraph.create_function(new_function()).func_urn == urn


@pytest.mark.parametrize(
    ("urn", "error"),
    [
        ("hello", (400, "FSS.1309")),
        ("urn:fss:cn-north-4:{project}:function:default:other", (404, "FSS.1051")),
        ("urn:fss:cn-north-4:{project}:function:default:hello:v1", (404, "FSS.1052")),
        ("urn:fss:cn-north-4:{project}:function:default:hello:!live", (404, "FSS.1053")),
    ],
)
def test_unknown_functions(functiongraph: Any, urn: str, error: tuple[int, str]) -> None:
    """An invalid URN, an unknown function, version and alias have different errors."""
    project = functiongraph.create_function(new_function()).namespace
    request = sdk.ShowFunctionConfigRequest(function_urn=urn.format(project=project))

    assert refused(functiongraph.show_function_config, request) == error


def test_a_function_survives_a_restart(tmp_path: Path, local_cloud_factory: Callable[..., LocalCloud]) -> None:
    """The next local cloud with the same state file has the function and runs it."""
    with LocalCloud(state_file=tmp_path / "state.db") as before:
        client = build(FunctionGraphClient, before)
        urn = client.create_function(new_function(content=package(HELLO))).func_urn
    after = local_cloud_factory(state_file=tmp_path / "state.db")

    assert invoke(after, urn, {"name": "again"}).json == {"hello": "again"}


def test_no_secret_is_logged(functiongraph: Any, cloud: LocalCloud) -> None:
    """The request log stores no bodies of FunctionGraph: they may contain passwords, or 50 MB."""
    functiongraph.create_function(new_function(encrypted_user_data='{"PASSWORD": "secret"}'))

    assert cloud.requests()[-1]["body"] is None
    assert "secret" not in str(cloud.functions())
