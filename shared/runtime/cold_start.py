"""Shortens a cold start, which is mostly imports.

The byte code of the imports is in hundreds of files, each of which Python looks for, opens and reads. Libraries also
compile texts while they are imported (methods of dataclasses, annotations, patterns), and Python caches none of that.
`ddsbackup package` records all of it in one file next to this module. Without that file, and for everything that is not
in it, modules are imported and texts compiled as usual.
"""

import gc
import marshal
import os
import re
import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple


Patterns = dict[tuple[str | bytes, int], tuple[int, list[int], int, dict[str, int], tuple[str | None, ...]]]


class Record(NamedTuple):
    """The content of the recorded file.

    Attributes:
        modules: for each module its file, relative to the root of the package, and its byte code as in `.pyc` files.
        texts: what `dataclasses` and `typing` compile, by source text.
        patterns: the arguments of `_sre.compile` after the pattern, by pattern and flags.
    """

    modules: dict[str, tuple[str, bytes]]
    texts: dict[str, CodeType]
    patterns: Patterns


def recorded_file(cache_tag: str = sys.implementation.cache_tag) -> Path:
    """Return the path of the file for a version of Python, by the tag of its `.pyc` files (`cpython-310`)."""
    return Path(__file__).with_name(f"cold_start.{cache_tag}.bin")


@contextmanager
def importing() -> Iterator[None]:
    """Import a function's modules inside this context. All changes to the interpreter are undone at its end.

    Garbage collection is off meanwhile, since almost nothing is garbage. At the end all objects are frozen, so that
    later collections skip them.
    """
    # pydantic would search the metadata of every installed package for plug-ins, FunctionGraph's own packages included.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    try:
        record = _read()
        if record is None:
            yield
        else:
            with _compiled(record), _found(record):
                yield
    finally:
        gc.freeze()
        gc.enable()


def _read() -> Record | None:
    try:
        return Record(*marshal.loads(recorded_file().read_bytes()))  # noqa: S302 it comes with the code, as byte code does
    except FileNotFoundError:
        return None


@contextmanager
def _compiled(record: Record) -> Iterator[None]:
    """Make `re`, `typing` and `dataclasses` use what is recorded instead of compiling it."""
    texts, patterns = record.texts, record.patterns
    compiler: Any = vars(re).get("_compiler") or vars(re)["sre_compile"]  # since Python 3.11, until 3.10
    compile_pattern, sre = compiler.compile, vars(compiler)["_sre"]

    def find_pattern(pattern: Any, flags: int = 0) -> Any:
        known = patterns.get((pattern, int(flags))) if isinstance(pattern, (str, bytes)) else None
        return sre.compile(pattern, *known) if known else compile_pattern(pattern, flags)

    def find_annotation(text: str, filename: str, mode: str) -> CodeType:
        return texts.get(text) or compile(text, filename, mode)

    def execute(text: str, variables: dict[str, Any], names: dict[str, Any]) -> None:
        exec(texts.get(text, text), variables, names)  # noqa: S102 what dataclasses does itself

    compiler.compile = find_pattern
    vars(typing)["compile"] = find_annotation
    import dataclasses  # compiles patterns itself

    vars(dataclasses)["exec"] = execute
    try:
        yield
    finally:
        del vars(dataclasses)["exec"], vars(typing)["compile"]
        compiler.compile = compile_pattern


@contextmanager
def _found(record: Record) -> Iterator[None]:
    """Find recorded modules before any folder is searched."""
    finder = _Finder(record.modules)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder:
    """Finds modules in a record."""

    def __init__(self, modules: dict[str, tuple[str, bytes]]) -> None:
        self._modules = modules
        self._root = Path(__file__).parents[2]

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Return the spec of a recorded module (the protocol of `sys.meta_path`)."""
        found = self._modules.pop(name, None)
        if found is None:
            return None
        file = f"{self._root}/{found[0]}"
        is_package = file.endswith("/__init__.py")
        spec = ModuleSpec(name, _Loader(name, file, found[1]), origin=file, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [file.removesuffix("/__init__.py")]
        return spec


class _Loader(SourceFileLoader):
    """Loads a module from recorded byte code, and from its file if it is loaded again."""

    def __init__(self, name: str, file: str, byte_code: bytes) -> None:
        super().__init__(name, file)
        self._byte_code = byte_code

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code."""
        byte_code, self._byte_code = self._byte_code, b""
        return marshal.loads(byte_code) if byte_code else super().get_code(fullname)  # noqa: S302 as above
