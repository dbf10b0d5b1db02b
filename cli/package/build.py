"""From functions of the template to their packages."""

from collections.abc import Sequence
from pathlib import Path

from cli.package.model import Observer, Package
from cli.template.model import Function


def build_packages(
    functions: Sequence[Function],
    *,
    out: Path,
    observer: Observer,
    python: str | None = None,
    full: bool = False,
    byte_code: bool = True,
    cache: Path | None = None,
) -> tuple[Package, ...]:
    """Write ``<function>.zip`` and ``<function>.cdx.json`` of each function to the folder *out*.

    *python* is the version that they are for (default: the Runtime of each), *full* packs everything that
    requirements.txt names, untouched, instead of what the functions reach, *cache* is where wheels are kept (default:
    the user's cache directory). The order is that of *functions*. The same sources give the same bytes.

    Raises PackagingFailed, which says what to do.
    """
    raise NotImplementedError
