"""Checks against the provider's schema find what Terraform would reject, and name its place."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.terraform.check import problems
from cli.terraform.provider import FILE, Attribute, Block, Nested, Provider, Rule, read_provider
from tests.terraform.templates import Make


Documents = list[dict[str, Any]]

FUNCTION = "huaweicloud_fgs_function"
TRIGGER = "huaweicloud_fgs_function_trigger"
AGENCY = "huaweicloud_identity_agency"


@pytest.fixture
def documents(make: Make) -> Documents:
    """The documents of a valid configuration."""
    return copy.deepcopy([*make().documents.values()])


def resource(documents: Documents, kind: str, name: str) -> dict[str, Any]:
    """The body of a resource."""
    for document in documents:
        if "resource" in document:
            found: dict[str, Any] = document["resource"][kind][name]
            return found
    raise AssertionError(kind)


def test_everything_is_valid(documents: Documents) -> None:
    """A configuration with every kind of resource, trigger and destination has no problem."""
    assert problems(documents, read_provider()) == []


@pytest.mark.parametrize(
    ("address", "change", "expected"),
    [
        ("fgs_function.worker", {"memory_sise": 1}, "memory_sise: unknown attribute, did you mean 'memory_size'?"),
        ("fgs_function.worker", {"urn": "urn:x"}, "urn: read-only, the provider sets it"),
        ("fgs_function.worker", {"memory_size": "much"}, "memory_size: found 'much', expected a number"),
        ("fgs_function.worker", {"memory_size": [128]}, "memory_size: found [128], expected a number"),
        ("fgs_function.worker", {"memory_size": True}, "memory_size: found True, expected a number"),
        ("fgs_function.worker", {"enable_lts_log": 1}, "enable_lts_log: found 1, expected a bool"),
        ("fgs_function.worker", {"name": {"a": "b"}}, "name: found {'a': 'b'}, expected a string"),
        ("fgs_function.worker", {"depend_list": "x"}, "depend_list: found 'x', expected a set of string"),
        ("fgs_function.worker", {"tags": {"a": ["b"]}}, "tags: found {'a': ['b']}, expected a map of string"),
        ("fgs_function.worker", {"timeout": "${var.prefix}"}, "timeout: found '${var.prefix}', expected a number"),
        (
            "fgs_function.worker",
            {"timeout": "${huaweicloud_smn_topic.requests.name}"},
            "timeout: found '${huaweicloud_smn_topic.requests.name}', expected a number",
        ),
        (
            "fgs_function.worker",
            {"timeout": "1${var.size}"},
            "timeout: found '1${var.size}', expected a number",
        ),
        ("fgs_function.worker", {"name": None}, "name: missing"),
        ("fgs_function.worker", {"package": "default"}, "package: deprecated"),
        ("fgs_function.worker", {"package": "default"}, "app: conflicts with package"),
        ("fgs_function.worker", {"gpu_type": "t4"}, "gpu_type: requires gpu_memory"),
        (
            "fgs_function.worker",
            {"functiongraph_version": "v3"},
            "functiongraph_version: found 'v3', expected one of: v1, v2",
        ),
        ("fgs_function.worker", {"custom_image": [{}, {}]}, "custom_image: found 2 blocks, expected 0 to 1"),
        ("fgs_function.worker", {"custom_image": {}}, "custom_image.url: missing"),
        ("fgs_function.worker", {"custom_image": "x"}, "custom_image: found 'x', expected a block"),
        ("fgs_function.worker", {"description": "${var.nothing}"}, "description: there is no variable nothing"),
        ("fgs_function.worker", {"user_data": "${local.environment.x}"}, "there is no local.environment.x"),
        ("fgs_function.worker", {"agency": "${huaweicloud_smn_topic.a.id}"}, "no resource huaweicloud_smn_topic.a"),
        (
            "fgs_function.worker",
            {"agency": "${huaweicloud_smn_topic.requests.urn}"},
            "agency: huaweicloud_smn_topic has no attribute urn",
        ),
        ("fgs_function.worker", {"timeouts": {"update": "5m"}}, "timeouts.update: unknown attribute"),
        (
            "fgs_function.worker",
            {"timeouts": [{"create": "5m"}, {}]},
            "timeouts: found 2 blocks, expected 0 to 1",
        ),
        (
            "fgs_function_trigger.worker_timer",
            {"status": "ON"},
            "status: found 'ON', expected one of: ACTIVE, DISABLED",
        ),
        ("fgs_function_trigger.worker_timer", {"event_data": "{"}, "event_data: found '{', expected JSON"),
        (
            "fgs_function_trigger.worker_timer",
            {"depends_on": ["huaweicloud_fgs_function.nobody"]},
            "depends_on: there is no resource huaweicloud_fgs_function.nobody",
        ),
        (
            "identity_agency.prefix_worker",
            {"delegated_domain_name": "other"},
            "found delegated_domain_name and delegated_service_name, expected exactly one of",
        ),
        (
            "identity_agency.prefix_worker",
            {"project_role": [{"project": "p", "role": ["r"]}]},
            "project_role.role: unknown attribute, did you mean 'roles'?",
        ),
        ("identity_agency.prefix_worker", {"project_role": [{"project": "p"}]}, "project_role.roles: missing"),
    ],
)
def test_wrong_attribute(documents: Documents, address: str, change: dict[str, Any], expected: str) -> None:
    """The message names the resource and the attribute, and says what was found and what was expected."""
    kind, name = f"huaweicloud_{address}".split(".")
    resource(documents, kind, name).update(change)
    assert any(expected in problem for problem in problems(documents, read_provider()))
    assert all(problem.startswith(f"huaweicloud_{address}: ") for problem in problems(documents, read_provider()))


@pytest.mark.parametrize("kind", ["resource", "output"])
def test_wrong_resource(documents: Documents, kind: str) -> None:
    """A resource that the provider does not have, and a reference to a resource that does not exist, are problems."""
    changes: dict[str, Any] = {
        "resource": {"huaweicloud_fgs_funktion": {"a": {}}},
        "output": {"a": {"value": "${huaweicloud_fgs_function.gone.urn}"}},
    }
    expected = {
        "resource": "huaweicloud_fgs_funktion.a: unknown resource, did you mean 'huaweicloud_fgs_function'?",
        "output": "output.a.value: there is no resource huaweicloud_fgs_function.gone",
    }
    assert problems([*documents, {kind: changes[kind]}], read_provider()) == [expected[kind]]


def test_wrong_provider_block(documents: Documents) -> None:
    """The provider's own configuration is checked, too."""
    wrong: dict[str, Any] = {"provider": {"huaweicloud": {"region": "${var.region}", "regoin": "x"}}}
    (problem,) = problems([*documents, wrong], read_provider())
    assert problem == "provider.huaweicloud: regoin: unknown attribute, did you mean 'region'?"


def test_missing_attributes(documents: Documents) -> None:
    """A missing attribute is a problem exactly if it is required."""
    for kind, block in read_provider().resources.items():
        for name, attribute in block.attributes.items():
            found = problems([{"resource": {kind: {"a": {}}}}], read_provider())
            assert (f"{kind}.a: {name}: missing" in found) == attribute.required


@pytest.mark.parametrize("convertible", [{"memory_size": "128"}, {"timeout": "${var.size}"}, {"name": 5}])
def test_what_terraform_converts(documents: Documents, convertible: dict[str, Any]) -> None:
    """Terraform converts numbers to texts and texts to numbers."""
    resource(documents, FUNCTION, "worker").update(convertible)
    assert problems(documents, read_provider()) == []


def test_a_range_and_a_required_block() -> None:
    """Rules that none of our resources uses so far are checked, too."""
    size = Attribute("number", required=False, optional=True, deprecated=False)
    window = Nested(Block({}, {}), nesting="list", least=1, most=None)
    kind = "huaweicloud_window"
    rules = {kind: {"size": Rule(range=(1, 3))}}
    provider = Provider(Block({}, {}), {kind: Block({"size": size}, {"window": window})}, rules)

    assert problems([{"resource": {kind: {"a": {"size": 4}}}}], provider) == [
        "huaweicloud_window.a: size: found 4, expected 1 to 3",
        "huaweicloud_window.a: window: missing, expected at least 1",
    ]
    assert problems([{"resource": {kind: {"a": {"size": 3, "window": [{}, {}]}}}}], provider) == []


def _without_derived(document: dict[str, Any]) -> None:
    del document["derived"]


def _with_descriptions(document: dict[str, Any]) -> None:
    (provider,) = document["provider_schemas"].values()
    for schema in provider["resource_schemas"].values():
        for attribute in schema["block"]["attributes"].values():
            attribute |= {"description": "Something.", "description_kind": "plain"}


@pytest.mark.parametrize("change", [_without_derived, _with_descriptions])
def test_the_output_of_terraform_can_replace_provider_json(
    documents: Documents, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    """The output of ``terraform providers schema -json`` can be used instead of the derived file."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    change(document)
    file = tmp_path / "provider.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert problems(documents, read_provider(file)) == []
    resource(documents, TRIGGER, "worker_timer")["typ"] = "TIMER"
    assert len(problems(documents, read_provider(file))) == 1
