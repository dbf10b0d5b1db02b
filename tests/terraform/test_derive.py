"""Deriving the provider's schema from its Go source, as terraform-plugin-sdk would."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.paths import CHECKOUT
from cli.terraform.derive.go import OPAQUE, Call, Checkout, Composite, Name, Reader, Value, tokens
from cli.terraform.derive.schema import Blocks, provider_schema
from cli.terraform.provider import FILE


def value(source: str) -> Value:
    """The value of the Go expression *source*."""
    return Reader(tokens(source)).value()


def test_tokens() -> None:
    """Comments are left out, strings have their values, and raw strings may span lines."""
    source = 'a.B // c\n/* "d"\n*/ "e\\n\\"\\u00e9" `f\\n\n"g"` 10 \'x\' ... :='
    assert [token.text for token in tokens(source)] == [
        *("a", ".", "B", 'e\n"é', 'f\\n\n"g"', "10", "'x'", "...", ":="),
    ]


def test_source_that_is_not_go() -> None:
    """The error has the line of the invalid token."""
    with pytest.raises(ValueError, match="line 2: no Go token begins with '#'"):
        tokens("a\n#")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"a"', "a"),
        ("42", 42),
        ("schema.TypeString", Name("schema.TypeString")),
        ("common.TagsSchema(`a`, 1)", Call("common.TagsSchema", ("a", 1))),
        ("[]string{\n`a`, b,\n}", Composite("[]string", ((None, "a"), (None, Name("b"))))),
        ('map[string]int{"a": 1}', Composite("map[string]int", (("a", 1),))),
        ("&a.B{C: true}", Composite("a.B", ((Name("C"), Name("true")),))),
        ("[]a.B{{C: 1}}", Composite("[]a.B", ((None, Composite("", ((Name("C"), 1),))),))),
        ("func(_, a string, d *b.C) bool { if a { return true }; return false }", OPAQUE),
        ("10 * time.Minute", OPAQUE),
        ("-1", OPAQUE),
        ("(a + b).c", OPAQUE),
        ("a.b().c", OPAQUE),
        ("a[1]", OPAQUE),
        ("1.5", OPAQUE),
        ("append(a, b...)", Call("append", (Name("a"), Name("b")))),
        ("a.(*b)", OPAQUE),
    ],
)
def test_values(source: str, expected: Value) -> None:
    """Literals, composite literals, names and calls are values. Other expressions are parsed and opaque."""
    reader = Reader(tokens(f"{source}, rest"))
    assert reader.value() == expected
    assert source.startswith("a.(") or tokens(f"{source}, rest")[reader.position].text == ","


@pytest.mark.parametrize("source", [",", "a{b: 1", "a(1", "f(}"])
def test_broken_values(source: str) -> None:
    """Truncated or invalid source is an error, not an endless loop."""
    with pytest.raises(ValueError, match=r"found|ends inside a value"):
        value(source)


def block(schemas: str, timeouts: str = "") -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The block of a resource with these schemas, and the rules of its attributes."""
    resource = value(f"&schema.Resource{{ {timeouts} Schema: map[string]*schema.Schema{{ {schemas} }} }}")
    assert isinstance(resource, Composite)

    def resolve(call: Call) -> Composite:
        assert call.function == "common.TagsSchema"
        tags = value(
            "schema.Schema{Type: schema.TypeMap, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}}"
        )
        assert isinstance(tags, Composite)
        return tags

    blocks = Blocks(resolve, {"active": "ACTIVE"}.__getitem__)
    return blocks.resource(resource), blocks.rules


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("Type: schema.TypeString, Required: true", {"type": "string", "required": True}),
        ("Type: schema.TypeInt, Optional: true", {"type": "number", "optional": True}),
        ("Type: schema.TypeFloat, Computed: true", {"type": "number", "computed": True}),
        (
            "Type: schema.TypeBool, Optional: true, Computed: true, Sensitive: true, Deprecated: `x`",
            {"type": "bool", "optional": True, "computed": True, "sensitive": True, "deprecated": True},
        ),
        ("Type: schema.TypeSet, Optional: true", {"type": ["set", "string"], "optional": True}),
        (
            "Type: schema.TypeList, Optional: true, Elem: &schema.Schema{Type: schema.TypeInt}",
            {"type": ["list", "number"], "optional": True},
        ),
        (
            (
                "Type: schema.TypeMap, Optional: true, Elem: &schema.Schema{Type: schema.TypeList,"
                " Elem: &schema.Schema{Type: schema.TypeBool}}"
            ),
            {"type": ["map", ["list", "bool"]], "optional": True},
        ),
        (
            (
                "Type: schema.TypeList, Computed: true, Elem: &schema.Resource{Schema: map[string]*schema.Schema{"
                "`b`: {Type: schema.TypeInt, Computed: true}}}"
            ),
            {"type": ["list", ["object", {"b": "number"}]], "computed": True},
        ),
    ],
)
def test_attributes(schema: str, expected: dict[str, Any]) -> None:
    """A computed list of resources is an attribute, too (core_schema.go)."""
    made, _ = block(f"`a`: {{ {schema} }}")
    assert made == {"attributes": {"a": expected, "id": {"type": "string", "optional": True, "computed": True}}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("Type: schema.TypeList, Optional: true, MaxItems: 1", {"nesting_mode": "list", "max_items": 1}),
        ("Type: schema.TypeSet, Required: true", {"nesting_mode": "set", "min_items": 1}),
        ("Type: schema.TypeList, Required: true, MinItems: 2", {"nesting_mode": "list", "min_items": 2}),
        ("Type: schema.TypeList, Optional: true, MinItems: 2", {"nesting_mode": "list"}),
        ("Type: schema.TypeList, Optional: true, Computed: true", {"nesting_mode": "list"}),
    ],
)
def test_nested_blocks(schema: str, expected: dict[str, Any]) -> None:
    """Other lists of resources are nested blocks, and a required one has at least one item."""
    inside = "Elem: &schema.Resource{Schema: map[string]*schema.Schema{`b`: {Type: schema.TypeInt, Required: true}}}"
    made, _ = block(f"`a`: {{ {schema}, {inside} }}")
    assert made["block_types"]["a"] == {
        **expected,
        "block": {"attributes": {"b": {"type": "number", "required": True}}},
    }


def test_functions_of_the_provider() -> None:
    """A function may return a schema, and the SDK adds a block for timeouts."""
    made, _ = block(
        "`tags`: common.TagsSchema(`x`),",
        "Timeouts: &schema.ResourceTimeout{Create: schema.DefaultTimeout(10 * time.Minute)},",
    )
    assert made["attributes"]["tags"] == {"type": ["map", "string"], "optional": True}
    assert made["block_types"]["timeouts"] == {
        "nesting_mode": "single",
        "block": {"attributes": {"create": {"type": "string", "optional": True}}},
    }


def test_rules() -> None:
    """The rules that Terraform's form has no place for are collected by the path of the attribute."""
    _, rules = block(
        """
        "status": {Type: schema.TypeString, Optional: true, ForceNew: true, ConflictsWith: []string{"other"},
                   ValidateFunc: validation.StringInSlice([]string{active, "DISABLED"}, false)},
        "size": {Type: schema.TypeInt, Optional: true, RequiredWith: []string{"status"},
                 ValidateFunc: validation.IntBetween(1, 10)},
        "data": {Type: schema.TypeString, Optional: true, ValidateFunc: validation.StringIsJSON},
        "name": {Type: schema.TypeString, Optional: true, ValidateFunc: validateName(), ExactlyOneOf: []string{"id"}},
        "nested": {Type: schema.TypeList, Optional: true, Elem: &schema.Resource{Schema: map[string]*schema.Schema{
            "deep": {Type: schema.TypeString, Optional: true, ForceNew: true}}}},
        "plain": {Type: schema.TypeString, Optional: true},
        """
    )
    assert rules == {
        "status": {"force_new": True, "conflicts_with": ["other"], "enum": ["ACTIVE", "DISABLED"]},
        "size": {"required_with": ["status"], "minimum": 1, "maximum": 10},
        "data": {"json": True},
        "name": {"exactly_one_of": ["id"]},
        "nested.deep": {"force_new": True},
    }


PROVIDER = """
package huaweicloud

import (
	"github.com/huaweicloud/terraform-provider-huaweicloud/huaweicloud/services/lts"
)

func Provider() *schema.Provider {
	provider := &schema.Provider{
		Schema: map[string]*schema.Schema{
			"region": {Type: schema.TypeString, Optional: true, Description: descriptions["region"]},
		},
		DataSourcesMap: map[string]*schema.Resource{
			"huaweicloud_lts_group": lts.DataSourceGroup(),
		},
		ResourcesMap: map[string]*schema.Resource{
			"huaweicloud_lts_group":  lts.ResourceGroup(),
		},
	}
	return provider
}
"""

GROUP = """
package lts

import (
	"github.com/huaweicloud/terraform-provider-huaweicloud/huaweicloud/common"
)

// ResourceGroup is schema.Resource{}
func ResourceGroup() *schema.Resource {
	return &schema.Resource{
		CreateContext: create,
		Schema: map[string]*schema.Schema{
			"mode": {Type: schema.TypeString, Required: true,
				ValidateFunc: validation.StringInSlice([]string{modeFast}, false)},
			"tags":   common.TagsSchema(),
			"window": windowSchema(),
		},
	}
}
"""

MORE = """
package lts

const (
	modeFast = "fast"
)

func windowSchema() *schema.Schema {
	return &schema.Schema{Type: schema.TypeInt, Optional: true}
}
"""

COMMON = """
package common

func TagsSchema(description ...string) *schema.Schema {
	object := schema.Schema{
		Type: schema.TypeMap, Optional: true, Elem: &schema.Schema{Type: schema.TypeString},
	}
	return &object
}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small provider in a git repository with the tag v1.2.3."""
    folder = tmp_path / "provider"
    files = {
        "provider.go": PROVIDER,
        "services/lts/group.go": GROUP,
        "services/lts/more.go": MORE,
        "services/lts/group_test.go": GROUP.replace("Required", "Optional"),
        "common/tags.go": COMMON,
    }
    for name, text in files.items():
        file = folder / "huaweicloud" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    for command in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "A"), ("tag", "v1.2.3")):
        subprocess.run(["git", "-C", str(folder), *command], check=True, capture_output=True)
    return folder


def test_a_provider(repository: Path) -> None:
    """Resources are found in provider.go, functions and constants in their packages."""
    document = provider_schema(Checkout(repository, "v1.2.3"), ["huaweicloud_lts_group"])
    (provider,) = document["provider_schemas"].values()
    assert provider["provider"]["block"]["attributes"] == {"region": {"type": "string", "optional": True}}
    assert provider["resource_schemas"]["huaweicloud_lts_group"]["block"]["attributes"] == {
        "id": {"type": "string", "optional": True, "computed": True},
        "mode": {"type": "string", "required": True},
        "tags": {"type": ["map", "string"], "optional": True},
        "window": {"type": "number", "optional": True},
    }
    assert document["derived"]["rules"] == {"huaweicloud_lts_group": {"mode": {"enum": ["fast"]}}}
    assert document["derived"]["sources"] == {"huaweicloud_lts_group": "huaweicloud/services/lts/group.go"}
    assert document["derived"]["version"] == "1.2.3"
    assert len(document["derived"]["commit"]) == 40


def test_a_resource_that_the_provider_does_not_have(repository: Path) -> None:
    """The error names the missing resource."""
    with pytest.raises(KeyError, match="huaweicloud_lts_stream"):
        provider_schema(Checkout(repository, "v1.2.3"), ["huaweicloud_lts_stream"])


@pytest.mark.parametrize(
    ("revision", "expected"),
    [
        ("v1.2.3", "registers no resource huaweicloud_fgs_async_invoke_configuration"),
        ("v9.9.9", "cannot read v9.9.9 of"),
    ],
)
def test_the_command_reports_missing_resources_and_revisions(repository: Path, revision: str, expected: str) -> None:
    """A resource or a revision that does not exist is an error without a traceback."""
    command = [sys.executable, "-m", "cli.terraform.derive", str(repository), revision]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("Error: ")
    assert expected in run.stderr


def test_provider_json_names_its_sources() -> None:
    """Every resource in provider.json has its source, and the version is one that the configuration requires."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    (provider,) = document["provider_schemas"].values()
    assert document["derived"]["sources"].keys() == provider["resource_schemas"].keys()
    assert all(source.startswith("huaweicloud/services/") for source in document["derived"]["sources"].values())
    assert document["derived"]["version"].startswith("1.")
