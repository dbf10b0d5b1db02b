"""Reads the pinned packages of a requirements file."""

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@dataclass(frozen=True, slots=True)
class Pin:
    """A line of a requirements file: the canonical name, the requirement and its hashes."""

    name: str
    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def version(self) -> str | None:
        """The version that ``==`` pins; None if the requirement allows others."""
        specifiers = list(self.requirement.specifier)
        if len(specifiers) == 1 and specifiers[0].operator == "==" and "*" not in specifiers[0].version:
            return specifiers[0].version
        return None


def read_pins(file: Path) -> list[Pin]:
    """Return every requirement of the file. Raises InvalidRequirement for an invalid line."""
    text = re.sub(r"\s*\\\n\s*", " ", file.read_text(encoding="utf-8"))
    return [_pin(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _pin(line: str) -> Pin:
    requirement = Requirement(re.split(r"\s--hash=", line)[0])
    hashes = tuple(re.findall(r"--hash=(\S+)", line))
    return Pin(canonicalize_name(requirement.name), requirement, hashes)
