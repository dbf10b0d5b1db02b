"""The requirements of a package: what requirements.txt pins for the target, and its wheels.

pip downloads a wheel once. It is kept in a cache, and its hash is checked on each use.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from cli.package.model import Files, Observer, PackagingFailed


PLATFORM = "manylinux2014_x86_64"
"""glibc 2.17 or later. FunctionGraph runs on x86_64 only, and does not document its glibc."""

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")
_LOCK = "Run `make lock`, or `uv pip compile --generate-hashes`."


@dataclass(frozen=True, slots=True)
class Pinned:
    """A distribution pinned to one version. Both are normalized as in the names of wheels."""

    name: str
    version: str
    hashes: frozenset[str]
    """SHA-256 in hexadecimal of each file that may be used."""

    def line(self) -> str:
        """Return the line of requirements.txt, without its marker."""
        return " ".join(
            [f"{self.name}=={self.version}", *(f"--hash=sha256:{digest}" for digest in sorted(self.hashes))]
        )


def read_requirements(file: Path, python: str) -> tuple[Pinned, ...]:
    """Return the requirements in *file* for Linux on x86_64 and CPython *python*, such as ``3.10``, sorted by name.

    An application without requirements has no such file. Raises PackagingFailed if the file cannot be read, or if a
    requirement is not pinned and hashed.
    """
    if not file.exists():
        return ()
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise PackagingFailed(f"cannot read the requirements {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PackagingFailed(f"{file} is not valid UTF-8: {error}") from error
    pinned = []
    for number, line in _logical_lines(text):
        requirement, hashes = _parse(line, f"{file}, line {number}")
        if requirement.marker is None or requirement.marker.evaluate(_environment(python)):
            pinned.append(_pin(requirement, hashes, f"{file}, line {number}"))
    return tuple(sorted(pinned, key=lambda one: one.name))


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines, joined with their continuations after a backslash, with the number of their first line."""
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
        raise PackagingFailed(f"{where}: found the option {line.split(maxsplit=1)[0]}, expected only requirements")
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
    """Return the variables of markers (PEP 508) for FunctionGraph's Linux."""
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


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel file whose SHA-256 is among the hashes of its requirement."""

    name: str
    version: str
    path: Path
    sha256: str


def get_wheels(pinned: Sequence[Pinned], python: str, cache: Path, observer: Observer) -> tuple[Wheel, ...]:
    """Return a wheel for each of *pinned*, from *cache* or downloaded into it.

    Raises PackagingFailed if a wheel cannot be downloaded or has a different hash.
    """
    folder = cache / f"cp{python.replace('.', '')}-{PLATFORM}"
    found = _cached(folder, pinned)
    missing = [one for one in pinned if one not in found]
    if missing:
        _download(missing, python, folder, observer)
        found = _cached(folder, pinned)
    if lost := [f"{one.name}=={one.version}" for one in pinned if one not in found]:
        raise PackagingFailed(f"pip downloaded no file that has the hash of {', '.join(lost)}")
    return tuple(found[one] for one in pinned)


def _cached(folder: Path, pinned: Sequence[Pinned]) -> dict[Pinned, Wheel]:
    wanted = {(one.name, one.version): one for one in pinned}
    cached = {}
    for path in sorted(folder.glob("*.whl")):
        try:
            name, version, _, _ = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue  # not from pip
        one = wanted.get((canonicalize_name(name), str(version)))
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if one else ""
        if one and digest in one.hashes:
            cached[one] = Wheel(one.name, one.version, path, digest)
    return cached


def _download(missing: Sequence[Pinned], python: str, folder: Path, observer: Observer) -> None:
    """Download *missing* into *folder* with pip. Its own configuration applies, such as a mirror."""
    folder.mkdir(parents=True, exist_ok=True)
    done = observer.step(f"Downloading {len(missing)} wheels for Python {python}", len(missing))
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        wanted = Path(scratch, "requirements.txt")
        wanted.write_text("".join(f"{one.line()}\n" for one in missing), encoding="utf-8")
        target = ["--platform", PLATFORM, "--implementation", "cp", "--python-version", python]
        strict = ["--require-hashes", "--only-binary=:all:", "--no-deps", "--disable-pip-version-check"]
        files = ["--requirement", str(wanted), "--dest", scratch]
        command = [sys.executable, "-m", "pip", "download", *strict, *target, *files]
        output = []
        with subprocess.Popen(  # noqa: S603 pip with pinned and hashed requirements
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
        ) as pip:
            for line in pip.stdout or ():
                output.append(line.rstrip())
                if line.startswith(("Collecting ", "Processing ")):
                    done()
        if pip.returncode:
            raise PackagingFailed(_download_error(output, python))
        for wheel in Path(scratch).glob("*.whl"):
            wheel.replace(folder / wheel.name)


def _download_error(output: Sequence[str], python: str) -> str:
    errors = [line for line in output if line.startswith("ERROR: ")] or [line for line in output if "No module" in line]
    return "\n".join(
        [
            f"cannot download the wheels for Python {python} on {PLATFORM}. pip says:",
            *(f"  {line.removeprefix('ERROR: ')}" for line in errors or output[-5:]),
            "Each requirement needs a wheel for that platform whose hash is in requirements.txt.",
            "pip needs a package index (see `pip config list`), but only for wheels that are not in the cache yet.",
        ]
    )


def wheel_files(wheel: Wheel) -> Files:
    """Return the files that pip would install into site-packages, without scripts and headers."""
    files: Files = {}
    with zipfile.ZipFile(wheel.path) as archive:
        for member in archive.infolist():
            name = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", member.filename)
            if not member.is_dir() and not name.partition("/")[0].endswith(".data"):
                files[name] = archive.read(member)
    return files
