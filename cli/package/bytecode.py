"""Byte code for the modules of a package, made by the version of Python that runs it."""

import importlib.util
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.package.contents import Files
from cli.package.interpreter import Interpreter
from cli.package.model import Observer, PackagingFailed
from cli.paths import CHECKOUT


CODE_ROOT = "/opt/function/code"
"""Where FunctionGraph unpacks a function (FunctionGraph, environment variables, RUNTIME_CODE_ROOT)."""


class Compiler:
    """Makes byte code with *interpreter*; what was compiled for one package is at hand for the next."""

    def __init__(self, interpreter: Interpreter, observer: Observer) -> None:
        self._interpreter = interpreter
        self._observer = observer
        self._made: dict[tuple[str, bytes], Files] = {}

    def byte_code(self, files: Files, ours: Files) -> Files:
        """Return the .pyc of each module among *files*, by its path.

        The same module and release of Python give the same bytes. A module of a requirement that does not compile, a
        test of its parser say, is left without. Raises PackagingFailed when one of *ours* does not.
        """
        modules = [(name, content) for name, content in files.items() if name.endswith(".py")]
        if new := dict(module for module in modules if module not in self._made):
            failures = self._compile(new)
            if wrong := [f"  {name}: {problem}" for name, problem in failures.items() if name in ours]:
                raise PackagingFailed(f"Python {self._interpreter.version} cannot compile\n" + "\n".join(wrong))
        return {name: content for module in modules for name, content in self._made[module].items()}

    def _compile(self, modules: Files) -> dict[str, str]:
        """Compile *modules*; return why those that do not compile do not."""
        version = self._interpreter.version
        compiled_one = self._observer.step(f"Compiling {len(modules)} modules with Python {version}", len(modules))
        failures = {}
        with unpacked(modules) as root:
            with self.running("cli.package.compiler", str(root), CODE_ROOT) as child:
                for line in child.stdout or ():
                    name, _, problem = line.rstrip("\n").partition("\t")
                    if problem:
                        failures[name] = problem
                    compiled_one()
            if child.returncode:
                raise PackagingFailed(f"{self._interpreter.executable} failed to compile the package, see above")
            self._made |= {module: {} for module in modules.items()}
            for path in root.rglob("*.pyc"):
                name = path.relative_to(root).as_posix()
                source = importlib.util.source_from_cache(name)
                self._made[source, modules[source]] = {name: path.read_bytes()}
        return failures

    def running(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        """Run a module of this command with the interpreter, the same way always."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        fixed = {"PYTHONPATH": str(CHECKOUT), "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
        command = [self._interpreter.executable, "-S", "-s", "-B", "-W", "ignore", "-m", module, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=inherited | fixed)  # noqa: S603 ours


@contextmanager
def unpacked(files: Files) -> Iterator[Path]:
    """A folder with *files* in it, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="ddsbackup-") as scratch:
        root = Path(scratch)
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        yield root
