"""Packages as the platform lays them out: unpacked once, and not to be written to."""

import base64
import io
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path

from localcloud.functiongraph.facts import Package


class UnpackedPackages:
    """Unpacks packages into a temporary folder, which is gone after `close`. Used by several threads."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def code_root(self, package: Package, digest: str) -> Path:
        """The folder with what is in the package: files 0444, folders 0555, made when it was unpacked."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="functiongraph-"))
            code = self._folder / digest[:32] / "code"
            if not code.exists():
                unfinished = code.with_name("unfinished")
                with zipfile.ZipFile(io.BytesIO(base64.b64decode(package.file))) as archive:
                    archive.extractall(unfinished)  # leads nowhere else: zipfile drops .. and leading slashes
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


def _protect(root: Path) -> None:
    for path in [*root.rglob("*"), root]:
        path.chmod(0o555 if path.is_dir() else 0o444)
