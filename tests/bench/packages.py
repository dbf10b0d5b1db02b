"""Packages create_backup with `ddsbackup package` and with `pip install -t` and zip, and unpacks both."""

import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli.package.build import build_packages
from cli.package.bytecode import find_interpreter
from cli.paths import CHECKOUT
from cli.template.load import find_function, load_template


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An unpacked package, and the size of its zip in bytes."""

    name: str
    root: Path
    zip_size: int


@dataclass(frozen=True, slots=True)
class Packages:
    """The packages to compare, all for the same Python.

    Attributes:
        naive: its byte code, made by pip, is stale, since it depends on file times that a zip does not keep.
        naive_valid: the same package with byte code that is compiled after unpacking.
    """

    python: str
    ours: Unpacked
    naive: Unpacked
    naive_valid: Unpacked


class Silent:
    """Shows no progress of packaging."""

    def step(self, description: str, total: int) -> Callable[[], None]:
        return lambda: None

    def warn(self, text: str) -> None: ...


def pack(folder: Path) -> Packages:
    """Make the packages in `folder` for the Runtime of the template."""
    function = find_function(load_template(CHECKOUT / "template.yaml"), "create_backup")
    python = find_interpreter(function.runtime.removeprefix("Python")).executable
    (package,) = build_packages([function], out=folder / "build", observer=Silent(), reuse=False)
    ours = Unpacked("ddsbackup package", _unpack(package.path, folder / "ours"), package.size)
    archive = _naive(python, function.code_uri, folder / "site")
    size = archive.stat().st_size
    naive = Unpacked("pip install -t, zip", _unpack(archive, folder / "naive"), size)
    valid = Unpacked("the same, byte code valid", _unpack(archive, folder / "valid"), size)
    subprocess.run([python, "-m", "compileall", "-q", "-f", str(valid.root)], check=True)
    return Packages(python, ours, naive, valid)


def _naive(python: str, code: Path, site: Path) -> Path:
    requirements = str(CHECKOUT / "requirements.txt")
    command = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "-r",
        requirements,
    ]
    subprocess.run([*command, "--target", str(site)], check=True, stderr=subprocess.DEVNULL)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "shared", site / "shared", ignore=ignore)
    shutil.copytree(code, site, ignore=ignore, dirs_exist_ok=True)
    return Path(shutil.make_archive(str(site), "zip", site))


def _unpack(archive: Path, root: Path) -> Path:
    with zipfile.ZipFile(archive) as file:
        file.extractall(root)
    return root
