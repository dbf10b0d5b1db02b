"""Checks the licences of the deployed packages and of the tools, which pip-licenses reads, against a list."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name

from tests.supply_chain.finding import Finding, Verdict
from tests.supply_chain.pins import read_pins


ALLOWED = Path(__file__).parent / "licences.yaml"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The allowed licences.

    Attributes:
        deployed: SPDX identifiers with the reason, for packages in the zips of the functions.
        tools: the same for tools, in addition.
        spellings: other spellings of the identifiers.
        unstated: the licences of tools whose metadata names none, by canonical name, as read in their files.
    """

    deployed: Mapping[str, str]
    tools: Mapping[str, str]
    spellings: Mapping[str, str]
    unstated: Mapping[str, str] = field(default_factory=dict)

    def permits(self, licence: str, identifiers: Collection[str]) -> bool:
        """Whether the identifiers permit a licence, or an expression without brackets.

        All licences joined by "; " or " AND " have to be permitted, and one of those joined by " OR ".
        """
        parts = licence.replace(" AND ", "; ").split("; ")
        return all(any(self._name(choice) in identifiers for choice in part.split(" OR ")) for part in parts)

    def _name(self, licence: str) -> str:
        return self.spellings.get(licence, licence)


def load_allowed(file: Path = ALLOWED) -> Allowed:
    """Read the list of allowed licences."""
    return Allowed(**yaml.safe_load(file.read_text(encoding="utf-8")))


def installed_licences() -> dict[str, str]:
    """Return the licence of every installed package as the package spells it, by canonical name."""
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=json", "--with-system"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    listed: list[dict[str, Any]] = json.loads(done.stdout)
    return {canonicalize_name(package["Name"]): str(package["License"]) for package in listed}


def audit_licences(
    installed: Mapping[str, str], allowed: Allowed, deployed: AbstractSet[str], tools: AbstractSet[str]
) -> Finding:
    """Check the licences of the deployed packages and of the tools, both given by canonical name.

    A tool that is not installed, because it is for another system or Python, is only named. A deployed package that is
    not installed makes the result UNCHECKED.
    """
    lines = []
    for name in sorted({*deployed, *tools} & installed.keys()):
        identifiers = allowed.deployed if name in deployed else {*allowed.deployed, *allowed.tools}
        licence = installed[name]
        if licence == "UNKNOWN" and name not in deployed:
            licence = allowed.unstated.get(name, licence)
        if not allowed.permits(licence, identifiers):
            use = "deployed" if name in deployed else "a tool"
            lines.append(f"{name} ({use}): {licence} is not in {ALLOWED.name}")
    verdict = Verdict.FOUND if lines else Verdict.CLEAN if deployed <= installed.keys() else Verdict.UNCHECKED
    absent = sorted({*deployed, *tools} - installed.keys())
    if absent:
        lines.append(f"not installed, so not checked: {', '.join(absent)}")
    return Finding("licences", verdict, tuple(lines))


def names_of(file: Path) -> set[str]:
    """Return the canonical names of the packages in a requirements file."""
    return {pin.name for pin in read_pins(file)}
