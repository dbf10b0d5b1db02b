"""From functions of the template to their packages."""

import hashlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import gettempdir

from cli.package.archive import check_limits, packed_sizes, write_whole, zipped
from cli.package.bytecode import Compiler, Interpreter, find_interpreter
from cli.package.cache import Built, Packages, key_of
from cli.package.contents import OUR_LICENCES, SHARED, is_junk, merged, own_files, refuse_secrets
from cli.package.imports import unresolved_imports
from cli.package.model import Files, Observer, Package, PackagingFailed
from cli.package.sbom import BILL, origins, sbom, with_digest
from cli.package.slim import Vendored, published, slimmed
from cli.package.wheels import Wheel, get_wheels, read_requirements, wheel_files
from cli.template.model import Function


REQUIREMENTS = "requirements.txt"
"""The file next to the template."""


def notices(functions: Sequence[Function], python: str | None) -> Iterator[str]:
    """Yield warnings before packages of *functions* are made for *python* (None: for the Runtime of each)."""
    others = [function.name for function in functions if python and function.runtime != f"Python{python}"]
    if others:
        yield (
            f"the Runtime of {', '.join(others)} in the template is not Python{python}. FunctionGraph cannot change the"
            " runtime of an existing function: this package only fits a new one."
        )
    for file in sorted({function.code_root / REQUIREMENTS for function in functions}):
        if not file.exists():
            yield f"there is no {file}: the package has no requirements"
    files = sorted({file for function in functions for file in _uncommitted(function)})
    if files:
        some = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
        yield f"the package has uncommitted changes, in {some}"


def _uncommitted(function: Function) -> Sequence[str]:
    """Return changed, untracked and ignored files that are packed. Empty without git or a repository."""
    packed = [str(function.code_uri), SHARED, REQUIREMENTS, *OUR_LICENCES]
    command = ["git", "-C", str(function.code_root), "status", "-z", "--no-renames", "--ignored", "--", *packed]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)  # noqa: S603 git
    except OSError:
        return ()
    files = [line[3:] for line in done.stdout.split("\0") if line] if done.returncode == 0 else []
    return [file for file in files if not is_junk(file)]


def build_packages(
    functions: Sequence[Function],
    *,
    out: Path,
    observer: Observer,
    python: str | None = None,
    full: bool = False,
    with_byte_code: bool = True,
    cache: Path | None = None,
    reuse: bool = True,
    allowed: Sequence[str] = (),
) -> tuple[Package, ...]:
    """Write ``<function>.zip`` and ``<function>.cdx.json`` of each function to the folder *out*.

    *python* is the target version (default: the Runtime of each function). *full* packs all requirements as published,
    not only what the functions reach. *cache* is the folder of the wheels (default: in the user's cache directory), and
    its neighbour *packages* has the finished packages, which are used unless *reuse* is false. The name of a zip for
    another Python than the function's Runtime has that version: ``<function>-python3.12.zip``. The packages have the
    order of *functions*. Files that look like secrets are an error, unless *allowed* has a pattern that matches them.

    The same sources give the same bytes anywhere and at any time: the zip depends only on the sources, on the files
    that requirements.txt pins, on the release of Python that makes the byte code, and on zlib (see
    `cli.package.archive`).

    Raises PackagingFailed, which says what to do.
    """
    cache = cache or default_cache()
    packagers = dict[str, _Packager]()
    packages = []
    try:
        refuse_secrets(functions, out, allowed)
        out.mkdir(parents=True, exist_ok=True)
        for function in functions:
            version = python or function.runtime.removeprefix("Python")
            if version not in packagers:
                interpreter = find_interpreter(version) if with_byte_code else None
                packagers[version] = _Packager(version, full, interpreter, cache, observer, reuse=reuse)
            packages.append(packagers[version].package(function, out))
    except OSError as error:
        places = f"{out} (--out), {cache} (XDG_CACHE_HOME) and {gettempdir()} (TMPDIR)"
        raise PackagingFailed(f"cannot make the packages: {error}\nFiles are written to {places}.") from error
    return tuple(packages)


def default_cache() -> Path:
    """Return the user's cache of wheels."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ddsbackup" / "wheels"


class _Packager:
    """Makes packages for one version of Python. Functions share the wheels and the byte code."""

    def __init__(
        self,
        python: str,
        full: bool,
        interpreter: Interpreter | None,
        cache: Path,
        observer: Observer,
        *,
        reuse: bool,
    ) -> None:
        self._python = python
        self._full = full
        self._cache = cache
        self._observer = observer
        self._interpreter = interpreter
        self._compiler = Compiler(interpreter, observer) if interpreter else None
        self._warned: set[str] = set()
        self._wheel_files: dict[Path, dict[Wheel, Files]] = {}
        self._packages, self._reuse = Packages(cache.parent / "packages"), reuse

    def package(self, function: Function, out: Path) -> Package:
        """Write the package of *function*, from the cache or newly built."""
        ours = own_files(function, out)
        key = key_of(ours, function.code_root / REQUIREMENTS, self._facts(function))
        built = self._packages.read(key) if self._reuse else None
        if built is None:
            built = self._build(function, ours)
            self._packages.write(key, built)
        else:
            self._observer.step(f"{function.name} is packed already", 1)()
        for warning in built.warnings:
            if warning not in self._warned:  # what is said of the machine is said of every package
                self._observer.warn(warning)
                self._warned.add(warning)
        other = "" if function.runtime == f"Python{self._python}" else f"-python{self._python}"
        path, bill = out / f"{function.name}{other}.zip", out / f"{function.name}{other}.cdx.json"
        write_whole(path, built.zip)
        write_whole(bill, built.sbom)
        sizes = (len(built.zip), built.files, built.unpacked_size)
        return Package(function, self._python, path, bill, *sizes, built.digest)

    def _facts(self, function: Function) -> dict[str, str]:
        """Return what the package depends on, beside its sources."""
        made_by = self._interpreter.version if self._interpreter else ""
        return {
            "name": function.name,
            "handler": function.handler,
            "python": self._python,
            "full": str(self._full),
            "byte-code": made_by,
        }

    def _build(self, function: Function, ours: Files) -> Built:
        warnings: list[str] = []
        wheels = self._wheels(function.code_root / REQUIREMENTS)
        theirs = published(wheels) if self._full else slimmed(wheels, ours, warnings.append)
        files = merged([("the requirements", theirs.files), (function.name, ours)])
        for module, importer in unresolved_imports(ours, files.keys(), function.handler).items():
            warnings.append(f"{importer} imports {module}, which is not packed: FunctionGraph must have it.")
        if self._compiler:
            files |= self._compiler.byte_code(files, ours)
            files = self._compiler.with_record(files, warnings.append)
        bill = sbom(function.name, theirs.parts, self._statement(theirs), origins(files, ours, theirs.origins))
        files = merged([("the package", files), ("the bill of materials", {BILL: bill.encode()})])
        return self._zipped(function, files, bill, tuple(warnings))

    def _statement(self, theirs: Vendored) -> dict[str, str]:
        """Return what the bill of materials states about the zip."""
        facts = {"python": self._python, "requirements": "slim" if theirs.is_slim else "full"}
        return facts | ({"byte-code": f"CPython {self._interpreter.version}"} if self._interpreter else {})

    def _wheels(self, requirements: Path) -> dict[Wheel, Files]:
        if requirements not in self._wheel_files:
            pinned = read_requirements(requirements, self._python)
            wheels = get_wheels(pinned, self._python, self._cache, self._observer)
            self._wheel_files[requirements] = {wheel: wheel_files(wheel) for wheel in wheels}
        return self._wheel_files[requirements]

    def _zipped(self, function: Function, files: Files, bill: str, warnings: tuple[str, ...]) -> Built:
        done = self._observer.step(f"Zipping {function.name}", 1)
        content = zipped(files)
        done()
        check_limits(f"{function.name}.zip", len(content), files, packed_sizes(content))
        digest = hashlib.sha512(content).hexdigest()
        beside = with_digest(bill, digest).encode()
        return Built(content, beside, len(files), sum(map(len, files.values())), warnings)
