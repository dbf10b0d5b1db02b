"""The licences of what is deployed and of the tools, by pip-licenses, against the list of those allowed."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name

from tests.supply_chain.finding import Finding, Verdict
from tests.supply_chain.pins import read_pins


ALLOWED = Path(__file__).parent / "licences.yaml"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Identifiers of licences with the reason for each, and other spellings of them."""

    deployed: Mapping[str, str]
    tools: Mapping[str, str]
    spellings: Mapping[str, str]

    def permits(self, licence: str, identifiers: Collection[str]) -> bool:
        """Whether a licence, or an expression of several without brackets, is among the identifiers.

        "; " and " AND " join those that all apply, " OR " those of which one is enough.
        """
        parts = licence.replace(" AND ", "; ").split("; ")
        return all(any(self._name(choice) in identifiers for choice in part.split(" OR ")) for part in parts)

    def _name(self, licence: str) -> str:
        return self.spellings.get(licence, licence)


def load_allowed(file: Path = ALLOWED) -> Allowed:
    """Read the list."""
    return Allowed(**yaml.safe_load(file.read_text(encoding="utf-8")))


def installed_licences() -> dict[str, str]:
    """The licence of every package of this environment, as the package writes it, by its canonical name."""
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=json", "--with-system"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    listed: list[dict[str, Any]] = json.loads(done.stdout)
    return {canonicalize_name(package["Name"]): str(package["License"]) for package in listed}


def audit_licences(
    installed: Mapping[str, str], allowed: Allowed, deployed: AbstractSet[str], tools: AbstractSet[str]
) -> Finding:
    """Judge the licences of the packages that are deployed, and of the tools: names as in the requirements files.

    A tool that this interpreter does not install, because it is for another system or Python, is named only. What is
    deployed has to be judged.
    """
    lines = []
    for name in sorted({*deployed, *tools} & installed.keys()):
        identifiers = allowed.deployed if name in deployed else {*allowed.deployed, *allowed.tools}
        if not allowed.permits(installed[name], identifiers):
            use = "deployed" if name in deployed else "a tool"
            lines.append(f"{name} ({use}): {installed[name]} is not in {ALLOWED.name}")
    verdict = Verdict.FOUND if lines else Verdict.CLEAN if deployed <= installed.keys() else Verdict.UNCHECKED
    absent = sorted({*deployed, *tools} - installed.keys())
    if absent:
        lines.append(f"not installed here, so not judged: {', '.join(absent)}")
    return Finding("licences", verdict, tuple(lines))


def names_of(file: Path) -> set[str]:
    """The canonical names of a requirements file."""
    return {pin.name for pin in read_pins(file)}
