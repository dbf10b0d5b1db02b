"""Pinned and hashed requirements, as pip's requirements.txt has them, for a Python that is not the running one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from cli.package.model import PackagingFailed


_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")
_LOCK = "`make lock` writes it so, elsewhere `uv pip compile --generate-hashes`."


@dataclass(frozen=True, slots=True)
class Pinned:
    """One distribution in exactly one version, both in the form that wheels are named by."""

    name: str
    version: str
    hashes: frozenset[str]
    """SHA-256 in hexadecimal of each file that may be used."""

    def line(self) -> str:
        """Return it as a line of requirements.txt, without its marker."""
        return " ".join(
            [f"{self.name}=={self.version}", *(f"--hash=sha256:{digest}" for digest in sorted(self.hashes))]
        )


def read_requirements(file: Path, python: str) -> tuple[Pinned, ...]:
    """Return what *file* asks for on Linux, x86_64, CPython *python*, such as ``3.10``; sorted by name.

    A function may need nothing but the standard library: then there is no such file. Raises PackagingFailed for one
    that cannot be read or pins and hashes not everything.
    """
    if not file.exists():
        return ()
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise PackagingFailed(f"cannot read the requirements {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PackagingFailed(f"{file} is no UTF-8 text: {error}") from error
    pinned = []
    for number, line in _logical_lines(text):
        requirement, hashes = _parse(line, f"{file}, line {number}")
        if requirement.marker is None or requirement.marker.evaluate(_environment(python)):
            pinned.append(_pin(requirement, hashes, f"{file}, line {number}"))
    return tuple(sorted(pinned, key=lambda one: one.name))


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines with what they go on with after a backslash, each with the number of its first line."""
    started, parts = 0, list[str]()
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        started = started if parts else number
        parts.append(line.removesuffix("\\").strip())
        if not line.endswith("\\"):
            if joined := " ".join(filter(None, parts)):
                yield started, joined
            parts = []


def _parse(line: str, where: str) -> tuple[Requirement, frozenset[str]]:
    if line.startswith("-"):
        raise PackagingFailed(f"{where}: only requirements are understood, not the option {line.split(maxsplit=1)[0]}")
    try:
        return Requirement(_HASH.sub("", line).strip()), frozenset(_HASH.findall(line))
    except InvalidRequirement as error:
        raise PackagingFailed(f"{where}: {error}") from error


def _pin(requirement: Requirement, hashes: frozenset[str], where: str) -> Pinned:
    pins = [spec.version for spec in requirement.specifier if spec.operator == "==" and not spec.version.endswith("*")]
    if len(pins) != 1 or len(requirement.specifier) != 1:
        raise PackagingFailed(f"{where}: {requirement} is not pinned to one version with ==. {_LOCK}")
    if not hashes:
        raise PackagingFailed(f"{where}: {requirement} has no --hash=sha256:... {_LOCK}")
    return Pinned(canonicalize_name(requirement.name), str(Version(pins[0])), hashes)


def _environment(python: str) -> dict[str, str]:
    """What the markers are about (PEP 508), for FunctionGraph's Linux."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "extra": "",
    }
