"""From functions of the template to their packages."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir

from cli.package.archive import packed_sizes, zipped
from cli.package.bytecode import Compiler
from cli.package.contents import Files, merged, own_files, wheel_files
from cli.package.imports import imports_of_nothing
from cli.package.interpreter import Interpreter, find_interpreter
from cli.package.limits import check_limits
from cli.package.model import Observer, Package, PackagingFailed
from cli.package.output import write_whole
from cli.package.recording import recorded
from cli.package.requirements import read_requirements
from cli.package.sbom import sbom
from cli.package.vendored import Vendored, published, slimmed
from cli.package.wheels import Wheel, get_wheels
from cli.template.model import Function


REQUIREMENTS = "requirements.txt"
"""Beside the template."""


def build_packages(
    functions: Sequence[Function],
    *,
    out: Path,
    observer: Observer,
    python: str | None = None,
    full: bool = False,
    with_byte_code: bool = True,
    cache: Path | None = None,
) -> tuple[Package, ...]:
    """Write ``<function>.zip`` and ``<function>.cdx.json`` of each function to the folder *out*.

    *python* is the version that they are for (default: the Runtime of each), *full* packs everything that
    requirements.txt names, untouched, instead of what the functions reach, *cache* is where wheels are kept (default:
    the user's cache directory). The order is that of *functions*.

    The same sources give the same bytes, wherever and whenever: the zip depends on nothing but the sources, the files
    that requirements.txt pins, the release of Python that makes the byte code, and zlib (see `cli.package.archive`).

    Raises PackagingFailed, which says what to do.
    """
    cache = cache or default_cache()
    packagers = dict[str, _Packager]()
    packages = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for function in functions:
            version = python or function.runtime.removeprefix("Python")
            if version not in packagers:
                interpreter = find_interpreter(version) if with_byte_code else None
                packagers[version] = _Packager(version, full, interpreter, cache, observer)
            packages.append(packagers[version].package(function, out))
    except OSError as error:
        places = f"{out} (--out), {cache} (XDG_CACHE_HOME) and {gettempdir()} (TMPDIR)"
        raise PackagingFailed(f"cannot make the packages: {error}\nFiles are written to {places}.") from error
    return tuple(packages)


def default_cache() -> Path:
    """Where wheels are kept for a user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ddsbackup" / "wheels"


class _Packager:
    """Makes packages for one version of Python; what was got for one function is at hand for the next."""

    def __init__(
        self, python: str, full: bool, interpreter: Interpreter | None, cache: Path, observer: Observer
    ) -> None:
        self._python = python
        self._full = full
        self._cache = cache
        self._observer = observer
        self._interpreter = interpreter
        self._compiler = Compiler(interpreter, observer) if interpreter else None
        self._vendored: dict[Path, dict[Wheel, Files]] = {}

    def package(self, function: Function, out: Path) -> Package:
        """Write one package."""
        wheels = self._wheels(function.code_root / REQUIREMENTS)
        ours = own_files(function, out)
        theirs = published(wheels) if self._full else slimmed(wheels, ours, self._observer.warn)
        files = merged([("the requirements", theirs.files), (function.name, ours)])
        for module, importer in imports_of_nothing(ours, files.keys(), function.handler).items():
            self._observer.warn(f"{importer} imports {module}, which is not packed: FunctionGraph has to have it.")
        if self._compiler:
            files |= self._compiler.byte_code(files, ours)
            files = recorded(files, self._compiler, self._observer)
        return self._write(function, files, theirs, out)

    def _wheels(self, requirements: Path) -> dict[Wheel, Files]:
        if requirements not in self._vendored:
            pinned = read_requirements(requirements, self._python)
            wheels = get_wheels(pinned, self._python, self._cache, self._observer)
            self._vendored[requirements] = {wheel: wheel_files(wheel) for wheel in wheels}
        return self._vendored[requirements]

    def _write(self, function: Function, files: Files, theirs: Vendored, out: Path) -> Package:
        done = self._observer.step(f"Zipping {function.name}", 1)
        content = zipped(files)
        done()
        path = out / f"{function.name}.zip"
        check_limits(path.name, len(content), files, packed_sizes(content))
        digest = hashlib.sha512(content).hexdigest()
        facts = {"python": self._python, "requirements": "slim" if theirs.is_slim else "full"}
        if self._interpreter:
            facts["byte-code"] = f"CPython {self._interpreter.version}"
        bill = path.with_suffix(".cdx.json")
        write_whole(path, content)
        write_whole(bill, sbom(function.name, digest, theirs.parts, facts).encode())
        unpacked_size = sum(map(len, files.values()))
        return Package(function, self._python, path, bill, len(content), len(files), unpacked_size, digest)
