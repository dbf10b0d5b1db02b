"""The data that packaging takes and returns. Sizes are in bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import click

from cli.template.model import Function


PYTHONS = ("3.10", "3.12")
"""The supported Python versions, of those that FunctionGraph has (FunctionGraph, Supported Programming Languages)."""

Files = dict[str, bytes]
"""Contents by path in the zip."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file of a package comes from.

    Attributes:
        kind: ``source`` (the application's own), ``unchanged`` or ``changed`` (a file of a requirement), ``stub`` (made
            in place of a requirement's module), ``licence``, ``byte-code``, ``record``, ``bill`` (of materials).
        of: the package URL of the requirement, or the path of the source of byte code.
        reason: why a file was changed, or a stub was made.
    """

    kind: str
    of: str = ""
    reason: str = ""


class PackagingFailed(click.ClickException):
    """A package could not be made. The message says what went wrong and what to do. Exit status 1."""


class Observer(Protocol):
    """Receives the progress of packaging."""

    def step(self, description: str, total: int) -> Callable[[], None]:
        """Begin a step of *total* parts. The caller calls the returned function at the end of each part."""

    def warn(self, text: str) -> None:
        """Report something that the user should know, although the package can be made."""


@dataclass(frozen=True, slots=True)
class Package:
    """The zip of one function."""

    function: Function
    python: str
    """The Python version of its wheels and byte code, such as ``3.10``."""
    path: Path
    sbom: Path
    """Its CycloneDX bill of materials, JSON."""
    size: int
    files: int
    unpacked_size: int
    digest: str
    """SHA-512 in hexadecimal: what FunctionGraph returns as ``digest`` of the code."""
