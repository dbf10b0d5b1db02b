"""The file in which a running local cloud keeps its keys for the commands of the same user.

The folder is `$XDG_RUNTIME_DIR/ddsbackup`, or else `~/.cache/ddsbackup`, with mode 0700. The file is named after the
port, has mode 0600, and holds what `GET /_local/connection` returns, and the id of the process.
"""

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from localcloud.callers import is_loopback


_log = logging.getLogger("localcloud")


@contextmanager
def published(connection: Mapping[str, Any]) -> Iterator[None]:
    """Keep a connection in the file of its port while the context lasts.

    If the folder cannot be used, a warning is logged, and the commands do not find the keys.
    """
    path = _path(urlsplit(connection["endpoint"]).port)
    try:
        _write(path, json.dumps({**connection, "pid": os.getpid()}))
    except OSError as error:
        _log.warning("the keys of the local cloud are not kept in %s: %s", path, error)
        yield
        return
    try:
        yield
    finally:
        # Another local cloud may have taken the port and the file meanwhile.
        if (_read(path) or {}).get("token") == connection["token"]:
            with suppress(OSError):
                path.unlink()


def find_token(url: str) -> str | None:
    """The token of the local cloud that this user runs at `url`, or None. Only a URL of this machine has one."""
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError:
        return None
    found = _read(_path(port)) or {}
    if not is_loopback(parts.hostname or "") and f"{parts.scheme}://{parts.netloc}" != found.get("endpoint"):
        return None
    token = found.get("token")
    return token if isinstance(token, str) else None


def find_endpoint(port: int) -> tuple[str, int] | None:
    """The URL and the process id of this user's local cloud at a port, or None if it has no file."""
    found = _read(_path(port)) or {}
    url, pid = found.get("endpoint"), found.get("pid")
    return (url, pid) if isinstance(url, str) and isinstance(pid, int) and pid > 1 else None


def log_file(port: int) -> Path:
    """The file for the output of a local cloud in the background, beside its keys. Makes the folder."""
    path = _path(port)
    _make_folder(path.parent)
    return path.with_suffix(".log")


def _path(port: int | None) -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / "ddsbackup" if runtime else Path.home() / ".cache" / "ddsbackup"
    return folder / f"local-cloud-{port or 80}.json"


def _write(path: Path, text: str) -> None:
    _make_folder(path.parent)
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(unfinished).replace(path)


def _make_folder(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    _check_owner(folder)
    folder.chmod(0o700)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        _check_owner(path.parent)
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _check_owner(folder: Path) -> None:
    """Raise PermissionError for a folder that is a link or belongs to another user, who could read or replace files."""
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid():
        raise PermissionError(f"{folder} is a link or belongs to another user")
