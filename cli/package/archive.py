"""Zip files whose bytes depend on nothing but what is in them."""

import io
import zipfile
from collections.abc import Mapping


_TIME = (1980, 1, 1, 0, 0, 0)
"""The first that a zip can name. Nobody may rely on it: see `cli.package.compiler` about byte code."""

_UNIX = 3
_REGULAR_FILE = 0o100644
_EXECUTABLE = 0o100755


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of *files* by path: sorted, each of the same time and the same rights, deflated at level 6.

    The one thing that is not ours is how deflate chooses. zlib, which CPython has on Linux and macOS, is the same
    everywhere; zlib-ng, which some builds have in its place (CPython 3.14 for Windows, Fedora since 40), gives other
    bytes that unpack to the same.
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
    """Return the bytes that each file takes in the zip *content*."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {member.filename: member.compress_size for member in archive.infolist()}
