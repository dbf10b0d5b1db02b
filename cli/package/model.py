"""What packaging takes and gives, as data. Sizes are bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import click

from cli.template.model import Function


PYTHONS = ("3.10", "3.12")
"""The versions of Python that FunctionGraph runs and we support (FunctionGraph, Supported Programming Languages)."""


class PackagingFailed(click.ClickException):
    """A package could not be made: what went wrong and what to do. Exit status 1."""


class Observer(Protocol):
    """Is told how packaging gets on."""

    def step(self, description: str, total: int) -> Callable[[], None]:
        """A step of *total* parts begins; what is returned is to be called at the end of each part."""

    def warn(self, text: str) -> None:
        """Something that the user should know, though the package is made."""


@dataclass(frozen=True, slots=True)
class Package:
    """The zip of one function."""

    function: Function
    python: str
    """Such as ``3.10``: what the packed wheels and the byte code are for."""
    path: Path
    sbom: Path
    """Its CycloneDX bill of materials, JSON."""
    size: int
    files: int
    unpacked_size: int
    digest: str
    """SHA-512 in hexadecimal, which FunctionGraph answers as ``digest`` for the code that it has."""
