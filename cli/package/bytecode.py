"""Byte code and the record of imports, made by a CPython of the version that runs the package."""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.package.model import Files, Observer, PackagingFailed
from cli.package.record import CHECKED_HASH
from cli.paths import CHECKOUT


CODE_ROOT = "/opt/function/code"
"""The folder that FunctionGraph unpacks a function to (FunctionGraph, environment variables, RUNTIME_CODE_ROOT)."""

RECORD_READER = "shared/runtime/cold_start.py"
"""The module of the package that reads the record."""

_ASK = "import sys; print(sys.implementation.name, *sys.version_info[:4])"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython on this machine, with its version, such as ``3.10.13``."""

    executable: str
    version: str


def find_interpreter(python: str) -> Interpreter:
    """Return a final release of CPython *python*, such as ``3.10``: this process's, or one on the PATH, of pyenv or uv.

    Raises PackagingFailed if there is none.
    """
    for candidate in _candidates(python):
        version = _version(candidate)
        if version and version.startswith(f"{python}."):
            return Interpreter(candidate, version)
    raise PackagingFailed(
        f"there is no Python {python} on the PATH, among the versions of pyenv or in uv.\n"
        f"Only the version that runs the function can make its byte code. Install it (`uv python install {python}` or"
        f" `pyenv install {python}`), or leave the byte code out with --without-byte-code: the function then compiles"
        " every module on each cold start, which takes three to four times as long."
    )


def _candidates(python: str) -> Iterator[str]:
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield sys.executable
    if on_path := shutil.which(f"python{python}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from sorted(map(str, pyenv.glob(f"{python}.*/bin/python{python}")), reverse=True)
    if uv := shutil.which("uv"):
        yield _output([uv, "python", "find", python])


def _version(executable: str) -> str | None:
    """Return the version, such as ``3.10.13``, or None if this is not a working final release of CPython.

    A shim of pyenv exists even if its version is not active.
    """
    answer = _output([executable, "-I", "-S", "-c", _ASK]).split() if executable else []
    if len(answer) != 5 or answer[0] != "cpython" or answer[4] != "final":
        return None
    return ".".join(answer[1:4])


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 found above
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


class Compiler:
    """Makes byte code with *interpreter*. A module that several packages share is compiled once."""

    def __init__(self, interpreter: Interpreter, observer: Observer) -> None:
        self._interpreter = interpreter
        self._observer = observer
        self._compiled: dict[tuple[str, bytes], Files] = {}

    def byte_code(self, files: Files, ours: Files) -> Files:
        """Return the .pyc of each module among *files*, by path.

        The byte code of *ours* is compared with its source when it is loaded, so that an edited source wins. That of
        requirements is not, which saves reading them. The same module and release of Python give the same bytes. A
        module of a requirement that does not compile, such as a test of a parser, has none. Raises PackagingFailed if
        one of *ours* does not compile.
        """
        modules = [(name, content) for name, content in files.items() if name.endswith(".py")]
        if new := dict(module for module in modules if module not in self._compiled):
            failures = self._compile(new)
            if wrong := [f"  {name}: {problem}" for name, problem in failures.items() if name in ours]:
                raise PackagingFailed(f"Python {self._interpreter.version} cannot compile\n" + "\n".join(wrong))
        return {
            name: _checked(content) if module[0] in ours else content
            for module in modules
            for name, content in self._compiled[module].items()
        }

    def _compile(self, modules: Files) -> dict[str, str]:
        """Compile *modules*, and return the error of each that does not compile."""
        version = self._interpreter.version
        compiled_one = self._observer.step(f"Compiling {len(modules)} modules with Python {version}", len(modules))
        failures = {}
        with unpacked(modules) as root:
            with self._run("cli.package.compiler", str(root), CODE_ROOT) as child:
                for line in child.stdout or ():
                    name, _, problem = line.rstrip("\n").partition("\t")
                    if problem:
                        failures[name] = problem
                    compiled_one()
            if child.returncode:
                raise PackagingFailed(f"{self._interpreter.executable} failed to compile the package, see above")
            self._compiled |= {module: {} for module in modules.items()}
            for path in root.rglob("*.pyc"):
                name = path.relative_to(root).as_posix()
                source = importlib.util.source_from_cache(name)
                self._compiled[source, modules[source]] = {name: path.read_bytes()}
        return failures

    def with_record(self, files: Files, warn: Callable[[str], None]) -> Files:
        """Return *files*, the complete package, with a record in place of the byte code that the record contains.

        The record has what is read and compiled while the function is imported, which makes its cold start shorter. To
        make it, the package is imported, which requires the platform of its wheels. On other platforms, *warn* is
        called and there is no record. A package without the module that reads the record has none, either. Raises
        PackagingFailed if the package cannot be imported.
        """
        if RECORD_READER not in files:
            return files
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            warn(
                "Only Linux on x86_64 can import the package to record what its import compiles. Without the record,"
                " its cold start takes longer and its digest differs."
            )
            return files
        with unpacked(files) as root:
            with self._run("cli.package.record", str(root)) as child:
                child.communicate()
            if child.returncode:
                raise PackagingFailed("the package cannot be imported, see above")
            left = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
            return {name: files.get(name) or path.read_bytes() for name, path in left.items()}

    def _run(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        """Run a module of this package with the interpreter, in a fixed environment."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        fixed = {"PYTHONPATH": str(CHECKOUT), "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
        command = [self._interpreter.executable, "-S", "-s", "-B", "-W", "ignore", "-m", module, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=inherited | fixed)  # noqa: S603 ours


def _checked(byte_code: bytes) -> bytes:
    """Return a .pyc that Python compares with the hash of its source (PEP 552)."""
    return byte_code[:4] + CHECKED_HASH.to_bytes(4, "little") + byte_code[8:]


@contextmanager
def unpacked(files: Files) -> Iterator[Path]:
    """A temporary folder that contains *files*."""
    with tempfile.TemporaryDirectory(prefix="ddsbackup-") as scratch:
        root = Path(scratch)
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        yield root
