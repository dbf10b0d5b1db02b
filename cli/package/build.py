"""From functions of the template to their packages."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from cli.package.archive import packed_sizes, zipped
from cli.package.bytecode import Compiler
from cli.package.contents import Files, merged, own_files, wheel_files
from cli.package.interpreter import Interpreter, find_interpreter
from cli.package.licences import licence_texts
from cli.package.limits import check_limits
from cli.package.model import Observer, Package
from cli.package.recording import recorded
from cli.package.requirements import read_requirements
from cli.package.sbom import Part, sbom
from cli.package.slim import read_rules, slim
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
    out.mkdir(parents=True, exist_ok=True)
    benches = dict[str, _Bench]()
    packages = []
    for function in functions:
        version = python or function.runtime.removeprefix("Python")
        if version not in benches:
            interpreter = find_interpreter(version) if with_byte_code else None
            benches[version] = _Bench(version, full, interpreter, cache or default_cache(), observer)
        packages.append(benches[version].package(function, out))
    return tuple(packages)


def default_cache() -> Path:
    """Where wheels are kept for a user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ddsbackup" / "wheels"


class _Bench:
    """Makes packages for one version of Python; what was got for one function is at hand for the next."""

    def __init__(
        self, python: str, full: bool, interpreter: Interpreter | None, cache: Path, observer: Observer
    ) -> None:
        self._python = python
        self._full = full
        self._cache = cache
        self._observer = observer
        self._compiler = Compiler(interpreter, observer) if interpreter else None
        self._vendored: dict[Path, dict[Wheel, Files]] = {}
        self._facts = {"python": python, "requirements": "full" if full else "slim"}
        if interpreter:
            self._facts["byte-code"] = f"CPython {interpreter.version}"

    def package(self, function: Function, out: Path) -> Package:
        """Write one package."""
        ours = own_files(function)
        wheels = self._wheels(function.code_root / REQUIREMENTS)
        theirs = merged((wheel.name, files) for wheel, files in wheels.items())
        parts = [Part(wheel, files, files) for wheel, files in wheels.items()]
        if not self._full:
            rules = read_rules()
            theirs = slim(theirs, [content for name, content in ours.items() if name.endswith(".py")], rules)
            parts = [_part(wheel, files, theirs, rules.made) for wheel, files in wheels.items()]
            for part in parts:
                theirs |= licence_texts(part.wheel.name, part.published) if part.packed else {}
        files = merged([("the requirements", theirs), (function.name, ours)])
        if self._compiler:
            files |= self._compiler.byte_code(files, ours)
            files |= recorded(files, self._compiler, self._observer)
        return self._write(function, files, parts, out)

    def _wheels(self, requirements: Path) -> dict[Wheel, Files]:
        if requirements not in self._vendored:
            pinned = read_requirements(requirements, self._python)
            wheels = get_wheels(pinned, self._python, self._cache, self._observer)
            self._vendored[requirements] = {wheel: wheel_files(wheel) for wheel in wheels}
        return self._vendored[requirements]

    def _write(self, function: Function, files: Files, parts: Sequence[Part], out: Path) -> Package:
        done = self._observer.step(f"Zipping {function.name}", 1)
        content = zipped(files)
        done()
        path = out / f"{function.name}.zip"
        check_limits(path.name, len(content), files, packed_sizes(content))
        digest = hashlib.sha512(content).hexdigest()
        bill = path.with_suffix(".cdx.json")
        path.write_bytes(content)
        bill.write_text(sbom(function.name, digest, parts, self._facts), encoding="utf-8", newline="\n")
        unpacked_size = sum(map(len, files.values()))
        return Package(function, self._python, path, bill, len(content), len(files), unpacked_size, digest)


def _part(wheel: Wheel, files: Files, packed: Files, made: Files) -> Part:
    return Part(wheel, files, {name: packed[name] for name in files if name in packed and name not in made})
