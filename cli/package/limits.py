"""How large code may be that FunctionGraph takes (FunctionGraph, Notes and Constraints)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cli.package.model import PackagingFailed


MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A way to bring a zip to FunctionGraph; sizes are bytes."""

    name: str
    most: int
    most_unpacked: int = 1536 * MB


UPLOADS = (Upload("console", 40 * MB), Upload("API", 50 * MB), Upload("OBS", 300 * MB))


def fitting_uploads(size: int, unpacked_size: int) -> tuple[Upload, ...]:
    """Return the ways that a zip of that many bytes, and as many unpacked, can take."""
    return tuple(way for way in UPLOADS if size <= way.most and unpacked_size <= way.most_unpacked)


def check_limits(name: str, size: int, files: Mapping[str, bytes], packed: Mapping[str, int]) -> None:
    """Raise PackagingFailed when no way takes the zip *name*; it says what takes the space.

    *packed* is the size in the zip of each of *files*.
    """
    unpacked_size = sum(map(len, files.values()))
    if fitting_uploads(size, unpacked_size):
        return
    most = UPLOADS[-1]
    raise PackagingFailed(
        f"{name} has {_mb(size)}, unpacked {_mb(unpacked_size)}: FunctionGraph takes at most {_mb(most.most)}, unpacked"
        f" {_mb(most.most_unpacked)}, through {most.name}. What takes the space, in the zip:\n"
        + "\n".join(f"  {_mb(taken):>10}  {folder}" for folder, taken in largest(packed))
    )


def largest(packed: Mapping[str, int], most: int = 10) -> list[tuple[str, int]]:
    """Return the folders and files at the root that are the largest, with their bytes in the zip."""
    folders = Counter[str]()
    for name, size in packed.items():
        folders[name.partition("/")[0]] += size
    return folders.most_common(most)


def _mb(size: int) -> str:
    return f"{size / MB:.1f} MB"
