"""The wheels that go into a package: downloaded once by pip, kept, and held against their hashes on each use."""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from cli.package.model import Observer, PackagingFailed
from cli.package.requirements import Pinned


PLATFORM = "manylinux2014_x86_64"
"""glibc 2.17 or later: FunctionGraph does not say which glibc it has, and runs x86_64 only."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel file whose SHA-256 is one that its requirement allows."""

    name: str
    version: str
    path: Path
    sha256: str


def get_wheels(pinned: Sequence[Pinned], python: str, cache: Path, observer: Observer) -> tuple[Wheel, ...]:
    """Return a wheel for each of *pinned*, from *cache* or, kept there for the next time, from the package index.

    Raises PackagingFailed when one cannot be had or is not what its hash says.
    """
    folder = cache / f"cp{python.replace('.', '')}-{PLATFORM}"
    found = _kept(folder, pinned)
    missing = [one for one in pinned if one not in found]
    if missing:
        _download(missing, python, folder, observer)
        found = _kept(folder, pinned)
    if lost := [one.line().split()[0] for one in pinned if one not in found]:
        raise PackagingFailed(f"pip brought nothing that has the hash of {', '.join(lost)}")
    return tuple(found[one] for one in pinned)


def _kept(folder: Path, pinned: Sequence[Pinned]) -> dict[Pinned, Wheel]:
    wanted = {(one.name, one.version): one for one in pinned}
    kept = {}
    for path in sorted(folder.glob("*.whl")):
        try:
            name, version, _, _ = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue  # not from pip
        one = wanted.get((canonicalize_name(name), str(version)))
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if one else ""
        if one and digest in one.hashes:
            kept[one] = Wheel(one.name, one.version, path, digest)
    return kept


def _download(missing: Sequence[Pinned], python: str, folder: Path, observer: Observer) -> None:
    """Let pip fetch *missing* into *folder*; its own configuration, a mirror for instance, applies."""
    folder.mkdir(parents=True, exist_ok=True)
    done = observer.step(f"Getting {len(missing)} wheels for Python {python}", len(missing))
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        asked = Path(scratch, "requirements.txt")
        asked.write_text("".join(f"{one.line()}\n" for one in missing), encoding="utf-8")
        target = ["--platform", PLATFORM, "--implementation", "cp", "--python-version", python]
        strict = ["--require-hashes", "--only-binary=:all:", "--no-deps", "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", "download", *strict, *target, "--dest", scratch, "-r", str(asked)]
        said = []
        with subprocess.Popen(  # noqa: S603 pip with pinned and hashed requirements
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
        ) as pip:
            for line in pip.stdout or ():
                said.append(line.rstrip())
                if line.startswith(("Collecting ", "Processing ")):
                    done()
        if pip.returncode:
            raise PackagingFailed(_why(said, python))
        for wheel in Path(scratch).glob("*.whl"):
            wheel.replace(folder / wheel.name)


def _why(said: Sequence[str], python: str) -> str:
    errors = [line for line in said if line.startswith("ERROR: ")] or [line for line in said if "No module" in line]
    return "\n".join(
        [
            f"cannot get the wheels for Python {python} on {PLATFORM}. pip says:",
            *(f"  {line.removeprefix('ERROR: ')}" for line in errors or said[-5:]),
            "Each requirement needs a wheel for that platform that has a hash in requirements.txt.",
            "pip needs a package index (see `pip config list`). What was got once is kept and needs none again.",
        ]
    )
