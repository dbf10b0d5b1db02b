"""The cache of finished packages: the same sources need not be packed again.

The key is a digest of everything that a package depends on. An entry is one file, written atomically and verified when
it is read: one that is damaged counts as missing. Several processes can use the cache at once.
"""

import hashlib
import json
import os
import platform
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from cli.package.archive import write_whole
from cli.package.model import Files


PACKER = Path(__file__).parent
MOST = 30
"""Entries that are kept, of a few MB each: the packages of six states of the sources of five functions."""
ABANDONED = 3600
"""Seconds after which the draft of a process that was killed is deleted."""


@dataclass(frozen=True, slots=True)
class Built:
    """A package as it was built: its zip and its bill of materials, and what was said while it was built."""

    zip: bytes
    sbom: bytes
    files: int
    unpacked_size: int
    warnings: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The SHA-512 of the zip."""
        return hashlib.sha512(self.zip).hexdigest()


def key_of(sources: Files, requirements: Path, facts: Mapping[str, str]) -> str:
    """Return the key of a package of *sources* and *requirements*, built as *facts* say, by the packer as it is."""
    parts = {f"packer/{file.name}": file.read_bytes() for file in PACKER.glob("*.*") if file.is_file()}
    parts |= {f"sources/{name}": content for name, content in sources.items()}
    parts["requirements"] = requirements.read_bytes() if requirements.exists() else b""
    libraries = [version(name) for name in ("cyclonedx-python-lib", "packageurl-python", "packaging")]
    machine = (platform.python_version(), platform.system(), platform.machine(), zlib.ZLIB_RUNTIME_VERSION, *libraries)
    known = {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()}
    return hashlib.sha256(json.dumps([known, dict(facts), machine], sort_keys=True).encode()).hexdigest()


class Packages:
    """The packages in a *folder*."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: str) -> Built | None:
        """Return the entry of *key*. None if there is none, or if it is not as it was written."""
        path = self._folder / key
        try:
            head, _, body = path.read_bytes().partition(b"\n")
            facts = json.loads(head)
            if hashlib.sha512(body).hexdigest() != facts["sha512"]:
                return None
            built = Built(
                body[: facts["size"]],
                body[facts["size"] :],
                facts["files"],
                facts["unpacked_size"],
                tuple(facts["warnings"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        with suppress(OSError):
            os.utime(path)  # the entries that were used last are kept
        return built

    def write(self, key: str, built: Built) -> None:
        """Write an entry, and delete the oldest ones. A cache that cannot be written is no failure."""
        body = built.zip + built.sbom
        facts = {name: value for name, value in asdict(built).items() if name not in {"zip", "sbom"}}
        facts |= {"size": len(built.zip), "sha512": hashlib.sha512(body).hexdigest()}
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / key, json.dumps(facts).encode() + b"\n" + body)
            self._evict()

    def _evict(self) -> None:
        files = list(self._folder.iterdir())
        entries = [file for file in files if not file.name.startswith(".")]
        drafts = [file for file in files if file.name.startswith(".") and _age(file) > ABANDONED]
        for file in (*sorted(entries, key=_age)[MOST:], *drafts):
            file.unlink(missing_ok=True)


def _age(file: Path) -> float:
    try:
        return time.time() - file.stat().st_mtime
    except FileNotFoundError:  # deleted by another process
        return 0.0
