"""Packages: checked against the documented limits when they are uploaded, unpacked once when they are run."""

import base64
import hashlib
import io
import lzma
import shutil
import tempfile
import threading
import zipfile
import zlib
from pathlib import Path

from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.state import Package


# FunctionGraph, Notes and Constraints: the size of an uploaded zip, and of its unpacked content.
MAX_BYTES = 50 * 1024 * 1024
MAX_UNPACKED_BYTES = 1536 * 1024 * 1024
MAX_BASE64_CHARACTERS = (MAX_BYTES + 2) // 3 * 4

# zipfile raises these for wrong checksums and sizes, encrypted entries, unknown compression, and damaged data.
_BROKEN = (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error, lzma.LZMAError)


def read_package(file: str) -> bytes:
    """Decode a zip from base64.

    Raises FSS.1071 for more than 50 MB, FSS.1011 if it is not base64, not a zip, or unpacks to more than 1.5 GB.
    """
    if len(file) > MAX_BASE64_CHARACTERS:
        raise functiongraph_error("FSS.1071")
    try:
        content = base64.b64decode(file, validate=True)
    except ValueError as error:  # binascii.Error included
        raise functiongraph_error("FSS.1011", f"func_code.file is not base64: {error}") from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except _BROKEN as error:
        raise functiongraph_error("FSS.1011", "zip: not a valid zip file") from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise functiongraph_error("FSS.1011", f"{unpacked} bytes unpacked, at most {MAX_UNPACKED_BYTES} are allowed")
    return content


def sha512(content: bytes) -> str:
    """The digest of a package in hex."""
    return hashlib.sha512(content).hexdigest()


class BrokenPackage(Exception):  # noqa: N818 - a fault of the package, not of this program
    """The entries of a zip cannot be read."""


class UnpackedPackages:
    """Unpacks packages into a temporary folder, which `close` removes. Thread-safe."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def code_root(self, package: Package, digest: str) -> Path:
        """The folder with the unpacked package: files 0444, folders 0555. Unpacks it first if needed.

        Raises BrokenPackage, and OSError if the disk is full.
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
        """Remove the folder."""
        if self._folder is not None:
            for folder in [self._folder, *(path for path in self._folder.rglob("*") if path.is_dir())]:
                folder.chmod(0o700)
            shutil.rmtree(self._folder)
            self._folder = None


def _unpack(package: Package, folder: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(package.file))) as archive:
            archive.extractall(folder)  # cannot write elsewhere: zipfile drops .. and leading slashes
    except _BROKEN as error:
        raise BrokenPackage(str(error)) from error


def _protect(root: Path) -> None:
    for path in [*root.rglob("*"), root]:
        path.chmod(0o555 if path.is_dir() else 0o444)
