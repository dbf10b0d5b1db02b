"""What a Terraform configuration is made of, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from cli.json_value import Json, JsonObject


class Target(Enum):
    """Who applies the configuration."""

    TERRAFORM = "terraform"
    RFS = "rfs"
    """Resource Formation Service. It forbids functions that read files, resources that upload any, and backends (RFS,
    Template Reference, Template Constraints and Limitations), so that code has to come from OBS."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One ``resource`` block."""

    type: str
    name: str
    body: JsonObject

    @property
    def address(self) -> str:
        """What other blocks refer to it by."""
        return f"{self.type}.{self.name}"


@dataclass(frozen=True, slots=True)
class Part:
    """Some resources, and the values that they refer to as ``local.<group>.<name>``."""

    resources: tuple[Resource, ...] = ()
    values: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
