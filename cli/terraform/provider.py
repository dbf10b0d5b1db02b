"""The provider's schema, from ``provider.json``, which ``python -m cli.terraform.derive`` writes.

The file has the form of ``terraform providers schema -json``, so that the output of a real provider can replace it.
What that form has no place for is under ``derived``. Without it, the rules of attributes are not checked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cli.json_value import Json


FILE = Path(__file__).with_name("provider.json")


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: its type as Terraform writes it (``string``, ``["set", "string"]``), and whether it can be set."""

    type: Json
    required: bool
    optional: bool
    deprecated: bool

    @property
    def is_settable(self) -> bool:
        """Whether a configuration may set it."""
        return self.required or self.optional


@dataclass(frozen=True, slots=True)
class Nested:
    """A nested block: its nesting (single, list, set), and how many of it there may be."""

    block: "Block"
    nesting: str
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Block:
    """The schema of a block."""

    attributes: Mapping[str, Attribute]
    nested: Mapping[str, Nested]


@dataclass(frozen=True, slots=True)
class Rule:
    """The constraints on an attribute besides its type. A range includes both ends."""

    enum: tuple[Json, ...] = ()
    range: tuple[int, int] | None = None
    is_json: bool = False
    conflicts_with: tuple[str, ...] = ()
    required_with: tuple[str, ...] = ()
    exactly_one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provider:
    """The schema of a provider: its configuration, its resources, and the rules of their attributes by dotted path."""

    configuration: Block
    resources: Mapping[str, Block]
    rules: Mapping[str, Mapping[str, Rule]]


@cache
def read_provider(file: Path = FILE) -> Provider:
    """Return the provider in *file*, which has exactly one."""
    document = json.loads(file.read_text(encoding="utf-8"))
    (provider,) = document["provider_schemas"].values()
    rules = document.get("derived", {}).get("rules", {})
    return Provider(
        configuration=_block(provider["provider"]["block"]),
        resources={name: _block(schema["block"]) for name, schema in provider["resource_schemas"].items()},
        rules={name: {path: _rule(rule) for path, rule in of.items()} for name, of in rules.items()},
    )


def _block(block: Mapping[str, Any]) -> Block:
    return Block(
        attributes={name: _attribute(attribute) for name, attribute in block.get("attributes", {}).items()},
        nested={name: _nested(nested) for name, nested in block.get("block_types", {}).items()},
    )


def _attribute(attribute: Mapping[str, Any]) -> Attribute:
    return Attribute(
        type=attribute["type"],
        required=attribute.get("required", False),
        optional=attribute.get("optional", False),
        deprecated=attribute.get("deprecated", False),
    )


def _nested(nested: Mapping[str, Any]) -> Nested:
    return Nested(_block(nested["block"]), nested["nesting_mode"], nested.get("min_items", 0), nested.get("max_items"))


def _rule(rule: Mapping[str, Any]) -> Rule:
    return Rule(
        enum=tuple(rule.get("enum", ())),
        range=(rule["minimum"], rule["maximum"]) if "minimum" in rule else None,
        is_json=rule.get("json", False),
        conflicts_with=tuple(rule.get("conflicts_with", ())),
        required_with=tuple(rule.get("required_with", ())),
        exactly_one_of=tuple(rule.get("exactly_one_of", ())),
    )
