"""Finding a Python interpreter of a runtime's version on this machine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


# The modules that run inside a function's process need this version.
OLDEST = (3, 10)
_SHOW = "import sys; print(*sys.version_info[:2], sys.executable)"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python. `note` says so if its version is not the runtime's."""

    executable: str
    note: str | None = None


@cache
def interpreter_for(runtime: str) -> Interpreter:
    """Return an interpreter for a runtime such as Python3.10.

    It is this one, one on PATH or one of pyenv. If none has the version: this one, with a note.
    """
    major, _, minor = runtime.removeprefix("Python").partition(".")
    wanted = int(major), int(minor)
    if wanted == sys.version_info[:2]:
        return Interpreter(sys.executable)
    for candidate in _candidates(f"python{major}.{minor}") if wanted >= OLDEST else ():
        executable = _executable_of(candidate, wanted)
        if executable:
            return Interpreter(executable)
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return Interpreter(sys.executable, f"no {runtime} was found on this machine: the function runs on Python {here}")


def _candidates(name: str) -> Iterator[str]:
    on_path = shutil.which(name)
    if on_path:
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for found in sorted(pyenv.glob(f"versions/*/bin/{name}"), reverse=True):
        yield str(found)


def _executable_of(candidate: str, wanted: tuple[int, int]) -> str | None:
    """Return the real path of *candidate* if it has the wanted version. A pyenv shim may be another one, or none."""
    try:
        output = subprocess.run(  # noqa: S603 - a Python of this machine
            [candidate, "-I", "-S", "-c", _SHOW], capture_output=True, text=True, timeout=10, check=True
        ).stdout
        major, minor, executable = output.rstrip("\n").split(" ", 2)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return executable if (int(major), int(minor)) == wanted else None
