"""Runs the tests of a module on a mutant, in a process of its own. The mutant is never written to the disk."""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType

import hypothesis
import pytest

from localcloud import LocalCloud  # noqa: F401 imported once here, so that no process of a mutant has to


ROOT = Path(__file__).parent.parent.parent
_OPTIONS = (
    *("-x", "-q", "--assert=plain", "--disable-plugin-autoload", "-p", "_hypothesis_pytestplugin"),
    *("-p", "no:cacheprovider", "--hypothesis-profile=mutants"),
)

hypothesis.settings.register_profile(
    "mutants",
    derandomize=True,
    max_examples=30,
    database=None,
    deadline=None,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    suppress_health_check=list(hypothesis.HealthCheck),
)


def _name(module: str) -> str:
    return module.removesuffix(".py").replace("/", ".")


class _Loader(SourceFileLoader):
    """Loads a module from a given source in place of its file's."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.get_filename(fullname), "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds one module with a given source. Python finds the others as usual."""

    def __init__(self, module: str, source: str) -> None:
        self._name = _name(module)
        self._path = str(ROOT / module)
        self._source = source

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, self._path, loader=_Loader(fullname, self._path, self._source))


def passes(module: str, source: str, tests: Sequence[str], timeout: float) -> bool:
    """Whether the tests pass with `source` in place of a module's own, within `timeout` seconds.

    Raises:
        RuntimeError: no test was run, or this process has imported the module already, so that its tests would too.
    """
    if _name(module) in sys.modules:
        raise RuntimeError(f"{module}: must not be imported before its mutants")
    process = multiprocessing.get_context("fork").Process(target=_test, args=(module, source, tests))
    process.start()
    process.join(timeout)
    if process.is_alive():
        process.kill()
        process.join()
    if process.exitcode == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise RuntimeError(f"{module}: {', '.join(tests)} must hold a test; found none")
    return process.exitcode == pytest.ExitCode.OK


def _test(module: str, source: str, tests: Sequence[str]) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.chdir(ROOT)
    sys.meta_path.insert(0, _Finder(module, source))
    os._exit(pytest.main([*_OPTIONS, *tests]))
