"""What the runtime has to know of a function."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A function as it is run. Memory is MB, times are seconds."""

    name: str
    handler: str
    initializer: str | None
    initializer_timeout: float
    timeout: float
    memory_size: int
    code_root: Path
    """What becomes the root of the package."""
    code_uri: Path
    """The folder that holds the entry file; in a package it is the root."""
    package: str = "default"
    """The group of functions that it belongs to."""
    interpreter: str = sys.executable
    is_packaged: bool = False
    """Run as on the platform: nothing is importable but the code and the standard library, and no byte code is written.

    Otherwise what is installed for the interpreter is importable too, as for the code in a checkout.
    """
