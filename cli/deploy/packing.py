"""The packages that are deployed, made with progress on standard error."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.console import make_console
from cli.package.archive import fitting_uploads
from cli.package.build import build_packages, notices
from cli.package.display import make_observer, make_progress
from cli.package.model import Package, PackagingFailed
from cli.template.model import Function


OUT = Path("build")
API = "API"
"""The way in which the code is uploaded."""


def pack(functions: Sequence[Function], python: str | None) -> Mapping[str, Package]:
    """Write the packages to ``build`` and return them by the functions' names. Raises PackagingFailed."""
    console = make_console(stderr=True)
    with make_progress(console) as progress:
        observer = make_observer(console, progress)
        for notice in notices(functions, None):
            observer.warn(notice)
        packages = build_packages(functions, out=OUT, observer=observer, python=python)
    for package in packages:
        if API not in {way.name for way in fitting_uploads(package.size, package.unpacked_size)}:
            raise PackagingFailed(
                f"{package.path} is too large for FunctionGraph's API, which takes 50 MB: upload it through OBS, as "
                "ddsbackup terraform does"
            )
    return {package.function.name: package for package in packages}
