"""Zip files: reproducible, within FunctionGraph's limits, and never half written."""

import io
import os
import zipfile
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cli.package.model import PackagingFailed


MB = 1024 * 1024

_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold. Byte code must not depend on it: see `cli.package.compiler`."""

_UNIX = 3
_REGULAR_FILE = 0o100644
_EXECUTABLE = 0o100755


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of *files* by path: sorted, with fixed times and permissions, deflated at level 6.

    The same files give the same bytes with the same implementation of deflate. CPython has zlib on Linux and macOS.
    Some builds have zlib-ng instead (CPython 3.14 for Windows, Fedora since 40), which gives other bytes that unpack to
    the same files.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _TIME)
            info.create_system = _UNIX
            info.external_attr = (_EXECUTABLE if name.endswith(".so") else _REGULAR_FILE) << 16
            archive.writestr(info, files[name], zipfile.ZIP_DEFLATED, 6)
    return buffer.getvalue()


def packed_sizes(content: bytes) -> dict[str, int]:
    """Return the compressed size in bytes of each file in the zip *content*."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {member.filename: member.compress_size for member in archive.infolist()}


def write_whole(path: Path, content: bytes) -> None:
    """Write *content* to *path* atomically: to a temporary file in the same folder, which then replaces *path*.

    Raises OSError, and leaves *path* as it was.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        with suppress(OSError):  # after the replacement, or if it was never created
            draft.unlink()


@dataclass(frozen=True, slots=True)
class Upload:
    """A way to upload code to FunctionGraph, with its limits in bytes (FunctionGraph, Notes and Constraints)."""

    name: str
    most: int
    most_unpacked: int = 1536 * MB


UPLOADS = (Upload("console", 40 * MB), Upload("API", 50 * MB), Upload("OBS", 300 * MB))


def fitting_uploads(size: int, unpacked_size: int) -> tuple[Upload, ...]:
    """Return the ways to upload a zip of these sizes, in bytes."""
    return tuple(way for way in UPLOADS if size <= way.most and unpacked_size <= way.most_unpacked)


def check_limits(name: str, size: int, files: Mapping[str, bytes], packed: Mapping[str, int]) -> None:
    """Raise PackagingFailed if the zip *name* is too large for every upload. The message lists the largest folders.

    *packed* has the compressed size of each of *files*.
    """
    unpacked_size = sum(map(len, files.values()))
    if fitting_uploads(size, unpacked_size):
        return
    most = UPLOADS[-1]
    raise PackagingFailed(
        f"{name} has {_mb(size)}, unpacked {_mb(unpacked_size)}: FunctionGraph accepts at most {_mb(most.most)},"
        f" unpacked {_mb(most.most_unpacked)}, through {most.name}. The largest folders in the zip:\n"
        + "\n".join(f"  {_mb(taken):>10}  {folder}" for folder, taken in largest(packed))
    )


def largest(packed: Mapping[str, int], most: int = 10) -> list[tuple[str, int]]:
    """Return the largest folders and files at the root, with their compressed sizes in bytes."""
    folders = Counter[str]()
    for name, size in packed.items():
        folders[name.partition("/")[0]] += size
    return folders.most_common(most)


def _mb(size: int) -> str:
    return f"{size / MB:.1f} MB"
