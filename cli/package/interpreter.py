"""Finding a CPython of the version that the byte code is for."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.package.model import PackagingFailed


_ASK = "import sys; print(sys.implementation.name, *sys.version_info[:4])"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython on this machine, such as version ``3.10.13``."""

    executable: str
    version: str


def find_interpreter(python: str) -> Interpreter:
    """Return a final release of CPython *python*, such as ``3.10``: this process's, the PATH's, pyenv's or uv's.

    Raises PackagingFailed when there is none.
    """
    for candidate in _candidates(python):
        version = _version(candidate)
        if version and version.startswith(f"{python}."):
            return Interpreter(candidate, version)
    raise PackagingFailed(
        f"no Python {python} on this machine: looked on the PATH, among pyenv's versions and asked uv.\n"
        f"Byte code can be made only by the version that runs it. Install it (`uv python install {python}` or"
        f" `pyenv install {python}`), or leave the byte code out with --without-byte-code: the function then compiles"
        " every module anew on each cold start, which takes three to four times as long."
    )


def _candidates(python: str) -> Iterator[str]:
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield sys.executable
    if on_path := shutil.which(f"python{python}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from sorted(map(str, pyenv.glob(f"{python}.*/bin/python{python}")), reverse=True)
    if uv := shutil.which("uv"):
        yield _output([uv, "python", "find", python])


def _version(executable: str) -> str | None:
    """Such as ``3.10.13``; None for what does not run (a shim of pyenv, say) or is no final release of CPython."""
    answer = _output([executable, "-I", "-S", "-c", _ASK]).split() if executable else []
    if len(answer) != 5 or answer[0] != "cpython" or answer[4] != "final":
        return None
    return ".".join(answer[1:4])


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 found above
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
