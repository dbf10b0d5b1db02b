"""Packages as the platform lays them out: unpacked once, and not to be written to."""

import base64
import io
import lzma
import shutil
import tempfile
import threading
import zipfile
import zlib
from pathlib import Path

from localcloud.functiongraph.facts import Package


_BROKEN = (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error, lzma.LZMAError)
"""What zipfile raises for wrong sums and sizes, what is encrypted, an unknown compression, and broken data."""


class BrokenPackage(Exception):  # noqa: N818 - a fault of the package, not of this program
    """A zip whose entries cannot be read."""


class UnpackedPackages:
    """Unpacks packages into a temporary folder, which is gone after `close`. Used by several threads."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def code_root(self, package: Package, digest: str) -> Path:
        """The folder with what is in the package: files 0444, folders 0555, made when it was unpacked.

        Raises BrokenPackage, and OSError when there is no room.
        """
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="functiongraph-"))
            code = self._folder / digest[:32] / "code"
            if not code.exists():
                unfinished = code.with_name("unfinished")
                unfinished.mkdir(parents=True, exist_ok=True)
                _unpack(package, unfinished)
                unfinished.rename(code)
                _protect(code)
            return code

    def close(self) -> None:
        """Remove the folder with all that was unpacked."""
        if self._folder is not None:
            for folder in [self._folder, *(path for path in self._folder.rglob("*") if path.is_dir())]:
                folder.chmod(0o700)
            shutil.rmtree(self._folder)
            self._folder = None


def _unpack(package: Package, folder: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(package.file))) as archive:
            archive.extractall(folder)  # leads nowhere else: zipfile drops .. and leading slashes
    except _BROKEN as error:
        raise BrokenPackage(str(error)) from error


def _protect(root: Path) -> None:
    for path in [*root.rglob("*"), root]:
        path.chmod(0o555 if path.is_dir() else 0o444)
